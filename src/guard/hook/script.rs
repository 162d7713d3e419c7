//! The lines that run splitter in a hook script.
//!
//! They are POSIX sh between two marks, which `uninstall` searches for. They come first, because an existing hook may end in
//! `exec` or `exit 0`. If splitter is not installed, they print a notice, but only for commits with relevant files.

use super::lines::{COMMANDS, search_path};
use crate::{
    names::{LOCKFILES, MANIFEST, NIX_FOLDER},
    shell,
};

const BEGIN: &str = "# >>> splitter hook";
const END: &str = "# <<< splitter hook <<<\n";

/// The suffix for the backup of an existing hook that cannot contain the lines.
pub(super) const KEPT: &str = ".before-splitter";

/// How the lines were added, which decides how they are removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockOrigin {
    /// They were added to an existing script.
    Lines,
    /// The file was created for them.
    NewFile,
    /// The file and its folder were created for them.
    NewFolder,
    /// The file was created for them. It runs the old hook, which was renamed.
    Wrapper,
}

impl BlockOrigin {
    const ALL: [Self; 4] = [Self::Lines, Self::NewFile, Self::NewFolder, Self::Wrapper];

    const fn word(self) -> &'static str {
        match self {
            Self::Lines => "",
            Self::NewFile => " (new file)",
            Self::NewFolder => " (new folder)",
            Self::Wrapper => " (runs the old hook too)",
        }
    }
}

/// The lines in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// How they were added.
    pub(super) origin: BlockOrigin,
    /// The repositories to check, relative to the top of the working tree. The top itself is empty.
    pub(super) roots: Vec<String>,
}

/// A script, divided at the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parted<'a> {
    /// The text before the lines.
    pub(super) before: &'a str,
    /// The lines.
    pub(super) block: Block,
    /// The text after the lines.
    pub(super) after: &'a str,
}

impl Block {
    /// Finds the lines in a script.
    pub(super) fn find(script: &str) -> Option<Parted<'_>> {
        let start = if script.starts_with(BEGIN) { 0 } else { script.find(&format!("\n{BEGIN}"))? + 1 };
        let end = start + script[start..].find(END)? + END.len();
        let first = script[start..end].lines().next()?;
        let is_of = |origin: &BlockOrigin| first == format!("{BEGIN}{} >>>", origin.word());
        let origin = BlockOrigin::ALL.into_iter().find(is_of)?;
        let roots = script[start..end].lines().filter_map(root_of_line).collect();
        Some(Parted { before: &script[..start], block: Self { origin, roots }, after: &script[end..] })
    }

    /// Renders the lines for the hook of this name.
    pub(super) fn render(&self, event: &str) -> String {
        let mut text = format!("{BEGIN}{} >>>\n", self.origin.word());
        text.push_str("# `splitter hook uninstall` removes these lines; SPLITTER_HOOK=0 skips them once\n");
        let path = search_path(self.roots.iter().map(String::as_str));
        text.extend([format!("splitter_path=$PATH\nPATH={path}\n")]);
        text.push_str("if [ \"${SPLITTER_HOOK-}\" = 0 ]; then\n  :\nelif command -v splitter >/dev/null 2>&1; then\n");
        for root in &self.roots {
            text.push_str(&line_of_root(root));
        }
        let folders: Vec<String> = self.roots.iter().map(|root| shell::word(&below(root, NIX_FOLDER))).collect();
        let folders = folders.join(" ");
        let names: Vec<String> = [MANIFEST].iter().chain(&LOCKFILES).map(|name| format!("'*{name}'")).collect();
        let names = names.join(" ");
        text.extend([format!(
            "elif ! git diff --cached --quiet -- {names} {folders}; then\n  \
             echo 'splitter is neither in PATH nor in {COMMANDS}, so this commit is not checked' >&2\nfi\nPATH=$splitter_path\n"
        )]);
        if self.origin == BlockOrigin::Wrapper {
            text.extend([format!(
                "splitter_old=\"$(dirname \"$0\")/{event}{KEPT}\"\n[ ! -x \"$splitter_old\" ] || exec \"$splitter_old\" \"$@\"\n"
            )]);
        }
        text.push_str(END);
        text
    }
}

