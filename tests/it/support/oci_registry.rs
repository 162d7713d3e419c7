//! A registry of images in this process, with faults on demand: what a real one rarely does, and what nobody may tag then.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OciFault {
    /// This status, and perhaps a pause in seconds.
    Status(u16, Option<u32>),
    /// The connection is closed in the middle of the request.
    Cut,
    /// The request is stored, and the answer is lost.
    Lost,
    /// The answer names another digest.
    WrongDigest,
    /// No answer, and no more reading.
    Silence,
}

/// How clients authenticate.
#[derive(Debug, Clone)]
pub(crate) enum OciAuth {
    /// A user name and a password, `user:password`.
    Basic(String),
    /// A token for a user name and a password.
    Token(String),
    /// A token for an identity token.
    Identity(String),
}

/// The registry. Its threads end with the test.
pub(crate) struct OciRegistry {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    blobs: BTreeMap<(String, String), Vec<u8>>,
    manifests: BTreeMap<(String, String), Vec<u8>>,
    requests: Vec<String>,
    faults: Vec<(String, OciFault, usize)>,
    auth: Option<OciAuth>,
    uploads: usize,
    received: usize,
}

struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    authorization: String,
    body: Vec<u8>,
}

struct Answer(u16, Vec<(&'static str, String)>, Vec<u8>);

impl OciRegistry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // An error here means that the client closed the connection.
                thread::spawn(move || converse(connection, port, &shared));
            }
        });
        Self { port, state }
    }

    /// Returns its name in references.
    pub(crate) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Spoils the next `times` requests that begin so, such as `PUT /v2/web/manifests/`.
    pub(crate) fn fail(&self, start: &str, fault: OciFault, times: usize) {
        self.state().faults.push((start.to_owned(), fault, times));
    }

    pub(crate) fn require(&self, auth: OciAuth) {
        self.state().auth = Some(auth);
    }

    /// Returns the requests since the last call, such as `HEAD /v2/web/blobs/sha256:…`.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state().requests)
    }

    /// Returns the tags of a repository, without the manifests that are only there by digest.
    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let state = self.state();
        let names = state.manifests.keys().filter(|(owner, name)| owner == repository && !name.contains(':'));
        names.map(|(_, name)| name.clone()).collect()
    }

    /// Returns a manifest.
    pub(crate) fn manifest(&self, repository: &str, name: &str) -> serde_json::Value {
        let key = (repository.to_owned(), name.to_owned());
        serde_json::from_slice(&self.state().manifests[&key]).unwrap()
    }

    /// Returns the bytes of blobs that were received.
    pub(crate) fn received(&self) -> usize {
        self.state().received
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn converse(connection: TcpStream, port: u16, state: &Mutex<State>) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let (mut length, mut authorization) = (0_u64, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => value.trim().clone_into(&mut authorization),
                _ => {}
            }
        }
        let mut words = line.split_ascii_whitespace();
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let fault = state.lock().unwrap().fault(&format!("{method} {target}"));
        match fault {
            Some(OciFault::Cut) => {
                io::copy(&mut (&mut reader).take(length / 2), &mut io::sink())?;
                return Ok(());
            }
            Some(OciFault::Silence) => {
                thread::sleep(Duration::from_mins(1));
                return Ok(());
            }
            _ => {}
        }
        let mut body = Vec::new();
        (&mut reader).take(length).read_to_end(&mut body)?;
        let url = url::Url::parse(&format!("http://h{target}")).unwrap();
        let query = url.query_pairs().into_owned().collect();
        let request = Request { method, path: url.path().to_owned(), query, authorization, body };
        let mut answer = match fault {
            Some(OciFault::Status(status, pause)) => {
                let pause = pause.map(|pause| ("retry-after", pause.to_string()));
                let body = br#"{"errors":[{"code":"FAULT","message":"on demand"}]}"#.to_vec();
                Answer(status, pause.into_iter().collect(), body)
            }
            _ => state.lock().unwrap().answer(&request, port),
        };
        match fault {
            Some(OciFault::Lost) => return Ok(()),
            Some(OciFault::WrongDigest) => answer.1 = vec![("docker-content-digest", digest(b"other"))],
            _ => {}
        }
        let Answer(status, headers, body) = answer;
        let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in &headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes())?;
        if request.method != "HEAD" {
            stream.write_all(&body)?;
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(bytes)))
}

impl State {
    fn fault(&mut self, request: &str) -> Option<OciFault> {
        let (_, fault, times) =
            self.faults.iter_mut().find(|(start, _, times)| request.starts_with(start) && *times > 0)?;
        *times -= 1;
        Some(*fault)
    }

