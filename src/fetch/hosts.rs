//! Remembers which hosts are unreachable, so that a run without network ends quickly.
//!
//! Otherwise each of two thousand packages would go through all its attempts. If the first package gives up on a host
//! that has never answered, all other packages of that host fail too.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use url::Url;

use super::failure::Reason;

/// The state of each host of a run.
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
    /// Records that the host of `url` has answered.
    pub(super) fn answered(&self, url: &Url) {
        self.states().insert(key(url), State::Answers);
    }

    /// Whether the host has answered any request.
    pub(super) fn has_answered(&self, url: &Url) -> bool {
        matches!(self.states().get(&key(url)), Some(State::Answers))
    }

    /// Records why a package gave up. The host becomes unreachable only if no connection was made and it never
    /// answered.
    pub(super) fn gave_up(&self, url: &Url, reason: &Reason) {
        if let Some(reason) = reason.of_connection() {
            self.states().entry(key(url)).or_insert(State::Unreachable(reason));
            self.news.notify_waiters();
        }
    }

    /// Returns why the host is unreachable, if it is.
    pub(super) fn unreachable(&self, url: &Url) -> Option<Reason> {
        match self.states().get(&key(url)) {
            Some(State::Unreachable(reason)) => reason.of_connection(),
            _ => None,
        }
    }

    /// Waits until the host becomes unreachable, possibly forever.
    pub(super) async fn until_unreachable(&self, url: &Url) -> Reason {
        loop {
            // Created before the check, so no notification is lost between the two.
            let news = self.news.notified();
            if let Some(reason) = self.unreachable(url) {
                return reason;
            }
            news.await;
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // A poisoned lock is harmless: each change of the map is a single insert.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns scheme, host and port. `Url::origin` does not work for ssh URLs.
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
