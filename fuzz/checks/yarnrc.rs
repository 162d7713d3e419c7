//! Fuzzes the parsers of `.yarnrc.yml` and `.yarnrc`. People write them by hand: no text may panic, and the kept part
//! of a file must parse again.

use splitter::{
    managers::{
        yarn_berry::rc::{BerryRc, kept as kept_of_berry},
        yarn_classic::rc::{ClassicRc, kept as kept_of_classic},
    },
    repo::{Entry, RepoPath, Tree, TreeError},
};

/// A tree in which every file has the same text.
struct OneText<'a>(&'a str);

impl Tree for OneText<'_> {
    fn read(&self, _: &RepoPath) -> Result<Option<Vec<u8>>, TreeError> {
        Ok(Some(self.0.as_bytes().to_vec()))
    }

    fn list(&self, _: &RepoPath) -> Result<Vec<Entry>, TreeError> {
        Ok(Vec::new())
    }

    fn link(&self, _: &RepoPath) -> Result<Option<String>, TreeError> {
        Ok(None)
    }
}

pub(crate) fn check(text: &str) {
    let _ = BerryRc::read(&OneText(text));
    let _ = ClassicRc::read(&OneText(text)).map(|rc| rc.yarn_path());
    let _ = kept_of_classic("rc".into(), text);
    if let Ok(kept) = kept_of_berry("rc".into(), text) {
        assert!(kept_of_berry("rc".into(), &kept).is_ok());
    }
}
