# Short names for what one does every day. Nothing needs `just`: each recipe is one or a few plain commands.

# List the recipes
default:
    @just --list

# The README's main command: simulated vendor, the real job twice, figures for finance
demo:
    cargo run --locked --release --example demo

# All tests
test *ARGS:
    cargo test --locked {{ARGS}}

# Format the code
fmt:
    cargo fmt --all

# Formatting, clippy and documentation, without a warning
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --bins

# A simulated vendor that runs until it is stopped, e.g. just vendor --orders 1000 --quota-factor 1
vendor *ARGS:
    cargo run --locked --example vendor-sim -- {{ARGS}}

# Syntax and exposure of the systemd units; the program must be installed in /usr/local/bin
units:
    systemd-analyze verify deploy/bss-sync.service deploy/bss-sync-serve.service deploy/bss-sync.timer
    systemd-analyze security --offline=true --threshold=15 --no-pager deploy/bss-sync.service
    systemd-analyze security --offline=true --threshold=15 --no-pager deploy/bss-sync-serve.service

# The Debian package, installed, upgraded and removed in a clean Debian; as root
package:
    .ci/package

# Everything that is asked of a change
ci:
    .ci/run
