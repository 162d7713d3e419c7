//! Packages and files that differ from the record, as data and as lines of lists.

use std::fmt;

use serde::Serialize;

use crate::repo::RepoPath;

/// How something differs from the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// New since the record was written.
    Added,
    /// Recorded, but no longer there.
    Removed,
    /// Different from what is recorded.
    Changed,
}

impl Change {
    /// The sign at the start of a line in a list.
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
    /// Versions that are recorded but no longer locked.
    pub from: Vec<String>,
    /// Versions that are locked but not recorded.
    pub to: Vec<String>,
    /// How it differs.
    pub change: Change,
}

/// `~ react 19.0.0 -> 19.1.0`
impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.change.sign(), self.name)?;
        // Files that are not from a registry have no version.
        let versions = |versions: &[String]| match versions.join(", ") {
            text if text.is_empty() => text,
            text => format!(" {text}"),
        };
        match self.change {
            Change::Added => f.write_str(&versions(&self.to)),
            Change::Removed => f.write_str(&versions(&self.from)),
            Change::Changed if self.from == self.to => {
                write!(f, "{} (hash, URL or systems changed)", versions(&self.to))
            }
            Change::Changed => write!(f, "{} ->{}", versions(&self.from), versions(&self.to)),
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
