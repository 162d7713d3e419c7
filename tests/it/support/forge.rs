//! A host of git repositories on a loopback port. It speaks smart HTTP through `git http-backend`, and serves archives
//! like GitHub's API and web site: with a redirect, and without stable bytes.
//!
//! It speaks the git protocol before version 2, in which clients can only fetch a commit that a branch or tag points to.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use data_encoding::BASE64;
use flate2::{Compression, GzBuilder};
use fs_err as fs;
use tempfile::TempDir;

/// A running host. Dropping it closes the port.
pub(crate) struct Forge {
    shared: Arc<Shared>,
    folder: TempDir,
}

struct Shared {
    port: u16,
    root: Utf8PathBuf,
    stopped: AtomicBool,
    /// Changes the bytes of archives, but not their files.
    variant: AtomicU32,
    /// `user:password`, if required.
    wanted: Mutex<Option<String>>,
    requests: Mutex<Vec<String>>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    authorization: Option<String>,
    content_type: String,
    content_encoding: String,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Forge {
    /// Starts a host without repositories.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        fs::create_dir(root.join("served")).unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let shared = Arc::new(Shared {
            port: listener.local_addr().unwrap().port(),
            root,
            stopped: AtomicBool::new(false),
            variant: AtomicU32::new(1),
            wanted: Mutex::default(),
            requests: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Self { shared, folder }
    }

