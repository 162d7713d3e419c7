//! Sending store paths to a cache, each with the program that knows how.
//!
//! `nix copy` takes whole closures: a cache refuses a path while one that it refers to is missing. `cachix` and `attic` leave out
//! what the cache of nixpkgs has.

use std::{collections::BTreeSet, ops::AddAssign, process::Command};

use camino::Utf8PathBuf;
use fs_err as fs;
use url::Url;

use super::{CacheError, Session, error::KEY_FILE};
use crate::{
    caches::{Address, CacheChoice, Trouble, check_secret_key, machine::Machine, query::Cache},
    cli::{failure::Failure, printer::Printer, text::escape},
    fetch,
    nix::command::{
        Nix, NixError,
        log::{Activity, Event},
        run_program,
    },
    reading,
};

/// The priority of caches that splitter makes: after that of nixpkgs, which has 40.
const CACHE_INFO: &str = "WantMassQuery: 1\nPriority: 50\n";

/// Paths of one call of a program.
const AT_ONCE: usize = 500;

/// What was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) paths: usize,
    /// Bytes of archives without compression.
    pub(super) bytes: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.paths += other.paths;
        self.bytes += other.bytes;
    }
}

/// How paths get into a cache.
enum Way {
    /// `nix copy --to URL`.
    Copy { url: String },
    /// `cachix push NAME`.
    Cachix { name: String },
    /// `attic push SERVER:NAME`.
    Attic { cache: String },
}

/// A cache to send to.
pub(super) struct Upload {
    address: Address,
    way: Way,
    nix: Nix,
    from: Option<String>,
    store: String,
    printer: Printer,
    is_signed: bool,
}

