#!/usr/bin/env bash
# Builds the package, installs it in a clean Debian, uses it there, upgrades, removes and purges it, and looks at what stays.
# As root; the clean Debian comes from the mirror that this machine's apt uses.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$(mktemp -d)
trap 'umount -q "$root/proc" || true; rm -rf "$root"' EXIT

step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
fail() { echo "FAILED: $*" >&2; exit 1; }

# Where apt gets the release that this machine runs; deb822 files or lists.
find_mirror() {
    local release=$1
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
        awk -v release="$release" '$2 == release && $3 == "main" && $4 == "Packages" { print $1; exit }'
}

step "tools"
if ! command -v debootstrap >/dev/null; then
    apt-get update -q
    apt-get install -qy debootstrap
fi
cargo deb --version || cargo install cargo-deb --locked

step "package"
deploy/package
package=$(ls -t target/debian/bss-sync_*.deb | head -n 1)
dpkg-deb --info "$package"
dpkg-deb --contents "$package" | awk '{ print $1, $2, $6 }'

step "a clean Debian"
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(find_mirror "$release")
[[ -n $mirror ]] || fail "apt knows no mirror of $release"
debootstrap --variant=minbase --include=ca-certificates,systemd "$release" "$root" "$mirror" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    fail "debootstrap"
}
rm -f "$root.log"
mount -t proc proc "$root/proc"

step "installed"
cp "$package" "$root/tmp/bss-sync.deb"
inside apt-get install -qy -o Dpkg::Use-Pty=0 /tmp/bss-sync.deb
inside bss-sync --version
inside bss-sync jobs
inside test -f /usr/share/man/man1/bss-sync-run.1.gz
inside getent passwd bss-sync
[[ $(inside stat -c '%U:%G %a' /var/lib/bss-sync) == "bss-sync:bss-sync 750" ]] || fail "/var/lib/bss-sync"
[[ $(inside stat -c '%U:%G %a' /etc/bss-sync/credentials) == "root:root 700" ]] || fail "/etc/bss-sync/credentials"
inside systemd-analyze verify /usr/lib/systemd/system/bss-sync{,-serve}.service /usr/lib/systemd/system/bss-sync.timer
for unit in "$root"/usr/lib/systemd/system/bss-sync*; do
    ! inside systemctl is-enabled "$(basename "$unit")" 2>/dev/null | grep -x enabled || fail "$unit is enabled"
done

step "a configuration that was changed, a warehouse, and check"
sed -i 's/"china"/"international"/' "$root/etc/bss-sync/config.toml"
inside sh -c 'umask 077; echo key >/etc/bss-sync/credentials/access_key; echo key >/etc/bss-sync/credentials/secret_key'
inside sh -c 'umask 077; : >/var/lib/bss-sync/billing.sqlite; chown bss-sync: /var/lib/bss-sync/billing.sqlite'
# The vendor is not asked, so nothing worse than a warning is left.
inside env CREDENTIALS_DIRECTORY=/etc/bss-sync/credentials bss-sync check --offline || code=$?
[[ ${code:-0} == 0 || $code == 3 ]] || fail "check ends with $code"

step "the same again, as an upgrade"
inside apt-get install -qy -o Dpkg::Use-Pty=0 --reinstall /tmp/bss-sync.deb
inside grep -q '^site = "international"' /etc/bss-sync/config.toml || fail "the configuration was overwritten"

step "removed, purged"
inside apt-get remove -qy -o Dpkg::Use-Pty=0 bss-sync
! inside test -e /usr/bin/bss-sync || fail "the program stays"
inside test -f /var/lib/bss-sync/billing.sqlite || fail "the warehouse is gone after remove"
inside apt-get purge -qy -o Dpkg::Use-Pty=0 bss-sync
! inside test -e /etc/bss-sync/config.toml || fail "the configuration stays after purge"
inside test -f /var/lib/bss-sync/billing.sqlite || fail "the warehouse is gone after purge"
inside test -f /etc/bss-sync/credentials/access_key || fail "the keys are gone after purge"
inside ls -lR /var/lib/bss-sync /etc/bss-sync

step "all passed"
