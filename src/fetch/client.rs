//! HTTP requests with the credentials of their URL.
//!
//! This module follows redirects itself, one at a time. Each hop gets the credentials of its own URL, and none after
//! the host has changed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use camino::Utf8PathBuf;
use reqwest::{
    Certificate, Client, ClientBuilder, Identity, NoProxy, Response,
    header::{AUTHORIZATION, HeaderValue, LOCATION, RETRY_AFTER},
    redirect,
};
use rustls::AlertDescription;
use tokio::sync::OnceCell;
use url::{Host, Url};

pub(super) mod error;

pub use self::error::ClientError;
use super::{
    credentials::{Access, of_userinfo},
    failure::Reason,
    layers::{ClientCertificate, Transport},
    registries::Registries,
    resolver::Resolver,
    retry::{Patience, retry_after},
};
use crate::{lockfile::Format, reading};

/// The most redirects that are followed.
const MOST_REDIRECTS: usize = 10;
/// The number of clients that take turns. Each keeps its own HTTP/2 connection to a host. With a single connection, one
/// task on one processor would decrypt everything, and one congestion window would limit the speed.
const CONNECTIONS: usize = 2;
/// The number of bytes that a server may send ahead on one stream.
const STREAM_WINDOW: u32 = 2 << 20;
/// The number of bytes that a server may send ahead on one connection. It bounds the memory.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The HTTP clients of a run.
#[derive(Default)]
pub(super) struct Clients {
    /// Clients by transport. Most runs have one. Created on first use, since reading the system's certificates is slow.
    turns: Mutex<BTreeMap<Transport, Arc<Turns>>>,
    resolver: Resolver,
}

/// Clients with the same transport, which take turns.
pub(super) struct Turns {
    clients: Vec<Taking>,
    next: AtomicUsize,
}

/// One of the clients that take turns.
struct Taking {
    client: Client,
    /// For each origin, a cell that is set when the first request is done.
    ///
    /// Only then it is known whether the host speaks HTTP/2. Without this wait, each of the first requests would open
    /// its own connection, and all but one would be thrown away.
    openings: Mutex<BTreeMap<String, Arc<OnceCell<()>>>>,
}

impl Clients {
    /// Requests `url`. Returns the answer if its status is 200.
    pub(super) async fn get(
        &self,
        registries: &Registries,
        url: &Url,
        patience: &Patience,
    ) -> Result<Response, Reason> {
        let mut at = url.clone();
        let mut may_authorize = true;
        for _ in 0..=MOST_REDIRECTS {
            // Never set again: a redirect back from another host is that host's choice, not the user's.
            may_authorize &= at.origin() == url.origin();
            let turns = self.client_for(registries, &at, patience);
            let turns = turns.map_err(|error| Reason::Connect { why: error.to_string() })?;
            let response = turns.next().send(registries, &at, may_authorize);
            // A host may send its headers so slowly that no read of them times out.
            let response = tokio::time::timeout(patience.connect + patience.stall, response);
            let response = response.await.unwrap_or(Err(Reason::Stalled))?;
            match redirected(&at, &response)? {
                Some(next) => at = next,
                None => return accepted(response, registries, &at, may_authorize),
            }
        }
        Err(Reason::Redirect { why: "the registry sent more than 10 redirects in a row" })
    }

    /// Returns the clients for the host of `url`. Creates them if needed.
    pub(super) fn client_for(
        &self,
        registries: &Registries,
        url: &Url,
        patience: &Patience,
    ) -> Result<Arc<Turns>, ClientError> {
        let transport = registries.transport_for(url);
        // A poisoned lock is harmless: clients are only added.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = turns.get(&transport) {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(Turns::new(&transport, patience, &self.resolver)?);
        turns.insert(transport, Arc::clone(&made));
        Ok(made)
    }
}

