//! Commands in a text that a shell reads. This knows words, quotes, comments and separators: enough to tell what is run.

use std::ops::Range;

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    /// The words as they are written, without quotes around a whole word.
    pub words: Vec<&'a str>,
    /// The bytes from the first word to the last.
    pub range: Range<usize>,
}

impl Command<'_> {
    /// Returns the program, without its folder: `bun` for `"$src/bin/bun" install`.
    pub fn program(&self) -> &str {
        self.words.first().map_or("", |word| word.rsplit('/').next().unwrap_or_default())
    }

    /// Returns the first argument that is no option.
    pub fn verb(&self) -> Option<&str> {
        self.words.iter().skip(1).copied().find(|word| !word.starts_with('-'))
    }

    /// Whether one of the words is this one.
    pub fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    pub(super) fn moved(mut self, by: usize) -> Self {
        self.range = self.range.start + by..self.range.end + by;
        self
    }
}

/// Words before a command that do not change what it is.
const BEFORE: [&str; 17] = [
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "command", "time", "sudo", "env", "nohup",
    "eval", "builtin",
];

/// Whether a command downloads the packages of a JavaScript project.
pub fn installs_packages(command: &Command<'_>) -> bool {
    let is_offline =
        || command.words.iter().any(|word| matches!(*word, "--offline" | "--version" | "--help" | "--lockfile-only"));
    let verb = command.verb();
    let is_install = match command.program() {
        "bun" => matches!(verb, Some("install" | "i" | "add" | "ci")),
        "yarn" | "yarnpkg" => matches!(verb, None | Some("install" | "add")),
        "npm" => matches!(verb, Some("ci" | "install" | "i" | "clean-install")),
        "pnpm" => matches!(verb, Some("install" | "i" | "add" | "fetch")),
        _ => false,
    };
    is_install && !is_offline()
}

/// Returns the commands of a text, those in `$(…)` and backquotes included.
pub fn commands(text: &str) -> Vec<Command<'_>> {
    let mut reader = Reader { text, at: 0, words: Vec::new(), commands: Vec::new() };
    reader.read();
    reader.commands
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    words: Vec<Range<usize>>,
    commands: Vec<Command<'a>>,
}

impl<'a> Reader<'a> {
    fn read(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\\' if matches!(bytes.get(self.at + 1), Some(b'\n')) => self.at += 2,
                b'\n' => {
                    self.end();
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => self.at = self.text[self.at..].find('\n').map_or(bytes.len(), |length| self.at + length),
                b';' | b'&' | b'|' | b'(' | b')' | b'`' => {
                    self.end();
                    self.at += 1;
                }
                b'<' if self.text[self.at..].starts_with("<<") => self.document(),
                b'<' | b'>' => {
                    self.at += 1;
                    // The file of a redirection is no argument.
                    while matches!(bytes.get(self.at), Some(b'>' | b'<' | b'&' | b' ' | b'|')) {
                        self.at += 1;
                    }
                    self.word_end();
                }
                _ => {
                    let start = self.at;
                    self.word_end();
                    self.words.push(start..self.at);
                }
            }
        }
        self.end();
    }

    /// Skips a word. A substitution within it ends the word, so that its command is found.
    fn word_end(&mut self) {
        let bytes = self.text.as_bytes();
        let mut quote = None;
        while let Some(&byte) = bytes.get(self.at) {
            match (quote, byte) {
                (None | Some(b'"'), b'\\') => self.at += 1,
                (Some(open), _) if byte == open => quote = None,
                (None, b'\'' | b'"') => quote = Some(byte),
                (None, b' ' | b'\t' | b'\n' | b'\r' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' | b'`') => return,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(bytes.len());
    }

    /// Skips a here-document, whose text is no command.
    fn document(&mut self) {
        let rest = &self.text[self.at + 2..];
        let word = rest.trim_start_matches(['-', ' ', '<']).trim_start_matches(['"', '\'', '\\']);
        let length = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let mark = &word[..length];
        self.at += 2;
        if mark.is_empty() || rest.starts_with('<') {
            return;
        }
        // The rest of the line still counts, but hardly ever has a command.
        let mut offset = self.at;
        let mut lines = self.text[self.at..].split_inclusive('\n');
        offset += lines.next().map_or(0, str::len);
        for line in lines {
            offset += line.len();
            if line.trim() == mark {
                break;
            }
        }
        self.end();
        self.at = offset.max(self.at);
    }

    fn end(&mut self) {
        let words = std::mem::take(&mut self.words);
        let is_before = |range: &Range<usize>| {
            let word = &self.text[range.clone()];
            BEFORE.contains(&word) || is_assignment(word)
        };
        let from = words.iter().position(|range| !is_before(range)).unwrap_or(words.len());
        let (Some(first), Some(last)) = (words.get(from), words.last()) else { return };
        let range = first.start..last.end;
        let words = words[from..].iter().map(|range| bare(&self.text[range.clone()])).collect();
        self.commands.push(Command { words, range });
    }
}

/// Whether a word sets a variable for the command: `A=b`.
fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn bare(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_found_wherever_they_stand() {
        let shown = |text| commands(text).iter().map(|command| command.words.join(" ")).collect::<Vec<_>>();
        assert_eq!(
            shown("A=1 bun install --frozen && bun 'run' x; y | z"),
            ["bun install --frozen", "bun run x", "y", "z"]
        );
        assert_eq!(shown("# bun install\nif ! x; then\n  sudo npm ci > log\nfi"), ["x", "npm ci", "fi"]);
        assert_eq!(shown("a \\\n  b\nc=$(curl -L x)"), ["a b", "curl -L x"]);
        assert_eq!(shown("cat <<EOF > x\nnpm ci\nEOF\ny"), ["cat", "y"]);
        assert_eq!(shown("echo \"npm ci; x\""), ["echo npm ci; x"]);
        assert_eq!(commands("\"$a/bin/bun\" -x install")[0].program(), "bun");
        assert_eq!(commands("bun -x install")[0].verb(), Some("install"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[a-z <>\\\\\"'$(){}#\n;&|=`E]{0,80}") {
            for command in commands(&text) {
                prop_assert!(text.get(command.range).is_some());
            }
        }
    }
}
