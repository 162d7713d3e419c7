//! The protocol of registries: the part of the OCI distribution specification that a push needs.
//!
//! Redirects are not followed, and credentials go only to the registry itself and to its token service. An upload has no limit
//! of time, only one of time without progress.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response};
use tokio::time::Instant;
use url::Url;

mod answer;
mod auth;
mod challenge;
mod error;
mod upload;

pub use self::error::Trouble;
use self::{
    answer::{refusal, trouble_of},
    auth::{Auth, with_secret},
};
use super::{
    credentials::Credential,
    digest::Digest,
    manifest::{Document, INDEX, MANIFEST},
    reference::Reference,
};
use crate::fetch::{ClientError, Patience, leads_to_loopback, plain_client};

/// The header with the digest of what the registry stored.
const STORED: &str = "docker-content-digest";
/// How many times longer than a stall the registry may take for an answer after the last byte. It then computes the digest,
/// and some move the blob to other storage.
const AFTER_LAST_BYTE: u32 = 6;

/// Counts bytes that are sent.
pub trait Count: Send + Sync {
    /// Some bytes were sent.
    fn sent(&self, bytes: u64);
}

/// A repository of a registry.
pub struct Registry {
    client: Client,
    reference: Reference,
    auth: Auth,
    patience: Patience,
    count: Arc<dyn Count>,
}

/// The content of a request.
enum Content<'a> {
    None,
    Bytes(&'a [u8], &'static str),
    File(&'a Path, u64),
}

/// Where a blob goes.
#[derive(Debug)]
pub(super) enum Begun {
    /// The registry took it from another repository.
    Mounted,
    /// It must be sent here.
    At(Url),
}

impl Registry {
    /// Prepares a client. Opens no connection.
    pub fn new(
        reference: &Reference,
        credential: Option<Credential>,
        stall: Duration,
        count: Arc<dyn Count>,
    ) -> Result<Self, ClientError> {
        let patience = Patience::default().with_stall(stall);
        let client = plain_client(&patience, leads_to_loopback(reference.address()))?;
        Ok(Self { client, reference: reference.clone(), auth: Auth::new(credential), patience, count })
    }

