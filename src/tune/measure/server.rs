//! A cache on the loopback that answers as late as a cache on the network.

use std::{
    io::{self, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// Serves a folder until it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(folder: &Utf8Path, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, ends) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (folder, until) = (folder.to_owned(), Arc::clone(&ends));
        let accept = move || {
            for connection in listener.incoming() {
                if until.load(Ordering::SeqCst) {
                    break;
                }
                let folder = folder.clone();
                // Nix closes its connections when it ends, and so these threads end.
                if let Ok(connection) = connection {
                    thread::spawn(move || serve(connection, &folder, delay));
                }
            }
        };
        let thread = thread::Builder::new().name("cache".to_owned()).spawn(accept)?;
        Ok(Self { address, ends, thread: Some(thread) })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the thread.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Answers requests until the client closes the connection.
fn serve(connection: TcpStream, folder: &Utf8Path, delay: Duration) {
    let Ok(reading) = connection.try_clone() else { return };
    let _ = connection.set_nodelay(true);
    let (mut reading, mut connection) = (BufReader::new(reading), connection);
    while let Some((method, path)) = request(&mut reading) {
        thread::sleep(delay);
        let body = file(folder, &path).and_then(|path| fs::read(path).ok());
        let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
        let body = body.unwrap_or_default();
        let mut answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        if method != "HEAD" {
            answer.extend(body);
        }
        if connection.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Reads a request without a body. Nothing if the connection ended.
fn request(reading: &mut impl io::BufRead) -> Option<(String, String)> {
    let mut first = String::new();
    reading.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    loop {
        let mut line = String::new();
        if reading.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            return Some((method, path));
        }
    }
}

/// Returns a file of the folder. No request leads out of it.
fn file(folder: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let is_plain = path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_plain.then(|| folder.join(path))
}
