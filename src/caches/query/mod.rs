//! Asking a cache which store paths it has: [`Cache`].
//!
//! | kind of cache | how it is asked |
//! | --- | --- |
//! | a web server, Cachix, Attic | a GET of each narinfo, many in flight; first one request for all, where there is such a request and a token for it |
//! | a folder | its files are read |
//! | S3, another machine | `nix path-info`, since only Nix knows their protocols |

mod bulk;
mod folder;
mod http;
mod program;

pub(super) use self::program::content_address;
pub use self::program::infos;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use url::Url;

use self::{bulk::Bulk, http::Http};
use super::{
    Address, CacheChoice, PublicKey, Trouble,
    item::Item,
    machine::Machine,
    narinfo::{NarInfo, Trust},
};
use crate::{
    fetch::{ClientError, DEFAULT_STALL, Patience, Secret},
    nix::command::Nix,
};

/// The longest time to wait for a connection. Nix waits for minutes.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest pause that a cache may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The most requests for one file.
const ATTEMPTS: u32 = 4;

/// Whether a cache has the archive of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Archive {
    /// Nobody asked.
    Unasked,
    /// It is there.
    There,
    /// It is not there, although the cache says so.
    Missing,
    /// It has another size than the cache says.
    Cut {
        /// The size that the cache states.
        expected: u64,
        /// The size.
        found: u64,
    },
}

/// What a cache has of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A narinfo.
    Info {
        /// What it says.
        info: Box<NarInfo>,
        /// Whether Nix would take the path.
        trust: Trust,
        /// Whether the archive is there.
        archive: Archive,
    },
    /// A file that is no narinfo of this path, with the reason.
    Unreadable(String),
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only what the cache says.
    Infos,
    /// Also whether the archives are there.
    Archives,
}

/// How a cache answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// The time of one request over an open connection. Nothing if no server was asked.
    pub took: Option<Duration>,
    /// The time of day, as the server states it.
    pub date: Option<String>,
}

/// A cache that can be asked.
pub struct Cache {
    /// The address.
    pub address: Address,
    keys: Vec<PublicKey>,
    is_trusted: bool,
    way: Way,
    bulk: Option<Bulk>,
    /// Why it no longer answers.
    away: Mutex<Option<Trouble>>,
}

/// How a cache is asked.
enum Way {
    Http(Box<Http>),
    Folder(folder::Folder),
    Program(program::Program),
    /// It cannot be asked at all.
    None(Trouble),
}

/// What caches are asked with.
pub struct Asking<'a> {
    /// The settings of this machine.
    pub machine: &'a Machine,
    /// The program, for stores that only Nix can ask.
    pub nix: &'a Nix,
    /// The folder of the store of this machine.
    pub store: &'a str,
    /// The longest time without an answer.
    pub stall: Duration,
    /// The most requests for one file.
    pub attempts: u32,
}

impl<'a> Asking<'a> {
    /// Asks with the usual patience.
    pub fn new(machine: &'a Machine, nix: &'a Nix, store: &'a str) -> Self {
        Self { machine, nix, store, stall: DEFAULT_STALL, attempts: ATTEMPTS }
    }

    fn patience(&self) -> Patience {
        let patience = Patience {
            attempts: self.attempts,
            attempts_unanswered: self.attempts.min(2),
            longest_retry_after: LONGEST_PAUSE,
            connect: CONNECT,
            largest: super::narinfo::MOST,
            ..Patience::default()
        };
        patience.with_stall(self.stall)
    }
}

impl Cache {
    /// Prepares to ask a cache. Opens no connection.
    pub fn new(choice: &CacheChoice, asking: &Asking<'_>) -> Result<Self, ClientError> {
        let address = choice.address.clone();
        let keys = choice.public_keys.iter().chain(&asking.machine.keys).cloned().collect();
        let (way, bulk) = match &address {
            Address::File { url } => (folder_of(url, asking.store), None),
            Address::Http { url } => (Way::Http(Box::new(Http::new(url, asking.machine.netrc(url), asking)?)), None),
            Address::S3 { .. } | Address::Ssh { .. } => {
                (Way::Program(program::Program::new(asking.nix, &address, asking.store)), None)
            }
            Address::Cachix { name } => cachix(name, asking)?,
            Address::Attic { server, name } => attic(server, name, asking)?,
        };
        Ok(Self { is_trusted: address.is_trusted(), address, keys, way, bulk, away: Mutex::new(None) })
    }

