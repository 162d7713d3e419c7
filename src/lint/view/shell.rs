//! Commands in a text that a shell reads. This knows words, quotes, comments, separators and substitutions: enough to tell what is run.
//! Variables, and expressions of CI systems, stay as they are written.

use std::ops::Range;

/// A simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    /// The words as they are written, without quotes around a whole word. There is at least one.
    pub words: Vec<&'a str>,
    /// Assignments before the program: `NIX_CONFIG='…'`, as they are written.
    pub assignments: Vec<&'a str>,
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
const BEFORE: [&str; 20] = [
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "exec", "command", "time", "sudo", "env",
    "nohup", "eval", "builtin", "nice", "xargs",
];

/// Whether a command downloads the packages of a JavaScript project.
pub fn installs_packages(command: &Command<'_>) -> bool {
    let is_offline =
        || command.words.iter().any(|word| matches!(*word, "--offline" | "--version" | "--help" | "--lockfile-only"));
    let verb = command.verb();
    let is_install = match command.program() {
        "bun" => matches!(verb, Some("install" | "i" | "add" | "ci")),
        "yarn" | "yarnpkg" => {
            matches!(verb, None | Some("install" | "add")) || verb == Some("workspaces") && command.has("focus")
        }
        "npm" => matches!(verb, Some("ci" | "install" | "i" | "clean-install")),
        "pnpm" => matches!(verb, Some("install" | "i" | "add" | "fetch")),
        _ => false,
    };
    is_install && !is_offline()
}

/// The deepest nesting of substitutions and quoted scripts.
const DEEPEST: usize = 8;

/// Returns the commands of a text. Those in `$(…)`, backquotes, `bash -c '…'` and `nix develop -c …` are among them, before the command that
/// they are in.
pub fn commands(text: &str) -> Vec<Command<'_>> {
    let mut commands = Vec::new();
    read(text, 0..text.len(), 0, &mut commands);
    commands
}

fn read<'a>(text: &'a str, part: Range<usize>, depth: usize, commands: &mut Vec<Command<'a>>) {
    if depth <= DEEPEST && text.get(part.clone()).is_some() {
        Reader { text, at: part.start, end: part.end, words: Vec::new(), marks: Vec::new(), depth, commands }.read();
    }
}

struct Reader<'a, 'c> {
    text: &'a str,
    at: usize,
    end: usize,
    words: Vec<Range<usize>>,
    /// The ends of the here-documents that start on this line.
    marks: Vec<&'a str>,
    depth: usize,
    commands: &'c mut Vec<Command<'a>>,
}

