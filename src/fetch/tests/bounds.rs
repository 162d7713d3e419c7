//! Tests of hosts that send too much, too slowly, or nothing.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use super::*;

/// Starts a server that answers each request with `answer`, which owns the connection.
fn listen(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let answer = std::sync::Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = std::sync::Arc::clone(&answer);
            thread::spawn(move || answer(stream.unwrap()));
        }
    });
    url
}

fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        seen.push(byte[0]);
    }
}

/// Returns packages of one host, each with a content of its own.
fn packages(url: &Url, count: u32) -> Vec<Wanted> {
    (0..count)
        .map(|number| wanted(url.join(&number.to_string()).unwrap(), Some(sha512(&number.to_le_bytes()))))
        .collect()
}

#[tokio::test]
async fn a_body_without_end_is_given_up() {
    let world = World::new();
    let url = listen(|mut stream| {
        read_request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &vec![0; 0x10000], b"\r\n"].concat();
        while stream.write_all(&chunk).is_ok() {}
    });
    let archive = Wanted { form: Form::Repacked, integrity: None, ..wanted(url.join("r.tar.gz").unwrap(), None) };
    for wanted in [wanted(url.join("a.tgz").unwrap(), Some(sha512(b"x"))), archive] {
        let mut downloader = world.downloader();
        downloader.patience.largest = 8 << 20;
        let (reason, _, category) = only_failure(downloader.fetch(&[wanted], &Silent).await);
        assert!(matches!(reason, Reason::TooLarge { .. }), "{reason}");
        assert_eq!((reason.to_string().as_str(), category), ("the answer is larger than 8 MiB", Category::Input));
        drop(downloader);
        assert_eq!(world.files(), 0);
    }
}

#[tokio::test]
async fn a_run_with_a_host_that_says_nothing_ends_after_the_attempts_of_one_package() {
    let hosts: [fn(TcpStream); 3] = [
        // It accepts connections.
        |_stream| thread::sleep(Duration::from_mins(1)),
        // It sends a byte of its headers now and then.
        |mut stream| {
            while stream.write_all(b"H").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        },
        // It sends a byte of the content now and then.
        |mut stream| {
            read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        },
    ];
    for (number, host) in hosts.into_iter().enumerate() {
        let (world, url) = (World::new(), listen(host));
        let mut downloader = Downloader::new(world.registries(), world.cache(), NonZeroUsize::new(8).unwrap());
        downloader.patience = Patience { first_pause: Duration::from_millis(2), ..downloader.patience };
        let downloader = downloader.with_stall(Duration::from_millis(300));
        let start = Instant::now();
        let error = downloader.fetch(&packages(&url, 200), &Silent).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(10), "{number}: {:?}", start.elapsed());
        assert_eq!(error.category(), Category::Environment, "{number}: {error}");
        assert!(error.to_string().contains(url.as_str()), "{number}: {error}");
    }
}
