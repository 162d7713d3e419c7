//! An HTTP proxy on a loopback port that requires a user name and a password. It forwards `http:` requests and opens tunnels
//! for `https:`.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A running proxy. Dropping it closes the port.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
}

struct Shared {
    port: u16,
    stopped: AtomicBool,
    /// The required header.
    authorization: String,
    targets: Mutex<Vec<String>>,
}

impl Proxy {
    /// Starts a proxy that requires `user:password`, given in base64.
    pub(crate) fn start(authorization: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let authorization = format!("Basic {authorization}");
        let shared = Shared { port, stopped: AtomicBool::new(false), authorization, targets: Mutex::default() };
        let shared = Arc::new(shared);
        let proxy = Self { shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // An error here means that the client closed the connection.
                thread::spawn(move || shared.forward(&connection));
            }
        });
        proxy
    }

    /// Returns `127.0.0.1:<port>`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.shared.port)
    }

    /// Returns the requests with the right password, such as `CONNECT 127.0.0.1:4711`.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.shared.targets.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }
}

impl Shared {
    fn forward(&self, client: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        let mut writer = client.try_clone()?;
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            head.push(line);
        }
        let mut words = head[0].split(' ').map(str::to_owned);
        let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_own = |line: &String| line.to_ascii_lowercase().starts_with("proxy-");
        let sent = head.iter().filter(|line| is_own(line)).find_map(|line| line.trim_end().split_once(": "));
        if sent.is_none_or(|(_, value)| value != self.authorization) {
            writer.write_all(b"HTTP/1.1 407 No\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n")?;
            return client.shutdown(Shutdown::Both);
        }
        let address = url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        self.targets.lock().unwrap().push(format!("{method} {address}"));
        let mut server = TcpStream::connect(&address)?;
        if method == "CONNECT" {
            writer.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
        } else {
            // One request a connection, so that every request is recorded.
            let path = &url["http://".len() + address.len()..];
            let rest =
                head[1..].iter().filter(|line| !is_own(line) && !line.to_ascii_lowercase().starts_with("connection"));
            let text: String = rest.map(String::as_str).collect();
            write!(server, "{method} {path} HTTP/1.1\r\n{text}connection: close\r\n\r\n")?;
        }
        let mut back = server.try_clone()?;
        let answer = thread::spawn(move || {
            io::copy(&mut back, &mut writer)?;
            writer.shutdown(Shutdown::Both)
        });
        let mut buffer = [0; 8192];
        loop {
            let length = reader.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            server.write_all(&buffer[..length])?;
        }
        let _ = server.shutdown(Shutdown::Write);
        answer.join().unwrap_or(Ok(()))
    }
}
