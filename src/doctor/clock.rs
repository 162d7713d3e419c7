//! The clock of this machine, compared with the time that caches state.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    caches::probe::{Probe, Seen},
    model::{Entry, Finding},
};

checks! {
    Machine;
    CLOCK = "clock", CacheMisses, HashMismatch;
}

/// The difference, in seconds, that is no finding. A server may state the time of an answer that it has kept.
const SMALL: u64 = 90;
/// The difference, in seconds, from which on certificates and tokens are refused.
const LARGE: u64 = 300;

/// Compares the clock with the caches' clocks. `now` is the time of this machine.
pub fn check(probes: &[Probe], now: SystemTime) -> Entry {
    let dates = probes.iter().filter_map(|probe| match &probe.seen {
        Seen::Answers { date: Some(date), .. } => parse(date).map(|seconds| (seconds, probe.asked.shown.as_str())),
        _ => None,
    });
    let now = now.duration_since(UNIX_EPOCH).map(|time| time.as_secs()).unwrap_or_default();
    // One server with a wrong clock says nothing.
    match dates.min_by_key(|(seconds, _)| seconds.abs_diff(now)) {
        Some((seconds, from)) => compared(now, seconds, from),
        None => CLOCK.unknown("no cache stated the time"),
    }
}

fn compared(now: u64, then: u64, from: &str) -> Entry {
    let difference = now.abs_diff(then);
    if difference <= SMALL {
        return CLOCK.fine(format!("the clock agrees with {from}"));
    }
    let way = if now > then { "ahead" } else { "behind" };
    let what = format!("the clock of this machine is {} {way} ({from} says so)", time(difference));
    let (why, severe) = if difference >= LARGE {
        ("Certificates and tokens look expired or not yet valid, so downloads and pushes fail.", true)
    } else {
        ("Tokens for caches and registries last only some minutes, and may be refused.", false)
    };
    let finding = if severe { Finding::problem(77, what, why) } else { Finding::advice(28, what, why) };
    CLOCK.found(finding.so(
        "let the system set its clock: `sudo timedatectl set-ntp true`, or `sudo sntp -sS time.apple.com` on macOS",
    ))
}

fn time(seconds: u64) -> String {
    match seconds {
        0..=299 => format!("{seconds} s"),
        300..=7199 => format!("{} minutes", seconds / 60),
        7200..=172_799 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads the date of an HTTP answer, `Sun, 06 Nov 1994 08:49:37 GMT`, as seconds since 1970.
fn parse(text: &str) -> Option<u64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let number = |text: &str| text.parse::<u64>().ok();
    let month = u64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let (day, year) = (number(day)?, number(year)?);
    let parts: Option<Vec<u64>> = time.split(':').map(number).collect();
    let parts = parts?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let is_date =
        (1..=31).contains(&day) && (1970..=9999).contains(&year) && *hours < 24 && *minutes < 60 && *seconds < 62;
    is_date.then(|| days(year, month, day) * 86_400 + hours * 3600 + minutes * 60 + seconds)
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar.
pub(super) fn days(year: u64, month: u64, day: u64) -> u64 {
    // Years start in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let of_years = 365 * year + year / 4 - year / 100 + year / 400;
    (of_years + (153 * month + 2) / 5 + day).saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::doctor::model::{Severity, State};

    #[test]
    fn dates_of_answers_are_read() {
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(parse("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        assert_eq!(parse("Mon, 30 Nov 2026 17:00:00 GMT"), Some(1_796_058_000));
        for text in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_clock_far_off_is_a_problem_and_a_little_off_is_not() {
        let severity = |now, then| match compared(now, then, "c").state {
            State::Found(finding) => Some((finding.severity, finding.what)),
            _ => None,
        };
        assert_eq!(severity(1000, 1080), None);
        let (kind, what) = severity(10_000, 9_800).unwrap();
        assert_eq!((kind, what.as_str()), (Severity::Advice, "the clock of this machine is 200 s ahead (c says so)"));
        let (kind, what) = severity(0, 90_000).unwrap();
        assert_eq!(
            (kind, what.as_str()),
            (Severity::Problem, "the clock of this machine is 25 hours behind (c says so)")
        );
        let nobody = check(&[], UNIX_EPOCH + Duration::from_secs(1));
        assert!(matches!(nobody.state, State::Unknown(_)));
    }
}
