//! A cache behind HTTP.
//!
//! Credentials go only to the host that they are for. A redirect is followed, without credentials if it leads elsewhere.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    header::{AUTHORIZATION, DATE, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use tokio::{sync::OnceCell, time::Instant};
use url::Url;

use super::{
    Archive, Asking, Cache, Depth, Found, Greeting, Item, Trouble,
    folder::{CACHE_INFO, check_store, compared},
};
use crate::{
    caches::narinfo::{self, MOST, NarInfo},
    fetch::{
        ClientError, Patience, Secret, cause_of, is_certificate_error, leads_to_loopback, plain_client, retry_after,
    },
};

/// Requests in flight.
const AT_ONCE: usize = 64;
/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 5;

/// A cache behind HTTP.
pub(super) struct Http {
    client: Client,
    /// The address, or only the host until the cache was asked for its own address.
    base: Url,
    /// Where the address of the cache is described.
    described_at: Option<Url>,
    secret: Option<Secret>,
    patience: Patience,
    store: String,
    /// The address of the cache, once it answered.
    opened: OnceCell<Url>,
    /// Until when no request is sent, because the cache asked for a pause.
    paused_until: Mutex<Option<Instant>>,
}

impl Http {
    pub(super) fn new(base: &Url, secret: Option<Secret>, asking: &Asking<'_>) -> Result<Self, ClientError> {
        let patience = asking.patience();
        let mut base = base.clone();
        base.set_query(None);
        Ok(Self {
            client: plain_client(&patience, leads_to_loopback(&base))?,
            base,
            described_at: None,
            secret,
            patience,
            store: asking.store.to_owned(),
            opened: OnceCell::new(),
            paused_until: Mutex::new(None),
        })
    }

    /// Asks this URL for the address of the cache.
    pub(super) fn described_at(self, url: Url) -> Self {
        Self { described_at: Some(url), ..self }
    }

    /// Asks for narinfos, many at once, and for their archives.
    pub(super) async fn ask(
        &self,
        items: &[Item],
        depth: Depth,
        cache: &Cache,
    ) -> Result<BTreeMap<Item, Found>, Trouble> {
        let base = self.opened.get_or_try_init(|| self.open()).await?;
        let one = async |item: &Item| Ok((item.clone(), self.one(base, item, depth, cache).await?));
        let mut answers = stream::iter(items).map(one).buffer_unordered(AT_ONCE);
        let mut found = BTreeMap::new();
        while let Some(answer) = answers.next().await {
            // The end of this function drops all other requests.
            let (item, answer) = answer?;
            if let Some(answer) = answer {
                found.insert(item, answer);
            }
        }
        Ok(found)
    }

    /// Sends JSON to the server, and returns the text of its answer.
    pub(super) async fn post(&self, url: &Url, token: &Secret, question: &Value) -> Result<String, Trouble> {
        let body = question.to_string();
        let request = || {
            let request = self.client.post(url.clone()).header("content-type", "application/json");
            with_secret(request.body(body.clone()), Some(token))
        };
        let answer = self.persevere(request, true).await?;
        match answer.status().as_u16() {
            200..=299 => self.text(answer).await,
            403 => Err(Trouble::Denied { status: 403, has_credentials: true }),
            status => Err(Trouble::Status(status)),
        }
    }

    /// Checks that there is a cache for the store of this machine, and returns its address.
    async fn open(&self) -> Result<Url, Trouble> {
        let base = match &self.described_at {
            Some(url) => self.described(url).await?,
            None => self.base.clone(),
        };
        let answer = self.info(&base).await?;
        check_store(&self.text(answer).await?, &self.store)?;
        Ok(base)
    }

    /// Asks for the file that every cache has.
    async fn info(&self, base: &Url) -> Result<Response, Trouble> {
        let answer = self.get(Method::GET, join(base, CACHE_INFO)?).await?;
        match answer.status().as_u16() {
            200 => Ok(answer),
            403 => Err(Trouble::Denied { status: 403, has_credentials: self.secret.is_some() }),
            status => Err(Trouble::NoCache(format!("it answered {status} to `{CACHE_INFO}`"))),
        }
    }