    /// Returns its URL, without a trailing slash.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    /// Commits these files to `owner/name`, which is created if it is missing, and returns the commit's id. A path that ends
    /// with `*` becomes executable. A text that begins with `-> ` makes a symbolic link, one with `commit ` a submodule.
    pub(crate) fn commit(&self, repository: &str, files: &[(&str, &str)]) -> String {
        let (work, served) = (self.work(repository), self.served(repository));
        if !work.join(".git").exists() {
            fs::create_dir_all(&work).unwrap();
            self.git(&work, &["init", "--quiet", "--initial-branch=main"]);
            self.git(&work, &["init", "--quiet", "--bare", "--initial-branch=main", served.as_str()]);
        }
        let mut submodules = Vec::new();
        for (path, text) in files {
            let (path, is_program) = (path.trim_end_matches('*'), path.ends_with('*'));
            let file = work.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            if let Some(target) = text.strip_prefix("-> ") {
                std::os::unix::fs::symlink(target, file).unwrap();
                continue;
            }
            if let Some(id) = text.strip_prefix("commit ") {
                submodules.push(format!("160000,{id},{path}"));
                continue;
            }
            fs::write(&file, text).unwrap();
            if is_program {
                fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        self.git(&work, &["add", "--all", "--force"]);
        for submodule in submodules {
            self.git(&work, &["update-index", "--add", "--cacheinfo", &submodule]);
        }
        self.git(&work, &["commit", "--quiet", "--allow-empty", "--message", "files"]);
        self.git(&work, &["push", "--quiet", "--force", served.as_str(), "main"]);
        self.git(&work, &["rev-parse", "HEAD"])
    }

    /// Replaces the history of a repository with one new commit.
    pub(crate) fn rewrite(&self, repository: &str) {
        let (work, served) = (self.work(repository), self.served(repository));
        for folder in [&work, &served] {
            fs::remove_dir_all(folder).unwrap();
        }
        self.commit(repository, &[("README.md", "rewritten\n")]);
    }

    /// Serves the current commit under the name of another revision, as a malicious host could.
    pub(crate) fn pretend(&self, repository: &str, revision: &str) {
        self.git(&self.served(repository), &["branch", revision, "main"]);
    }

    /// Changes the bytes of all archives from now on. The same number gives the same bytes.
    pub(crate) fn vary(&self, variant: u32) {
        self.shared.variant.store(variant, Ordering::SeqCst);
    }

    /// Requires this user and password from now on.
    pub(crate) fn require(&self, user: &str, password: &str) {
        *self.shared.wanted.lock().unwrap() = Some(format!("{user}:{password}"));
    }

    /// Returns the requests since the start or the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.requests.lock().unwrap())
    }

    fn work(&self, repository: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().join("work").join(repository)
    }

    fn served(&self, repository: &str) -> Utf8PathBuf {
        self.shared.served(&format!("{repository}.git"))
    }

    fn git(&self, folder: &Utf8Path, args: &[&str]) -> String {
        let output = git(&self.shared.root).current_dir(folder).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections, so that it ends.
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }
}

/// Returns a git command without the user's settings.
fn git(home: &Utf8Path) -> Command {
    let mut command = Command::new("git");
    let who = [("NAME", "Test"), ("EMAIL", "test@example.org"), ("DATE", "2020-01-01T00:00:00Z")];
    for (name, value) in who {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    command.env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR").env_remove("XDG_CONFIG_HOME");
    command
}

impl Shared {
    fn served(&self, repository: &str) -> Utf8PathBuf {
        self.root.join("served").join(repository)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming().map_while(Result::ok) {
            if self.stopped.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&self);
            thread::spawn(move || {
                let Ok(Some(request)) = Request::read(&connection) else { return };
                // The client may have closed the connection.
                let _ = shared.answer(&request).write(&connection);
            });
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let is_known = {
            let wanted = self.wanted.lock().unwrap();
            let expected = wanted.as_ref().map(|wanted| format!("Basic {}", BASE64.encode(wanted.as_bytes())));
            expected.is_none() || request.authorization == expected
        };
        self.requests.lock().unwrap().push(format!("{} {}", request.method, request.path));
        if !is_known {
            return Answer::new(401, "who are you?").with("www-authenticate", "Basic realm=\"forge\"");
        }
        let parts: Vec<_> = request.path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["repos", owner, name, "tarball", revision @ ..] => self.redirect(owner, name, revision.first()),
            [owner, name, "archive", file] => self.redirect(owner, name, file.strip_suffix(".tar.gz").as_ref()),
            ["codeload", owner, name, revision] => self.archive(owner, name, revision),
            _ => self.smart_http(request),
        }
    }

    /// Redirects like GitHub's web site and API, which send clients to another host.
    fn redirect(&self, owner: &str, name: &str, revision: Option<&&str>) -> Answer {
        let revision = revision.filter(|revision| !revision.is_empty()).unwrap_or(&"HEAD");
        let target = format!("http://127.0.0.1:{}/codeload/{owner}/{name}/{revision}", self.port);
        Answer::new(302, "").with("location", target)
    }

    fn archive(&self, owner: &str, name: &str, revision: &str) -> Answer {
        let folder = self.served(&format!("{owner}/{name}.git"));
        let run = |args: &[&str]| git(&self.root).args(["--git-dir", folder.as_str()]).args(args).output().unwrap();
        let found = run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
        if !found.status.success() {
            return Answer::new(404, "");
        }
        let id = String::from_utf8(found.stdout).unwrap().trim().to_owned();
        let tar = run(&["archive", "--format=tar", &format!("--prefix={owner}-{name}-{}/", &id[..7]), &id]);
        let variant = self.variant.load(Ordering::SeqCst);
        let mut gzip = GzBuilder::new().mtime(variant).write(Vec::new(), Compression::new(variant % 10));
        gzip.write_all(&tar.stdout).unwrap();
        Answer::new(200, gzip.finish().unwrap()).with("content-type", "application/x-gzip")
    }

    /// Answers with `git http-backend`, which is a CGI program.
    fn smart_http(&self, request: &Request) -> Answer {
        let mut child = git(&self.root)
            .arg("http-backend")
            .envs([
                ("GIT_PROJECT_ROOT", self.root.join("served").as_str()),
                ("GIT_HTTP_EXPORT_ALL", "1"),
                ("PATH_INFO", &request.path),
                ("QUERY_STRING", &request.query),
                ("REQUEST_METHOD", &request.method),
                ("CONTENT_TYPE", &request.content_type),
                ("HTTP_CONTENT_ENCODING", &request.content_encoding),
                ("REMOTE_ADDR", "127.0.0.1"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let body = request.body.clone();
        // `git http-backend` may refuse without reading the body.
        let writer = thread::spawn(move || drop(input.write_all(&body)));
        let output = child.wait_with_output().unwrap().stdout;
        writer.join().unwrap();
        Answer::of_cgi(&output)
    }
}

impl Answer {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn of_cgi(output: &[u8]) -> Self {
        let end = output.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let mut answer = Self::new(200, &output[end + 4..]);
        for line in String::from_utf8_lossy(&output[..end]).lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name == "Status" {
                answer.status = value[..3].parse().unwrap();
            } else {
                answer = answer.with(name, value);
            }
        }
        answer
    }

    fn write(&self, mut connection: &TcpStream) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("connection: close\r\n\r\n");
        connection.write_all(&[head.as_bytes(), &self.body].concat())
    }
}

impl Request {
    fn read(connection: &TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(connection);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        // Requests to a proxy contain the whole URL.
        let target =
            target.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or(&target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            authorization: None,
            content_type: String::new(),
            content_encoding: String::new(),
            body: Vec::new(),
        };
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => request.authorization = Some(value.to_owned()),
                "content-type" => value.clone_into(&mut request.content_type),
                "content-encoding" => value.clone_into(&mut request.content_encoding),
                "content-length" => length = value.parse().unwrap_or(0),
                "expect" => (&mut &*connection).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
                _ => {}
            }
        }
        reader.take(length).read_to_end(&mut request.body)?;
        Ok(Some(request))
    }
}