impl Turns {
    fn new(transport: &Transport, patience: &Patience, resolver: &Resolver) -> Result<Self, ClientError> {
        // This fails if a provider is already installed, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clients = (0..CONNECTIONS)
            .map(|_| Ok(Taking { client: client(transport, patience, resolver.clone())?, openings: Mutex::default() }))
            .collect::<Result<_, ClientError>>()?;
        Ok(Self { clients, next: AtomicUsize::new(0) })
    }

    fn next(&self) -> &Taking {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        &self.clients[turn % self.clients.len()]
    }
}

impl Taking {
    /// Sends a request. Waits until the first request to the same origin is done.
    async fn send(&self, registries: &Registries, url: &Url, may_authorize: bool) -> Result<Response, Reason> {
        let opening = {
            // A poisoned lock is harmless: cells are only added.
            let mut openings = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(openings.entry(url.origin().ascii_serialization()).or_default())
        };
        let mut first = None;
        opening.get_or_init(async || first = Some(send(&self.client, registries, url, may_authorize).await)).await;
        match first {
            Some(answer) => answer,
            None => send(&self.client, registries, url, may_authorize).await,
        }
    }
}

/// Creates a client for requests that are no downloads, with the system's proxies and certificates.
///
/// It has no timeout for reading, because an upload gets no answer before its end. The caller must limit the time. No proxy is used
/// for hosts on this machine.
pub(crate) fn plain_client(patience: &Patience, is_on_this_machine: bool) -> Result<Client, ClientError> {
    // This fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = builder(patience, Resolver::default());
    let builder = if is_on_this_machine { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| ClientError::Start(innermost(&error)))
}

/// Whether a URL leads to this machine.
pub(crate) fn leads_to_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| is_this_machine(&host))
}

/// Whether a host is this machine.
pub(crate) fn is_this_machine<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Returns the settings that all clients share.
fn builder(patience: &Patience, resolver: Resolver) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("splitter/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(patience.connect)
        .tcp_nodelay(true)
        .dns_resolver(resolver)
}

fn client(transport: &Transport, patience: &Patience, resolver: Resolver) -> Result<Client, ClientError> {
    let mut builder = builder(patience, resolver)
        .read_timeout(patience.stall)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW);
    let certificates = certificates(transport)?;
    if !certificates.is_empty() {
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(certificate) = &transport.identity {
        builder = builder.identity(identity(certificate)?);
    }
    for proxy in proxies(transport)? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| ClientError::Start(innermost(&error)))
}

fn certificates(transport: &Transport) -> Result<Vec<Certificate>, ClientError> {
    let mut all = Vec::new();
    for path in &transport.cafiles {
        let wrong = |reason: String| ClientError::Certificates { path: path.clone(), reason };
        let pem = reading::bytes(path).map_err(|error| wrong(innermost(&error)))?;
        all.extend(Certificate::from_pem_bundle(&pem).map_err(|error| wrong(innermost(&error)))?);
    }
    for text in &transport.authorities {
        let found = Certificate::from_pem_bundle(text.as_bytes());
        let found = found.ok().filter(|found| !found.is_empty());
        all.extend(found.ok_or(ClientError::Authority)?);
    }
    Ok(all)
}

/// Reads the client certificate and its key.
fn identity(certificate: &ClientCertificate) -> Result<Identity, ClientError> {
    let pem = match certificate {
        ClientCertificate::Pem(text) => text.clone().into_bytes(),
        ClientCertificate::Files { certificate, key } => {
            let read = |path: &Utf8PathBuf| {
                reading::bytes(path)
                    .map_err(|error| ClientError::Certificates { path: path.clone(), reason: innermost(&error) })
            };
            [read(key)?, b"\n".to_vec(), read(certificate)?].concat()
        }
    };
    Identity::from_pem(&pem).map_err(|error| ClientError::Identity {
        path: match certificate {
            ClientCertificate::Files { certificate, .. } => Some(certificate.clone()),
            ClientCertificate::Pem(_) => None,
        },
        reason: innermost(&error),
    })
}

