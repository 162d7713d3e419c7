//! Remembers which hosts are unreachable, so that a run without network ends quickly.
//!
//! Otherwise each of two thousand packages would go through all its attempts. If the first package gives up on a host
//! that has never answered, all other packages of that host fail too. The same happens if several packages give up
//! because the host lets its answers stall: it may answer some requests, but the run would take hours.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use url::Url;

use super::{failure::Reason, git::FetchGitError};

/// The number of packages that may stall before their host is given up.
const MOST_STALLED: usize = 4;

/// The state of each host of a run.
#[derive(Default)]
pub(super) struct Hosts {
    states: Mutex<BTreeMap<String, State>>,
    stalled: Mutex<BTreeMap<String, usize>>,
    news: Notify,
}

enum State {
    Answers,
    Unreachable(Reason),
}

impl Hosts {
    /// Records that the host of `url` has answered.
    pub(super) fn answered(&self, url: &Url) {
        let mut states = self.states();
        let state = states.entry(key(url)).or_insert(State::Answers);
        if !matches!(state, State::Unreachable(reason) if is_stall(reason)) {
            *state = State::Answers;
        }
    }

    /// Whether the host has answered any request.
    pub(super) fn has_answered(&self, url: &Url) -> bool {
        matches!(self.states().get(&key(url)), Some(State::Answers))
    }

    /// Records why a package gave up. The host becomes unreachable if it never answered, or if it lets too many packages
    /// stall.
    pub(super) fn gave_up(&self, url: &Url, reason: &Reason) {
        let Some(reason) = reason.of_connection() else { return };
        if is_stall(&reason) && self.count_stalled(url) >= MOST_STALLED {
            self.states().insert(key(url), State::Unreachable(reason));
        } else {
            self.states().entry(key(url)).or_insert(State::Unreachable(reason));
        }
        self.news.notify_waiters();
    }

    fn count_stalled(&self, url: &Url) -> usize {
        let mut stalled = self.stalled.lock().unwrap_or_else(PoisonError::into_inner);
        let count = stalled.entry(key(url)).or_default();
        *count += 1;
        *count
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

fn is_stall(reason: &Reason) -> bool {
    matches!(reason, Reason::Stalled | Reason::Git(FetchGitError::Stalled { .. }))
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
        let refused = Reason::Connect { why: "refused".to_owned() };
        hosts.gave_up(&a, &refused);
        hosts.gave_up(&b, &refused);
        assert!(hosts.unreachable(&a).is_none());
        assert!(matches!(hosts.unreachable(&b), Some(Reason::Connect { why }) if why == "refused"));
        hosts.answered(&b);
        assert!(hosts.unreachable(&b).is_none());
    }

    #[test]
    fn a_host_that_lets_packages_stall_is_given_up() {
        let (hosts, url) = (Hosts::default(), Url::parse("https://a.example/x").unwrap());
        hosts.answered(&url);
        (1..MOST_STALLED).for_each(|_| hosts.gave_up(&url, &Reason::Stalled));
        assert!(hosts.unreachable(&url).is_none());
        hosts.gave_up(&url, &Reason::Stalled);
        hosts.answered(&url);
        assert!(matches!(hosts.unreachable(&url), Some(Reason::Stalled)));
        let silent = Url::parse("https://b.example/x").unwrap();
        hosts.gave_up(&silent, &Reason::Stalled);
        assert!(matches!(hosts.unreachable(&silent), Some(Reason::Stalled)));
    }
}
