//! The first lines of a file that splitter wrote. They hold a digest, so that an edited file is never overwritten.

/// The first lines of one kind of file. Comments begin with `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// The first line: who wrote the file, and how to change it.
    pub advice: &'static str,
    /// The start of the second line. The digest follows.
    pub mark: &'static str,
}

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

impl Signature {
    /// Adds the first lines to a text.
    pub fn sign(&self, body: &str) -> String {
        format!("{}\n{}{}\n\n{body}", self.advice, self.mark, digest(body))
    }

    /// Returns what a file is.
    pub fn found(&self, text: Option<&str>) -> Found {
        let Some(text) = text else { return Found::Nothing };
        // git may change the ends of lines.
        let text = text.replace("\r\n", "\n");
        let is_marked = text.lines().take(2).any(|line| line == self.advice || line.starts_with(self.mark));
        let rest = text.strip_prefix(self.advice).and_then(|rest| rest.strip_prefix('\n')?.strip_prefix(self.mark));
        let is_whole = rest.and_then(|rest| rest.split_once("\n\n")).is_some_and(|(old, body)| old == digest(body));
        match (is_whole, is_marked) {
            (true, _) => Found::Ours,
            (false, true) => Found::Edited,
            (false, false) => Found::Foreign,
        }
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
        let signature = Signature { advice: "# Written by a test.", mark: "# test: " };
        let found = |text: &str| signature.found(Some(text));
        let text = signature.sign("max-jobs = 4\n");
        assert_eq!((found(&text), found(&text.replace('\n', "\r\n"))), (Found::Ours, Found::Ours));
        assert_eq!(found(&format!("{text}cores = 1\n")), Found::Edited);
        assert_eq!(found(&text.replacen('#', "##", 1)), Found::Edited);
        assert_eq!((found("max-jobs = 4\n"), found("")), (Found::Foreign, Found::Foreign));
        assert_eq!(signature.found(None), Found::Nothing);
    }
}
