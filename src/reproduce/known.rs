//! [`Known`]: the differences that `splitter.json` allows.

use globset::{GlobBuilder, GlobMatcher};

use super::tree::Difference;

/// The mark between a file and what is inside of it: `lib/site.zip!index.html`.
const INSIDE: char = '!';

/// Globs of files whose differences are allowed.
#[derive(Debug, Default)]
pub struct Known {
    globs: Vec<(String, GlobMatcher)>,
}

impl Known {
    /// Uses these globs. Those that are none match nothing; `splitter.json` was checked before.
    pub fn new<'a>(globs: impl IntoIterator<Item = &'a str>) -> Self {
        let matcher = |text: &'a str| {
            let glob = GlobBuilder::new(text).literal_separator(true).build().ok()?;
            Some((text.to_owned(), glob.compile_matcher()))
        };
        Self { globs: globs.into_iter().filter_map(matcher).collect() }
    }

    /// Returns the globs that allow a difference. It is allowed if they allow the whole file, or each of its details.
    pub fn allows(&self, difference: &Difference) -> Option<Vec<&str>> {
        let by = |path: &str| {
            let path = if path.is_empty() { "." } else { path };
            self.globs.iter().find(|(_, glob)| glob.is_match(path)).map(|(text, _)| text.as_str())
        };
        if let Some(glob) = by(&difference.path) {
            return Some(vec![glob]);
        }
        if difference.details.is_empty() || difference.more > 0 {
            return None;
        }
        let inside = |detail: &super::Detail| {
            let mut inside = detail.inside.clone();
            // The properties of a member belong to it.
            if matches!(
                detail.what,
                super::What::MemberTime
                    | super::What::MemberOwner
                    | super::What::Member
                    | super::What::OnlyMember
                    | super::What::Compression
            ) {
                inside.push(detail.place.split(" (").next().unwrap_or_default().to_owned());
            }
            let path = std::iter::once(difference.path.clone()).chain(inside).collect::<Vec<_>>();
            (path.len() > 1).then(|| by(&path.join(&INSIDE.to_string())))?
        };
        difference.details.iter().map(inside).collect()
    }

    /// Returns all globs.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        self.globs.iter().map(|(text, _)| text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Detail, Excerpt, Kind, What},
        *,
    };

    fn difference(path: &str, inside: &[(&[&str], What, &str)]) -> Difference {
        let detail = |(inside, what, place): &(&[&str], What, &str)| Detail {
            inside: inside.iter().map(|name| (*name).to_owned()).collect(),
            what: *what,
            place: (*place).to_owned(),
            first: Excerpt::default(),
            second: Excerpt::default(),
            cause: None,
        };
        let details = inside.iter().map(detail).collect();
        Difference { path: path.to_owned(), kind: Kind::Content, other: None, details, more: 0, cause: None }
    }

    #[test]
    fn files_and_members_are_allowed_by_globs() {
        let known = Known::new([".next/BUILD_ID", "**/*.map", "lib/*.zip!time.txt", "lib/*.zip!*.json", "."]);
        assert_eq!(known.allows(&difference(".next/BUILD_ID", &[])), Some(vec![".next/BUILD_ID"]));
        assert_eq!(known.allows(&difference("a/b/c.js.map", &[])), Some(vec!["**/*.map"]));
        assert_eq!(known.allows(&difference("", &[])), Some(vec!["."]));
        assert_eq!(known.allows(&difference("a.js", &[(&[], What::Text, "line 1")])), None);
        let time = (&[][..], What::MemberTime, "time.txt (Unix time)");
        let json = (&["a.json"][..], What::Json, "/id");
        assert_eq!(
            known.allows(&difference("lib/x.zip", &[time, json])),
            Some(vec!["lib/*.zip!time.txt", "lib/*.zip!*.json"])
        );
        assert_eq!(known.allows(&difference("lib/x.zip", &[time, (&["b.txt"], What::Text, "")])), None);
    }
}