    fn answer(&mut self, request: &Request, port: u16) -> Answer {
        self.requests.push(format!("{} {}", request.method, request.path));
        if request.path == "/token" {
            return self.token(request);
        }
        if !self.may(request) {
            let bearer = format!(r#"Bearer realm="http://127.0.0.1:{port}/token",service="stand-in",scope="x""#);
            let basic = matches!(self.auth, Some(OciAuth::Basic(_)));
            let challenge = if basic { "Basic realm=\"stand-in\"".to_owned() } else { bearer };
            let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#.to_vec();
            return Answer(401, vec![("www-authenticate", challenge)], body);
        }
        let path = request.path.strip_prefix("/v2/").unwrap_or_default();
        if let Some((repository, name)) = path.split_once("/manifests/") {
            return self.manifests(request, repository, name);
        }
        if let Some((repository, _)) = path.split_once("/blobs/uploads/") {
            return self.upload(request, repository);
        }
        let Some((repository, digest)) = path.split_once("/blobs/") else { return Answer(404, Vec::new(), Vec::new()) };
        match self.blobs.get(&(repository.to_owned(), digest.to_owned())) {
            Some(blob) => Answer(200, vec![("docker-content-digest", digest.to_owned())], blob.clone()),
            None => Answer(404, Vec::new(), Vec::new()),
        }
    }

    fn upload(&mut self, request: &Request, repository: &str) -> Answer {
        let own = |digest: &String| (repository.to_owned(), digest.clone());
        if request.method == "POST" {
            if let (Some(digest), Some(from)) = (request.query.get("mount"), request.query.get("from"))
                && let Some(blob) = self.blobs.get(&(from.clone(), digest.clone())).cloned()
            {
                self.blobs.insert(own(digest), blob);
                return Answer(201, vec![("docker-content-digest", digest.clone())], Vec::new());
            }
            self.uploads += 1;
            let location = format!("/v2/{repository}/blobs/uploads/{}?state=a%2Fb", self.uploads);
            return Answer(202, vec![("location", location)], Vec::new());
        }
        let found = digest(&request.body);
        if request.query.get("digest") != Some(&found) || request.query.get("state").is_none_or(|state| state != "a/b")
        {
            return Answer(400, Vec::new(), br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#.to_vec());
        }
        self.received += request.body.len();
        self.blobs.insert(own(&found), request.body.clone());
        Answer(201, vec![("docker-content-digest", found)], Vec::new())
    }

    fn manifests(&mut self, request: &Request, repository: &str, name: &str) -> Answer {
        let key = (repository.to_owned(), name.to_owned());
        if request.method != "PUT" {
            return match self.manifests.get(&key) {
                Some(manifest) => Answer(200, vec![("docker-content-digest", digest(manifest))], manifest.clone()),
                None => Answer(404, Vec::new(), Vec::new()),
            };
        }
        // As a real registry: what a manifest names must be there.
        let document: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let text = |value: &serde_json::Value| (repository.to_owned(), value["digest"].as_str().unwrap().to_owned());
        let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
        let blobs = list("layers").into_iter().chain(document.get("config").cloned());
        let is_whole = blobs.into_iter().all(|blob| self.blobs.contains_key(&text(&blob)))
            && list("manifests").iter().all(|manifest| self.manifests.contains_key(&text(manifest)));
        if !is_whole {
            return Answer(400, Vec::new(), br#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#.to_vec());
        }
        self.manifests.insert(key, request.body.clone());
        Answer(201, vec![("docker-content-digest", digest(&request.body))], Vec::new())
    }

    fn token(&self, request: &Request) -> Answer {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let is_right = match &self.auth {
            Some(OciAuth::Token(user)) => request.authorization == format!("Basic {}", BASE64.encode(user.as_bytes())),
            Some(OciAuth::Identity(token)) => request.method == "POST" && form.get("refresh_token") == Some(token),
            _ => true,
        };
        if !is_right {
            return Answer(401, Vec::new(), br#"{"errors":[{"code":"DENIED","message":"wrong password"}]}"#.to_vec());
        }
        let scope = request.query.get("scope").or_else(|| form.get("scope")).unwrap();
        Answer(
            200,
            Vec::new(),
            serde_json::json!({ "token": BASE64.encode(scope.as_bytes()) }).to_string().into_bytes(),
        )
    }

    fn may(&self, request: &Request) -> bool {
        match &self.auth {
            None => true,
            Some(OciAuth::Basic(user)) => request.authorization == format!("Basic {}", BASE64.encode(user.as_bytes())),
            Some(_) => {
                let repository = request.path.strip_prefix("/v2/").and_then(|path| {
                    path.split_once("/blobs/")
                        .or_else(|| path.split_once("/manifests/"))
                        .map(|(repository, _)| repository)
                });
                let token = request.authorization.strip_prefix("Bearer ").unwrap_or_default();
                let scopes = String::from_utf8(BASE64.decode(token.as_bytes()).unwrap_or_default()).unwrap_or_default();
                repository.is_some_and(|repository| scopes.contains(&format!("repository:{repository}:pull,push")))
            }
        }
    }
}
