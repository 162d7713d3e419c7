//! Plain English: searches the texts of the project for phrases that are hard to read.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};

/// Phrases to avoid, and plain words for them. A `*` is any word.
const TICS: [(&str, &str); 17] = [
    ("of which", "start a second sentence"),
    ("in whose", "start a second sentence"),
    ("in place of", "instead of"),
    ("is another", "changed, differs, is rebuilt"),
    ("are others", "changed, differ"),
    ("is none", "does not exist"),
    ("what of", "name the thing"),
    ("that of * that of", "name the thing"),
    ("who has", "if you have"),
    ("whoever", "if you"),
    ("is had", "is downloaded"),
    ("be had", "be downloaded"),
    ("comes to", "is"),
    ("stands for", "means, replaces"),
    ("likewise", "also"),
    ("nor does", "and it does not"),
    ("nor is", "and it is not"),
];

/// A phrase that is fine once a paragraph.
const ONCE: &str = "so that it";

/// Texts that may have a tic: the file (`*` for any), the words around it, and the reason.
const ALLOWED: [(&str, &str, &str); 3] = [
    ("*", "there is none", "natural after an `if`"),
    ("*", "is none of", "not in a list of names"),
    ("src/managers/registries/replaced.rs", "is another name", "a registry has two names"),
];

/// Files and folders with texts for people. Files are read whole, except for tests, because code contains no such phrases.
const FILES: [&str; 10] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "ci-templates",
    "docs",
    "src",
    "nix-templates",
    "nix-modules",
    "templates",
    "flake.nix",
];
const EXTENSIONS: [&str; 10] = ["md", "rs", "nix", "mjs", "js", "cjs", "sh", "py", "json", "yml"];

/// A text, and its name in failures.
struct Text {
    name: String,
    content: String,
}

#[test]
fn texts_are_plain_english() {
    let mut texts = Vec::new();
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in FILES {
        read(root, &root.join(file), &mut texts);
    }
    let commands = help(&[], &mut texts);
    assert!(texts.len() > 200 && commands > 10, "{} texts, {commands} commands", texts.len());
    let mut used = [false; ALLOWED.len()];
    let mut found: Vec<String> = texts.iter().flat_map(|text| tics(text, &mut used)).collect();
    let unused = ALLOWED.iter().zip(used).filter(|(_, used)| !used);
    found.extend(unused.map(|((file, words, _), _)| format!("{file}: `{words}` is allowed and does not occur")));
    assert!(found.is_empty(), "{} texts are not plain English:\n{}", found.len(), found.join("\n"));
}

/// Reads a file, or all files in a folder.
fn read(root: &Utf8Path, path: &Utf8Path, texts: &mut Vec<Text>) {
    if path.is_dir() {
        let entries = path.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_owned());
        let mut entries: Vec<Utf8PathBuf> = entries.filter(|path| !is_test(path)).collect();
        entries.sort();
        return entries.iter().for_each(|entry| read(root, entry, texts));
    }
    if path.extension().is_some_and(|extension| EXTENSIONS.contains(&extension)) {
        let content = fs_err::read_to_string(path).unwrap();
        let end = content.find("#[cfg(test)]\nmod tests {").unwrap_or(content.len());
        let name = path.strip_prefix(root).unwrap().to_string();
        texts.push(Text { name, content: content[..end].to_owned() });
    }
}

fn is_test(path: &Utf8Path) -> bool {
    ["tests", "tests.rs", "test_server.rs"].iter().any(|name| path.file_name() == Some(name))
}

/// Reads the `--help` of a command and of its subcommands, and checks that each has two examples. Returns their number.
fn help(command: &[&str], texts: &mut Vec<Text>) -> usize {
    let output = Command::new(env!("CARGO_BIN_EXE_splitter")).args(command).arg("--help").output().unwrap();
    let name = format!("`splitter {} --help`", command.join(" "));
    let content = String::from_utf8(output.stdout).unwrap();
    let examples = content.split("\nExamples:\n").nth(1).unwrap_or_default();
    let number = examples.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count();
    assert!(number >= 2, "{name} has {number} examples");
    let listed = content.split("\nCommands:\n").nth(1).unwrap_or_default().lines().take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next().map(str::to_owned));
    let below: Vec<String> =
        names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase()) && name != "help").collect();
    texts.push(Text { name, content });
    1 + below.iter().map(|below| help(&[command, &[below]].concat(), texts)).sum::<usize>()
}

/// Finds the tics in a text, each with its line.
fn tics(text: &Text, used: &mut [bool]) -> Vec<String> {
    let words = words(&text.content);
    let mut found = Vec::new();
    for (phrase, instead) in TICS {
        let wanted: Vec<&str> = phrase.split(' ').collect();
        for at in (0..words.len()).filter(|at| starts_with(&words[*at..], &wanted)) {
            let is_allowed = |(file, allowed, _): &(&str, &str, &str)| {
                let allowed: Vec<&str> = allowed.split(' ').collect();
                let starts = at.saturating_sub(allowed.len())..=at;
                ["*", &text.name].contains(file)
                    && starts.into_iter().any(|start| starts_with(&words[start..], &allowed))
            };
            match ALLOWED.iter().position(is_allowed) {
                Some(index) => used[index] = true,
                None => found.push(format!("{}:{}: `{phrase}` (better: {instead})", text.name, words[at].line)),
            }
        }
    }
    let once: Vec<&str> = ONCE.split(' ').collect();
    for paragraph in words.split(|word| word.text == "\n") {
        if let Some(at) = (0..paragraph.len()).filter(|at| starts_with(&paragraph[*at..], &once)).nth(1) {
            found.push(format!("{}:{}: a second `{ONCE}` in one paragraph", text.name, paragraph[at].line));
        }
    }
    found
}

struct Word {
    line: usize,
    text: String,
}

/// Splits a text into words in lower case without marks, `.` where a sentence ends, and a line break where a paragraph ends.
/// Words of code keep their backticks.
fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let count = words.len();
        let mut push = |text: String| words.push(Word { line: index + 1, text });
        for token in content.split_whitespace() {
            let word = token.trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
            if !word.is_empty() {
                push(word.to_lowercase());
            }
            if token.trim_end_matches(['"', '*', ')', '`']).ends_with(['.', ':', ';', '?', '!', '|', '{', '=']) {
                push(".".to_owned());
            }
        }
        if words.len() == count {
            words.push(Word { line: index + 1, text: "\n".to_owned() });
        }
    }
    words
}

fn starts_with(words: &[Word], wanted: &[&str]) -> bool {
    words.len() >= wanted.len() && wanted.iter().zip(words).all(|(wanted, word)| *wanted == "*" || word.text == *wanted)
}

#[test]
fn a_tic_is_found_across_lines_and_marks() {
    let found = |content: &str| {
        let text = Text { name: "file".to_owned(), content: content.to_owned() };
        tics(&text, &mut [false; ALLOWED.len()])
            .into_iter()
            .map(|found| found.split(" (").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found("a\n/// the files of\n/// which `x`"), ["file:2: `of which`"]);
    assert_eq!(found("a \"list of\\\n which\" - In Place *of*"), ["file:1: `of which`", "file:2: `in place of`"]);
    assert_eq!(found("what. Of `of_which`, is `None`, is it another, if there is none, == is { None }"), [""; 0]);
    assert_eq!(found("so that it\nand so that it"), ["file:2: a second `so that it` in one paragraph"]);
    assert_eq!(found("so that it\n//\n// so that it"), [""; 0]);
}
