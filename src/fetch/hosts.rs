//! Which hosts answer, so that a network that is plainly not there ends a run soon.
//!
//! Without this each of two thousand packages would wait through all its attempts. With it the first package that gives
//! up on a host from which nobody has heard anything speaks for all others of that host.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use url::Url;

/// What is known of the hosts of a run.
#[derive(Default)]
pub(super) struct Hosts(Mutex<BTreeMap<String, State>>);

enum State {
    Answers,
    /// Why no connection could be made.
    Unreachable(String),
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

    /// Notes that a package gave up on the host, which counts only while the host has never answered.
    pub(super) fn gave_up(&self, url: &Url, why: &str) {
        self.states().entry(key(url)).or_insert_with(|| State::Unreachable(why.to_owned()));
    }

    /// Why the host is not to be asked any more.
    pub(super) fn unreachable(&self, url: &Url) -> Option<String> {
        match self.states().get(&key(url)) {
            Some(State::Unreachable(why)) => Some(why.clone()),
            _ => None,
        }
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // A map of notes is whole whenever its lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_answered_once_is_never_given_up() {
        let (hosts, a, b) = (Hosts::default(), Url::parse("https://a.example/x"), Url::parse("https://b.example/x"));
        let (a, b) = (a.unwrap(), b.unwrap());
        hosts.answered(&a);
        hosts.gave_up(&a, "refused");
        hosts.gave_up(&b, "refused");
        assert_eq!(hosts.unreachable(&a), None);
        assert_eq!(hosts.unreachable(&b).as_deref(), Some("refused"));
        hosts.answered(&b);
        assert_eq!(hosts.unreachable(&b), None);
    }
}
