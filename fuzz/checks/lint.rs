//! Fuzzes `splitter lint` with a text as each kind of file. Other people write these files, so no text may panic, and no finding may be outside
//! of its file.

use splitter::lint::{Choices, Context, File, apply, kind_of, lint};

/// A path for each kind of file.
const PATHS: [&str; 11] = [
    "flake.nix", "a.nix", "flake.lock", ".github/workflows/a.yml", ".gitlab-ci.yml", ".buildkite/a.yml", "Dockerfile", "nix.conf", ".envrc", "Makefile",
    "package.json",
];

pub(crate) fn check(text: &str) {
    let paths: Vec<String> = PATHS.iter().map(|path| (*path).to_owned()).collect();
    let files: Vec<File<'_>> =
        PATHS.iter().filter_map(|path| Some(File { path, kind: kind_of(path)?, text })).collect();
    let context = Context { paths: &paths, ignored_locks: &[], files: &files, now: 1_796_000_000 };
    let findings = lint(&context, &Choices { is_pedantic: true, ..Choices::default() }).findings;
    for finding in &findings {
        assert!(text.get(finding.range.clone()).is_some(), "{} at {:?}", finding.rule.name, finding.range);
        assert!(finding.start <= finding.end);
    }
    for path in PATHS {
        let _ = apply(text, findings.iter().filter(|finding| finding.path == path));
    }
}
