//! Fuzzes globs in `splitter.json`. People write them by hand: no glob may panic, and what comes out has no braces.

use splitter::split::config;

pub(crate) fn check(glob: &str) {
    let escaped = glob.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!(r#"{{"workspaces": {{"apps/web": {{"include": ["{escaped}"]}}}}}}"#);
    if let Ok(config) = config::parse(&text) {
        let written = config.workspaces.values().flat_map(|workspace| &workspace.include);
        assert!(written.into_iter().all(|glob| !glob.contains(['{', '}'])));
    }
}
