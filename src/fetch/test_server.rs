//! An HTTP/1.1 server on the loopback interface, for the tests of this module.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use url::Url;

/// A received request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) host: String,
    pub(super) authorization: Option<String>,
}

/// An answer. `Content-Length` is always the full length of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// The number of bytes to send before the connection is closed.
    pub(super) cut_at: Option<usize>,
    /// Whether the connection stays open after that, without sending anything.
    pub(super) hangs: bool,
}

impl Reply {
    pub(super) fn ok(body: &[u8]) -> Self {
        Self { status: 200, body: body.to_vec(), ..Self::default() }
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

pub(super) struct Server {
    pub(super) url: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server that runs until the test process ends. `answer` gets each request and its number, from 0.
    pub(super) fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (log, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || serve(&stream.unwrap(), &log, &*answer));
            }
        });
        Self { url, requests }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn at(&self, path: &str) -> Url {
        self.url.join(path).unwrap()
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Request>>, answer: &dyn Fn(usize, &Request) -> Reply) {
    let Some(request) = read_request(stream) else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    // The client may have closed the connection, which is not an error of the server.
    let _ = send(stream, &answer(number, &request));
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let lines: Vec<String> = lines.collect();
    let header = |wanted: &str| {
        lines.iter().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    Some(Request { path, host: header("host")?, authorization: header("authorization") })
}

fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head.push_str(name);
        head.push_str(": ");
        head.push_str(value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&reply.body[..reply.cut_at.unwrap_or(reply.body.len())])?;
    stream.flush()?;
    if reply.hangs {
        thread::sleep(Duration::from_mins(1));
    }
    Ok(())
}
