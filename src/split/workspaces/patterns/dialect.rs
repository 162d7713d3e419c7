//! How each package manager reads workspace patterns.
//!
//! Found by asking the real programs; `tests/it/workspace_patterns.rs` asks them again over generated repositories.
//!
//! | | Yarn 1 | Yarn 2, 3 | Yarn 4 | Bun to 1.3 | Bun 1.4 |
//! | --- | --- | --- | --- | --- | --- |
//! | `!pattern` | not read | excludes from the patterns before it | excludes from all | 1.3: from the globs before it | from all globs |
//! | `!(a)`, `@(a\|b)`, … | yes | yes | yes | plain characters | yes |
//! | names with a dot | if the pattern writes the dot | also by `!(a)`, `[.]` | the same | only without a glob | if the pattern writes the dot |
//! | links to folders | yes; `**` goes one link deep | yes | yes | only without a glob | yes, but not in `**` |
//! | a slash in `@(a/b)` | splits | matches only after some globs | the same | splits | splits |
//! | `a/**` has `a` | yes | no | no | yes | yes |
//! | workspaces of workspaces | no | yes | yes | no | no |

use crate::{
    managers::{ManagerName, numbers},
    split::workspaces::patterns::braces::Braces,
};

/// A reader of workspace patterns: a package manager, and its version where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::split) enum Dialect {
    /// Yarn 1.
    YarnClassic,
    /// Yarn 2 and 3.
    Yarn3,
    /// Yarn 4 and later.
    Yarn4,
    /// Bun before 1.3.
    Bun12,
    /// Bun 1.3.
    Bun13,
    /// Bun 1.4 and later.
    Bun14,
}

impl Dialect {
    /// Returns the dialect of a package manager at a version.
    pub(in crate::split) fn of(manager: ManagerName, version: &str) -> Self {
        let is_from = |first: &str| numbers(version) >= numbers(first);
        match manager {
            ManagerName::YarnClassic => Self::YarnClassic,
            ManagerName::YarnBerry if is_from("4.0.0") => Self::Yarn4,
            ManagerName::YarnBerry => Self::Yarn3,
            ManagerName::Bun if is_from("1.4.0") => Self::Bun14,
            ManagerName::Bun if is_from("1.3.0") => Self::Bun13,
            ManagerName::Bun => Self::Bun12,
        }
    }

    /// Returns the package manager's name in texts.
    pub(in crate::split) const fn title(self) -> &'static str {
        match self {
            Self::YarnClassic => "Yarn 1",
            Self::Yarn3 | Self::Yarn4 => "Yarn",
            Self::Bun12 => "Bun before 1.3",
            Self::Bun13 => "Bun 1.3",
            Self::Bun14 => "Bun",
        }
    }

    /// Whether it is Yarn 2 or later.
    pub(in crate::split) const fn is_berry(self) -> bool {
        matches!(self, Self::Yarn3 | Self::Yarn4)
    }

    /// Whether it is a Bun.
    pub(in crate::split) const fn is_bun(self) -> bool {
        matches!(self, Self::Bun12 | Self::Bun13 | Self::Bun14)
    }

    /// Whether it is a Bun with the first matcher, which knows no extended globs.
    pub(super) const fn is_old_bun(self) -> bool {
        matches!(self, Self::Bun12 | Self::Bun13)
    }

    /// Whether a pattern excludes what it matches. Only Yarn 4 reads `!(a)` at the start as an extended glob.
    pub(super) fn is_exclusion(self, pattern: &str) -> bool {
        pattern.starts_with('!') && !(self == Self::Yarn4 && pattern.starts_with("!("))
    }

    /// How it reads braces. Yarn writes a pattern out before it looks for slashes, Bun after.
    pub(super) const fn braces(self) -> Braces {
        if self.is_bun() { Braces::Always } else { Braces::LikeBash }
    }

    /// Whether a pattern without glob characters is a path that Bun opens, and must find.
    pub(super) fn is_path(self, pattern: &str) -> bool {
        let extended = ["!(", "@(", "+("];
        !(pattern.starts_with('!')
            || pattern.contains(['*', '?', '[', '{'])
            || (self == Self::Bun14 && extended.iter().any(|open| pattern.contains(open))))
    }

    /// The folders that no glob enters.
    pub(super) const fn never(self) -> &'static [&'static str] {
        match self {
            Self::YarnClassic => &["node_modules", ".git"],
            Self::Yarn3 | Self::Yarn4 => &["node_modules", ".git", ".yarn"],
            Self::Bun12 | Self::Bun13 | Self::Bun14 => &["node_modules", ".git", "CMakeFiles"],
        }
    }
}
