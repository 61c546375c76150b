#!/usr/bin/env bash
# What the units restrict, by other means, where no systemd runs: as a user without rights and without ways to get any, with
# everything read-only but its state and the folder of finance, and in a user namespace of its own (`PrivateUsers=`), `run` and
# `serve` read from the simulator and publish, and every system call they make is held against the filter of the unit. As root.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

step() { printf '\n== %s\n' "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
for tool in strace systemd-analyze setpriv unshare; do
    command -v "$tool" >/dev/null || fail "$tool is missing"
done

step "the units"
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/units"
for unit in deploy/*.service deploy/*.timer; do
    # The program need not be installed for its units to be looked at.
    sed 's|/usr/local/bin/bss-sync|/bin/true|' "$unit" >"$work/units/$(basename "$unit")"
done
systemd-analyze verify "$work"/units/*
for unit in "$work"/units/*.service; do
    systemd-analyze security --offline=true --threshold=15 --no-pager "$unit" | tail -n 1
done

step "programs"
cargo build --locked --package bss-sync --package vendor-sim
install -m 755 "$target/debug/bss-sync" "$target/debug/vendor-sim" "$work"

# The calls that `SystemCallFilter=` of the unit allows.
calls_of() {
    systemd-analyze syscall-filter "$1" | sed -n 's/^ \+\([-@a-z0-9_]\+\)$/\1/p' | while read -r name; do
        if [[ $name == @* ]]; then calls_of "$name"; else echo "$name"; fi
    done
}
allowed_calls() {
    local unit=$1 word set
    : >"$work/allowed"
    while read -r -a words; do
        for word in "${words[@]}"; do
            set=${word#\~}
            calls_of "$set" | sort -u >"$work/set"
            if [[ ${words[0]} == ~* ]]; then
                comm -23 "$work/allowed" "$work/set" >"$work/left"
            else
                sort -u "$work/allowed" "$work/set" >"$work/left"
            fi
            mv "$work/left" "$work/allowed"
        done
    done < <(sed -n 's/^SystemCallFilter=//p' "$unit")
}

# Runs a command of the program as the unit would: rights, file system and core limit are the kernel's, the calls are noted.
confined() {
    strace -f -qq -o "$work/trace" unshare --mount --ipc --propagation private bash -euc '
        mount --bind "$0/state" "$0/state"
        mount --bind "$0/finance" "$0/finance"
        mount -o remount,bind,ro / 2>/dev/null || mount -o remount,ro,bind /
        mount -o remount,bind,rw "$0/state"
        mount -o remount,bind,rw "$0/finance"
        mount -t tmpfs tmpfs /home
        ulimit -c 0
        umask 077
        exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
            unshare --user --map-current-user env -i PATH=/usr/bin:/bin CREDENTIALS_DIRECTORY="$0/keys" "$0/bss-sync" --config "$0/config.toml" "$@"
    ' "$work" "$@"
}

# Everything the program called, from its own `execve` on.
held_against() {
    local unit=$1
    allowed_calls "$unit"
    [[ $(wc -l <"$work/allowed") -gt 200 ]] || fail "the filter of $unit was not understood"
    awk -v program="execve(\"$work/bss-sync\"" '
        index($0, program) { begun = 1 }
        begun && match($0, /^[0-9]+ +[a-z_0-9]+\(/) { sub(/^[0-9]+ +/, ""); sub(/\(.*/, ""); print }
    ' "$work/trace" | sort -u >"$work/called"
    [[ $(wc -l <"$work/called") -gt 30 ]] || fail "nothing was traced"
    local refused
    refused=$(comm -23 "$work/called" "$work/allowed")
    [[ -z $refused ]] || fail "$unit refuses what the program calls: $refused"
    ! grep -E 'mmap|mprotect' "$work/trace" | grep -q 'PROT_WRITE|PROT_EXEC' || fail "memory that is written and executed"
    local families
    families=$(grep -oE 'socket\(AF_[A-Z0-9]+' "$work/trace" | sort -u | sed 's/socket(//' | grep -vxE 'AF_(INET|INET6|UNIX)' || true)
    [[ -z $families ]] || fail "$unit refuses sockets of $families"
    echo "$(wc -l <"$work/called") kinds of calls, all allowed by $(basename "$unit")"
}

step "a vendor"
"$work/vendor-sim" --orders 60 --until "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$work/vendor" &
until grep -qs "^key " "$work/vendor"; do sleep 0.1; done
mkdir -m 700 "$work/keys" "$work/state"
read -r _ access secret _ < <(grep -m 1 -i '(.*customer' "$work/vendor" || grep -m 1 '^key ' "$work/vendor")
echo "$access" >"$work/keys/access_key"
echo "$secret" >"$work/keys/secret_key"
chmod 400 "$work"/keys/*
chown -R 65534:65534 "$work/keys" "$work/state"
cat >"$work/config.toml" <<CONFIG
[warehouse]
path = "$work/state/billing.sqlite"

[accounts.acme]
endpoint = "$(sed -n 's/^listening on //p' "$work/vendor")"
access_key = { credential = "access_key" }
secret_key = { credential = "secret_key" }

[publish]
path = "$work/finance/billing.sqlite"
after_run = true
CONFIG
# As docs/operate/publish.md says: the folder gives its group to the copy.
finance=12345
install -d -m 2750 -o 65534 -g $finance "$work/finance"
is_published() {
    [[ $(stat -c "%g %a" "$work/finance/billing.sqlite") == "$finance 640" ]] || fail "the copy is not for the group"
}
sqlite() { sqlite3 -readonly "$work/state/billing.sqlite" "$1"; }

step "one run, as bss-sync.service"
confined run
held_against deploy/bss-sync.service
orders=$(sqlite "select count(*) from orders")
[[ $orders -gt 0 ]] || fail "nothing was read"
echo "$orders orders"
is_published

step "the worker that stays, as bss-sync-serve.service"
rm -f "$work"/state/* "$work"/finance/*
confined serve 2>"$work/log" &
for _ in $(seq 600); do
    [[ $(sqlite "select count(*) from runs where outcome = 'done'" 2>/dev/null || echo 0) -ge 3 && -e $work/finance/billing.sqlite ]] && break
    sleep 0.1
done
pkill -TERM -f "^$work/bss-sync --config $work/config.toml serve" || fail "it does not run: $(cat "$work/log")"
wait %2 || fail "it ended with $?: $(tail -n 5 "$work/log")"
held_against deploy/bss-sync-serve.service
sqlite "select outcome || ': ' || count(*) || ' run(s)' from runs group by outcome"
[[ $(sqlite "select count(*) from orders") -eq $orders ]] || fail "it did not read all orders"
is_published

step "all passed"