impl Upload {
    pub(super) fn new(address: &Address, from: Option<&str>, session: &Session) -> Result<Self, Failure> {
        let key = key_file(session)?;
        let way = way(address, key.as_ref(), &session.machine)?;
        let program = match &way {
            Way::Copy { .. } => None,
            Way::Cachix { .. } => Some("cachix"),
            Way::Attic { .. } => Some("attic"),
        };
        if let Some(program) = program {
            let address = address.to_string();
            if from.is_some() {
                return Err(CacheError::OtherStore { program, address }.into());
            }
            which::which(program).map_err(|_| CacheError::NoProgram { program, address })?;
        }
        Ok(Self {
            address: address.clone(),
            way,
            nix: session.nix.clone(),
            from: from.map(str::to_owned),
            store: session.wanted.store.clone(),
            printer: session.printer,
            is_signed: key.is_some() || address.is_trusted(),
        })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Makes an empty folder or server a cache, and says what would go wrong later.
    pub(super) fn prepare(&self, session: &Session) -> Result<(), Failure> {
        let Way::Copy { .. } = self.way else { return Ok(()) };
        if !self.is_signed && !matches!(self.address, Address::Ssh { .. }) {
            self.printer.warning(format_args!(
                "{KEY_FILE} is not set, so new paths are not signed, and Nix does not take them from {}",
                escape(&self.address.to_string())
            ));
        }
        let info = format!("StoreDir: {}\n{CACHE_INFO}", self.store);
        match &self.address {
            Address::File { url } => make_folder(url, &info)?,
            Address::Http { .. } => self.make_server(&info, session)?,
            _ => {}
        }
        Ok(())
    }

    /// Makes an empty web server a cache. Any other trouble shows when the server is asked for paths.
    fn make_server(&self, info: &str, session: &Session) -> Result<(), Failure> {
        let cache = Cache::new(&CacheChoice::of(self.address.clone()), &session.asking())?;
        match fetch::run(cache.make(info))? {
            Err(trouble @ (Trouble::Denied { .. } | Trouble::Refused(_))) => {
                Err(CacheError::Info { address: self.address.to_string(), info: info.to_owned(), trouble }.into())
            }
            _ => Ok(()),
        }
    }

    /// Sends paths with everything that they refer to. What the cache has is skipped.
    pub(super) fn send(&self, paths: &[String]) -> Result<Sent, NixError> {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if paths.is_empty() {
            return Ok(Sent::default());
        }
        match &self.way {
            Way::Copy { url } => self.copy(url, &paths),
            Way::Cachix { name } => push_with("cachix", &["push", name], &paths),
            Way::Attic { cache } => push_with("attic", &["push", cache], &paths),
        }
    }

    fn copy(&self, url: &str, paths: &[&str]) -> Result<Sent, NixError> {
        // A builder asks caches itself, which is nearer than this machine. What this machine built has no signature, and a machine
        // takes it from the users that it trusts.
        let options: &[&str] = if matches!(self.address, Address::Ssh { .. }) {
            &["--substitute-on-destination", "--no-check-sigs"]
        } else {
            &[]
        };
        let (mut copies, mut sent) = (BTreeSet::new(), Sent::default());
        let mut watch = |event: Event| match event {
            Event::Start { id, activity: Activity::Copy { path, .. }, .. } => {
                copies.insert(id);
                sent.paths += 1;
                tracing::debug!(path, cache = %self.address, "pushing");
            }
            // The last progress of a copy is its whole size.
            Event::Progress { id, done, expected, .. }
                if copies.contains(&id) && done == expected && copies.remove(&id) =>
            {
                sent.bytes += done;
            }
            _ => {}
        };
        self.nix.copy(paths, self.from.as_deref(), url, options, &mut watch)?;
        Ok(sent)
    }
}

/// Makes a folder a cache.
fn make_folder(url: &Url, info: &str) -> Result<(), CacheError> {
    let Ok(folder) = url.to_file_path() else { return Ok(()) };
    let file = folder.join("nix-cache-info");
    if !file.exists() {
        fs::create_dir_all(&folder).map_err(CacheError::Write)?;
        fs::write(file, info).map_err(CacheError::Write)?;
    }
    Ok(())
}

fn way(address: &Address, key: Option<&Utf8PathBuf>, machine: &Machine) -> Result<Way, CacheError> {
    Ok(match address {
        Address::Cachix { name } => {
            if !machine.has_cachix_token() {
                return Err(CacheError::NoToken(address.to_string()));
            }
            Way::Cachix { name: name.clone() }
        }
        Address::Attic { server, name } => {
            let known = machine.attic_name(server).ok_or_else(|| CacheError::NoAtticServer(address.to_string()))?;
            Way::Attic { cache: format!("{known}:{name}") }
        }
        Address::Ssh { url } => Way::Copy { url: url.to_string() },
        Address::S3 { url } | Address::File { url } | Address::Http { url } => {
            let mut url = url.clone();
            // The name of the key's file is no secret, and the key stays in it.
            if let Some(key) = key {
                url.query_pairs_mut().append_pair("secret-key", key.as_str());
            }
            if !url.query_pairs().any(|(name, _)| name == "compression") {
                url.query_pairs_mut().append_pair("compression", "zstd");
            }
            Way::Copy { url: url.to_string() }
        }
    })
}

fn key_file(session: &Session) -> Result<Option<Utf8PathBuf>, CacheError> {
    let Some(path) = session.environment.get(KEY_FILE) else { return Ok(None) };
    let path = camino::absolute_utf8(path).unwrap_or_else(|_| path.into());
    if !path.is_file() {
        return Err(CacheError::KeyFile(path.into_string()));
    }
    // Nix would read it only after the builds.
    let text = reading::text(&path).map_err(|_| CacheError::KeyFile(path.to_string()))?;
    match check_secret_key(text.trim()) {
        Ok(()) => Ok(Some(path)),
        Err(error) => Err(CacheError::Key { path: path.into_string(), error }),
    }
}

/// Sends paths with the program of a service, which reads its token from the environment or its own file.
fn push_with(program: &str, words: &[&str], paths: &[&str]) -> Result<Sent, NixError> {
    for paths in paths.chunks(AT_ONCE) {
        let mut command = Command::new(program);
        command.args(words).args(paths);
        run_program(&mut command, &mut |line| tracing::debug!(program, "{line}"))?;
    }
    // These programs do not say what they skip.
    Ok(Sent { paths: paths.len(), bytes: 0 })
}

/// Says in one line why sending failed. The command has hundreds of paths, and a server's answer may be a page.
pub(super) fn cause(error: &NixError) -> String {
    let NixError::Failed { last_lines, .. } = error else { return error.to_string() };
    let all = last_lines.join("\n");
    let upload = all.split("unable to upload").nth(1);
    if let Some(status) = upload.and_then(|rest| rest.split("HTTP error ").nth(1)?.get(..3)) {
        let what = match status {
            "401" | "403" => "it refused the credentials, or wants some",
            "404" | "405" | "501" => "it takes no uploads",
            "413" => "it refused the size of an upload",
            _ => "the upload failed",
        };
        return format!("the server answered {status} to PUT: {what}");
    }
    if all.contains("lacks a signature by a trusted key") {
        return "that machine takes unsigned paths only from its `trusted-users`, and you are none of them".to_owned();
    }
    let lines = last_lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty() && *line != "error:");
    let lines: Vec<&str> = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect();
    if lines.is_empty() { error.to_string() } else { lines.join("\n  ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_short_and_without_the_command() {
        let failed = |lines: &[&str]| {
            let last_lines = lines.iter().map(|line| (*line).to_owned()).collect();
            cause(&NixError::Failed { command: "nix copy …".to_owned(), status: "1".to_owned(), last_lines })
        };
        let refused = "error: unable to upload 'http://h.example/nar/x': HTTP error 501 (Unsupported method ('PUT'))";
        let says = "the server answered 501 to PUT: it takes no uploads";
        assert_eq!(failed(&[refused, "", "       response body:", "       <html>"]), says);
        assert_eq!(failed(&["error:", "   … while x", "   error: no space left"]), "… while x\n  no space left");
        let unsigned = "error: cannot add path '/nix/store/x' because it lacks a signature by a trusted key";
        assert!(failed(&[unsigned]).starts_with("that machine takes unsigned paths only from its `trusted-users`"));
        let asked = "error: unable to download 'http://h.example/x': HTTP error 500";
        assert_eq!(failed(&[asked]), "unable to download 'http://h.example/x': HTTP error 500");
        assert_eq!(failed(&[]), "`nix copy …` failed (1)");
    }
}
