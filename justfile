# Short names for what is done often. Everything here works without just: see the commands.

# list the recipes
default:
    @just --list

# the pinned tools that tests drive (Bun, Yarn, Node, Nix), into target/tools
setup:
    cargo xtask setup

# every test; arguments go to `cargo test`
test *args:
    cargo xtask test {{ args }}

# what CI runs: formatting, lints, every test, none skipped
ci:
    cargo xtask ci

# lints, and what may be a dependency (needs cargo-deny)
lint:
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check

fmt:
    cargo fmt --all

# look for inputs that break a parser (needs nightly and cargo-fuzz)
fuzz target="integrity" seconds="60":
    cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }}

# measure against the targets
bench *args:
    cargo xtask bench {{ args }}
