//! The fenced blocks of a Markdown page, and the HTML comment in front of each.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) file: String,
    /// The line of the opening fence, from 1.
    pub(super) line: usize,
    pub(super) language: String,
    pub(super) body: Vec<String>,
    /// The text of the HTML comment in the lines before, if there is one.
    pub(super) comment: Option<String>,
}

impl Block {
    /// Returns its place, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    pub(super) fn text(&self) -> String {
        self.body.join("\n")
    }

    /// Whether readers type what is in it.
    pub(super) fn has_commands(&self) -> bool {
        ["console", "sh", "bash", "shell"].contains(&self.language.as_str())
    }
}

/// A page: its path in the project, and its text.
pub(super) struct Page {
    pub(super) file: String,
    pub(super) text: String,
}

impl Page {
    pub(super) fn blocks(&self) -> Vec<Block> {
        parse(&self.file, &self.text).0
    }

    /// Returns the lines outside of blocks and comments, with their numbers.
    pub(super) fn prose(&self) -> Vec<(usize, String)> {
        parse(&self.file, &self.text).1
    }
}

/// Reads the README, CONTRIBUTING and every page of `docs/`, sorted by path.
pub(super) fn pages() -> Vec<Page> {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    below(&root.join("docs"), &mut files);
    files.sort();
    let page = |path: Utf8PathBuf| Page {
        file: path.strip_prefix(root).unwrap().to_string(),
        text: fs::read_to_string(&path).unwrap(),
    };
    files.into_iter().map(page).collect()
}

fn below(folder: &Utf8Path, files: &mut Vec<Utf8PathBuf>) {
    for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            below(entry.path(), files);
        } else if entry.path().extension() == Some("md") {
            files.push(entry.path().to_owned());
        }
    }
}

/// Returns the blocks of a text, and the lines outside of them.
fn parse(file: &str, text: &str) -> (Vec<Block>, Vec<(usize, String)>) {
    let (mut blocks, mut prose) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    let mut comment = None;
    while let Some((index, line)) = lines.next() {
        let start = line.trim_start();
        let indent = line.len() - start.len();
        if let Some(fence) = fence(start) {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| !closes(line.trim(), fence));
            let body = inside.map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
            let language = start[fence.len()..].trim().to_owned();
            blocks.push(Block { file: file.to_owned(), line: index + 1, language, body, comment: comment.take() });
            continue;
        }
        comment = None;
        if let Some(first) = start.strip_prefix("<!--") {
            let mut inner = first.to_owned();
            while !inner.contains("-->") {
                let Some((_, next)) = lines.next() else { break };
                inner = inner + "\n" + next;
            }
            let (inner, rest) = inner.split_once("-->").unwrap_or((&inner, ""));
            comment = rest.trim().is_empty().then(|| inner.trim().to_owned());
        } else {
            prose.push((index + 1, line.to_owned()));
        }
    }
    (blocks, prose)
}

/// Returns the fence that a line opens.
fn fence(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|char| ['`', '~'].contains(char))?;
    let length = line.chars().take_while(|char| *char == mark).count();
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

fn closes(line: &str, fence: &str) -> bool {
    line.starts_with(fence) && line.chars().all(|char| fence.starts_with(char))
}

#[test]
fn blocks_have_their_language_comment_and_lines() {
    let text =
        "a\n<!-- run: x\n$ b\n-->\n```console\n$ c\n  d\n```\n\n1. e\n   ~~~~ nix\n   { }\n   ~~~\n   ~~~~\nf `g`\n";
    let (blocks, prose) = parse("p.md", text);
    let [first, second] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!((first.place().as_str(), first.comment.as_deref()), ("p.md:5", Some("run: x\n$ b")));
    assert_eq!(first.body, ["$ c", "  d"]);
    assert_eq!((second.language.as_str(), &second.comment), ("nix", &None));
    assert_eq!(second.body, ["{ }", "~~~"]);
    let prose: Vec<_> = prose.into_iter().filter(|(_, line)| !line.is_empty()).collect();
    assert_eq!(prose, [(1, "a".to_owned()), (10, "1. e".to_owned()), (15, "f `g`".to_owned())]);
}
