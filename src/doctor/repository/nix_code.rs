//! Nix code of the repository that makes builds differ without a change, or that reads the whole repository.

use camino::Utf8Path;
use rnix::{SyntaxKind, SyntaxToken};

use crate::{
    diagnostic::Position,
    reading,
    repo::{RepoPath, states::FileStates},
    scaffold::templates::FOLDER,
};

/// The most Nix files that are read.
const MOST_FILES: usize = 200;
/// The largest Nix file that is read, in bytes.
const MOST_BYTES: usize = 1 << 20;

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
        let Ok(text) = reading::text(root.join(name)) else { continue };
        if text.len() <= MOST_BYTES {
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

/// Finds such code in a Nix file.
pub fn in_text(text: &str, file: &str) -> Vec<Cause> {
    let root = rnix::Root::parse(text);
    let tokens: Vec<SyntaxToken> = root
        .syntax()
        .descendants_with_tokens()
        .filter_map(rnix::NodeOrToken::into_token)
        .filter(|token| !matches!(token.kind(), SyntaxKind::TOKEN_WHITESPACE | SyntaxKind::TOKEN_COMMENT))
        .collect();
    let mut found = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).and_then(|at| tokens.get(at)).map_or("", SyntaxToken::text);
        let Some((kind, code)) = cause(token, &before, tokens.get(index + 1).map_or("", SyntaxToken::text)) else {
            continue;
        };
        let line = Position::of_offset(text, token.text_range().start().into()).line;
        found.push(Cause { kind, text: code, place: format!("{file}:{line}") });
    }
    found
}

fn cause<'a>(token: &SyntaxToken, before: &dyn Fn(usize) -> &'a str, after: &str) -> Option<(Kind, String)> {
    let text = token.text();
    let is_of = |name: &str| before(1) == "." && before(2) == name;
    match token.kind() {
        SyntaxKind::TOKEN_IDENT if is_of("self") => {
            let is_revision =
                ["rev", "shortRev", "dirtyRev", "dirtyShortRev", "lastModified", "lastModifiedDate", "revCount"];
            is_revision.contains(&text).then(|| (Kind::Revision, format!("self.{text}")))
        }
        SyntaxKind::TOKEN_IDENT if text == "currentTime" => Some((Kind::Clock, "builtins.currentTime".to_owned())),
        SyntaxKind::TOKEN_IDENT if text == "getEnv" => Some((Kind::Variable, "builtins.getEnv".to_owned())),
        SyntaxKind::TOKEN_IDENT if text == "self" && before(1) == "=" && before(2) == "src" && after == ";" => {
            Some((Kind::WholeRepository, "src = self".to_owned()))
        }
        SyntaxKind::TOKEN_PATH_SEARCH => Some((Kind::Channel, text.to_owned())),
        SyntaxKind::TOKEN_PATH_REL
            if matches!(text, "./." | "./") && before(1) == "=" && before(2) == "src" && after == ";" =>
        {
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
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
