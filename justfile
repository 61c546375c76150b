# Short names for what one does every day. Nothing needs `just`: each recipe is one or a few plain commands.

# List the recipes
default:
    @just --list

# The README's main command: simulated vendor, the real job twice, figures for finance
demo:
    cargo run --locked --example demo

# All tests
test *ARGS:
    cargo test --locked {{ARGS}}

# The pages of docs/reference that are made of the program's definitions
reference:
    RENEW=1 cargo test --locked --test it generated::pages

# Format the code
fmt:
    cargo fmt --all

# Formatting, clippy and documentation, without a warning
lint:
    cargo fmt --all --check
    cargo clippy --locked --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --lib --bins --document-private-items

# A simulated vendor that runs until it is stopped, e.g. just vendor --orders 1000 --quota-factor 1
vendor *ARGS:
    cargo run --locked --package vendor-sim -- {{ARGS}}

# The systemd units: syntax, exposure, and the program under what they restrict; as root
units:
    deploy/test-sandbox.sh

# The Debian package, installed, upgraded and removed in a clean Debian; as root
package:
    .ci/package

# Spelling, unused dependencies, and what dependencies may bring in; needs typos, cargo-machete and cargo-deny
habits:
    typos
    cargo machete --with-metadata
    .ci/deny

# The files of a release, e.g. just release 0.1.0; docs/inside/releasing.md
release VERSION:
    deploy/release {{VERSION}}

# Everything that is asked of a change
ci:
    .ci/run
