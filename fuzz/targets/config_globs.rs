//! Fuzzes globs in `splitter.json`. People write them by hand: no glob may panic, and what comes out has no braces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::split::config;

fuzz_target!(|glob: &str| {
    let escaped = glob.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(r#"{{"workspaces": {{"apps/web": {{"include": ["{escaped}"]}}}}}}"#);
    if let Ok(config) = config::parse(&text) {
        let written = config.workspaces.values().flat_map(|workspace| &workspace.include);
        assert!(written.into_iter().all(|glob| !glob.contains(['{', '}'])));
    }
});
