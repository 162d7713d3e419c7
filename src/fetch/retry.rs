//! When a request is made again, and after how long.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// How patient a download is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Requests for one file, the first included.
    pub(super) attempts: u32,
    /// Requests for one file from a host that has never answered anybody.
    pub(super) attempts_unanswered: u32,
    /// The pause after the first failure; it doubles with each.
    pub(super) first_pause: Duration,
    /// The longest pause of our own choice.
    pub(super) longest_pause: Duration,
    /// The longest `Retry-After` that is waited for.
    pub(super) longest_retry_after: Duration,
    /// How long a connection may take to be made.
    pub(super) connect: Duration,
    /// How long no byte may arrive. There is no limit on the whole, as a large file on a slow line is no failure.
    pub(super) stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            attempts_unanswered: 3,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(10),
            longest_retry_after: Duration::from_mins(1),
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
        }
    }
}

impl Patience {
    /// The pause after `failures` failures: half of it fixed, half by chance, so that requests that failed together do
    /// not come back together.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let longest = doubled.min(self.longest_pause);
        longest / 2 + (longest / 2).mul_f64(chance())
    }

    /// The pause that a server asked for, or none where it is too long to wait for.
    pub(super) fn asked_pause(&self, retry_after: Duration) -> Option<Duration> {
        (retry_after <= self.longest_retry_after).then_some(retry_after)
    }
}

/// A number from 0 to 1. The standard library's hash keys are random, and nothing here needs better chance.
fn chance() -> f64 {
    let number = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
    f64::from(number) / f64::from(u32::MAX)
}

/// The answers that are worth another request: too slow, too early, too many, and what is wrong on the server's side.
pub(super) const fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Reads `Retry-After` in its form of seconds; of the date form, which no registry was seen to send, nothing is read.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    value.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let patience = Patience::default();
        for (failures, milliseconds) in [(1, 150..=300), (2, 300..=600), (3, 600..=1200), (40, 5_000..=10_000)] {
            let pause = patience.pause(failures).as_millis();
            assert!(milliseconds.contains(&pause), "{failures}: {pause}");
        }
        assert_eq!(patience.asked_pause(Duration::from_hours(1)), None);
    }

    #[test]
    fn only_some_answers_are_asked_again() {
        assert!([408, 425, 429, 500, 503, 599].into_iter().all(is_transient));
        assert!(![200, 400, 401, 403, 404, 410].into_iter().any(is_transient));
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
