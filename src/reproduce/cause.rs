//! Known causes of differences and their remedies, as data: `causes.json`.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::{
    excerpt::Excerpt,
    found::Detail,
    tree::{Difference, Kind},
};

const TABLE: &str = include_str!("causes.json");

/// The folder in which the first build runs, which is the default of Nix's sandbox.
pub const FIRST_FOLDER: &str = "/build";
/// The folder in which the second build runs. It is as deep: many bundlers write paths relative to it, and no two builds of Nix on
/// one system have another depth.
pub const SECOND_FOLDER: &str = "/second";
/// The same if the depth should differ too.
pub const DEEPER_FOLDER: &str = "/second/deeper/build";

/// The cause of what follows from another difference.
const RENAMED: &str = "renamed";
/// The shortest part of a name that is looked for in other files.
const SHORTEST_NAME: usize = 6;

/// A known cause.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Cause {
    /// Its name, and the section of `docs/reproduce.md`.
    pub id: String,
    /// What it is, as a noun.
    pub says: String,
    /// What to do.
    pub remedy: String,
    rules: Vec<Rule>,
}

/// What a difference must be to have a cause. All given fields must match.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Rule {
    /// A pattern for the path of the file, and of the members that it is in.
    path: Option<Pattern>,
    /// The kinds of the detail, or of the difference if it has no details.
    #[serde(default)]
    what: Vec<String>,
    /// A pattern for the place.
    place: Option<Pattern>,
    /// A pattern for both texts. It must match a part that differs.
    text: Option<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        Regex::new(&text).map(Self)
    }
}

#[derive(Deserialize)]
struct Table {
    causes: Vec<Cause>,
}

/// A broken table has no causes. A test reads it.
static CAUSES: LazyLock<Vec<Cause>> =
    LazyLock::new(|| serde_json::from_str::<Table>(TABLE).map(|table| table.causes).unwrap_or_default());

/// Returns all known causes.
pub fn all() -> &'static [Cause] {
    &CAUSES
}

/// Finds the causes of all differences.
pub(super) fn assign(differences: &mut [Difference]) {
    let renamed: Vec<(String, String)> = differences.iter().filter_map(renamed_part).collect();
    for difference in differences {
        let path = difference.path.clone();
        for detail in &mut difference.details {
            detail.cause = of_detail(&path, detail).or_else(|| follows(detail, &renamed));
        }
        if difference.details.is_empty() {
            let is_name = difference.kind == Kind::Name;
            difference.cause = of_file(&path, difference.kind).or_else(|| is_name.then(|| named(RENAMED)).flatten());
        }
    }
}

fn named(id: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.id == id)
}

fn of_file(path: &str, kind: Kind) -> Option<&'static Cause> {
    let matches = |rule: &Rule| {
        let is_kind = rule.what.is_empty() || rule.what.iter().any(|what| what == kind.name());
        is_kind && rule.place.is_none() && rule.text.is_none() && is_match(rule.path.as_ref(), path)
    };
    CAUSES.iter().find(|cause| cause.rules.iter().any(matches))
}

fn of_detail(path: &str, detail: &Detail) -> Option<&'static Cause> {
    let path = std::iter::once(path).chain(detail.inside.iter().map(String::as_str)).collect::<Vec<_>>().join("!");
    let matches = |rule: &Rule| {
        let is_kind = rule.what.is_empty() || rule.what.iter().any(|what| what == detail.what.name());
        let is_text = rule.text.as_ref().is_none_or(|text| {
            let finds = |excerpt: &Excerpt| text.0.find_iter(&excerpt.text).any(|found| touches(&found, excerpt));
            finds(&detail.first) && finds(&detail.second)
        });
        is_kind && is_match(rule.path.as_ref(), &path) && is_match(rule.place.as_ref(), &detail.place) && is_text
    };
    CAUSES.iter().find(|cause| cause.rules.iter().any(matches))
}

fn is_match(pattern: Option<&Pattern>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.0.is_match(text))
}

fn touches(found: &regex::Match<'_>, excerpt: &Excerpt) -> bool {
    found.start() < excerpt.core.end && found.end() > excerpt.core.start
}

/// Returns the part of a name that differs, such as a hash of the content.
fn renamed_part(difference: &Difference) -> Option<(String, String)> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let (one, other) = (last(&difference.path), last(difference.other.as_deref()?));
    let (first, second) = super::excerpt::differences(&one, &other).into_iter().next()?;
    let (first, second) = (one.get(first)?.to_owned(), other.get(second)?.to_owned());
    (first.len() >= SHORTEST_NAME && second.len() >= SHORTEST_NAME).then_some((first, second))
}