impl<'a> Reader<'a, '_> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn read(&mut self) {
        while let Some(letter) = self.rest().chars().next() {
            match letter {
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '\\' if self.rest().starts_with("\\\r\n") => self.at += 3,
                '\n' => self.end_line(),
                ' ' | '\t' | '\r' => self.at += 1,
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                '<' if self.rest().starts_with("<<<") => self.at += 3,
                '<' if self.rest().starts_with("<<") => self.document(),
                '<' | '>' => self.redirect(),
                '&' if self.rest().starts_with("&>") => self.redirect(),
                ';' | '&' | '|' | '(' | ')' => {
                    self.end_command();
                    self.at += 1;
                }
                _ => {
                    let start = self.at;
                    self.word_end();
                    // The number of a redirection is no word: `2>file`.
                    let is_number = self.text[start..self.at].bytes().all(|byte| byte.is_ascii_digit());
                    if !(is_number && self.rest().starts_with(['<', '>'])) {
                        self.words.push(start..self.at);
                    }
                }
            }
        }
        self.end_command();
    }

    /// Skips a word, and reads the commands in its substitutions.
    fn word_end(&mut self) {
        let mut quote = None;
        while let Some(letter) = self.rest().chars().next() {
            match (quote, letter) {
                (None | Some('"'), '\\') => {
                    let next = self.rest().chars().nth(1).map_or(0, char::len_utf8);
                    if quote.is_none() && self.rest()[1..].starts_with(['\n', '\r']) {
                        return;
                    }
                    self.at += next;
                }
                (Some(open), _) if letter == open => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None | Some('"'), '$' | '`') => {
                    self.substitution();
                    continue;
                }
                (None, ' ' | '\t' | '\n' | '\r' | ';' | '&' | '|' | '(' | ')' | '<' | '>') => return,
                _ => {}
            }
            self.at += letter.len_utf8();
        }
        self.at = self.at.min(self.end);
    }

    /// Skips what starts with `$` or a backquote, and reads the commands in it.
    fn substitution(&mut self) {
        let rest = self.rest();
        let up_to = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        if rest.starts_with("${{") {
            self.at += up_to("}}");
        } else if rest.starts_with("${") {
            self.at += up_to("}");
        } else if rest.starts_with("$((") {
            self.at += up_to("))");
        } else if rest.starts_with("$(") {
            self.nested(2, ')');
        } else if rest.starts_with('`') {
            self.nested(1, '`');
        } else {
            self.at += 1;
        }
    }

    fn nested(&mut self, opening: usize, closing: char) {
        let start = self.at + opening;
        let inner = &self.rest()[opening..];
        let length = nested_length(inner, closing);
        read(self.text, start..start + length, self.depth + 1, self.commands);
        self.at = start + length + usize::from(inner[length..].starts_with(closing));
    }

    /// Skips a redirection and its file, which is no argument.
    fn redirect(&mut self) {
        let signs = self.rest().len() - self.rest().trim_start_matches(['<', '>', '&', '|']).len();
        self.at += signs.max(1);
        if self.rest().starts_with('(') {
            // `<(…)` has commands.
            self.nested(1, ')');
            return;
        }
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.word_end();
    }

    /// Notes a here-document, whose text is no command.
    fn document(&mut self) {
        let rest = &self.rest()[2..];
        let word = rest.trim_start_matches(['-', ' ']).trim_start_matches(['"', '\'', '\\']);
        let length = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        self.at += 2;
        if length > 0 {
            self.marks.push(&word[..length]);
            self.at += rest.len() - word.len() + length;
            self.at += usize::from(self.rest().starts_with(['"', '\'']));
        }
    }

    fn end_line(&mut self) {
        self.end_command();
        self.at += 1;
        for mark in std::mem::take(&mut self.marks) {
            for line in self.rest().split_inclusive('\n') {
                self.at += line.len();
                if line.trim() == mark {
                    break;
                }
            }
        }
    }

    fn end_command(&mut self) {
        let words = std::mem::take(&mut self.words);
        let first = program_at(self.text, &words);
        let (before, words) = words.split_at(first.min(words.len()));
        let (Some(first), Some(last)) = (words.first(), words.last()) else { return };
        let written = |range: &Range<usize>| &self.text[range.clone()];
        let assignments = before.iter().map(written).filter(|word| is_assignment(word)).collect();
        let range = first.start..last.end;
        let command = Command { words: words.iter().map(|word| bare(written(word))).collect(), assignments, range };
        if let Some(part) = inner_script(&command, words) {
            read(self.text, part, self.depth + 1, self.commands);
        }
        self.commands.push(command);
    }
}

/// Returns how long a substitution is that ends with an unquoted `closing`.
fn nested_length(text: &str, closing: char) -> usize {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (Some(open), _) if letter == open => quote = None,
            (None, _) if letter == closing && depth == 0 => return at,
            (None, '\'' | '"') if closing == ')' => quote = Some(letter),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// Returns the position of the program among the words of a command.
fn program_at(text: &str, words: &[Range<usize>]) -> usize {
    let mut at = 0;
    let mut takes_options = false;
    while let Some(word) = words.get(at).map(|range| &text[range.clone()]) {
        if BEFORE.contains(&word) {
            takes_options = matches!(word, "sudo" | "env" | "nice" | "xargs");
        } else if takes_options && word.len() > 1 && word.starts_with('-') {
            at += usize::from(matches!(word, "-u" | "-g" | "-n" | "--user" | "-P" | "-I" | "-L" | "-d"));
        } else if !is_assignment(word) {
            break;
        }
        at += 1;
    }
    at
}

/// Whether a word sets a variable for the command: `A=b`.
fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end_matches('+')))
}

