//! The first lines of a written file. They hold a digest, so that an edited file is never overwritten.

/// Starts the second line.
const MARK: &str = "# splitter tune: ";

/// The first line.
const ADVICE: &str =
    "# Written by `splitter tune`. To change it, run that again with other options; add your own settings elsewhere.";

/// What is at the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file.
    Nothing,
    /// A file as splitter wrote it.
    Ours,
    /// A file that splitter wrote and somebody edited.
    Edited,
    /// Another file.
    Foreign,
}

/// Adds the first lines to a text.
pub fn signed(body: &str) -> String {
    format!("{ADVICE}\n{MARK}{}\n\n{body}", digest(body))
}

/// Returns what a file is.
pub fn found(text: Option<&str>) -> Found {
    let Some(text) = text else { return Found::Nothing };
    let is_marked = text.lines().take(2).any(|line| line == ADVICE || line.starts_with(MARK));
    let body = text.strip_prefix(ADVICE).and_then(|rest| rest.strip_prefix('\n')?.strip_prefix(MARK));
    let is_whole =
        body.and_then(|rest| rest.split_once("\n\n")).is_some_and(|(recorded, body)| recorded == digest(body));
    match (is_whole, is_marked) {
        (true, _) => Found::Ours,
        (false, true) => Found::Edited,
        (false, false) => Found::Foreign,
    }
}

fn digest(body: &str) -> String {
    blake3::hash(body.as_bytes()).to_hex()[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_show() {
        let text = signed("max-jobs = 4\n");
        assert_eq!(found(Some(&text)), Found::Ours);
        assert_eq!(found(Some(&format!("{text}cores = 1\n"))), Found::Edited);
        assert_eq!(found(Some(&text.replacen('#', "##", 1))), Found::Edited);
        assert_eq!(found(Some("max-jobs = 4\n")), Found::Foreign);
        assert_eq!(found(Some("")), Found::Foreign);
        assert_eq!(found(None), Found::Nothing);
    }
}
