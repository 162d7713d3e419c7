//! The size of a closure, its parts, and the way from the output to each part.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Holders, Items};

/// The runtime closure of an output. All store paths are base names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closure {
    /// The output.
    pub output: String,
    /// The size of all parts together.
    pub size: u64,
    /// The size of the output's own files.
    pub own: u64,
    /// The output and everything that it needs, largest first.
    pub parts: Vec<Part>,
    /// The store paths that the output refers to, by what they add, largest first.
    pub references: Vec<Reference>,
}

/// A store path in a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The store path.
    pub path: String,
    /// The size of its own files.
    pub size: u64,
    /// The store paths between the output and this one, on a shortest way. Empty for the output and its references.
    pub through: Vec<String>,
}

/// A store path that the output refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The store path.
    pub path: String,
    /// The size of its own closure.
    pub closure: u64,
    /// The size that the output's closure loses without this reference.
    pub freed: u64,
    /// The files of the output that hold the reference.
    pub holders: Holders,
}

impl Closure {
    /// Measures the closure of `output` among `items`. Returns nothing if a path is missing there.
    pub fn of(items: &Items, output: &str) -> Option<Self> {
        let ways = ways(items, output, None)?;
        let sum = |ways: &BTreeMap<&str, Option<&str>>| ways.keys().map(|path| items[*path].size).sum::<u64>();
        let size = sum(&ways);
        let mut parts: Vec<Part> = ways
            .keys()
            .map(|path| Part {
                path: (*path).to_owned(),
                size: items[*path].size,
                through: through(&ways, path, output),
            })
            .collect();
        parts.sort_by(|a, b| (b.size, &a.path).cmp(&(a.size, &b.path)));
        let own = items.get(output)?.size;
        let mut references = Vec::new();
        for path in &items.get(output)?.references {
            references.push(Reference {
                path: path.clone(),
                closure: sum(&self::ways(items, path, None)?),
                freed: size - sum(&self::ways(items, output, Some(path))?),
                holders: Holders::default(),
            });
        }
        references.sort_by(|a, b| (b.closure, &a.path).cmp(&(a.closure, &b.path)));
        Some(Self { output: output.to_owned(), size, own, parts, references })
    }

    /// Returns the reference of the output that brings a part into the closure. The output itself has none.
    pub fn reference_to(&self, part: &Part) -> Option<&Reference> {
        let path = part.through.first().unwrap_or(&part.path);
        self.references.iter().find(|reference| reference.path == *path)
    }
}

/// Returns all paths that `output` needs, each with the path before it on a shortest way. `without` is a reference of the
/// output to ignore.
fn ways<'a>(items: &'a Items, output: &'a str, without: Option<&str>) -> Option<BTreeMap<&'a str, Option<&'a str>>> {
    let mut ways = BTreeMap::from([(output, None)]);
    let mut queue = VecDeque::from([output]);
    while let Some(path) = queue.pop_front() {
        let references: &BTreeSet<String> = &items.get(path)?.references;
        for reference in references {
            if path == output && without == Some(reference) {
                continue;
            }
            if !ways.contains_key(reference.as_str()) {
                ways.insert(reference, Some(path));
                queue.push_back(reference);
            }
        }
    }
    Some(ways)
}

/// Returns the paths between the output and a part.
fn through(ways: &BTreeMap<&str, Option<&str>>, part: &str, output: &str) -> Vec<String> {
    let before = |path: &&str| ways.get(path).copied().flatten();
    let mut through: Vec<String> =
        std::iter::successors(before(&part), before).take_while(|path| *path != output).map(str::to_owned).collect();
    through.reverse();
    through
}

/// Makes store paths for tests: each with its size and its references.
#[cfg(test)]
pub(super) fn items(paths: &[(&str, u64, &[&str])]) -> Items {
    let item = |(path, size, references): &(&str, u64, &[&str])| {
        let references = references.iter().map(|path| (*path).to_owned()).collect();
        ((*path).to_owned(), super::Item { size: *size, references, ..super::Item::default() })
    };
    paths.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_has_every_part_once_with_the_way_to_it() {
        let items = items(&[
            ("app", 10, &["modules", "bash"]),
            ("modules", 500, &["node", "bash"]),
            ("node", 100, &["libc"]),
            ("bash", 20, &["libc"]),
            ("libc", 50, &[]),
            ("unrelated", 7, &["app"]),
        ]);
        let closure = Closure::of(&items, "app").unwrap();
        assert_eq!((closure.size, closure.own), (680, 10));
        let parts: Vec<_> = closure.parts.iter().map(|part| (part.path.as_str(), part.through.join(" "))).collect();
        let expected = [("modules", ""), ("node", "modules"), ("libc", "bash"), ("bash", ""), ("app", "")]
            .map(|(a, b)| (a, b.to_owned()));
        assert_eq!(parts, expected);
        let references: Vec<_> = closure
            .references
            .iter()
            .map(|reference| (reference.path.as_str(), reference.closure, reference.freed))
            .collect();
        // Without `bash`, `modules` still needs it.
        assert_eq!(references, [("modules", 670, 600), ("bash", 70, 0)]);
        assert_eq!(closure.reference_to(&closure.parts[1]).unwrap().path, "modules");
        assert_eq!(closure.reference_to(&closure.parts[4]), None);
    }

    #[test]
    fn circles_end_and_missing_paths_give_nothing() {
        let circle = items(&[("a", 1, &["b"]), ("b", 2, &["a"])]);
        let closure = Closure::of(&circle, "a").unwrap();
        assert_eq!((closure.size, closure.references[0].freed), (3, 2));
        assert_eq!(Closure::of(&items(&[("a", 1, &["b"])]), "a"), None);
        assert_eq!(Closure::of(&Items::new(), "a"), None);
    }
}