    /// Returns the repository.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    pub(super) fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Returns whether the repository has a blob of this size. Without a size in the answer, the digest is enough.
    pub(super) async fn has_blob(&self, digest: Digest, size: u64) -> Result<bool, Trouble> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let answer = self.ask(Method::HEAD, url, &Content::None, None).await?;
        let found = answer.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match answer.status().as_u16() {
            // Some proxies answer HEAD with a length of 0. No blob here is empty.
            200 => Ok(found.is_none_or(|found| found == size || found == 0)),
            // The blob is on another host.
            301 | 302 | 303 | 307 | 308 => Ok(true),
            404 => Ok(false),
            _ => Err(self.refusal(answer).await),
        }
    }

    /// Starts an upload. Asks the registry to take the blob from another repository if one is named.
    pub(super) async fn begin(&self, mount: Option<(Digest, &str)>) -> Result<Begun, Trouble> {
        let mut url = self.url("blobs/uploads/")?;
        if let Some((digest, from)) = mount {
            url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", from);
        }
        let answer = self.ask(Method::POST, url, &Content::None, mount.map(|(_, from)| from)).await?;
        match (answer.status().as_u16(), mount) {
            (201, Some((digest, _))) => stored(&answer, digest).map(|()| Begun::Mounted),
            (202, _) => Ok(Begun::At(self.location(&answer)?)),
            _ => Err(self.refusal(answer).await),
        }
    }

    /// Sends a blob to where [`Self::begin`] said.
    pub(super) async fn put_file(&self, mut at: Url, file: &Path, size: u64, digest: Digest) -> Result<(), Trouble> {
        at.query_pairs_mut().append_pair("digest", &digest.to_string());
        let answer = self.ask(Method::PUT, at, &Content::File(file, size), None).await?;
        if matches!(answer.status().as_u16(), 404 | 416) {
            // Another instance of the registry took the request.
            return Err(Trouble::Transfer { why: "the registry no longer knows the upload".to_owned() });
        }
        self.created(answer, digest).await
    }

    /// Sends a small blob to where [`Self::begin`] said.
    pub(super) async fn put_bytes(&self, mut at: Url, bytes: &[u8], digest: Digest) -> Result<(), Trouble> {
        at.query_pairs_mut().append_pair("digest", &digest.to_string());
        let content = Content::Bytes(bytes, "application/octet-stream");
        let answer = self.ask(Method::PUT, at, &content, None).await?;
        self.created(answer, digest).await
    }

    /// Stores a manifest or an index, under its digest or a tag.
    pub(super) async fn put_manifest(&self, name: &str, document: &Document) -> Result<(), Trouble> {
        let url = self.url(&format!("manifests/{name}"))?;
        let content = Content::Bytes(&document.bytes, document.media_type);
        let answer = self.ask(Method::PUT, url, &content, None).await?;
        self.created(answer, document.digest).await
    }

    /// Returns the digest of the manifest under a tag, if the registry has it and says so.
    pub(super) async fn manifest_digest(&self, name: &str) -> Result<Option<Digest>, Trouble> {
        let url = self.url(&format!("manifests/{name}"))?;
        let answer = self.ask(Method::HEAD, url, &Content::None, None).await?;
        match answer.status().as_u16() {
            200 => Ok(answer.headers().get(STORED).and_then(|value| value.to_str().ok()?.parse().ok())),
            404 => Ok(None),
            _ => Err(self.refusal(answer).await),
        }
    }

    async fn created(&self, answer: Response, digest: Digest) -> Result<(), Trouble> {
        match answer.status().as_u16() {
            // 201 is the status of the specification; some registries answer 200 or 204.
            200 | 201 | 204 => stored(&answer, digest),
            _ => Err(self.refusal(answer).await),
        }
    }

    fn url(&self, path: &str) -> Result<Url, Trouble> {
        let path = format!("v2/{}/{path}", self.reference.repository);
        self.reference.address().join(&path).map_err(|error| Trouble::Answer { why: error.to_string() })
    }

    /// Returns where an upload goes. It may be another host, but never without TLS if the registry has it.
    fn location(&self, answer: &Response) -> Result<Url, Trouble> {
        let wrong = |why: &str| Trouble::Answer { why: why.to_owned() };
        let text = answer.headers().get("location").and_then(|value| value.to_str().ok());
        let text = text.ok_or_else(|| wrong("no address for the upload"))?;
        let url = answer.url().join(text).map_err(|_| wrong("the address for the upload is not valid"))?;
        match (url.scheme(), self.reference.address().scheme()) {
            ("https", _) | ("http", "http") => Ok(url),
            _ => Err(wrong("the address for the upload is not https")),
        }
    }

    /// Sends a request, with a token if the registry asks for one. `from` is the repository of a mount.
    async fn ask(
        &self,
        method: Method,
        url: Url,
        content: &Content<'_>,
        from: Option<&str>,
    ) -> Result<Response, Trouble> {
        let own = format!("repository:{}:pull,push", self.reference.repository);
        let scopes: Vec<String> = [own].into_iter().chain(from.map(|from| format!("repository:{from}:pull"))).collect();
        let is_own = url.origin() == self.reference.address().origin();
        let used = if is_own { self.auth.header(&scopes).await } else { None };
        let answer = self.send(&method, &url, content, used.as_ref()).await?;
        if answer.status().as_u16() != 401 || !is_own {
            return Ok(answer);
        }
        // A second 401 with a new token is the answer.
        if !self.auth.renew(&self.client, &self.patience, &answer, &scopes, used.as_ref()).await? {
            return Ok(answer);
        }
        drop(answer);
        let header = self.auth.header(&scopes).await;
        self.send(&method, &url, content, header.as_ref()).await
    }

    async fn send(
        &self,
        method: &Method,
        url: &Url,
        content: &Content<'_>,
        header: Option<&crate::fetch::Secret>,
    ) -> Result<Response, Trouble> {
        let mut request = self.client.request(method.clone(), url.clone());
        if let Some(secret) = header {
            request = with_secret(request, secret);
        }
        request = request.header("accept", format!("{MANIFEST}, {INDEX}"));
        let result = match content {
            Content::None if *method == Method::POST => self.in_time(request.header("content-length", 0)).await,
            Content::None => self.in_time(request).await,
            Content::Bytes(bytes, kind) => {
                self.in_time(request.header("content-type", *kind).body(bytes.to_vec())).await
            }
            Content::File(path, size) => self.stream(request, path, *size).await,
        };
        if let Ok(answer) = &result {
            tracing::debug!(%method, path = url.path(), status = answer.status().as_u16(), "asked the registry");
        }
        result
    }

    async fn in_time(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let answer = tokio::time::timeout(self.patience.connect + self.patience.stall, request.send()).await;
        answer.map_err(|_| Trouble::Stalled)?.map_err(|error| trouble_of(&error))
    }

    async fn stream(&self, request: RequestBuilder, path: &Path, size: u64) -> Result<Response, Trouble> {
        let sent = Arc::new(AtomicU64::new(0));
        let body = upload::body(path, Arc::clone(&sent), Arc::clone(&self.count)).await?;
        let request =
            request.header("content-type", "application/octet-stream").header("content-length", size).body(body);
        tokio::select! {
            answer = request.send() => answer.map_err(|error| trouble_of(&error)),
            () = self.until_stalled(&sent, size) => Err(Trouble::Stalled),
        }
    }

    /// Ends when the upload makes no progress.
    async fn until_stalled(&self, sent: &AtomicU64, size: u64) {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            tokio::time::sleep(self.patience.stall / 10).await;
            let now = sent.load(Ordering::Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            let limit = if now >= size { self.patience.stall * AFTER_LAST_BYTE } else { self.patience.stall };
            if since.elapsed() > limit {
                return;
            }
        }
    }

    async fn refusal(&self, answer: Response) -> Trouble {
        refusal(answer, &self.patience, self.auth.is_anonymous()).await
    }
}

/// Checks the digest in an answer, if there is one.
fn stored(answer: &Response, expected: Digest) -> Result<(), Trouble> {
    let Some(found) = answer.headers().get(STORED) else { return Ok(()) };
    let found = String::from_utf8_lossy(found.as_bytes()).into_owned();
    if found.parse() == Ok(expected) { Ok(()) } else { Err(Trouble::Digest { expected, found }) }
}
