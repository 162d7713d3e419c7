# Short names for frequent tasks. All commands also work without just.

# list the recipes
default:
    @just --list

# install the pinned tools for the tests (Bun, Yarn, Node, Nix) into target/tools
setup:
    cargo xtask setup

# run all tests; arguments go to `cargo test`
test *args:
    cargo xtask test {{ args }}

# run the checks of CI: formatting, lints, all tests without skips
ci:
    cargo xtask ci

# check lints, and the licences and sources of dependencies (needs cargo-deny)
lint:
    cargo clippy --workspace --all-targets -- -D warnings
    cargo deny check

fmt:
    cargo fmt --all

# search for inputs that break a parser (needs nightly and cargo-fuzz)
fuzz target="integrity" seconds="60":
    cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }}

# build the documentation as a book into target/book, and check its links
book:
    cargo xtask book

# measure splitter against its targets
bench *args:
    cargo xtask bench {{ args }}
