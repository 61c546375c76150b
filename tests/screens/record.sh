#!/bin/sh
# Records what a person sees at 80 columns: the progress of a first load from the simulator, then the status. Prints two
# captures of a real terminal (tmux) for docs/operate/status.md. Usage: tests/screens/record.sh [ORDERS]
set -eu

orders=${1:-3000}
command -v tmux > /dev/null || { echo "install tmux first: apt-get install tmux" >&2; exit 1; }
cd "$(dirname "$0")/../.."
cargo build --quiet --locked --package bss-sync --package vendor-sim
programs=$PWD/target/debug

folder=$(mktemp -d)
vendor=
clean_up() {
    tmux -L bss-sync-screens kill-server 2> /dev/null || true
    [ -z "$vendor" ] || kill "$vendor" 2> /dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT
trap "exit 1" INT TERM
cd "$folder"

# Twice the published quotas: the last orders are read within some minutes.
hour_ago=$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:%SZ)
"$programs/vendor-sim" --orders "$orders" --until "$hour_ago" --quota-factor 2 > vendor.log &
vendor=$!
until grep -q '^listening on ' vendor.log; do sleep 0.1; done
url=$(sed -n 's/^listening on //p' vendor.log)
set -- $(grep '^key SIMCUSTOMERKEY' vendor.log | head -1)
cat > bss-sync.toml << CONFIGURATION
[warehouse]
path = "billing.sqlite"

[accounts.acme]
endpoint = "$url"

[jobs.orders]
history_start = "2023-01-01"
CONFIGURATION

terminal() { tmux -L bss-sync-screens "$@"; }
terminal -f /dev/null new-session -d -s screen -x 80 -y 44 \
    env "HUAWEICLOUD_SDK_AK=$2" "HUAWEICLOUD_SDK_SK=$3" "PS1=\$ " "PATH=$programs:$PATH" sh
capture() { terminal capture-pane -p -t screen | sed -e 's/ *$//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
# Waits until these words stand on the screen.
wait_for() { until capture | grep -Eq "$1"; do sleep 0.2; done; }
# Types a command on an empty screen.
type_in() {
    terminal send-keys -t screen clear Enter
    until [ "$(capture)" = '$' ]; do sleep 0.2; done
    terminal send-keys -t screen "$1" Enter
}

type_in 'bss-sync run'
# Quotas are learned and a third of the lines are read: the figures are steady then.
wait_for "acme order_lines +━━━.* (s|min)$"
echo '--- bss-sync run ---'
capture
wait_for 'SECONDS'
type_in 'bss-sync status'
wait_for 'What was read'
echo '--- bss-sync status ---'
capture
