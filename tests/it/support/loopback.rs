//! An npm registry on a loopback port, in the test's own process. Tests need no network, real package managers can write
//! the lockfiles, and faults of a registry can be produced on demand.
//!
//! It speaks only what the clients need: HTTP/1.1 with keep-alive over plain threads, with or without TLS.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::{Map, Value, json};

use super::{Package, tls};

/// A running registry. Dropping it closes the port.
pub(crate) struct Registry {
    shared: Arc<Shared>,
}

/// A fault in an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// This status, without a useful body.
    Status(u16),
    /// Half of the body, then the connection closes.
    Truncated,
    /// The right number of bytes, but wrong ones.
    WrongBytes,
    /// Half of the body, then nothing until the client closes the connection.
    Stalled,
}

/// Smaller bodies are written together with the head.
const SMALL_BODY: usize = 64 * 1024;

/// A folder of the registry that repeats everything, like a second registry on the same host.
const PRIVATE: &str = "private/";

struct Shared {
    port: u16,
    tls: Option<Arc<rustls::ServerConfig>>,
    stopped: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Packages by name, then version.
    packages: BTreeMap<String, BTreeMap<String, Package>>,
    /// Additional answers, by path.
    others: BTreeMap<String, Answer>,
    /// Faults by path, with the number of remaining times.
    faults: BTreeMap<String, (Fault, usize)>,
    /// The folder of the registry, without a trailing slash.
    folder: String,
    /// The required `Authorization` by path prefix. The longest prefix counts.
    wanted: BTreeMap<String, String>,
    /// The URL that requests for tarballs are redirected to, if any.
    storage: Option<String>,
    /// The base of the tarball URLs in metadata, if not this registry.
    tarballs_at: Option<String>,
    requests: Vec<String>,
    /// The `Authorization` headers that clients sent.
    authorizations: Vec<String>,
    connections: Vec<TcpStream>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    /// Shared, because that of a real Bun has 100 MB.
    body: Arc<[u8]>,
    /// How the body ends.
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Truncated,
    Stalled,
}

struct Request {
    method: String,
    /// The path without the query.
    path: String,
    /// The path with the query.
    target: String,
    authorization: Option<String>,
    keep_alive: bool,
}

impl Registry {
    /// Starts a registry with these packages.
    pub(crate) fn start(packages: impl IntoIterator<Item = Package>) -> Self {
        Self::listen(packages, None)
    }

    /// Starts a registry over TLS, with a certificate of a company's own authority.
    pub(crate) fn start_with_tls(packages: impl IntoIterator<Item = Package>) -> Self {
        Self::listen(packages, Some(tls::server(tls::Clients::Anyone)))
    }

    /// Starts a registry over TLS that requires a client certificate of that authority.
    pub(crate) fn start_with_client_certificates(packages: impl IntoIterator<Item = Package>) -> Self {
        Self::listen(packages, Some(tls::server(tls::Clients::WithCertificate)))
    }