    /// Opens the cache, and asks once more to measure a request over the open connection.
    pub(super) async fn greet(&self) -> Result<Greeting, Trouble> {
        let base = self.opened.get_or_try_init(|| self.open()).await?;
        let start = Instant::now();
        let answer = self.info(base).await?;
        let date = answer.headers().get(DATE).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // A connection whose answer was not read is not used again.
        self.text(answer).await?;
        Ok(Greeting { took: Some(start.elapsed()), date })
    }

    /// Sends `nix-cache-info`, if the server does not have it.
    pub(super) async fn make(&self, info: &str) -> Result<(), Trouble> {
        let url = join(&self.base, CACHE_INFO)?;
        if !matches!(self.get(Method::GET, url.clone()).await?.status().as_u16(), 404 | 410) {
            return Ok(());
        }
        let secret = self.secret.as_ref();
        let request = || {
            let request = self.client.put(url.clone()).header("content-type", "text/x-nix-cache-info");
            with_secret(request.body(info.to_owned()), secret)
        };
        match self.persevere(request, secret.is_some()).await {
            Ok(answer) => match answer.status().as_u16() {
                200..=299 => Ok(()),
                403 => Err(Trouble::Denied { status: 403, has_credentials: secret.is_some() }),
                status => Err(Trouble::Refused(status)),
            },
            Err(Trouble::Status(status)) => Err(Trouble::Refused(status)),
            Err(trouble) => Err(trouble),
        }
    }

    async fn described(&self, url: &Url) -> Result<Url, Trouble> {
        let answer = self.get(Method::GET, url.clone()).await?;
        if answer.status().as_u16() != 200 {
            return Err(Trouble::NoCache(format!("it answered {} to {}", answer.status().as_u16(), url.path())));
        }
        let described: Value = serde_json::from_str(&self.text(answer).await?).unwrap_or_default();
        let uri = described.get("uri").and_then(Value::as_str);
        let uri = uri.and_then(|uri| Url::parse(&format!("{}/", uri.trim_end_matches('/'))).ok());
        uri.ok_or_else(|| Trouble::NoCache(format!("{} names no address", url.path())))
    }

    async fn one(&self, base: &Url, item: &Item, depth: Depth, cache: &Cache) -> Result<Option<Found>, Trouble> {
        let answer = self.get(Method::GET, join(base, &format!("{}.narinfo", item.hash()))?).await?;
        match answer.status().as_u16() {
            200 => {}
            // S3 answers 403 for a missing file if the bucket may not be listed. So does Nix understand it.
            403 | 404 | 410 => return Ok(None),
            status => return Err(Trouble::Status(status)),
        }
        let text = self.text(answer).await?;
        let info = match narinfo::parse(&text) {
            Ok(info) => info,
            Err(error) => return Ok(Some(Found::Unreadable(error.to_string()))),
        };
        let archive = if depth == Depth::Archives { self.archive(base, &info).await? } else { Archive::Unasked };
        Ok(Some(cache.judged(item, info, archive, &self.store)))
    }

    async fn archive(&self, base: &Url, info: &NarInfo) -> Result<Archive, Trouble> {
        let answer = self.get(Method::HEAD, join(base, &info.url)?).await?;
        Ok(match answer.status().as_u16() {
            200 => compared(info.file_size, length_of(&answer)),
            404 | 410 => Archive::Missing,
            // Storage that signs its addresses refuses HEAD.
            _ => Archive::There,
        })
    }

