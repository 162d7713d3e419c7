//! Releases of nixpkgs, and until when they are supported.

use std::fmt;

const DAY: u64 = 24 * 60 * 60;

/// A release of nixpkgs, such as 26.05.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The year of this century.
    pub year: u64,
    /// The month: 5 or 11, and until 2020 also 3 or 9.
    pub month: u64,
}

impl Release {
    /// Returns the release of a branch such as `nixos-26.05` or `nixpkgs-26.05-darwin`. Other branches have none.
    pub fn of_branch(branch: &str) -> Option<Self> {
        branch.split('-').filter_map(|part| part.split_once('.')).find_map(|(year, month)| {
            let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            let release = Self {
                year: year.parse().ok().filter(|_| is_number(year))?,
                month: month.parse().ok().filter(|_| is_number(month))?,
            };
            let is_usual = matches!(release.month, 5 | 11);
            let is_early = release.year <= 20 && matches!(release.month, 3 | 9);
            (is_usual || is_early).then_some(release)
        })
    }

    /// Returns the time in seconds since 1970 at which its support ends: the end of the same year, or of the next June.
    pub fn end_of_support(self) -> u64 {
        let (years, days) = if self.month <= 5 { (self.year + 1, 0) } else { (self.year + 1, 181) };
        // 2000 began 10,957 days after 1970, and every fourth year since has a day more.
        let since = years * 365 + years.div_ceil(4);
        // A leap year has a day more before July.
        let leap = u64::from(days > 0 && years.is_multiple_of(4));
        (10_957 + since + days + leap) * DAY
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}.{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_ends_after_seven_months() {
        let end = |branch: &str| Release::of_branch(branch).unwrap().end_of_support();
        // 2027-01-01, 2026-07-01 and 2028-07-01, all at midnight.
        assert_eq!(end("nixos-26.05"), 1_798_761_600);
        assert_eq!(end("nixpkgs-25.11-darwin"), 1_782_864_000);
        assert_eq!(end("release-27.11"), 1_846_022_400);
    }

    #[test]
    fn early_releases_are_known_and_other_branches_have_none() {
        for branch in ["nixos-18.09", "nixos-19.03", "nixos-20.09", "nixos-21.05-small"] {
            assert!(Release::of_branch(branch).is_some(), "{branch}");
        }
        assert_eq!(Release::of_branch("nixos-20.03").unwrap().to_string(), "20.03");
        for branch in ["nixos-unstable", "master", "nixos-26.07", "nixos-26.09", "v1.05", ""] {
            assert_eq!(Release::of_branch(branch), None, "{branch}");
        }
    }
}