    fn listen(packages: impl IntoIterator<Item = Package>, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { port, tls, stopped: AtomicBool::new(false), state: Mutex::default() });
        let registry = Self { shared: Arc::clone(&shared) };
        for package in packages {
            registry.publish(package);
        }
        thread::spawn(move || shared.accept(&listener));
        registry
    }

    /// Returns its URL, with a trailing slash.
    pub(crate) fn url(&self) -> String {
        self.shared.url()
    }

    /// Adds or replaces a version.
    pub(crate) fn publish(&self, package: Package) {
        let mut state = self.shared.state();
        state.packages.entry(package.name.clone()).or_default().insert(package.version.clone(), package);
    }

    /// Serves these bytes at a path outside of the registry's own: with any query, or with the given one.
    pub(crate) fn serve(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.shared.state().others.insert(path.to_owned(), Answer::new(200, body.into()));
    }

    /// Redirects `path` to `target`.
    pub(crate) fn redirect(&self, path: &str, target: &str) {
        self.shared.state().others.insert(path.to_owned(), Answer::redirect(target));
    }

    /// Answers the next `times` requests for `path` with a fault. `usize::MAX` means all of them.
    pub(crate) fn fail(&self, path: &str, fault: Fault, times: usize) {
        self.shared.state().faults.insert(path.to_owned(), (fault, times));
    }

    /// Answers 401 unless the client sends `Authorization: Bearer <token>`.
    pub(crate) fn require_token(&self, token: &str) {
        self.require("/", &format!("Bearer {token}"));
    }

    /// Answers 401 below a path unless the client sends this `Authorization`.
    pub(crate) fn require(&self, path: &str, authorization: &str) {
        self.shared.state().wanted.insert(path.to_owned(), authorization.to_owned());
    }

    /// Moves the registry below this folder, such as `/npm`.
    pub(crate) fn move_to(&self, folder: &str) {
        folder.clone_into(&mut self.shared.state().folder);
    }

    /// Redirects requests for tarballs to the same path below this URL, like registries that keep tarballs on another host.
    pub(crate) fn keep_tarballs_at(&self, url: &str) {
        self.shared.state().storage = Some(url.trim_end_matches('/').to_owned());
    }

    /// Names this registry in the tarball URLs of the metadata, as a mirror may. A lockfile made from it looks as if it came
    /// from that registry.
    pub(crate) fn claim_to_be(&self, url: &str) {
        self.shared.state().tarballs_at = Some(url.to_owned());
    }

    /// Names this server in the tarball URLs of the metadata again.
    pub(crate) fn claim_nothing(&self) {
        self.shared.state().tarballs_at = None;
    }

    /// Returns the requests since the start or the last call, such as `GET /name`, in order of arrival.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().requests)
    }

    /// Returns all `Authorization` headers that clients sent.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.shared.state().authorizations.clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        for connection in &self.shared.state().connections {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the thread that waits for connections, so that it ends.
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }
}

impl Shared {
    fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}{}/", self.port, self.state().folder)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming().map_while(Result::ok) {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            self.state().connections.extend(connection.try_clone());
            let shared = Arc::clone(self);
            // An error here means that the client closed the connection.
            thread::spawn(move || {
                let ended = connection.try_clone();
                let outcome = shared.converse(connection);
                // Otherwise the list of connections keeps it open.
                ended?.shutdown(Shutdown::Both)?;
                outcome
            });
        }
    }

    /// Answers the requests of one connection until the client closes it.
    fn converse(&self, connection: TcpStream) -> io::Result<()> {
        connection.set_nodelay(true)?;
        let Some(config) = &self.tls else { return self.converse_over(connection) };
        let tls = rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        self.converse_over(rustls::StreamOwned::new(tls, connection))
    }

    fn converse_over(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader)? {
            let answer = self.answer(&request);
            answer.write(reader.get_mut(), &request)?;
            if answer.ending == Ending::Stalled {
                io::copy(&mut reader, &mut io::sink())?;
            }
            if answer.ending != Ending::Whole || !request.keep_alive {
                return Ok(());
            }
        }
        Ok(())
    }

    fn answer(&self, request: &Request) -> Answer {
        let url = self.url();
        let mut state = self.state();
        state.requests.push(format!("{} {}", request.method, request.path));
        state.authorizations.extend(request.authorization.clone());
        if !state.may_have(request) {
            return Answer::error(401);
        }
        let exact = state.others.get(&request.target).cloned();
        let answer = exact.or_else(|| state.find(&request.path, &url)).unwrap_or_else(|| Answer::error(404));
        match state.next_fault(&request.path) {
            Some(fault) => answer.spoilt(fault),
            None => answer,
        }
    }
}

impl State {
    fn next_fault(&mut self, path: &str) -> Option<Fault> {
        let (fault, times) = self.faults.get_mut(path)?;
        *times = times.checked_sub(1)?;
        Some(*fault)
    }

    fn may_have(&self, request: &Request) -> bool {
        let below = self.wanted.iter().filter(|(path, _)| request.path.starts_with(path.as_str()));
        let wanted = below.max_by_key(|(path, _)| path.len()).map(|(_, wanted)| wanted);
        wanted.is_none() || wanted == request.authorization.as_ref()
    }

