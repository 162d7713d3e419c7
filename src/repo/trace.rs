//! [`Traced`]: a tree that records each question and its answer, so the same questions can be asked again.
//!
//! A result computed from a tree alone stays valid while the tree gives the same answers. Asking again and comparing
//! digests takes a tenth of the time of reading a large lockfile into a model. It does not rely on times and sizes of
//! files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Mutex, PoisonError},
};

use super::{Entry, EntryKind, Link as Symlink, RepoPath, Tree, TreeError};
use crate::parallel;

/// A question to a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
enum Question {
    Read(RepoPath),
    List(RepoPath),
    Unignored(RepoPath),
    IsIgnored(RepoPath),
    Ignored(Vec<RepoPath>),
    IsFile(RepoPath),
    Link(RepoPath),
    Links,
    Submodules,
}

/// Questions, with the digests of their answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Trace(Vec<(Question, String)>);

impl Trace {
    /// Whether a tree still gives the same answers.
    pub fn holds(&self, tree: &dyn Tree) -> bool {
        let is_same = |(question, digest): &(Question, String)| answer(tree, question).is_ok_and(|now| now == *digest);
        // The lockfile or the record, which take longest, come first; the others are read meanwhile.
        parallel::map(&self.0, is_same).into_iter().all(|is_same| is_same)
    }
}

fn answer(tree: &dyn Tree, question: &Question) -> Result<String, TreeError> {
    Ok(match question {
        Question::Read(path) => of_content(tree.read(path)?.as_deref()),
        Question::List(path) => of_entries(&tree.list(path)?),
        Question::Unignored(path) => of_names(&tree.unignored_files(path)?),
        Question::IsIgnored(path) => of_choice(tree.is_ignored(path)?),
        Question::Ignored(paths) => of_paths(&tree.ignored(paths)?.into_iter().collect::<Vec<_>>()),
        Question::IsFile(path) => of_choice(tree.is_file(path)?),
        Question::Link(path) => of_content(tree.link(path)?.as_deref().map(str::as_bytes)),
        Question::Links => of_links(&tree.links()?),
        Question::Submodules => of_paths(&tree.submodules()?),
    })
}

fn of_content(content: Option<&[u8]>) -> String {
    content.map_or_else(|| "none".to_owned(), digest)
}

fn of_entries(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let kind = match entry.kind {
            EntryKind::File => 'f',
            EntryKind::Folder => 'd',
            EntryKind::Link => 'l',
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{kind}{}\0", entry.name);
    }
    digest(text.as_bytes())
}

fn of_links(links: &[Symlink]) -> String {
    let texts: Vec<String> = links.iter().map(|link| format!("{}\0{}", link.path, link.target)).collect();
    of_names(&texts)
}

fn of_paths(paths: &[RepoPath]) -> String {
    of_names(&paths.iter().map(ToString::to_string).collect::<Vec<_>>())
}

fn of_names(names: &[String]) -> String {
    digest(names.join("\0").as_bytes())
}

fn of_choice(choice: bool) -> String {
    choice.to_string()
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A tree that records its questions.
pub struct Traced<'a> {
    tree: &'a dyn Tree,
    answers: Mutex<BTreeMap<Question, String>>,
}

impl<'a> Traced<'a> {
    /// Records the questions to `tree` from now on.
    pub fn new(tree: &'a dyn Tree) -> Self {
        Self { tree, answers: Mutex::default() }
    }

    /// Returns the recorded questions.
    pub fn trace(self) -> Trace {
        let answers = self.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        Trace(answers.into_iter().collect())
    }

    fn note(&self, question: Question, answer: String) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(question, answer);
    }
}

impl Tree for Traced<'_> {
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        let content = self.tree.read(path)?;
        self.note(Question::Read(path.clone()), of_content(content.as_deref()));
        Ok(content)
    }

    fn list(&self, folder: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        let entries = self.tree.list(folder)?;
        self.note(Question::List(folder.clone()), of_entries(&entries));
        Ok(entries)
    }

    fn link(&self, path: &RepoPath) -> Result<Option<String>, TreeError> {
        let target = self.tree.link(path)?;
        self.note(Question::Link(path.clone()), of_content(target.as_deref().map(str::as_bytes)));
        Ok(target)
    }

    fn unignored_files(&self, folder: &RepoPath) -> Result<Vec<String>, TreeError> {
        let names = self.tree.unignored_files(folder)?;
        self.note(Question::Unignored(folder.clone()), of_names(&names));
        Ok(names)
    }

    fn is_ignored(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let is_ignored = self.tree.is_ignored(path)?;
        self.note(Question::IsIgnored(path.clone()), of_choice(is_ignored));
        Ok(is_ignored)
    }

    fn ignored(&self, paths: &[RepoPath]) -> Result<BTreeSet<RepoPath>, TreeError> {
        let ignored = self.tree.ignored(paths)?;
        self.note(Question::Ignored(paths.to_vec()), of_paths(&ignored.iter().cloned().collect::<Vec<_>>()));
        Ok(ignored)
    }

    fn links(&self) -> Result<Vec<Symlink>, TreeError> {
        let links = self.tree.links()?;
        self.note(Question::Links, of_links(&links));
        Ok(links)
    }

    fn submodules(&self) -> Result<Vec<RepoPath>, TreeError> {
        let paths = self.tree.submodules()?;
        self.note(Question::Submodules, of_paths(&paths));
        Ok(paths)
    }

    fn is_file(&self, path: &RepoPath) -> Result<bool, TreeError> {
        let is_file = self.tree.is_file(path)?;
        self.note(Question::IsFile(path.clone()), of_choice(is_file));
        Ok(is_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    const FILES: [(&str, &str); 3] = [("a/x", "1"), ("a/y", "2"), ("b", "3")];

    fn traced() -> Trace {
        let tree = MemoryTree::new(FILES);
        let traced = Traced::new(&tree);
        traced.read(&"a/x".parse().unwrap()).unwrap();
        traced.read(&"none".parse().unwrap()).unwrap();
        traced.list(&"a".parse().unwrap()).unwrap();
        traced.is_file(&"b".parse().unwrap()).unwrap();
        traced.trace()
    }

    #[test]
    fn a_trace_holds_while_the_answers_are_the_same() {
        let holds = |files: &[(&str, &str)]| traced().holds(&MemoryTree::new(files.iter().copied()));
        assert!(holds(&FILES));
        // Contents that were never asked for do not matter.
        assert!(holds(&[("a/x", "1"), ("a/y", "other"), ("b", "other"), ("c", "")]));
        assert!(!holds(&[("a/x", "0"), ("a/y", "2"), ("b", "3")]));
        assert!(!holds(&[("a/x", "1"), ("b", "3")]));
        assert!(!holds(&[("a/x", "1"), ("a/y", "2"), ("b/c", "3")]));
        assert!(!holds(&[("a/x", "1"), ("a/y", "2"), ("b", "3"), ("none", "")]));
    }

    #[test]
    fn a_trace_survives_being_written() {
        let text = serde_json::to_string(&traced()).unwrap();
        assert_eq!(serde_json::from_str::<Trace>(&text).unwrap(), traced());
    }
}
