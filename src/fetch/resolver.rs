//! A DNS resolver that looks up each host once a run.
//!
//! The HTTP client would look up the host for every connection, and dozens of downloads start at once. Some resolvers
//! drop a part of so many queries, and each dropped one waits ten seconds for its retry.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, ToSocketAddrs as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::OnceCell;

/// How long a failed lookup is reused.
const FAILURE_LASTS: Duration = Duration::from_millis(200);

/// The time and the result of a lookup: addresses, or the text of the error.
type Found = (Instant, Result<Vec<SocketAddr>, String>);
type Names = BTreeMap<String, Arc<OnceCell<Found>>>;

/// Caches the system's addresses of host names. Clones share the cache.
#[derive(Clone, Default)]
pub(super) struct Resolver(Arc<Mutex<Names>>);

impl Resolver {
    async fn addresses(self, name: String) -> Result<Vec<SocketAddr>, String> {
        let cell = self.cell(&name);
        let find = async || {
            let found = look_up(name).await.map_err(|error| error.to_string());
            (Instant::now(), found)
        };
        cell.get_or_init(find).await.1.clone()
    }

    /// Returns the cell for the addresses of a name. Replaces a cell that holds an expired failure.
    fn cell(&self, name: &str) -> Arc<OnceCell<Found>> {
        let mut names = self.names();
        let is_old = |cell: &Arc<OnceCell<Found>>| {
            cell.get().is_some_and(|(at, found)| found.is_err() && at.elapsed() > FAILURE_LASTS)
        };
        if names.get(name).is_some_and(is_old) {
            names.remove(name);
        }
        Arc::clone(names.entry(name.to_owned()).or_default())
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        // A poisoned lock is harmless: each change of the map is a single insert or remove.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (resolver, name) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let addresses = resolver.addresses(name).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

async fn look_up(name: String) -> std::io::Result<Vec<SocketAddr>> {
    // The client sets the port.
    let work = move || Ok((name.as_str(), 0).to_socket_addrs()?.collect());
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_are_looked_up_and_kept_and_failures_are_not() {
        let resolver = Resolver::default();
        let addresses = resolver.clone().addresses("localhost".to_owned()).await.unwrap();
        assert!(!addresses.is_empty());
        assert_eq!(resolver.clone().addresses("localhost".to_owned()).await, Ok(addresses));
        assert!(resolver.clone().addresses("not a name".to_owned()).await.is_err());
        assert!(resolver.cell("not a name").initialized());
        tokio::time::sleep(FAILURE_LASTS * 2).await;
        assert!(!resolver.cell("not a name").initialized() && resolver.cell("localhost").initialized());
    }
}
