//! Finds texts in programs that look like paths.

use camino::Utf8Path;

use crate::repo::RepoPath;

/// Endings that an import may omit.
const ENDINGS: [&str; 8] = ["js", "ts", "mjs", "cjs", "mts", "cts", "json", "jsx"];

/// Whether a file is a program or JSON, which can name more paths.
pub(super) fn is_script(path: &str) -> bool {
    Utf8Path::new(path).extension().is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Returns the quoted texts that start like a relative path and contain only characters of plain paths.
pub(super) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(['"', '\'', '`']).filter_map(|(at, quote)| {
        let rest = &text[at + 1..];
        if !rest.starts_with('.') {
            return None;
        }
        rest.split_once(quote).map(|(inner, _)| inner).filter(|inner| is_plain(inner))
    })
}

fn is_plain(text: &str) -> bool {
    (text.starts_with("./") || text.starts_with("../"))
        && !text.contains(|c: char| c.is_whitespace() || "*?${}()|".contains(c))
}

/// Returns the files that a program may mean by a path, in the order to try them.
pub(super) fn candidates(path: &RepoPath) -> Vec<RepoPath> {
    let name = path.file_name();
    let folder = path.parent();
    let with_endings = ENDINGS.iter().map(|ending| folder.child(&format!("{name}.{ending}")));
    std::iter::once(path.clone()).chain(with_endings).collect()
}
