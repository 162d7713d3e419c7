//! How fast caches answer.

use std::time::{Duration, Instant};

use serde::Serialize;
use url::Url;

use crate::fetch::{self, FetchError, Patience, cause_of, leads_to_loopback, plain_client};

/// How long to wait for one answer.
const LONGEST: Duration = Duration::from_secs(5);
/// How many answers to time. The first one also opens the connection.
const ANSWERS: usize = 3;

/// How fast a cache answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The URL, without secrets.
    pub url: String,
    /// The shortest time of an answer on an open connection, in milliseconds. None if there was no answer.
    pub milliseconds: Option<u64>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Asks caches for `nix-cache-info`, all at once. URLs of other schemes are left out.
pub fn ask(urls: &[String]) -> Result<Vec<Answer>, FetchError> {
    let urls: Vec<Url> = urls.iter().filter_map(|url| url.parse().ok()).collect();
    let urls = urls.into_iter().filter(|url: &Url| matches!(url.scheme(), "http" | "https"));
    let asked: Vec<_> = urls.map(one).collect();
    fetch::run(futures_util::future::join_all(asked))
}

async fn one(url: Url) -> Answer {
    let shown = crate::managers::registries::without_secrets(&url).to_string();
    match tokio::time::timeout(LONGEST, fastest(&url)).await {
        Ok(Ok(time)) => Answer { url: shown, milliseconds: u64::try_from(time.as_millis()).ok(), trouble: None },
        Ok(Err(trouble)) => Answer { url: shown, milliseconds: None, trouble: Some(trouble) },
        Err(_) => {
            let trouble = format!("no answer within {} s", LONGEST.as_secs());
            Answer { url: shown, milliseconds: None, trouble: Some(trouble) }
        }
    }
}

async fn fastest(url: &Url) -> Result<Duration, String> {
    let mut info = url.clone();
    info.set_query(None);
    info.set_path(&format!("{}/nix-cache-info", url.path().trim_end_matches('/')));
    let client = plain_client(&Patience::default(), leads_to_loopback(url)).map_err(|error| error.to_string())?;
    let mut best = Duration::MAX;
    for _ in 0..ANSWERS {
        let before = Instant::now();
        let answer = client.get(info.clone()).send().await.map_err(|error| cause_of(&error))?;
        // Caches that need a token answer as fast.
        let status = answer.status();
        if !(status.is_success() || status.is_redirection() || matches!(status.as_u16(), 401 | 403)) {
            return Err(format!("status {status}"));
        }
        answer.bytes().await.map_err(|error| cause_of(&error))?;
        best = best.min(before.elapsed());
    }
    Ok(best)
}
