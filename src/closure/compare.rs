//! The difference between two closures.
//!
//! The hash of a store path changes with every edit, and the version with every update. So parts are compared by name
//! without version, and parts with the same name are added up.

use std::collections::BTreeMap;

use super::{Closure, Part, name, name_without_version};

/// The change of a part of a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartChange {
    /// The name, without hash and version. Nothing for the output's own files.
    pub name: Option<String>,
    /// The size before. Nothing if the part is new.
    pub before: Option<u64>,
    /// The size after. Nothing if the part is gone.
    pub after: Option<u64>,
}

impl PartChange {
    /// Returns how many bytes the part grew by.
    pub fn growth(&self) -> i128 {
        i128::from(self.after.unwrap_or(0)) - i128::from(self.before.unwrap_or(0))
    }
}

/// Returns the parts whose size changed, those that grew most first.
pub fn compare(before: Option<&Closure>, after: Option<&Closure>) -> Vec<PartChange> {
    let (before, after) = (sizes(before), sizes(after));
    let mut names: Vec<_> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let change = |part: Option<&str>| PartChange {
        name: part.map(str::to_owned),
        before: before.get(&part).copied(),
        after: after.get(&part).copied(),
    };
    let mut changes: Vec<PartChange> = names.into_iter().map(change).collect();
    changes.retain(|change| change.before != change.after);
    changes.sort_by(|a, b| (b.growth(), &a.name).cmp(&(a.growth(), &b.name)));
    changes
}

/// Returns the size of each part by its name without version.
fn sizes(closure: Option<&Closure>) -> BTreeMap<Option<&str>, u64> {
    let mut sizes = BTreeMap::new();
    for (closure, part) in closure.into_iter().flat_map(|closure| closure.parts.iter().map(move |part| (closure, part)))
    {
        *sizes.entry(compared_name(closure, part)).or_insert(0) += part.size;
    }
    sizes
}

/// Returns the name by which a part of a closure is compared, as in [`PartChange::name`].
pub fn compared_name<'a>(closure: &Closure, part: &'a Part) -> Option<&'a str> {
    (part.path != closure.output).then(|| name_without_version(name(&part.path)))
}

#[cfg(test)]
mod tests {
    use super::{super::measure::items, *};

    #[test]
    fn what_grew_most_comes_first_and_versions_do_not_matter() {
        let (a, b, c) = ("a".repeat(32), "b".repeat(32), "c".repeat(32));
        let path = |hash: &str, name: &str| format!("{hash}-{name}");
        let (app, node, old) = (path(&a, "app-1.0.0"), path(&b, "nodejs-22.1.0"), path(&c, "zlib-1.3"));
        let before = items(&[(&app, 10, &[&node, &old]), (&node, 100, &[]), (&old, 5, &[])]);
        let before = Closure::of(&before, &app).unwrap();
        let (app, node, new) = (path(&b, "app-1.0.0"), path(&c, "nodejs-22.2.0"), path(&a, "modules"));
        let second = path(&a, "nodejs-20.0.0");
        let after = items(&[(&app, 10, &[&node, &new]), (&node, 130, &[&second]), (&new, 70, &[]), (&second, 1, &[])]);
        let after = Closure::of(&after, &app).unwrap();
        let change = |name: &str, before, after| PartChange { name: Some(name.to_owned()), before, after };
        assert_eq!(
            compare(Some(&before), Some(&after)),
            [change("modules", None, Some(70)), change("nodejs", Some(100), Some(131)), change("zlib", Some(5), None)]
        );
        assert_eq!(compare(Some(&before), Some(&before)), []);
        let gone = compare(Some(&before), None);
        assert_eq!(gone.iter().map(PartChange::growth).collect::<Vec<_>>(), [-5, -10, -100]);
        assert_eq!(gone[1].name, None);
    }
}
