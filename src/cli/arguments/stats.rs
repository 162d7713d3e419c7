//! The arguments of `splitter stats`.

use camino::Utf8PathBuf;
use clap::Args;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(in crate::cli) struct StatsOptions {
    /// Show runs since then: `30d`, `12h`, `2w`, a date as `2026-01-31`, or a commit
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) since: Option<Since>,
    /// Compare the runs of this branch with those before it left that branch, and fail past the `buildBudget` of splitter.json
    #[arg(long, value_name = "BRANCH", conflicts_with_all = ["since", "prometheus", "html", "store"])]
    pub(in crate::cli) against: Option<String>,
    /// Read this history instead of the one of this machine (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) history: Vec<Utf8PathBuf>,
    /// Also ask Nix how much the store holds, and how much of it a garbage collection would free
    #[arg(long)]
    pub(in crate::cli) store: bool,
    /// Add what `--store` found to the history
    #[arg(long, requires = "store", conflicts_with = "history")]
    pub(in crate::cli) record: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "prometheus")]
    pub(in crate::cli) json: bool,
    /// Print metrics in the text format of Prometheus
    #[arg(long)]
    pub(in crate::cli) prometheus: bool,
    /// Write a page for a browser
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) html: Option<Utf8PathBuf>,
}

/// The beginning of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Since {
    /// So many seconds ago.
    Ago(u64),
    /// A day.
    Date(String),
    /// The time of a commit.
    Commit(String),
}

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(seconds) = seconds(text) {
            return Ok(Self::Ago(seconds));
        }
        // Git abbreviates a commit to four characters at least.
        let is_number = text.len() < 4 && text.starts_with(|first: char| first.is_ascii_digit());
        let is_date = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        if is_date && is_day(text) {
            return Ok(Self::Date(text.to_owned()));
        }
        if text.is_empty() || text.starts_with('-') || is_number || is_date {
            return Err("expected `30d`, `12h`, `2w`, a date such as `2026-01-31`, or a commit".to_owned());
        }
        Ok(Self::Commit(text.to_owned()))
    }
}

/// Whether a month has this day, for a text of the form `2026-01-31`. February has 29.
fn is_day(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u8>().ok());
    let days = match number(5..7) {
        Some(1 | 3 | 5 | 7 | 8 | 10 | 12) => 31,
        Some(4 | 6 | 9 | 11) => 30,
        Some(2) => 29,
        _ => 0,
    };
    number(8..10).is_some_and(|day| (1..=days).contains(&day))
}

fn seconds(text: &str) -> Option<u64> {
    let unit = match text.as_bytes().last()? {
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 7 * 86_400,
        _ => return None,
    };
    text[..text.len() - 1].parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_dates_and_commits_are_told_apart() {
        assert_eq!("2d".parse(), Ok(Since::Ago(172_800)));
        assert_eq!("2026-01-31".parse(), Ok(Since::Date("2026-01-31".to_owned())));
        assert_eq!("main".parse(), Ok(Since::Commit("main".to_owned())));
        assert_eq!("é".parse(), Ok(Since::Commit("é".to_owned())));
        for wrong in ["", "-x", "30", "5m", "30D", "2026-02-30", "2026-13-01", "2026-00-10"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong}");
        }
        assert_eq!("99999999999999999999d".parse(), Ok(Since::Commit("99999999999999999999d".to_owned())));
    }
}
