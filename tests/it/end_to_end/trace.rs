//! `splitter trace`, with a real Nix and strace.

use crate::support::{BUN_VERSIONS, NixMonorepo};

#[test]
fn e2e_trace_probe() {
    let Some(nix) = NixMonorepo::with_bun(BUN_VERSIONS[2]) else { return };
    for name in ["web.traced", "web.traced.full", "api.traced"] {
        let path = nix.build(name);
        println!("{name}: {}", fs_err::read_to_string(path).unwrap());
    }
}
