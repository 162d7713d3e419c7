//! [`Found`]: what the readers of formats find, and the limits that all of them share.

use super::{cause::Cause, excerpt::Excerpt};

/// The most details of one file. A generated file can differ in thousands of places.
const MOST_DETAILS: usize = 12;
/// The most bytes that one pair of files is unpacked to. A zip bomb has more.
const MOST_UNPACKED: usize = 256 << 20;
/// The most archives inside of each other.
const MOST_DEPTH: usize = 4;
/// The longest name of a place or of a member that is kept, in characters.
const LONGEST_NAME: usize = 300;

/// The kind of a detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// A part of a text.
    Text,
    /// The same lines, entries or members in another order.
    Order,
    /// A value of a JSON document.
    Json,
    /// A value of a source map.
    SourceMap,
    /// The same JSON values with keys in another order.
    KeyOrder,
    /// The same JSON values with other spaces or other forms of numbers and texts.
    Layout,
    /// A field in the header of a compressed file.
    Header,
    /// The time of a member of an archive.
    MemberTime,
    /// The owner of a member of an archive.
    MemberOwner,
    /// Another property of a member of an archive.
    Member,
    /// A member that only one archive has.
    OnlyMember,
    /// The same content, compressed to other bytes.
    Compression,
    /// A section of a program.
    Section,
    /// The build id of a program.
    BuildId,
    /// A text inside of binary data.
    Strings,
    /// Bytes without a known meaning.
    Bytes,
    /// The target of a symbolic link.
    Target,
    /// Something that was not compared, because a limit was reached.
    Skipped,
}

impl What {
    /// Its name in JSON and in `causes.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Order => "order",
            Self::Json => "json",
            Self::SourceMap => "sourceMap",
            Self::KeyOrder => "keyOrder",
            Self::Layout => "layout",
            Self::Header => "header",
            Self::MemberTime => "memberTime",
            Self::MemberOwner => "memberOwner",
            Self::Member => "member",
            Self::OnlyMember => "onlyMember",
            Self::Compression => "compression",
            Self::Section => "section",
            Self::BuildId => "buildId",
            Self::Strings => "strings",
            Self::Bytes => "bytes",
            Self::Target => "target",
            Self::Skipped => "skipped",
        }
    }
}

/// One difference inside of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The members of archives that it is in, from the outside to the inside.
    pub inside: Vec<String>,
    /// Its kind.
    pub what: What,
    /// Where it is: `line 3`, `/version`, `.note.gnu.build-id`.
    pub place: String,
    /// The text in the first build.
    pub first: Excerpt,
    /// The text in the second build.
    pub second: Excerpt,
    /// The known cause.
    pub cause: Option<&'static Cause>,
}

/// What was found in one pair of files.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) details: Vec<Detail>,
    /// The number of details that were left out.
    pub(super) more: usize,
    inside: Vec<String>,
    unpacked: usize,
}

impl Default for Found {
    fn default() -> Self {
        Self { details: Vec::new(), more: 0, inside: Vec::new(), unpacked: MOST_UNPACKED }
    }
}

impl Found {
    /// Adds a detail with excerpts.
    pub(super) fn add(&mut self, what: What, place: &str, first: Excerpt, second: Excerpt) {
        if self.details.len() >= MOST_DETAILS {
            self.more += 1;
            return;
        }
        let place = short(place);
        self.details.push(Detail { inside: self.inside.clone(), what, place, first, second, cause: None });
    }

    /// Adds a detail with two whole values.
    pub(super) fn values(&mut self, what: What, place: &str, first: &str, second: &str) {
        self.add(what, place, Excerpt::whole(first), Excerpt::whole(second));
    }

    /// Whether more details would be counted only.
    pub(super) fn is_full(&self) -> bool {
        self.details.len() >= MOST_DETAILS
    }

    /// Reads the content of a member, or of a compressed file. Reports it if it is too deep.
    pub(super) fn within(&mut self, name: &str, read: impl FnOnce(&mut Self)) {
        if self.inside.len() >= MOST_DEPTH {
            self.values(What::Skipped, name, "too many archives inside of each other", "");
            return;
        }
        self.inside.push(short(name));
        read(self);
        self.inside.pop();
    }

    /// Returns the number of bytes that may still be unpacked.
    pub(super) fn left(&self) -> usize {
        self.unpacked
    }

    /// Counts unpacked bytes.
    pub(super) fn unpacked(&mut self, bytes: usize) {
        self.unpacked = self.unpacked.saturating_sub(bytes);
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}