    /// Sends a request, follows redirects, and tries again after a transient trouble.
    async fn get(&self, method: Method, url: Url) -> Result<Response, Trouble> {
        let mut at = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let secret = self.secret.as_ref().filter(|_| at.origin() == url.origin());
            let request = || with_secret(self.client.request(method.clone(), at.clone()), secret);
            let answer = self.persevere(request, secret.is_some()).await?;
            let next = match redirected(&at, &answer) {
                Some(next) => next?,
                None => return Ok(answer),
            };
            // Storage elsewhere answers only GET, with an address of its own.
            if method == Method::HEAD && next.origin() != at.origin() {
                return Ok(answer);
            }
            at = next;
        }
        Err(Trouble::NoCache("it sent more than 5 redirects in a row".to_owned()))
    }

    async fn persevere(
        &self,
        request: impl Fn() -> RequestBuilder,
        has_credentials: bool,
    ) -> Result<Response, Trouble> {
        let mut failures = 0;
        loop {
            self.wait().await;
            let trouble = match self.send(request(), has_credentials).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            failures += 1;
            let Some(pause) = self.pause_after(&trouble, failures) else { return Err(trouble) };
            if matches!(trouble, Trouble::Throttled { .. }) {
                let mut until = self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
                *until = (*until).max(Some(Instant::now() + pause));
            } else {
                tokio::time::sleep(pause).await;
            }
        }
    }

    async fn send(&self, request: RequestBuilder, has_credentials: bool) -> Result<Response, Trouble> {
        let answer = tokio::time::timeout(self.patience.connect + self.patience.stall, request.send()).await;
        let answer = answer.map_err(|_| Trouble::Stalled)?.map_err(|error| trouble_of(&error))?;
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| retry_after(value.to_str().ok()?));
        match answer.status().as_u16() {
            status @ (401 | 407) => Err(Trouble::Denied { status, has_credentials }),
            429 => Err(Trouble::Throttled { retry_after: asked }),
            status if crate::fetch::is_transient(status) => Err(Trouble::Status(status)),
            _ => Ok(answer),
        }
    }

    fn pause_after(&self, trouble: &Trouble, failures: u32) -> Option<Duration> {
        let most = match trouble {
            Trouble::Connect(_) | Trouble::Stalled => self.patience.attempts_unanswered,
            _ => self.patience.attempts,
        };
        if !trouble.is_transient() || failures >= most {
            return None;
        }
        match trouble {
            Trouble::Throttled { retry_after: Some(asked) } => self.patience.asked_pause(*asked),
            _ => Some(self.patience.pause(failures)),
        }
    }

    /// Waits until the pause that the cache asked for is over.
    async fn wait(&self) {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Reads an answer as text, up to a limit.
    async fn text(&self, mut answer: Response) -> Result<String, Trouble> {
        let mut bytes = Vec::new();
        loop {
            let chunk = tokio::time::timeout(self.patience.stall, answer.chunk()).await;
            let chunk = chunk.map_err(|_| Trouble::Stalled)?;
            let Some(chunk) = chunk.map_err(|error| trouble_of(&error))? else { break };
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > MOST {
                return Err(Trouble::NoCache("it sent an answer without end".to_owned()));
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Returns the length that an answer states. The client itself counts the bytes of the body, and HEAD has none.
fn length_of(answer: &Response) -> Option<u64> {
    let text = answer.headers().get("content-length")?.to_str().ok()?;
    // Some proxies state 0 for HEAD. No archive is empty.
    text.parse().ok().filter(|length| *length > 0)
}

fn join(base: &Url, path: &str) -> Result<Url, Trouble> {
    let url = base.join(path).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| Trouble::NoCache(format!("`{path}` is no address")))
}

fn with_secret(request: RequestBuilder, secret: Option<&Secret>) -> RequestBuilder {
    let value = secret.and_then(|secret| HeaderValue::from_str(secret.expose()).ok());
    match value {
        Some(mut value) => {
            value.set_sensitive(true);
            request.header(AUTHORIZATION, value)
        }
        None => request,
    }
}

/// Returns where a redirect leads, if the answer is one.
fn redirected(from: &Url, answer: &Response) -> Option<Result<Url, Trouble>> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let next = answer.headers().get(LOCATION).and_then(|value| from.join(value.to_str().ok()?).ok());
    let is_allowed = |next: &Url| next.scheme() == "https" || next.scheme() == from.scheme();
    let wrong = || Trouble::NoCache("it sent a redirect without a valid address".to_owned());
    Some(next.filter(is_allowed).ok_or_else(wrong))
}

fn trouble_of(error: &reqwest::Error) -> Trouble {
    let why = cause_of(error);
    if is_certificate_error(error) {
        Trouble::Certificate(why)
    } else if error.is_connect() {
        Trouble::Connect(if error.is_timeout() { "the host did not answer in time".to_owned() } else { why })
    } else if error.is_timeout() {
        Trouble::Stalled
    } else {
        Trouble::Transfer(why)
    }
}
