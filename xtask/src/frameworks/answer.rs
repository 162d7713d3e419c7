//! Starts what was built and asks it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::bounded::{self, Running, is_stopped};
use crate::{Result, process};

const HOST: &str = "127.0.0.1";
const COMMAND: Duration = Duration::from_mins(1);
/// How long a server may take until it answers.
const FIRST_ANSWER: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(200);
/// How many files of a site are searched for the expected text.
const MOST_FILES: usize = 50;

/// How far an app came, and why it came no further.
pub(super) struct Answer {
    pub(super) started: bool,
    pub(super) answered: bool,
    pub(super) problem: Option<String>,
}

impl Answer {
    fn good() -> Self {
        Self { started: true, answered: true, problem: None }
    }

    fn bad(started: bool, problem: impl Into<String>) -> Self {
        Self { started, answered: false, problem: Some(problem.into()) }
    }
}

/// Runs a command that prints.
pub(super) fn of_command(command: &mut Command, expects: &str, log: &Utf8Path) -> Answer {
    match bounded::run("the command", command, COMMAND, log) {
        Ok(text) if text.contains(expects) => Answer::good(),
        Ok(text) => Answer::bad(true, format!("the command printed `{text}`, expected `{expects}`")),
        Err(error) => Answer::bad(false, error.to_string()),
    }
}

/// Starts a server, asks it until it answers, and ends it.
pub(super) fn of_server(command: &mut Command, path: &str, expects: &str, log: &Utf8Path) -> Result<Answer> {
    let port = free_port()?;
    command.env("PORT", port.to_string()).env("HOST", HOST);
    let mut server = match Running::start(command, log) {
        Ok(server) => server,
        Err(error) => return Ok(Answer::bad(false, error.to_string())),
    };
    let url = format!("http://{HOST}:{port}{path}");
    let answer = wait_for_answer(&mut server, &url, expects)?;
    if !server.end()? && answer.answered {
        return Ok(Answer { problem: Some("the server ignored SIGTERM and was killed".to_owned()), ..answer });
    }
    Ok(answer)
}

fn wait_for_answer(server: &mut Running, url: &str, expects: &str) -> Result<Answer> {
    let start = Instant::now();
    loop {
        let found = get(url);
        if found.as_ref().is_ok_and(|text| text.contains(expects)) {
            return Ok(Answer::good());
        }
        if let Some(status) = server.ended()? {
            let lines = server.last_lines();
            return Ok(Answer::bad(false, format!("the server ended: {status}. Its last lines:\n{lines}")));
        }
        if start.elapsed() > FIRST_ANSWER || is_stopped() {
            let found = found.unwrap_or_else(|error| error.to_string());
            let lines = server.last_lines();
            let problem = format!("{url}: expected `{expects}`, found:\n{found}\n  The server's last lines:\n{lines}");
            return Ok(Answer::bad(true, problem));
        }
        thread::sleep(PAUSE);
    }
}

/// Serves a folder and asks for `index.html`, then for the files that it names.
pub(super) fn of_site(folder: &Utf8Path, expects: &str) -> Result<Answer> {
    if !folder.join("index.html").is_file() {
        let found: Vec<String> =
            folder.read_dir_utf8()?.filter_map(|entry| Some(entry.ok()?.file_name().to_owned())).collect();
        return Ok(Answer::bad(false, format!("the package has no index.html; it has: {}", found.join(", "))));
    }
    let port = serve(folder.to_owned())?;
    let root = format!("http://{HOST}:{port}/");
    let index = get(&root)?;
    let mut texts = vec![index.clone()];
    for name in links(&index).take(MOST_FILES) {
        match get(&format!("{root}{name}")) {
            Ok(text) => texts.push(text),
            Err(error) => return Ok(Answer::bad(true, format!("index.html names {name}: {error}"))),
        }
    }
    if texts.iter().any(|text| text.contains(expects)) {
        return Ok(Answer::good());
    }
    Ok(Answer::bad(true, format!("neither index.html nor the files that it names contain `{expects}`")))
}

/// The files of a page's own site in its `src` and `href`.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let after = ["src=\"", "href=\""].into_iter().flat_map(|mark| page.split(mark).skip(1));
    let links = after.filter_map(|rest| rest.split('"').next());
    let own = links.filter(|link| !link.contains(':') && !link.starts_with("//") && !link.starts_with('#'));
    own.map(|link| link.trim_start_matches("./").trim_start_matches('/'))
}

/// What an URL answers with, if the status is not an error.
fn get(url: &str) -> Result<String> {
    let mut curl = Command::new("curl");
    // A proxy of the machine cannot reach the loopback.
    curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "5", "--noproxy", "*", url]);
    process::run_silently(&mut curl)
}

/// A port that nobody listens on. Another program could take it before the server does; then the server fails.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((HOST, 0))?.local_addr()?.port())
}

/// Serves the files of a folder on the loopback until the program ends. Returns the port.
fn serve(folder: Utf8PathBuf) -> Result<u16> {
    let listener = TcpListener::bind((HOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up is no error of the server.
            let _ = respond(stream, &folder);
        }
    });
    Ok(port)
}

fn respond(mut stream: TcpStream, folder: &Utf8Path) -> Result<()> {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
    let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let file = folder.join(path.trim_start_matches('/'));
    let (status, body) = match fs::read(&file) {
        Ok(body) if !path.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len())?;
    Ok(stream.write_all(&body)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Result<Answer> {
        let folder = tempfile::tempdir()?;
        let root = Utf8Path::from_path(folder.path()).ok_or("not UTF-8")?;
        for (name, text) in files {
            fs::write(root.join(name), text)?;
        }
        of_site(root, "Hello")
    }

    #[test]
    fn the_text_may_be_in_a_script_of_the_page() -> Result<()> {
        let page = r#"<script src="/main.js"></script><a href="https://example.org">"#;
        assert!(site(&[("index.html", page), ("main.js", "'Hello'")])?.answered);
        let missing = site(&[("index.html", page)])?;
        assert!(missing.started && !missing.answered);
        assert!(missing.problem.unwrap_or_default().starts_with("index.html names main.js: "));
        Ok(())
    }

    #[test]
    fn a_folder_without_index_html_is_no_site() -> Result<()> {
        let answer = site(&[("server.js", "")])?;
        assert!(!answer.started);
        assert_eq!(answer.problem.as_deref(), Some("the package has no index.html; it has: server.js"));
        Ok(())
    }
}