fn line_of_root(root: &str) -> String {
    if root.is_empty() {
        "  splitter hook run || exit 1\n".to_owned()
    } else {
        format!("  splitter --repo {} hook run || exit 1\n", shell::word(root))
    }
}

fn root_of_line(line: &str) -> Option<String> {
    let middle = line.strip_prefix("  splitter ")?.strip_suffix("hook run || exit 1")?;
    match middle.strip_prefix("--repo ") {
        None if middle.is_empty() => Some(String::new()),
        None => None,
        Some(word) => Some(shell::unquoted(word.trim_end())),
    }
}

/// Joins a path to a root.
fn below(root: &str, path: &str) -> String {
    if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") }
}

/// Returns where to insert the lines into a shell script, or `None` for a script of another program.
///
/// They go after the shebang, and after the start of husky 5 to 8, which runs the script again.
pub(super) fn insertion(script: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(script).ok().filter(|text| !text.contains('\0') && !text.contains("\r\n"))?;
    let husky = text.find("/husky.sh\"").and_then(|at| text[at..].find('\n').map(|end| at + end + 1));
    if husky.is_some() {
        return husky;
    }
    let Some(shebang) = text.strip_prefix("#!") else { return Some(0) };
    let (line, _) = shebang.split_once('\n')?;
    let names = ["sh", "bash", "dash", "ash", "ksh", "zsh"];
    let is_shell = line.split_whitespace().any(|word| names.contains(&word.rsplit('/').next().unwrap_or(word)));
    is_shell.then_some("#!".len() + line.len() + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(origin: BlockOrigin, roots: &[&str]) -> Block {
        Block { origin, roots: roots.iter().map(|root| (*root).to_owned()).collect() }
    }

    #[test]
    fn the_lines_go_after_what_must_be_first() {
        assert_eq!(insertion(b"#!/bin/sh\nexit 0\n"), Some(10));
        assert_eq!(insertion(b"#!/usr/bin/env -S bash -e\nx"), Some(26));
        assert_eq!(insertion(b"npm test\n"), Some(0));
        assert_eq!(insertion(b""), Some(0));
        assert_eq!(insertion(b"#!/usr/bin/env sh\n. \"$(dirname -- \"$0\")/_/husky.sh\"\n\nnpm test\n"), Some(52));
        for other in ["#!/usr/bin/env node\n1", "#!/bin/sh", "#!/usr/bin/fish\n", "#!/bin/sh\r\n", "\u{7f}ELF\0"] {
            assert_eq!(insertion(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn the_lines_are_what_git_runs() {
        let text = block(BlockOrigin::Wrapper, &["", "it's/here"]).render("pre-commit");
        assert_eq!(
            text,
            r#"# >>> splitter hook (runs the old hook too) >>>
# `splitter hook uninstall` removes these lines; SPLITTER_HOOK=0 skips them once
splitter_path=$PATH
PATH=$PATH:$PWD/node_modules/.bin:$PWD/'it'\''s/here'/node_modules/.bin
if [ "${SPLITTER_HOOK-}" = 0 ]; then
  :
elif command -v splitter >/dev/null 2>&1; then
  splitter hook run || exit 1
  splitter --repo 'it'\''s/here' hook run || exit 1
elif ! git diff --cached --quiet -- '*package.json' '*bun.lock' '*yarn.lock' nix/splitter 'it'\''s/here/nix/splitter'; then
  echo 'splitter is neither in PATH nor in node_modules/.bin, so this commit is not checked' >&2
fi
PATH=$splitter_path
splitter_old="$(dirname "$0")/pre-commit.before-splitter"
[ ! -x "$splitter_old" ] || exec "$splitter_old" "$@"
# <<< splitter hook <<<
"#
        );
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_found_and_taken_out(
            before in "(#!/bin/sh\n)?([a-z #'\"]{0,20}\n){0,3}",
            after in "[a-z \n#]{0,40}",
            roots in prop::collection::vec("[a-z '/]{0,12}", 1..3),
            origin in 0..4_usize,
        ) {
            let block = Block { origin: BlockOrigin::ALL[origin], roots };
            let script = format!("{before}{}{after}", block.render("pre-commit"));
            let parted = Block::find(&script).unwrap();
            prop_assert_eq!((parted.before, parted.after), (before.as_str(), after.as_str()));
            prop_assert_eq!(parted.block, block);
        }
    }
}