/// Whether a detail is the name of a file that differs.
fn follows(detail: &Detail, renamed: &[(String, String)]) -> Option<&'static Cause> {
    let (first, second) = (&detail.first.text, &detail.second.text);
    let is_one = |(old, new): &(String, String)| first.contains(old) && second.contains(new);
    renamed.iter().any(is_one).then(|| named(RENAMED)).flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::compare_bytes, *};
    use crate::reproduce::excerpt;

    /// Returns the cause of a difference between two contents of a file.
    fn cause(path: &str, first: &str, second: &str) -> String {
        let (mut details, _) = compare_bytes(path, first.as_bytes(), second.as_bytes());
        for detail in &mut details {
            detail.cause = of_detail(path, detail);
        }
        let causes: BTreeSet<&str> =
            details.iter().map(|detail| detail.cause.map_or("none", |cause| cause.id.as_str())).collect();
        causes.into_iter().collect::<Vec<_>>().join(",")
    }

    #[test]
    fn the_table_is_read() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        let ids: BTreeSet<&str> = table.causes.iter().map(|cause| cause.id.as_str()).collect();
        assert_eq!((ids.len(), CAUSES.len()), (table.causes.len(), table.causes.len()));
        let kinds = "text order json sourceMap keyOrder layout header memberTime memberOwner member onlyMember compression section buildId \
                     strings bytes target skipped onlyFirst onlySecond type name executable content";
        for rule in table.causes.iter().flat_map(|cause| &cause.rules) {
            assert!(rule.what.iter().all(|what| kinds.split_whitespace().any(|kind| kind == what)), "{:?}", rule.what);
            assert!(rule.path.is_some() || rule.place.is_some() || rule.text.is_some() || !rule.what.is_empty());
        }
        assert!(table.causes.iter().all(|cause| cause.remedy.len() > 20 && !cause.says.ends_with('.')));
        assert!(named(RENAMED).is_some());
    }

    #[test]
    fn every_cause_has_a_section_in_the_docs() {
        let docs = include_str!("../../docs/reproduce.md");
        for cause in all() {
            assert!(docs.contains(&format!("### {}\n", cause.id)), "{}", cause.id);
        }
    }

    #[test]
    fn causes_are_found_by_what_differs() {
        for (path, first, second, expected) in [
            ("x.js", "t=\"2026-11-30T17:44:01.123Z\"", "t=\"2026-11-30T17:44:03.456Z\"", "date"),
            ("x.js", "Mon Nov 30 2026 17:44:01 GMT", "Mon Nov 30 2026 17:45:01 GMT", "date"),
            ("x.json", r#"{"at":1796060641123}"#, r#"{"at":1796060643456}"#, "date"),
            ("x.txt", "built at 1796060641", "built at 1796060643", "date"),
            ("x.js", "v=\"1.2\", d=17:44:01", "v=\"1.3\", d=17:44:01", "none"),
            ("x.js", "f(\"/build/apps/web\")", "f(\"/second/deeper/build/apps/web\")", "build-path"),
            (
                "x.js.map",
                r#"{"sources":["/build/a"],"mappings":""}"#,
                r#"{"sources":["/second/deeper/build/a"],"mappings":""}"#,
                "build-path",
            ),
            ("x.js", "f(\"/build/apps/web\")", "f(\"/second/apps/web\")", "build-path"),
            ("x.js", "// ../../nix/store/x.js", "// ../../../../nix/store/x.js", "relative-path"),
            ("x.js", "Math=0.123456789012", "Math=0.987654321098", "math-random"),
            ("x.js", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "7f9619ff-8b86-4d01-b42d-00cf4fc964fe", "uuid"),
            ("x.js", "id:'9f86d081884c7d65'", "id:'2c26b46b68ffc68f'", "hash-or-id"),
            ("x.js", "id:'V1StGXR8_Z5jdHi6B-myT'", "id:'Uakgb_J5m9g-0JDMbcJqL'", "hash-or-id"),
            (".next/BUILD_ID", "V1StGXR8_Z5jdHi6B-myT", "Uakgb_J5m9g-0JDMbcJqL", "next-build-id"),
            (
                "lib/.next/prerender-manifest.json",
                r#"{"preview":{"previewModeId":"9f86d081884c7d65"}}"#,
                r#"{"preview":{"previewModeId":"2c26b46b68ffc68f"}}"#,
                "next-preview",
            ),
            (
                ".next/server/server-reference-manifest.json",
                r#"{"encryptionKey":"x9f86d081884c7d65="}"#,
                r#"{"encryptionKey":"y2c26b46b68ffc68f="}"#,
                "next-server-actions",
            ),
            ("x.tsbuildinfo", r#"{"root":["a"]}"#, r#"{"root":["b"]}"#, "tsbuildinfo"),
            ("node_modules/.cache/x", "a", "b", "cache"),
            ("x/.prisma/client/index.js", "a 1", "a 2", "prisma"),
            ("x.txt", "a\nb\nc", "b\nc\na", "order"),
            ("x.json", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, "json-key-order"),
            ("x.json", r#"{"a":1,"b":2}"#, r#"{"a": 1, "b": 2}"#, "json-layout"),
            ("x.json", "[1,2]", "[2,1]", "order"),
            ("x.json", r#"{"cpus":4}"#, r#"{"cpus":2}"#, "cores"),
            ("x.js", "some word", "other word", "none"),
        ] {
            assert_eq!(cause(path, first, second), expected, "{path}: {first}");
        }
    }

    #[test]
    fn the_name_of_a_renamed_file_follows_from_it() {
        let (first, second) = excerpt::excerpts("src=index-AbC12xY9.js", "src=index-Zz81kk00.js").remove(0);
        let detail = Detail {
            inside: Vec::new(),
            what: crate::reproduce::What::Text,
            place: String::new(),
            first,
            second,
            cause: None,
        };
        let renamed = [("AbC12xY9".to_owned(), "Zz81kk00".to_owned())];
        assert_eq!(follows(&detail, &renamed).map(|cause| cause.id.as_str()), Some("renamed"));
        assert_eq!(follows(&detail, &[]), None);
    }
}