    fn find(&self, path: &str, url: &str) -> Option<Answer> {
        let url = self.tarballs_at.as_deref().unwrap_or(url);
        if let Some(answer) = self.others.get(path) {
            return Some(answer.clone());
        }
        let path = path.strip_prefix(&self.folder)?.strip_prefix('/')?;
        let (path, url) = match path.strip_prefix(PRIVATE) {
            Some(path) => (path, &*format!("{url}{PRIVATE}")),
            None => (path, url),
        };
        if let Some((name, _)) = path.split_once("/-/") {
            if let Some(storage) = &self.storage {
                return Some(Answer::redirect(&format!("{storage}/{path}")));
            }
            let wanted = self.packages.get(name)?.values().find(|package| package.tarball_path()[1..] == *path)?;
            return Some(Answer::new(200, wanted.shared_tarball()));
        }
        let document = match self.packages.get(path) {
            Some(versions) => full_metadata(versions, url),
            None => self.version_metadata(path, url)?,
        };
        let mut answer = Answer::new(200, document.to_string().into_bytes());
        answer.headers.push(("content-type", "application/json".to_owned()));
        Some(answer)
    }

    /// Returns the document at `/<name>/<version or tag>`.
    fn version_metadata(&self, path: &str, url: &str) -> Option<Value> {
        let (name, version) = path.rsplit_once('/')?;
        let versions = self.packages.get(name)?;
        let tags = tags(versions);
        let version = tags.get(version).and_then(Value::as_str).unwrap_or(version);
        versions.get(version).map(|package| metadata(package, url))
    }
}

/// Returns the document at `/<name>`.
fn full_metadata(versions: &BTreeMap<String, Package>, url: &str) -> Value {
    let all: Map<String, Value> =
        versions.iter().map(|(version, package)| (version.clone(), metadata(package, url))).collect();
    let published = "2020-01-01T00:00:00.000Z";
    let time: Map<String, Value> = versions.keys().map(|version| (version.clone(), published.into())).collect();
    json!({
        "name": versions.values().next().map(|package| package.name.as_str()),
        "dist-tags": tags(versions),
        "versions": all,
        "modified": published,
        // Yarn 4 refuses packages that may be younger than three days.
        "time": time,
    })
}

fn metadata(package: &Package, url: &str) -> Value {
    package.metadata(&format!("{}{}", url.trim_end_matches('/'), package.tarball_path()))
}

fn tags(versions: &BTreeMap<String, Package>) -> Map<String, Value> {
    let highest =
        versions.values().filter(|package| package.release().is_some()).max_by_key(|package| package.release());
    let latest = highest.or_else(|| versions.values().last());
    let mut tags = Map::new();
    tags.extend(latest.map(|package| ("latest".to_owned(), package.version.clone().into())));
    for package in versions.values() {
        tags.extend(package.tags.iter().map(|tag| (tag.clone(), package.version.clone().into())));
    }
    tags
}

impl Answer {
    fn new(status: u16, body: impl Into<Arc<[u8]>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), ending: Ending::Whole }
    }

    fn redirect(target: &str) -> Self {
        Self { headers: vec![("location", target.to_owned())], ..Self::new(302, Vec::new()) }
    }

    fn error(status: u16) -> Self {
        Self::new(status, format!("{{\"error\":\"status {status}\"}}").into_bytes())
    }

    fn spoilt(self, fault: Fault) -> Self {
        match fault {
            Fault::Status(status) => Self::error(status),
            Fault::Truncated => Self { ending: Ending::Truncated, ..self },
            Fault::Stalled => Self { ending: Ending::Stalled, ..self },
            Fault::WrongBytes => Self { body: self.body.iter().map(|byte| !byte).collect(), ..self },
        }
    }

    fn write(&self, connection: &mut impl Write, request: &Request) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str(if request.keep_alive { "\r\n" } else { "connection: close\r\n\r\n" });
        let whole = if self.ending == Ending::Whole { self.body.len() } else { self.body.len() / 2 };
        let body = if request.method == "HEAD" { &[] } else { &self.body[..whole] };
        if body.len() > SMALL_BODY {
            connection.write_all(head.as_bytes())?;
            connection.write_all(body)?;
        } else {
            connection.write_all(&[head.as_bytes(), body].concat())?;
        }
        connection.flush()
    }
}

impl Request {
    /// Reads the next request. Returns `None` if the client closed the connection.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_ascii_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let path =
            target.split('?').next().unwrap_or_default().replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
        let target = target.to_owned();
        let mut request = Self { method, path, target, authorization: None, keep_alive: !line.contains("HTTP/1.0") };
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("authorization", value) => request.authorization = Some(value.to_owned()),
                ("connection", value) if value.eq_ignore_ascii_case("close") => request.keep_alive = false,
                ("content-length", value) => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        io::copy(&mut reader.take(length), &mut io::sink())?;
        Ok(Some(request))
    }
}
