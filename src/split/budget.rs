//! Sizes and size budgets in `splitter.json`: the largest runtime closure and the largest image that a package may have.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Config;
use crate::repo::RepoPath;

/// How much worse a branch may be than what was before it. What is absent has no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BuildBudget {
    /// The most that builds may take, as a ratio of the time before: 1.5 for half as much again.
    pub build_time: Option<f64>,
    /// The most that a runtime closure may have, as a ratio of the size before.
    pub closure_size: Option<f64>,
    /// The smallest share of store paths that come from caches: 0.8 for 80 %.
    pub hit_rate: Option<f64>,
}

/// The key in `sizeBudget` for all apps without a budget of their own.
pub const ALL_APPS: &str = "*";

/// The units, with their number of bytes. Decimal prefixes are those that splitter prints.
const UNITS: [(&str, u64); 8] = [
    ("B", 1),
    ("kB", 1000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// The most digits after the point. More would not fit into a number of bytes.
const MOST_FRACTION_DIGITS: usize = 9;

/// Reads a size such as `200 MB` or `1.5 GiB`. Returns the number of bytes.
pub fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.parse::<u128>().ok();
    let scale = 10_u128.pow(u32::try_from(fraction.len().min(MOST_FRACTION_DIGITS + 1)).ok()?);
    if fraction.len() > MOST_FRACTION_DIGITS {
        return None;
    }
    let unit = u128::from(unit);
    let total = digits(whole)?.checked_mul(unit)?.checked_add(digits(fraction)? * unit / scale)?;
    u64::try_from(total).ok()
}

impl Config {
    /// Returns the budget of a package, in bytes. `workspace` is the folder of the workspace if the package is an app. The
    /// workspace's own setting comes first, then the package's name, and for apps the budget of all apps.
    pub fn budget_of(&self, package: &str, workspace: Option<&RepoPath>) -> Option<u64> {
        let own = workspace.and_then(|path| self.workspaces.get(path)).and_then(|choices| choices.size_budget);
        let named = || self.size_budgets.get(package).copied();
        let all = || workspace.and_then(|_| self.size_budgets.get(ALL_APPS).copied());
        own.or_else(named).or_else(all)
    }

    /// Returns the budget of an app's container image, in bytes.
    pub fn image_budget_of(&self, workspace: Option<&RepoPath>) -> Option<u64> {
        let own = workspace.and_then(|path| self.workspaces.get(path)).and_then(|choices| choices.image_budget);
        own.or(self.image_budget)
    }

    /// Returns the packages that have a budget, without those in `known`.
    pub fn unknown_budgets<'a>(&'a self, known: &BTreeSet<&str>) -> Vec<&'a str> {
        let names = self.size_budgets.keys().map(String::as_str);
        names.filter(|name| *name != ALL_APPS && !known.contains(name)).collect()
    }

    /// Whether any package has a budget.
    pub fn has_budgets(&self) -> bool {
        !self.size_budgets.is_empty() || self.workspaces.values().any(|choices| choices.size_budget.is_some())
    }
}

/// The budgets by package.
pub type SizeBudgets = BTreeMap<String, u64>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::split::config::parse;

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, expected) in [
            ("200 MB", 200_000_000),
            ("200MB", 200_000_000),
            ("1.5 GB", 1_500_000_000),
            ("0.25 kB", 250),
            ("1 KB", 1000),
            ("2 MiB", 2 << 20),
            ("1.5 KiB", 1536),
            ("0 B", 0),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in [
            "", "200", "MB", " 200 MB", "200  MB", "-1 MB", "1e3 MB", "1,5 GB", ".5 GB", "1. GB", "1.2.3 GB", "1 TB",
            "1 mb",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!(bytes("99999999999999999999 GB"), None);
        assert_eq!(bytes("1.0000000001 GB"), None);
    }

    #[test]
    fn the_closest_budget_counts() {
        let config = parse(
            r#"{ "sizeBudget": { "*": "3 MB", "api": "2 MB", "nodeModules": "9 MB" },
                 "workspaces": { "apps/web": { "sizeBudget": "1 MB" } } }"#,
        )
        .unwrap();
        let folder = |path: &str| Some(path.parse::<RepoPath>().unwrap());
        assert_eq!(config.budget_of("web", folder("apps/web").as_ref()), Some(1_000_000));
        assert_eq!(config.budget_of("api", folder("apps/api").as_ref()), Some(2_000_000));
        assert_eq!(config.budget_of("docs", folder("apps/docs").as_ref()), Some(3_000_000));
        assert_eq!((config.budget_of("nodeModules", None), config.budget_of("tools", None)), (Some(9_000_000), None));
        assert_eq!(config.unknown_budgets(&BTreeSet::from(["api"])), ["nodeModules"]);
        assert!(config.has_budgets() && !parse("{}").unwrap().has_budgets());
    }

    #[test]
    fn the_image_budget_of_a_workspace_goes_before_the_common_one() {
        let config = parse(
            r#"{ "imageBudget": "3 MB", "workspaces": { "apps/web": { "imageBudget": "1 MB" }, "apps/api": {} } }"#,
        )
        .unwrap();
        let budget = |path: &str| config.image_budget_of(Some(&path.parse::<RepoPath>().unwrap()));
        assert_eq!((budget("apps/web"), budget("apps/api")), (Some(1_000_000), Some(3_000_000)));
        assert_eq!((config.image_budget_of(None), parse("{}").unwrap().image_budget_of(None)), (Some(3_000_000), None));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9.]{0,30} ?[kKMGiB]{0,4}") {
            let _ = bytes(&text);
        }
    }
}
