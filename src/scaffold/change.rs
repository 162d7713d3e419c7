//! How packages and files differ from what is recorded, as data and as the lines that lists show.

use std::fmt;

use serde::Serialize;

use crate::repo::RepoPath;

/// How a thing differs from what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

impl Change {
    /// How a line of a list begins that names it.
    pub const fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}

/// A package that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PackageChange {
    /// Its name, without a version.
    pub name: String,
    /// The versions that are recorded and no longer locked.
    pub from: Vec<String>,
    /// The versions that are locked and not recorded.
    pub to: Vec<String>,
    /// How it differs.
    pub change: Change,
}

/// `~ react 19.0.0 -> 19.1.0`
impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.change.sign(), self.name)?;
        match self.change {
            Change::Added => f.write_str(&self.to.join(", ")),
            Change::Removed => f.write_str(&self.from.join(", ")),
            Change::Changed if self.from == self.to => write!(f, "{} (other bytes)", self.to.join(", ")),
            Change::Changed => write!(f, "{} -> {}", self.from.join(", "), self.to.join(", ")),
        }
    }
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FileChange {
    /// The file.
    pub path: RepoPath,
    /// How it differs.
    pub change: Change,
}

/// `~ bun.lock`
impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.change.sign(), self.path)
    }
}
