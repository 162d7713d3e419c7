//! The files of the repository that a path in a message means.

use std::ops::Bound;

use crate::repo::{RepoPath, states::FileStates};

/// The folder of a build that holds the repository.
const SOURCE: &str = "/source/";

/// What an import may leave out at the end of a file's name.
const ENDINGS: [&str; 16] = [
    ".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs", ".json", ".vue", ".svelte", ".astro", ".css",
    ".scss", ".md", ".d.ts",
];

/// Endings that an import has where the file has another one.
const WRITTEN_AS: [(&str, &[&str]); 4] =
    [(".js", &[".ts", ".tsx"]), (".mjs", &[".mts"]), (".cjs", &[".cts"]), (".jsx", &[".tsx"])];

/// Returns the path in the repository that an absolute path of a build means.
pub(super) fn in_build(text: &str) -> Option<RepoPath> {
    let text = text.strip_prefix("file://").unwrap_or(text);
    if !text.starts_with('/') {
        return None;
    }
    let (_, inner) = text.split_once(SOURCE)?;
    RepoPath::root().resolve(inner).ok()
}

/// Whether a path in a message is absolute and leads out of the repository.
pub(super) fn is_outside(text: &str) -> bool {
    (text.starts_with('/') || text.starts_with("file:")) && in_build(text).is_none()
}

/// Returns the file or folder that a path in a message means, if the repository has it. A relative path is searched from each
/// of the folders.
pub(super) fn find(text: &str, folders: &[RepoPath], files: &FileStates) -> Option<RepoPath> {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let candidates: Vec<RepoPath> = if text.starts_with('/') || text.starts_with("file:") {
        in_build(text).into_iter().collect()
    } else {
        folders.iter().filter_map(|folder| folder.resolve(text).ok()).collect()
    };
    candidates.into_iter().filter(|path| !path.is_root()).find_map(|path| existing(&path, files))
}

/// Returns a path, completed as tools complete imports, if it is a file or a folder.
fn existing(path: &RepoPath, files: &FileStates) -> Option<RepoPath> {
    if files.contains_key(path) {
        return Some(path.clone());
    }
    let name = path.file_name();
    let sibling = |name: &str| path.parent().child(name);
    let swapped = WRITTEN_AS.iter().filter_map(|(written, real)| Some((name.strip_suffix(written)?, *real)));
    let swapped = swapped.flat_map(|(stem, real)| real.iter().map(move |ending| format!("{stem}{ending}")));
    let ended = ENDINGS.iter().map(|ending| format!("{name}{ending}"));
    let completed = ended.chain(swapped).map(|name| sibling(&name));
    let indexes = ENDINGS.iter().map(|ending| path.child(&format!("index{ending}")));
    completed
        .chain(indexes)
        .find(|path| files.contains_key(path))
        .or_else(|| is_folder(path, files).then(|| path.clone()))
}

/// Whether the repository has files below a path.
pub(super) fn is_folder(path: &RepoPath, files: &FileStates) -> bool {
    below(path, files).next().is_some()
}

/// Iterates over the files below a folder.
pub(super) fn below<'a>(folder: &RepoPath, files: &'a FileStates) -> impl Iterator<Item = &'a RepoPath> {
    let start = if folder.is_root() { String::new() } else { format!("{}/", folder.as_str()) };
    let range = files.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
    range.map(|(path, _)| path).take_while(move |path| path.as_str().starts_with(&start))
}

/// Finds a file with a place in a line: `src/main.ts:1:22`, `at /build/source/src/main.ts:1:15`, `- /build/source/a.cjs`.
pub(super) fn importer(line: &str) -> Option<&str> {
    let word = line.trim().trim_start_matches("at ").trim_start_matches("- ").split([' ', '(']).next()?;
    let path = word.split(':').next().filter(|path| path.contains('.') && path.contains('/'))?;
    let is_path = |c: char| c.is_alphanumeric() || "@_./+-[]".contains(c);
    path.chars().all(is_path).then_some(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::repo::states::{FileKind, FileState};

    fn files(paths: &[&str]) -> FileStates {
        let state = FileState { content: String::new(), kind: FileKind::Plain };
        paths.iter().map(|path| (path.parse().unwrap(), state.clone())).collect()
    }

    #[test]
    fn paths_of_messages_are_found_in_the_repository() {
        let files = files(&["docs/x.md", "packages/lib/src/index.ts", "shared/x.ts", "shared/y.tsx"]);
        let folders = ["apps/web/src".parse().unwrap(), "apps/web".parse().unwrap(), RepoPath::root()];
        let find = |text: &str| find(text, &folders, &files).map(|path| path.to_string()).unwrap_or_default();
        assert_eq!(find("/build/source/docs/x.md"), "docs/x.md");
        assert_eq!(find("file:///tmp/nix-build-web-1.drv-0/source/shared/x.ts?import"), "shared/x.ts");
        assert_eq!(find("../../../shared/x"), "shared/x.ts");
        assert_eq!(find("../../../shared/y.js"), "shared/y.tsx");
        assert_eq!(find("../../../packages/lib/src"), "packages/lib/src/index.ts");
        assert_eq!(find("docs"), "docs");
        assert_eq!(find("/etc/passwd"), "");
        assert_eq!(find("../../../../x"), "");
        assert_eq!(find("."), "");
    }

    #[test]
    fn importers_are_found_in_the_lines_of_tools() {
        assert_eq!(importer("    at /build/source/apps/web/src/a.ts:1:15"), Some("/build/source/apps/web/src/a.ts"));
        assert_eq!(importer("src/a.ts:1:14:"), Some("src/a.ts"));
        assert_eq!(importer("- /build/source/apps/web/src/d.cjs"), Some("/build/source/apps/web/src/d.cjs"));
        assert_eq!(importer("1 | import x from \"a/b.c\""), None);
        assert_eq!(importer(""), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\PC./:?]{0,40}") {
            let files = files(&["a/b.ts"]);
            let _ = (find(&text, &["a".parse().unwrap()], &files), importer(&text), in_build(&text));
        }
    }
}
