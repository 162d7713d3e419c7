//! Command lines of splitter in texts: its parser must know each command and option.

use clap::error::{ContextKind, ErrorKind};

/// Words of a shell that end a command.
const ENDS: [&str; 9] = ["\n", "|", "||", "&&", ";", "&", ">", ">>", "<"];

/// Returns what is wrong with the command lines of splitter in a line of a shell. With `is_mention`, arguments may be missing, and
/// values may be placeholders.
pub(super) fn problems(line: &str, is_mention: bool) -> Vec<String> {
    commands(line).into_iter().filter_map(|words| problem(words, is_mention)).collect()
}

/// Returns the arguments of each `splitter` in a line.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for part in line.split("$(").flat_map(|part| part.split('`')) {
        let mut words = words(part).into_iter();
        while words.by_ref().any(|word| word == "splitter") {
            found.push(words.by_ref().take_while(|word| !ENDS.contains(&word.as_str())).collect());
        }
    }
    found
}

/// Splits a line as a shell does, without a comment at its end. An end of a command is a word.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut is_word) = (String::new(), None, false);
    let mut chars = line.chars().peekable();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(mark), _) if char == mark => quote = None,
            (None, '\'' | '"') => (quote, is_word) = (Some(char), true),
            (None, '#') if !is_word => while chars.next_if(|char| *char != '\n').is_some() {},
            (None, '\\') if chars.next_if_eq(&'\n').is_some() => {}
            (None, ')') if !word.contains('(') => break,
            (None, ' ' | '\n' | ';' | '|' | '>' | '<' | '&') => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
                if char != ' ' {
                    let is_double = chars.next_if_eq(&char).is_some();
                    words.push(char.to_string().repeat(1 + usize::from(is_double)));
                }
            }
            _ => {
                is_word = true;
                word.push(char);
            }
        }
    }
    words.extend(is_word.then_some(word));
    words
}

fn problem(words: Vec<String>, is_mention: bool) -> Option<String> {
    // `…` and `[…]` mean that more can follow.
    let words: Vec<String> = words.into_iter().filter(|word| !["…", "[…]", "..."].contains(&word.as_str())).collect();
    let line = format!("splitter {}", words.join(" "));
    let error = splitter::cli::grammar().try_get_matches_from([vec!["splitter".to_owned()], words].concat()).err()?;
    let is_fine = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => true,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => is_mention,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            is_mention && has_placeholder(&error, ContextKind::InvalidValue)
        }
        ErrorKind::InvalidSubcommand => is_mention && has_placeholder(&error, ContextKind::InvalidSubcommand),
        _ => false,
    };
    let text = error.to_string();
    (!is_fine).then(|| format!("`{line}`: {}", text.lines().next().unwrap_or_default()))
}

/// Whether the wrong word is a placeholder such as `SYSTEM`, has a gap, or is missing.
fn has_placeholder(error: &clap::Error, kind: ContextKind) -> bool {
    let word = error.get(kind).map(ToString::to_string).unwrap_or_default();
    word.contains('…') || word.chars().all(|char| !char.is_lowercase())
}

#[test]
fn lines_are_split_as_a_shell_does() {
    assert_eq!(words("A=1 splitter  'a b' \"c\"d >e # f"), ["A=1", "splitter", "a b", "cd", ">", "e"]);
    assert_eq!(words("a # b\nc \\\n d"), ["a", "\n", "c", "d"]);
    assert_eq!(commands("x && splitter init && git add . | splitter scan;"), [["init"], ["scan"]]);
    assert_eq!(commands("x \"web=$(splitter images push web)\""), [["images", "push", "web"]]);
}

#[test]
fn unknown_commands_and_options_are_found() {
    for good in ["splitter scan --json", "A=1 splitter init && x", "splitter init --system x86_64-linux # here"] {
        assert_eq!(problems(good, false), [""; 0], "{good}");
    }
    for good in ["splitter hook", "splitter completions", "splitter init --system SYSTEM", "splitter COMMAND -h"] {
        assert_eq!(problems(good, true), [""; 0], "{good}");
    }
    for wrong in ["splitter scam", "splitter scan --jsno", "splitter init --system riscv", "x; splitter check --web"] {
        assert_eq!(problems(wrong, true).len(), 1, "{wrong}");
    }
    assert_eq!(problems("splitter hook", false).len(), 1);
}
