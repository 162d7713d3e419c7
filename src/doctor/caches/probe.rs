//! Asking caches: which there are, whether they answer, and who signed what they have.

use std::{collections::BTreeSet, path::Path, process::Command, time::Duration};

use fs_err as fs;
use futures_util::future::join_all;

use crate::{
    caches::{
        Address, CacheChoice, PublicKey, Trouble,
        item::Item,
        machine::Machine,
        narinfo::Trust,
        query::{Asking, Cache, Depth, Found},
    },
    fetch::{self, FetchError},
    nix::command::{Nix, limited},
};

/// The store paths that each cache is asked for.
const SAMPLE: usize = 40;
/// The entries of the store that are looked at to choose them.
const LOOKED_AT: usize = 5000;

/// A cache to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its name in messages.
    pub shown: String,
    /// Its address, with no keys beside those that Nix trusts.
    pub choice: CacheChoice,
    /// Its keys in `splitter.json`.
    pub team_keys: Vec<PublicKey>,
    /// Whether the settings of Nix name it.
    pub by_nix: bool,
    /// Whether `splitter.json` names it.
    pub by_team: bool,
}

/// How a cache answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Nobody asked.
    Unasked,
    /// It gave no answer in time.
    Late,
    /// It does not answer as a cache.
    Away(Trouble),
    /// Only Nix can ask it. The text is why it failed.
    ByNix(Option<String>),
    /// It answers.
    Answers {
        /// The time of one request. Nothing for a folder.
        took: Option<Duration>,
        /// The time of day that it states.
        date: Option<String>,
        /// Whether Nix would take what it has, for each path of the sample that it has.
        trusts: Vec<Trust>,
        /// The size of the sample.
        asked: usize,
    },
}

/// A cache, and how it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The cache.
    pub asked: Asked,
    /// Its answer.
    pub seen: Seen,
}

/// Returns the caches of Nix's settings and of `splitter.json`, each once.
pub fn list(machine: &Machine, team: &[CacheChoice]) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for address in &machine.substituters {
        let choice = CacheChoice::of(address.clone());
        all.push(Asked { shown: address.to_string(), choice, team_keys: Vec::new(), by_nix: true, by_team: false });
    }
    for cache in team {
        match all.iter_mut().find(|asked| is_same(&asked.choice.address, &cache.address)) {
            Some(known) => {
                known.by_team = true;
                known.team_keys.clone_from(&cache.public_keys);
            }
            None => all.push(Asked {
                shown: cache.address.to_string(),
                choice: CacheChoice::of(cache.address.clone()),
                team_keys: cache.public_keys.clone(),
                by_nix: false,
                by_team: true,
            }),
        }
    }
    all
}

fn is_same(one: &Address, other: &Address) -> bool {
    let bare = |address: &Address| {
        let text = address.substituter()?;
        Some(text.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned())
    };
    one == other || bare(one).is_some_and(|one| bare(other) == Some(one))
}

/// Chooses store paths of this machine to ask caches for: Nix itself, what splitter's builds made, and others.
pub fn sample(store: &Path, program: &Path) -> Vec<Item> {
    let mut chosen: Vec<Item> = item_of(store, program).into_iter().collect();
    let mut others = BTreeSet::new();
    for entry in fs::read_dir(store).into_iter().flatten().take(LOOKED_AT).flatten() {
        let name = entry.file_name();
        let Some(item) = name.to_str().and_then(|name| name.parse::<Item>().ok()) else { continue };
        let is_output =
            ![".drv", ".lock", ".chroot", "-source", ".patch", ".tar.gz"].iter().any(|end| item.name().ends_with(end));
        if is_output {
            others.insert(item);
        }
    }
    let is_own = |item: &&Item| item.name().starts_with("deps-") || item.name().contains("nodeModules");
    chosen.extend(others.iter().filter(is_own).take(SAMPLE / 4).cloned());
    let step = (others.len() / SAMPLE).max(1);
    chosen.extend(others.iter().step_by(step).cloned());
    let mut seen = BTreeSet::new();
    chosen.retain(|item| seen.insert(item.clone()));
    chosen.truncate(SAMPLE);
    chosen
}

/// Returns the store path that a program is in.
fn item_of(store: &Path, program: &Path) -> Option<Item> {
    let real = fs::canonicalize(program).ok()?;
    let first = real.strip_prefix(store).ok()?.components().next()?;
    first.as_os_str().to_str()?.parse().ok()
}

/// Asks all caches at once, each for at most this time.
pub fn ask(all: Vec<Asked>, asking: &Asking<'_>, sample: &[Item], limit: Duration) -> Result<Vec<Probe>, FetchError> {
    let one = async |asked: &Asked| match asked.choice.address {
        Address::S3 { .. } | Address::Ssh { .. } => by_nix(asking.nix, &asked.choice.address, limit).await,
        _ => match tokio::time::timeout(limit, answer(asked, asking, sample)).await {
            Ok(Ok(seen)) => seen,
            Ok(Err(trouble)) => Seen::Away(trouble),
            Err(_) => Seen::Late,
        },
    };
    let seen = fetch::run(join_all(all.iter().map(one)))?;
    Ok(all.into_iter().zip(seen).map(|(asked, seen)| Probe { asked, seen }).collect())
}

async fn answer(asked: &Asked, asking: &Asking<'_>, sample: &[Item]) -> Result<Seen, Trouble> {
    let cache = Cache::new(&asked.choice, asking).map_err(|error| Trouble::Program(error.to_string()))?;
    let greeting = cache.greet().await?;
    let found = cache.ask(sample, Depth::Infos).await?;
    let trusts = found.into_values().filter_map(|found| match found {
        Found::Info { trust, .. } => Some(trust),
        Found::Unreadable(_) => None,
    });
    Ok(Seen::Answers { took: greeting.took, date: greeting.date, trusts: trusts.collect(), asked: sample.len() })
}

/// Asks a store whose protocol only Nix knows.
async fn by_nix(nix: &Nix, address: &Address, limit: Duration) -> Seen {
    let (program, url) = (nix.program().to_owned(), address.to_string());
    let asked = tokio::task::spawn_blocking(move || store_answers(&program, &url, limit)).await;
    Seen::ByNix(asked.unwrap_or_else(|error| Some(error.to_string())))
}

/// Asks a store for its information, and returns why it gives none.
pub(in crate::doctor) fn store_answers(program: &Path, url: &str, limit: Duration) -> Option<String> {
    let mut command = Command::new(program);
    command.args(["--extra-experimental-features", "nix-command", "store", "info", "--store", url]);
    // ssh must not ask for a password.
    command.env("NIX_SSHOPTS", format!("-oBatchMode=yes -oConnectTimeout={}", limit.as_secs().max(1)));
    match limited::output(&mut command, limit) {
        Ok(Some(output)) if output.status.success() => None,
        Ok(Some(output)) => {
            let stderr = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
            let reason = lines.iter().find(|line| line.contains("error: ")).or(lines.first()).copied();
            Some(
                reason.map_or_else(
                    || output.status.to_string(),
                    |line| line.trim().trim_start_matches("error: ").to_owned(),
                ),
            )
        }
        Ok(None) => Some(format!("no answer within {} s", limit.as_secs())),
        Err(error) => Some(error.to_string()),
    }
}
