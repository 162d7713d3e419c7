//! Whether the log of a failed build names a file or a package.
//!
//! Bundlers list a folder once and look files up in that list, so a file that they lack shows in no system call. Their
//! message says what they could not resolve.

use crate::repo::RepoPath;

/// Marks that may stand around a path or a specifier in a log.
const QUOTES: [char; 4] = ['"', '\'', '`', '“'];

/// Whether a log names a file: by its name, or as a module without the end of its name. If another file has the same name,
/// the folder must be there too.
pub(super) fn is_named(log: &[String], path: &RepoPath, is_alone: bool) -> bool {
    let folder = path.parent();
    let name = match folder.file_name() {
        folder if !is_alone && !folder.is_empty() => format!("{folder}/{}", path.file_name()),
        _ => path.file_name().to_owned(),
    };
    let (name, stem) = (name.as_str(), name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem));
    let is_module = |before: Option<char>, after: Option<char>| before == Some('/') && after.is_none_or(is_end);
    log.iter().any(|line| {
        stands_in(line, name, |before, after| !before.is_some_and(is_part) && !after.is_some_and(is_part))
            || (!stem.is_empty() && stands_in(line, stem, is_module))
    })
}

/// Whether a log names a folder, by a path that ends in its name.
pub(super) fn is_named_folder(log: &[String], folder: &RepoPath) -> bool {
    let is_path = |before: Option<char>, after: Option<char>| {
        before == Some('/') && after.is_none_or(|mark| mark == '/' || is_end(mark))
    };
    log.iter().any(|line| stands_in(line, folder.file_name(), is_path))
}

/// Whether a log names a package in quotes, alone or with a path in it.
pub(super) fn is_named_package(log: &[String], package: &str) -> bool {
    let is_quoted = |before: Option<char>, after: Option<char>| {
        before.is_some_and(|mark| QUOTES.contains(&mark)) && after.is_some_and(|mark| mark == '/' || is_end(mark))
    };
    log.iter().any(|line| stands_in(line, package, is_quoted))
}

/// Whether a text stands in a line between characters that `fits` accepts.
fn stands_in(line: &str, text: &str, fits: impl Fn(Option<char>, Option<char>) -> bool) -> bool {
    line.match_indices(text).any(|(at, _)| fits(line[..at].chars().next_back(), line[at + text.len()..].chars().next()))
}

/// Whether a character can be a part of a file name.
fn is_part(character: char) -> bool {
    character.is_alphanumeric() || ['_', '-'].contains(&character)
}

/// Whether a character ends a specifier.
fn is_end(character: char) -> bool {
    QUOTES.contains(&character) || character.is_whitespace() || [')', ',', ';', '”', ':'].contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str, path: &str) -> bool {
        is_named(&[line.to_owned()], &path.parse().unwrap(), true)
    }

    #[test]
    fn a_log_names_files_as_tools_do() {
        for line in [
            r#"error: Could not resolve: "./data""#,
            "Error: ENOENT: no such file or directory, open 'src/data.json'",
            "src/index.ts(3,8): error TS2307: Cannot find module './tests/data' or its declarations",
            "cat: /build/source/apps/web/src/data.json: No such file",
        ] {
            assert!(named(line, "apps/web/src/data.json"), "{line}");
        }
        for line in ["the database.json", "metadata", "read 3 data files", "./data-source\"", "x/data.ts"] {
            assert!(!named(line, "apps/web/src/data.json"), "{line}");
        }
        assert!(!named("", ".env") && !named("import './index'", "src/index.test.ts"));
        let log = ["src/data.json is broken".to_owned()];
        assert!(!is_named(&log, &"tests/data.json".parse().unwrap(), false));
        assert!(is_named(&log, &"apps/web/src/data.json".parse().unwrap(), false));
    }

    #[test]
    fn a_log_names_packages_in_quotes() {
        let named = |line: &str| is_named_package(&[line.to_owned()], "@acme/ui");
        assert!(named("Cannot find module '@acme/ui'") && named(r#"resolve "@acme/ui/button""#));
        assert!(!named("Cannot find module '@acme/ui-kit'") && !named("> @acme/ui@1.0.0 build"));
    }
}
