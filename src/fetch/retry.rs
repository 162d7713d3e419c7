//! Decides which requests are retried, and after which pause. Limits what a host may send, and how slowly.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// Limits of retries, of waiting and of size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// The most requests for one file, including the first.
    pub(crate) attempts: u32,
    /// The most requests for one file from a host that has not answered any request, or whose answers stall.
    pub(crate) attempts_unanswered: u32,
    /// The pause after the first failure. It doubles with each further failure.
    pub(crate) first_pause: Duration,
    /// The longest pause without `Retry-After`.
    pub(crate) longest_pause: Duration,
    /// The longest `Retry-After` that is honoured.
    pub(crate) longest_retry_after: Duration,
    /// The timeout of connecting.
    pub(crate) connect: Duration,
    /// The longest time without progress. The whole download has no timeout, since slow lines are not an error.
    pub(crate) stall: Duration,
    /// The largest answer, in bytes. It bounds the disk space that a body without end takes.
    pub(crate) largest: u64,
}

/// The default of [`Patience::stall`].
pub const DEFAULT_STALL: Duration = Duration::from_secs(30);

/// The variable that sets [`Patience::stall`] in seconds.
pub const STALL_VARIABLE: &str = "SPLITTER_STALL_TIMEOUT";

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 5,
            attempts_unanswered: 3,
            first_pause: Duration::from_millis(300),
            longest_pause: Duration::from_secs(10),
            longest_retry_after: Duration::from_mins(1),
            connect: Duration::from_secs(10),
            stall: DEFAULT_STALL,
            largest: 2 << 30,
        }
    }
}

impl Patience {
    /// Sets the longest time without progress, which a connection may not exceed either.
    pub(crate) fn with_stall(self, stall: Duration) -> Self {
        Self { stall, connect: self.connect.min(stall), ..self }
    }

    /// Returns the pause after `failures` failures. Half of it is random, so requests that failed together are not
    /// retried together.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let doubled = self.first_pause.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        let longest = doubled.min(self.longest_pause);
        longest / 2 + (longest / 2).mul_f64(chance())
    }

    /// Returns the pause that a server asked for, or `None` if it is too long.
    pub(crate) fn asked_pause(&self, retry_after: Duration) -> Option<Duration> {
        (retry_after <= self.longest_retry_after).then_some(retry_after)
    }
}

/// Returns a random number from 0 to 1. The standard library's hash keys are random enough for this.
fn chance() -> f64 {
    let number = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
    f64::from(number) / f64::from(u32::MAX)
}

/// Whether a request with this status is retried: timeouts, too early, too many requests, and server errors.
pub(crate) const fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Parses `Retry-After` in seconds. Ignores the date form, which no known registry sends.
pub(crate) fn retry_after(value: &str) -> Option<Duration> {
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
