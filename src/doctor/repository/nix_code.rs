//! Nix code of the repository that makes builds differ without a change, or that reads the whole repository.

use camino::Utf8Path;
use rnix::SyntaxKind;

use crate::{
    diagnostic::Position,
    reading,
    repo::{RepoPath, states::FileStates},
    scaffold::templates::FOLDER,
};

/// The most Nix files that are read.
const MOST_FILES: usize = 200;
/// The largest Nix file that is read, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The most findings in one file. Each counts the lines before it.
const MOST_CAUSES: usize = 100;

/// Attributes of `self` that differ between commits.
const REVISIONS: [&str; 7] =
    ["rev", "shortRev", "dirtyRev", "dirtyShortRev", "lastModified", "lastModifiedDate", "revCount"];

/// Why a piece of Nix code makes builds differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It reads the commit or its time.
    Revision,
    /// It reads the clock.
    Clock,
    /// It reads a variable.
    Variable,
    /// It reads a channel of the machine.
    Channel,
    /// A derivation has the whole repository as its source.
    WholeRepository,
}

/// A piece of Nix code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// Why it matters.
    pub kind: Kind,
    /// The code.
    pub text: String,
    /// `FILE:LINE`.
    pub place: String,
}

/// Finds such code in `flake.nix` and in the Nix files below the root, without those that splitter wrote.
pub fn causes(root: &Utf8Path, files: &FileStates) -> Vec<Cause> {
    let mut found = Vec::new();
    for name in nix_files(files).take(MOST_FILES) {
        let path = root.join(name);
        if fs_err::metadata(&path).is_ok_and(|file| file.len() <= MOST_BYTES)
            && let Ok(text) = reading::text(path)
        {
            found.extend(in_text(&text, name));
        }
    }
    found.sort();
    found
}

fn nix_files(files: &FileStates) -> impl Iterator<Item = &str> {
    let names = files.keys().map(RepoPath::as_str);
    names.filter(|name| Utf8Path::new(name).extension() == Some("nix") && !name.starts_with(FOLDER))
}

/// Finds such code in a Nix file. It looks at words alone, because the parser's time grows with the square of the nesting.
pub fn in_text(text: &str, file: &str) -> Vec<Cause> {
    let mut offset = 0;
    let mut tokens: Vec<Token<'_>> = Vec::new();
    for (kind, text) in rnix::tokenize(text) {
        if !matches!(kind, SyntaxKind::TOKEN_WHITESPACE | SyntaxKind::TOKEN_COMMENT) {
            tokens.push(Token { kind, text, offset });
        }
        offset += text.len();
    }
    let words = |index: Option<usize>| index.and_then(|index| tokens.get(index)).map_or("", |token| token.text);
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = [words(index.checked_sub(1)), words(index.checked_sub(2))];
        let Some((kind, code)) = cause(token, before, words(Some(index + 1))) else { continue };
        let line = Position::of_offset(text, token.offset).line;
        found.push(Cause { kind, text: code, place: format!("{file}:{line}") });
        if found.len() == MOST_CAUSES {
            break;
        }
    }
    found
}

/// A word of Nix code.
struct Token<'a> {
    kind: SyntaxKind,
    text: &'a str,
    offset: usize,
}

/// Returns the cause that a word is, with the two words before it, the nearest first, and the word after it.
fn cause(token: &Token<'_>, before: [&str; 2], after: &str) -> Option<(Kind, String)> {
    let text = token.text;
    let is_source = before == ["=", "src"] && after == ";";
    match token.kind {
        SyntaxKind::TOKEN_IDENT if before == [".", "self"] && REVISIONS.contains(&text) => {
            Some((Kind::Revision, format!("self.{text}")))
        }
        SyntaxKind::TOKEN_IDENT if text == "currentTime" => Some((Kind::Clock, "builtins.currentTime".to_owned())),
        SyntaxKind::TOKEN_IDENT if text == "getEnv" => Some((Kind::Variable, "builtins.getEnv".to_owned())),
        SyntaxKind::TOKEN_IDENT if text == "self" && is_source => {
            Some((Kind::WholeRepository, "src = self".to_owned()))
        }
        SyntaxKind::TOKEN_PATH_SEARCH => Some((Kind::Channel, text.to_owned())),
        SyntaxKind::TOKEN_PATH_REL if matches!(text, "./." | "./") && is_source => {
            Some((Kind::WholeRepository, "src = ./.".to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Kind, String, String)> {
        in_text(text, "flake.nix").into_iter().map(|cause| (cause.kind, cause.text, cause.place)).collect()
    }

    #[test]
    fn code_that_makes_builds_differ_is_found() {
        let text = "{\n  src = ./.;\n  version = self.shortRev or \"dirty\";\n  t = builtins.currentTime;\n  p = import <nixpkgs> { };\n  \
                    h = builtins.getEnv \"HOME\";\n  other = { src = self; };\n}\n";
        let expected = [
            (Kind::WholeRepository, "src = ./.", "flake.nix:2"),
            (Kind::Revision, "self.shortRev", "flake.nix:3"),
            (Kind::Clock, "builtins.currentTime", "flake.nix:4"),
            (Kind::Channel, "<nixpkgs>", "flake.nix:5"),
            (Kind::Variable, "builtins.getEnv", "flake.nix:6"),
            (Kind::WholeRepository, "src = self", "flake.nix:7"),
        ];
        assert_eq!(found(text), expected.map(|(kind, text, place)| (kind, text.to_owned(), place.to_owned())));
    }

    #[test]
    fn comments_strings_and_the_root_of_splitter_are_left_alone() {
        for text in [
            "# src = ./.;\n{ }",
            "{ a = \"self.rev <nixpkgs>\"; }",
            "import ./nix/splitter { root = ./.; pkgs = self.packages; }",
            "{ src = ./src; rev = \"abc\"; }",
            "{ src = ./. + \"/apps\"; }",
            "{{{ not nix <",
            &"[".repeat(1 << 16),
            &"\"${".repeat(1 << 14),
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
