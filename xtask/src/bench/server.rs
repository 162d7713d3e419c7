//! A registry on a loopback port. It serves the files of a folder, and documents for the package manager's programs. Files
//! are not read into memory, so that the server is not the bottleneck of a comparison.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use splitter::lockfile::Algorithm;

use crate::Result;

/// A running server. It ends with the program.
pub(super) struct Server {
    /// Its URL, with a trailing slash.
    pub(super) url: String,
}

impl Server {
    /// Serves the files below `folder`.
    pub(super) fn start(folder: &Utf8Path) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}/", listener.local_addr()?);
        let shared = Arc::new((folder.to_owned(), url.clone()));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // An error ends this connection only.
                thread::spawn(move || drop(serve(&connection, &shared.0, &shared.1)));
            }
        });
        Ok(Self { url })
    }
}

fn serve(connection: &TcpStream, folder: &Utf8Path, url: &str) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut requests = BufReader::new(connection);
    let mut out = connection;
    loop {
        let Some((is_head, path)) = request(&mut requests)? else { return Ok(()) };
        let path = path.trim_start_matches('/').replace("%2f", "/");
        let file = folder.join(&path);
        if path.split('/').any(|part| part == "..") {
            return Ok(());
        } else if file.is_file() {
            send_file(&mut out, &file, is_head)?;
        } else {
            let document = document(&path, url);
            write!(out, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{document}", document.len())?;
        }
    }
}

/// Reads the next request. Returns whether it is HEAD, and its path. Headers are ignored.
fn request(requests: &mut impl BufRead) -> io::Result<Option<(bool, String)>> {
    let mut first = String::new();
    if requests.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut header = String::new();
    while requests.read_line(&mut header)? > 2 {
        header.clear();
    }
    Ok(first.split(' ').nth(1).map(|path| (first.starts_with("HEAD "), path.to_owned())))
}

fn send_file(out: &mut &TcpStream, path: &Utf8PathBuf, is_head: bool) -> io::Result<()> {
    let mut file = fs::File::open(path)?;
    write!(out, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", file.metadata()?.len())?;
    if is_head {
        return Ok(());
    }
    // From a file to a socket, the standard library makes the system copy.
    io::copy(file.file_mut(), out).map(drop)
}

/// Returns the document at `<name>/<version>`. Splitter requests it for the package manager's programs, which no lockfile
/// lists.
fn document(path: &str, url: &str) -> String {
    let (name, version) = path.rsplit_once('/').unwrap_or((path, ""));
    let base = name.rsplit('/').next().unwrap_or(name);
    let integrity = Algorithm::Sha512.digest(path.as_bytes());
    let tarball = format!("{url}{name}/-/{base}-{version}.tgz");
    let dist = serde_json::json!({ "tarball": tarball, "integrity": integrity.to_string() });
    serde_json::json!({ "name": name, "version": version, "dist": dist }).to_string()
}
