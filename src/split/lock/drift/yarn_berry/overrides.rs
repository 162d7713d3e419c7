//! `resolutions` of the root manifest: `[package[@range]/]package[@range]`, in the order of the file.

use crate::{
    repo::Tree,
    split::{Manifest, SplitError, lock::drift::resolutions},
};

/// An entry of `resolutions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Override {
    /// The key as written.
    pub(super) key: String,
    /// The package that must ask, if any.
    pub(super) from: Option<Specifier>,
    /// The package that is asked for.
    pub(super) package: Specifier,
    /// The range to use.
    pub(super) range: String,
}

/// A name with an optional range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Specifier {
    pub(super) name: String,
    pub(super) range: Option<String>,
}

/// Reads the entries that Yarn uses. It warns of others, and ignores them.
pub(super) fn read(tree: &dyn Tree, root: &Manifest) -> Result<Vec<Override>, SplitError> {
    let entries = resolutions::read(tree, root)?;
    Ok(entries.into_iter().filter_map(|(key, range)| parse(&key, range)).collect())
}

fn parse(key: &str, range: String) -> Option<Override> {
    if ["*/", "**/"].iter().any(|glob| key.starts_with(glob)) {
        return None;
    }
    let (first, rest) = specifier(key)?;
    let (from, package) = match rest.strip_prefix('/') {
        Some(rest) => match specifier(rest)? {
            (package, "") => (Some(first), package),
            _ => return None,
        },
        None if rest.is_empty() => (None, first),
        None => return None,
    };
    Some(Override { key: key.to_owned(), from, package, range })
}

fn specifier(text: &str) -> Option<(Specifier, &str)> {
    let part = |text: &str| text.find(['/', '@']).unwrap_or(text.len());
    let end = match text.strip_prefix('@') {
        Some(scoped) => {
            let slash = part(scoped);
            let name = scoped[slash..].strip_prefix('/').filter(|_| slash > 0)?;
            let length = part(name);
            (length > 0).then_some(1 + slash + 1 + length)?
        }
        None => Some(part(text)).filter(|end| *end > 0)?,
    };
    let (name, rest) = text.split_at(end);
    let ranged = rest.strip_prefix('@').map(|rest| rest.split_at(rest.find('/').unwrap_or(rest.len())));
    match ranged.filter(|(range, _)| !range.is_empty()) {
        Some((range, rest)) => Some((Specifier { name: name.to_owned(), range: Some(range.to_owned()) }, rest)),
        None => Some((Specifier { name: name.to_owned(), range: None }, rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(key: &str) -> Option<(Option<String>, String)> {
        let text = |specifier: Specifier| match specifier.range {
            Some(range) => format!("{} {range}", specifier.name),
            None => specifier.name,
        };
        parse(key, String::new()).map(|entry| (entry.from.map(text), text(entry.package)))
    }

    #[test]
    fn a_key_has_up_to_two_packages() {
        let of = |from: Option<&str>, package: &str| Some((from.map(str::to_owned), package.to_owned()));
        assert_eq!(parsed("a"), of(None, "a"));
        assert_eq!(parsed("@a/b"), of(None, "@a/b"));
        assert_eq!(parsed("a@npm:^1.0.0"), of(None, "a npm:^1.0.0"));
        assert_eq!(parsed("a/b"), of(Some("a"), "b"));
        assert_eq!(parsed("@a/b@1/@c/d@^2"), of(Some("@a/b 1"), "@c/d ^2"));
        for key in ["", "**/a", "*/a", "a/b/c", "@a", "a/", "a@1/b@2/c", "/a"] {
            assert_eq!(parsed(key), None, "{key}");
        }
    }
}