/// Returns the part of a command that is a script or a command again: of `bash -c '…'`, `nix-shell --run '…'`, `nix develop -c …`.
fn inner_script(command: &Command<'_>, words: &[Range<usize>]) -> Option<Range<usize>> {
    let is_nix = command.program().starts_with("nix");
    if !is_nix && !matches!(command.program(), "bash" | "sh" | "dash" | "zsh") {
        return None;
    }
    let is_flag = |word: &str| match word {
        "-c" | "--command" | "--run" => true,
        _ => !is_nix && word.len() < 6 && word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'),
    };
    let script = command.words.iter().skip(1).position(|word| is_flag(word))? + 2;
    let range = words.get(script)?.clone();
    // Only a word in quotes is longer than its content.
    if range.len() == command.words[script].len() + 2 {
        Some(range.start + 1..range.end - 1)
    } else {
        is_nix.then_some(range.start..command.range.end)
    }
}

fn bare(word: &str) -> &str {
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote);
    let whole =
        |quote: char| inner(quote).filter(|inner| !inner.replace("\\\\", "").replace("\\\"", "").contains(quote));
    whole('"').or_else(|| whole('\'')).unwrap_or(word)
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
        assert_eq!(shown("cat <<'EOF' | tee x\nnpm ci\n  EOF\ny"), ["cat", "tee x", "y"]);
        assert_eq!(shown("echo \"npm ci; x\""), ["echo npm ci; x"]);
        assert_eq!(commands("\"$a/bin/bun\" -x install")[0].program(), "bun");
        assert_eq!(commands("bun -x install")[0].verb(), Some("install"));
    }

    #[test]
    fn commands_are_found_in_other_commands() {
        let shown = |text| commands(text).iter().map(|command| command.words.join(" ")).collect::<Vec<_>>();
        assert_eq!(shown("echo \"a $(nix eval .#a) b\" 2>&1"), ["nix eval .#a", "echo a $(nix eval .#a) b"]);
        assert_eq!(shown("bash -ec 'nix build; ls'"), ["nix build", "ls", "bash -ec nix build; ls"]);
        assert_eq!(shown("nix develop -c cargo test"), ["cargo test", "nix develop -c cargo test"]);
        let nested = ["x", "bash -c \"x\"", "nix develop .#a --command bash -c \"x\""];
        assert_eq!(shown("nix develop .#a --command bash -c \"x\"").len(), nested.len());
        assert_eq!(
            shown("docker load < $(nix build --print-out-paths)"),
            ["nix build --print-out-paths", "docker load"]
        );
        assert_eq!(shown("a | xargs -n 1 -r b c"), ["a", "b c"]);
        assert_eq!(shown("a `b c` d <(e)"), ["b c", "e", "a `b c` d"]);
        assert_eq!(
            shown("sudo -u root A=1 nix build ${{ matrix.x || 'y' }} 2>log"),
            ["nix build ${{ matrix.x || 'y' }}"]
        );
        let command = &commands("A=1 NIX_CONFIG='sandbox = false' nix build")[0];
        assert_eq!(command.assignments, ["A=1", "NIX_CONFIG='sandbox = false'"]);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|[a-z <>\\\\\"'$(){}#\n;&|=`E]{0,80}|(bash |nix |-c |'|\"|\\$\\(|\\)|é|\\\\|\n|<<E|E){0,20}") {
            for command in commands(&text) {
                prop_assert!(text.get(command.range).is_some());
            }
        }
    }
}