/// Returns the configured proxies. Without any, the client uses those of the system's variables by itself.
fn proxies(transport: &Transport) -> Result<Vec<reqwest::Proxy>, ClientError> {
    let no_proxy = || match &transport.no_proxy {
        Some(hosts) => NoProxy::from_string(hosts),
        None => NoProxy::from_env(),
    };
    let mut proxies = Vec::new();
    if let Some(proxy) = &transport.https_proxy {
        let made = reqwest::Proxy::https(&proxy.0).map_err(|_| ClientError::Proxy { key: "https-proxy" })?;
        proxies.push(made.no_proxy(no_proxy()));
    }
    if let Some(proxy) = &transport.http_proxy {
        let made = reqwest::Proxy::http(&proxy.0).map_err(|_| ClientError::Proxy { key: "proxy" })?;
        proxies.push(made.no_proxy(no_proxy()));
    }
    Ok(proxies)
}

async fn send(client: &Client, registries: &Registries, url: &Url, may_authorize: bool) -> Result<Response, Reason> {
    let mut bare = url.clone();
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let mut request = client.get(bare);
    let own = of_userinfo(url).map(|(_, secret)| secret);
    let secret = own.or_else(|| registries.authorization_for(url)).filter(|_| may_authorize);
    if may_authorize {
        registries.requested(url, secret.is_some());
    }
    if let Some(secret) = secret
        && let Ok(mut value) = HeaderValue::from_str(secret.expose())
    {
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.send().await.map_err(|error| reason_of(&error, registries.format()))
}

/// Returns the target of a redirect, if the answer is one.
fn redirected(from: &Url, response: &Response) -> Result<Option<Url>, Reason> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    let next = next.filter(|next| matches!(next.scheme(), "http" | "https"));
    let next = next.ok_or(Reason::Redirect { why: "the registry sent a redirect without a valid address" })?;
    if from.scheme() == "https" && next.scheme() == "http" {
        return Err(Reason::Redirect { why: "the registry redirects from https to http, which is not followed" });
    }
    Ok(Some(next))
}

fn accepted(response: Response, registries: &Registries, url: &Url, may_authorize: bool) -> Result<Response, Reason> {
    let status = response.status().as_u16();
    if status == 200 {
        return Ok(response);
    }
    let value = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let access = if may_authorize { registries.access_for(url) } else { Access::Anonymous };
    Err(Reason::Status { status, retry_after: value.and_then(retry_after), access, format: registries.format() })
}

/// Classifies an error of the client. Only the cause is kept, since the client's own texts contain URLs.
pub(super) fn reason_of(error: &reqwest::Error, format: Format) -> Reason {
    let why = innermost(error);
    if is_certificate_error(error) {
        Reason::Certificate { why }
    } else if wants_our_certificate(error) {
        Reason::ClientCertificate { why, format }
    } else if error.is_connect() {
        Reason::Connect { why: if error.is_timeout() { "the host did not answer in time".to_owned() } else { why } }
    } else if error.is_timeout() {
        Reason::Stalled
    } else {
        Reason::Transfer { why }
    }
}

/// Returns the cause of an error of the client. Its own text contains the URL.
pub(crate) fn cause_of(error: &reqwest::Error) -> String {
    innermost(error)
}

/// Returns the text of the innermost cause.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Returns an error and its causes, the innermost last.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        // The source of an `io::Error` is the source of the error inside it, which would be skipped.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        held.map_or_else(|| (*error).source(), |held| Some(held as &(dyn std::error::Error + 'static)))
    })
}

/// Whether the host's certificate is not trusted.
pub(crate) fn is_certificate_error(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// Whether the host closed the connection because a client certificate is missing or not trusted.
fn wants_our_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| {
        let Some(rustls::Error::AlertReceived(alert)) = cause.downcast_ref() else { return false };
        matches!(
            alert,
            AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::CertificateExpired
                | AlertDescription::UnknownCA
        )
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_certificate_is_found_below_other_errors() {
        let certificate = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::other(certificate));
        assert!(is_certificate_error(&error) && innermost(&error).contains("UnknownIssuer"));
        assert!(!is_certificate_error(&io::Error::other("other")));
    }
}
