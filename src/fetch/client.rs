//! HTTP requests with the credentials that belong to a URL.
//!
//! Redirects are followed here, one by one, rather than by the client: each hop gets the credentials of its own URL, and
//! none at all once the host has changed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use camino::Utf8PathBuf;
use fs_err as fs;
use reqwest::{
    Certificate, Client, Identity, NoProxy, Response,
    header::{AUTHORIZATION, HeaderValue, LOCATION, RETRY_AFTER},
    redirect,
};
use rustls::AlertDescription;
use tokio::sync::OnceCell;
use url::Url;

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
use crate::lockfile::Format;

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 10;
/// Clients that take turns. Each keeps its own HTTP/2 connection to a host: one connection is read by one task, so that
/// one processor would decrypt everything, and its congestion window would limit everything.
const CONNECTIONS: usize = 2;
/// How many bytes a server may send ahead on one stream and on one connection. The second is what bounds the memory.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// The HTTP clients of a run.
#[derive(Default)]
pub(super) struct Clients {
    /// By how hosts are reached: most runs have one. Made when they are first needed, as reading the system's certificates
    /// takes a while.
    turns: Mutex<BTreeMap<Transport, Arc<Turns>>>,
    resolver: Resolver,
}

/// Clients for the same hosts, which take turns.
pub(super) struct Turns {
    clients: Vec<Taking>,
    next: AtomicUsize,
}

/// A client that takes its turn.
struct Taking {
    client: Client,
    /// By origin, whether its first request is over.
    ///
    /// Whether a host speaks HTTP/2 is known only then. Without waiting for it every request of the first moment would
    /// make a connection of its own, of which all but one are thrown away.
    openings: Mutex<BTreeMap<String, Arc<OnceCell<()>>>>,
}

impl Clients {
    /// Asks for `url` and gives an answer of status 200.
    pub(super) async fn get(
        &self,
        registries: &Registries,
        url: &Url,
        patience: &Patience,
    ) -> Result<Response, Reason> {
        let mut at = url.clone();
        let mut may_authorize = true;
        for _ in 0..=MOST_REDIRECTS {
            // For good: what another host sends back here is its choice, not the user's.
            may_authorize &= at.origin() == url.origin();
            let turns = self.client_for(registries, &at, patience);
            let turns = turns.map_err(|error| Reason::Connect { why: error.to_string() })?;
            let response = turns.next().send(registries, &at, may_authorize).await?;
            match redirected(&at, &response)? {
                Some(next) => at = next,
                None => return accepted(response, registries, &at, may_authorize),
            }
        }
        Err(Reason::Redirect { why: "too many redirects" })
    }

    /// The clients that reach the host of `url`.
    pub(super) fn client_for(
        &self,
        registries: &Registries,
        url: &Url,
        patience: &Patience,
    ) -> Result<Arc<Turns>, ClientError> {
        let transport = registries.transport_for(url);
        // Clients are only ever added.
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
        // Fails where a provider is installed already, which will do as well.
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
    /// Sends a request, after the first one to the same origin is over.
    async fn send(&self, registries: &Registries, url: &Url, may_authorize: bool) -> Result<Response, Reason> {
        let opening = {
            // Cells are only ever added.
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

fn client(transport: &Transport, patience: &Patience, resolver: Resolver) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .user_agent(concat!("splitter/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(patience.connect)
        .read_timeout(patience.stall)
        .tcp_nodelay(true)
        .dns_resolver(resolver)
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
        let pem = fs::read(path).map_err(|error| wrong(innermost(&error)))?;
        all.extend(Certificate::from_pem_bundle(&pem).map_err(|error| wrong(innermost(&error)))?);
    }
    for text in &transport.authorities {
        let found = Certificate::from_pem_bundle(text.as_bytes());
        let found = found.ok().filter(|found| !found.is_empty());
        all.extend(found.ok_or(ClientError::Authority)?);
    }
    Ok(all)
}

/// What is shown to a host that wants a client certificate.
fn identity(certificate: &ClientCertificate) -> Result<Identity, ClientError> {
    let pem = match certificate {
        ClientCertificate::Pem(text) => text.clone().into_bytes(),
        ClientCertificate::Files { certificate, key } => {
            let read = |path: &Utf8PathBuf| {
                fs::read(path)
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

/// The proxies of `.npmrc`; without any the client takes those of the system's variables by itself.
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
    if let Some(secret) = own.or_else(|| registries.authorization_for(url)).filter(|_| may_authorize)
        && let Ok(mut value) = HeaderValue::from_str(secret.expose())
    {
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.send().await.map_err(|error| reason_of(&error, registries.format()))
}

/// Where an answer sends us, if anywhere.
fn redirected(from: &Url, response: &Response) -> Result<Option<Url>, Reason> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    let next = next.filter(|next| matches!(next.scheme(), "http" | "https"));
    let next = next.ok_or(Reason::Redirect { why: "a redirect without a usable address" })?;
    if from.scheme() == "https" && next.scheme() == "http" {
        return Err(Reason::Redirect { why: "a redirect from https to http" });
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

/// Sorts the client's errors by what can be done about them. Their own texts hold URLs, so only the cause is kept.
pub(super) fn reason_of(error: &reqwest::Error, format: Format) -> Reason {
    let why = innermost(error);
    if is_certificate_error(error) {
        Reason::Certificate { why }
    } else if wants_our_certificate(error) {
        Reason::ClientCertificate { why, format }
    } else if error.is_connect() {
        Reason::Connect { why: if error.is_timeout() { "no answer to the connection".to_owned() } else { why } }
    } else if error.is_timeout() {
        Reason::Stalled
    } else {
        Reason::Transfer { why }
    }
}

/// The text of the cause of all causes.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// An error and its causes, the innermost last.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        // `io::Error` gives the cause of what it holds as its source, and so would hide what it holds.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        held.map_or_else(|| (*error).source(), |held| Some(held as &(dyn std::error::Error + 'static)))
    })
}

fn is_certificate_error(error: &(dyn std::error::Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// Whether the host broke off for want of a certificate, or of one that it trusts.
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
