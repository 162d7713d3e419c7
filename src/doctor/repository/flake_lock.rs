//! `flake.lock`: which nixpkgs it pins, how old that is, and until when it is supported.

use crate::{lint, nix::release::Release};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What `flake.lock` says of nixpkgs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nixpkgs {
    /// The branch that `flake.nix` names, such as `nixos-26.05`.
    pub branch: Option<String>,
    /// The time of the pinned commit, in seconds since 1970.
    pub pinned: Option<u64>,
}

impl Nixpkgs {
    /// Reads `flake.lock`. Returns nothing if no input of the flake itself is nixpkgs.
    pub fn read(text: &str) -> Option<Self> {
        let found = lint::main_nixpkgs(text)?;
        Some(Self { branch: found.branch, pinned: found.last_modified })
    }

    /// Returns the age of the pinned commit in days.
    pub fn age(&self, now: u64) -> Option<u64> {
        Some(now.saturating_sub(self.pinned?) / DAY)
    }

    /// Returns the release and the days since its support ended, or nothing if it is supported or no release.
    pub fn unsupported(&self, now: u64) -> Option<(String, u64)> {
        let release = Release::of_branch(self.branch.as_deref()?)?;
        let late = now.checked_sub(release.end_of_support())? / DAY;
        Some((release.to_string(), late))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn lock(reference: &str) -> String {
        format!(
            r#"{{"version": 7, "root": "root", "nodes": {{
                "root": {{"inputs": {{"nixpkgs": "nixpkgs_2", "utils": "u", "x": ["utils", "nixpkgs"]}}}},
                "u": {{"locked": {{"repo": "flake-utils", "lastModified": 5}}, "original": {{"repo": "flake-utils"}}}},
                "nixpkgs_2": {{"locked": {{"type": "github", "owner": "NixOS", "repo": "nixpkgs", "lastModified": 1700000000}},
                               "original": {{"type": "github", "owner": "NixOS", "repo": "nixpkgs"{reference}}}}}}}}}"#
        )
    }

    /// 2026-12-31 and 2027-01-02, in seconds.
    const LAST_DAY: u64 = 1_798_675_200;
    const AFTER: u64 = LAST_DAY + 2 * DAY;

    #[test]
    fn the_end_of_support_is_known_for_every_release() {
        let of = |branch: &str| Nixpkgs::read(&lock(&format!(r#", "ref": "{branch}""#))).unwrap();
        assert_eq!(of("nixos-26.05").unsupported(LAST_DAY), None);
        assert_eq!(of("nixos-26.05").unsupported(AFTER), Some(("26.05".to_owned(), 1)));
        assert_eq!(of("nixpkgs-25.11-darwin").unsupported(AFTER).unwrap().0, "25.11");
        assert_eq!(of("nixos-19.09").unsupported(AFTER).unwrap().0, "19.09");
        assert_eq!(of("release-26.11").unsupported(AFTER), None);
        for branch in ["nixos-unstable", "master", "nixos-26.07", "v1.05"] {
            assert_eq!(of(branch).unsupported(AFTER), None, "{branch}");
        }
        assert_eq!(Nixpkgs::read(&lock("")).unwrap().unsupported(AFTER), None);
        // The file that a new flake gets states the same day.
        let new: Value = serde_json::from_str(include_str!("../../../nix-templates/flake/nixpkgs.json")).unwrap();
        assert_eq!((new["release"].as_str(), new["supportedUntil"].as_str()), (Some("26.05"), Some("2026-12-31")));
    }

    #[test]
    fn the_age_is_that_of_the_pinned_commit() {
        let nixpkgs = Nixpkgs::read(&lock("")).unwrap();
        assert_eq!(nixpkgs.age(1_700_000_000 + 91 * DAY), Some(91));
        assert_eq!(nixpkgs.age(0), Some(0));
        for text in [
            "",
            "{}",
            r#"{"root": "root", "nodes": {"root": {}}}"#,
            r#"{"root": "r", "nodes": {"r": {"inputs": {"a": "b"}}}}"#,
        ] {
            assert_eq!(Nixpkgs::read(text), None, "{text}");
        }
    }
}
