//! Which hosts answer, so that a network that is plainly not there ends a run soon.
//!
//! Without this each of two thousand packages would wait through all its attempts. With it the first package that gives
//! up on a host from which nobody has heard anything speaks for all others of that host.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use url::Url;

use super::failure::Reason;

/// What is known of the hosts of a run.
#[derive(Default)]
pub(super) struct Hosts {
    states: Mutex<BTreeMap<String, State>>,
    news: Notify,
}

enum State {
    Answers,
    Unreachable(Reason),
}

impl Hosts {
    /// Notes that the host of `url` has answered something.
    pub(super) fn answered(&self, url: &Url) {
        self.states().insert(key(url), State::Answers);
    }

    /// Whether the host has answered anything.
    pub(super) fn has_answered(&self, url: &Url) -> bool {
        matches!(self.states().get(&key(url)), Some(State::Answers))
    }

    /// Notes why a package gave up, which counts for the host only where no connection came about and none ever had.
    pub(super) fn gave_up(&self, url: &Url, reason: &Reason) {
        if let Some(reason) = reason.of_connection() {
            self.states().entry(key(url)).or_insert(State::Unreachable(reason));
            self.news.notify_waiters();
        }
    }

    /// Why the host is not to be asked any more.
    pub(super) fn unreachable(&self, url: &Url) -> Option<Reason> {
        match self.states().get(&key(url)) {
            Some(State::Unreachable(reason)) => reason.of_connection(),
            _ => None,
        }
    }

    /// Waits until the host is given up, which may be never.
    pub(super) async fn until_unreachable(&self, url: &Url) -> Reason {
        loop {
            // Made before the look, so that no news falls between the two.
            let news = self.news.notified();
            if let Some(reason) = self.unreachable(url) {
                return reason;
            }
            news.await;
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // A map of notes is whole whenever its lock is free.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scheme, host and port. URLs of ssh have no origin.
fn key(url: &Url) -> String {
    url[..url::Position::BeforeUsername].to_owned() + &url[url::Position::BeforeHost..url::Position::AfterPort]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_answered_once_is_never_given_up() {
        let (hosts, a, b) = (Hosts::default(), Url::parse("https://a.example/x"), Url::parse("https://b.example/x"));
        let (a, b) = (a.unwrap(), b.unwrap());
        hosts.answered(&a);
        hosts.gave_up(&b, &Reason::Stalled);
        assert!(hosts.unreachable(&b).is_none());
        let refused = Reason::Connect { why: "refused".to_owned() };
        hosts.gave_up(&a, &refused);
        hosts.gave_up(&b, &refused);
        assert!(hosts.unreachable(&a).is_none());
        assert!(matches!(hosts.unreachable(&b), Some(Reason::Connect { why }) if why == "refused"));
        hosts.answered(&b);
        assert!(hosts.unreachable(&b).is_none());
    }
}
