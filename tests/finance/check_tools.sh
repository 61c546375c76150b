#!/usr/bin/env bash
# Finance's own tools on what the program publishes and exports: LibreOffice, pyarrow, Datasette with a headless browser, and the
# ODBC driver. Installs what it needs (as root). Takes a warehouse, default that of the demo.
set -euo pipefail
cd "$(dirname "$0")/../.."
warehouse=${1:-target/demo/billing.sqlite}
work=target/finance
program=${CARGO_TARGET_DIR:-target}/debug/bss-sync

install_missing() {
    local missing=()
    command -v soffice >/dev/null || missing+=(libreoffice-calc)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v isql >/dev/null || missing+=(unixodbc)
    compgen -G '/usr/lib/*/odbc/libsqlite3odbc.so' >/dev/null || missing+=(libsqliteodbc)
    if ((${#missing[@]})); then
        apt-get update -q
        apt-get install -qy --no-install-recommends "${missing[@]}"
    fi
}

install_missing
[[ -x $work/venv/bin/python ]] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/finance/requirements.txt
cargo build --locked --features parquet
"$work/venv/bin/python" tests/finance/check_tools.py "$program" "$warehouse" "$work"