    /// Returns what the cache has of these paths. Those that it lacks are left out. After a trouble it is not asked again.
    pub async fn ask(&self, items: &[Item], depth: Depth) -> Result<BTreeMap<Item, Found>, Trouble> {
        if let Some(trouble) = self.away() {
            return Err(trouble);
        }
        let answer = self.answers(items, depth).await;
        if let Err(trouble) = &answer {
            tracing::debug!(cache = %self.address, %trouble, "the cache does not answer");
            *self.away.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble.clone());
        }
        answer
    }

    /// Asks the cache for the file that every cache has, and measures how long that takes.
    pub async fn greet(&self) -> Result<Greeting, Trouble> {
        match &self.way {
            Way::Http(http) => http.greet().await,
            Way::Folder(folder) => folder.open().map(|()| Greeting::default()),
            Way::Program(_) => Ok(Greeting::default()),
            Way::None(trouble) => Err(trouble.clone()),
        }
    }

    /// Returns why the cache does not answer, if it was asked and does not.
    pub fn away(&self) -> Option<Trouble> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes an empty web server a cache, by sending it the file that every cache has. A cache that has the file keeps it.
    pub async fn make(&self, info: &str) -> Result<(), Trouble> {
        match &self.way {
            Way::Http(http) => http.make(info).await,
            _ => Ok(()),
        }
    }

    async fn answers(&self, items: &[Item], depth: Depth) -> Result<BTreeMap<Item, Found>, Trouble> {
        if items.is_empty() {
            return Ok(BTreeMap::new());
        }
        match &self.way {
            Way::Http(http) => {
                let left = self.without_missing(http, items).await;
                http.ask(&left, depth, self).await
            }
            Way::Folder(folder) => folder.ask(items, depth, self),
            Way::Program(program) => program.ask(items, self).await,
            Way::None(trouble) => Err(trouble.clone()),
        }
    }

    /// Leaves out the paths that the cache says it lacks, if it can be asked for many at once. If that fails, each path is asked.
    async fn without_missing(&self, http: &Http, items: &[Item]) -> Vec<Item> {
        let Some(bulk) = self.bulk.as_ref().filter(|_| items.len() > 1) else { return items.to_vec() };
        match bulk.missing(http, items).await {
            Ok(missing) => items.iter().filter(|item| !missing.contains(item.hash())).cloned().collect(),
            Err(trouble) => {
                tracing::debug!(cache = %self.address, %trouble, "asking for many paths at once failed");
                items.to_vec()
            }
        }
    }

    /// Makes an answer of a narinfo. One of another path is a fault of the cache.
    fn judged(&self, item: &Item, info: NarInfo, archive: Archive, store: &str) -> Found {
        if info.item != *item {
            return Found::Unreadable(format!("it is about {}", info.item));
        }
        if info.store != store {
            return Found::Unreadable(format!("it is about the store {}", info.store));
        }
        let trust = if self.is_trusted { Trust::Unchecked } else { info.trust(&self.keys) };
        Found::Info { info: Box::new(info), trust, archive }
    }
}

fn folder_of(url: &Url, store: &str) -> Way {
    match url.to_file_path() {
        Ok(path) => Way::Folder(folder::Folder::new(path, store)),
        Err(()) => Way::None(Trouble::NoCache("the address is no path".to_owned())),
    }
}

fn cachix(name: &str, asking: &Asking<'_>) -> Result<(Way, Option<Bulk>), ClientError> {
    let Some((interface, is_public)) = asking.machine.cachix_url() else {
        return Ok((Way::None(Trouble::NoCache("no URL of Cachix".to_owned())), None));
    };
    let token = asking.machine.cachix_token();
    let at = |path: &str| interface.join(&format!("api/v1/cache/{name}{path}")).unwrap_or_else(|_| interface.clone());
    let bulk = token.clone().map(|token| Bulk::Cachix { url: at("/narinfo"), token });
    if is_public && let Ok(url) = Url::parse(&format!("https://{name}.cachix.org/")) {
        let secret = asking.machine.netrc(&url).or(token);
        return Ok((Way::Http(Box::new(Http::new(&url, secret, asking)?)), bulk));
    }
    // Another Cachix says itself where its caches are.
    Ok((Way::Http(Box::new(Http::new(&interface, token, asking)?.described_at(at("")))), bulk))
}

fn attic(server: &str, name: &str, asking: &Asking<'_>) -> Result<(Way, Option<Bulk>), ClientError> {
    let Some((endpoint, known)) = asking.machine.attic_server(server) else {
        return Ok((Way::None(Trouble::UnknownServer(server.to_owned())), None));
    };
    let token = asking.machine.attic_token(known);
    let at = |path: &str| endpoint.join(path).unwrap_or_else(|_| endpoint.clone());
    let bulk =
        token.clone().map(|token| Bulk::Attic { url: at("_api/v1/get-missing-paths"), token, cache: name.to_owned() });
    let url = at(&format!("{name}/"));
    let secret = token.or_else(|| asking.machine.netrc(&url));
    Ok((Way::Http(Box::new(Http::new(&url, secret, asking)?)), bulk))
}

/// Sends JSON to a request of a service that answers with nothing.
pub(super) async fn send_json(
    url: &Url,
    token: Secret,
    body: &serde_json::Value,
    asking: &Asking<'_>,
) -> Result<(), Trouble> {
    let http = Http::new(url, None, asking).map_err(|error| Trouble::Program(error.to_string()))?;
    http.post(url, &token, body).await.map(|_| ())
}

/// Returns the hashes of paths.
fn hashes(items: &[Item]) -> BTreeSet<&str> {
    items.iter().map(Item::hash).collect()
}

#[cfg(test)]
mod tests;
