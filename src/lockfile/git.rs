//! Dependencies from git repositories: a commit, or the archive that a host makes of a commit.
//!
//! Lockfiles write the same repository in many ways. This module turns each into one URL. Git fetches it, the record
//! stores it, and the place in the fixed output follows from it. So parsing is strict. It refuses anything that could
//! be an option of git, leave a folder, or name a file of this machine.

use std::borrow::Cow;

use url::Url;

/// The schemes with which git fetches from other machines.
const SCHEMES: [&str; 4] = ["git", "http", "https", "ssh"];

/// The short names that Bun before 1.4 writes instead of a host: `git+ssh://gitlab:owner/name`.
const SHORT_HOSTS: [(&str, &str); 3] =
    [("bitbucket", "bitbucket.org"), ("github", "github.com"), ("gitlab", "gitlab.com")];

/// A commit of a git repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitCommit {
    url: Url,
    id: String,
}

impl GitCommit {
    /// Parses the id of a commit and the URL of its repository as written in a lockfile, without the part after `#`:
    /// `git+https://host/path`, `ssh://git@host/path`, `git@host:path`, `git+ssh://git@host:path`. `None` if the URL is
    /// not one of these, or the id is not a full SHA-1.
    pub fn new(url: &str, id: &str) -> Option<Self> {
        let is_id = id.len() == 40 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_id {
            return None;
        }
        Some(Self { url: repository_url(url)?, id: id.to_owned() })
    }

    /// Returns the URL of the repository: `https:`, `http:`, `ssh:` or `git:`. It may contain a password, which the
    /// split refuses.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the commit's id, 40 hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its path in the fixed output. The repository is not part of it, since equal ids are equal commits.
    pub fn place(&self) -> String {
        format!("git/{}.tar", self.id)
    }
}

/// The archive that a host makes of a commit. Its bytes may change over time, but its files do not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostArchive {
    url: Url,
    place: String,
}

impl HostArchive {
    /// Returns the archive that GitHub makes of a revision, which is a commit's id or its start. `None` if an argument
    /// is not valid.
    pub fn of_github(owner: &str, repository: &str, revision: &str) -> Option<Self> {
        let is_revision = revision.len() >= 4 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ![owner, repository].into_iter().all(is_plain) || !is_revision {
            return None;
        }
        let url = format!("https://github.com/{owner}/{repository}/archive/{revision}.tar.gz");
        Some(Self { url: Url::parse(&url).ok()?, place: format!("github/{owner}/{repository}/{revision}.tar") })
    }

    /// Returns the archive of another host at a URL. `None` if the URL cannot become a path in the fixed output.
    pub fn at(url: Url) -> Option<Self> {
        let clean = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.+".contains(c) { c } else { '_' }).collect()
        };
        let parts: Vec<String> = url.path_segments()?.filter(|part| !part.is_empty()).map(clean).collect();
        if url.host_str().is_none() || parts.iter().any(|part| part == "." || part == "..") {
            return None;
        }
        let host = clean(url.host_str()?);
        let port = url.port().map_or(String::new(), |port| format!("_{port}"));
        let query = url.query().map_or(String::new(), |query| format!("-{}", clean(query)));
        let place = format!("archive/{host}{port}/{}{query}.tar", parts.join("/"));
        Some(Self { url, place })
    }

    /// Returns its public URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns its path in the fixed output.
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// Whether a text can be an owner or a repository name. It has no separator and no special meaning in a path.
fn is_plain(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(is_name)
}

fn repository_url(text: &str) -> Option<Url> {
    let text = text.strip_prefix("git+").unwrap_or(text);
    let url = Url::parse(&with_scheme(text)?).ok()?;
    let is_whole = url.host_str().is_some_and(|host| !host.is_empty() && !host.starts_with('-'))
        && !url.path().trim_matches('/').is_empty()
        && url.fragment().is_none();
    (SCHEMES.contains(&url.scheme()) && is_whole && !text.contains(|c: char| c.is_control() || c.is_whitespace()))
        .then_some(url)
}

/// Returns the text as a URL with a scheme, and with a slash before the path. ssh also accepts `git@host:path`.
fn with_scheme(text: &str) -> Option<Cow<'_, str>> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let (host, path) = text.split_once(':')?;
        return Some(match SHORT_HOSTS.iter().find(|(short, _)| *short == host) {
            Some((_, host)) => format!("https://{host}/{path}").into(),
            None => format!("ssh://{host}/{}", path.trim_start_matches('/')).into(),
        });
    };
    if scheme != "ssh" {
        return Some(text.into());
    }
    let authority = rest.split('/').next()?;
    let Some((host, port)) = authority.rsplit_once(':') else { return Some(text.into()) };
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.into());
    }
    with_scheme(rest).filter(|_| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "552b355e30e534cc37f59b232ed38fb15dac6358";

    fn url(text: &str) -> Option<String> {
        GitCommit::new(text, ID).map(|commit| commit.url().to_string())
    }

    #[test]
    fn every_way_to_write_a_repository_is_one_url() {
        for (text, expected) in [
            ("git+https://host.example/o/r.git", "https://host.example/o/r.git"),
            ("http://host.example:8080/r", "http://host.example:8080/r"),
            ("git+ssh://git@host.example/o/r.git", "ssh://git@host.example/o/r.git"),
            ("git+ssh://git@host.example:o/r.git", "ssh://git@host.example/o/r.git"),
            ("git@host.example:o/r.git", "ssh://git@host.example/o/r.git"),
            ("git@host.example:/srv/r.git", "ssh://git@host.example/srv/r.git"),
            ("ssh://git@host.example:2222/o/r.git", "ssh://git@host.example:2222/o/r.git"),
            ("git+ssh://gitlab:o/r", "https://gitlab.com/o/r"),
            ("git+git://host.example/o/r", "git://host.example/o/r"),
        ] {
            assert_eq!(url(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_git_should_not_be_given_is_no_repository() {
        for text in [
            "",
            "o/r",
            "file:///srv/r.git",
            "ext::sh -c x",
            "git+ext://x/y",
            "-oProxyCommand=x:y",
            "ssh://-oProxyCommand=x/y",
            "https://host.example",
            "https://host.example/\nx",
        ] {
            assert_eq!(url(text), None, "{text}");
        }
        for id in ["", "552b355", &ID.to_uppercase(), &ID.repeat(2)[..64], "--upload-pack=x"] {
            assert_eq!(GitCommit::new("https://host.example/r", id), None, "{id}");
        }
    }

    #[test]
    fn archives_lie_at_a_place_of_their_own() {
        let archive = HostArchive::of_github("o", "r.js", "552b355").unwrap();
        assert_eq!(archive.url().as_str(), "https://github.com/o/r.js/archive/552b355.tar.gz");
        assert_eq!(archive.place(), "github/o/r.js/552b355.tar");
        for (owner, repository, revision) in [("..", "r", "552b355"), ("o", "r/x", "552b355"), ("o", "r", "main")] {
            assert_eq!(HostArchive::of_github(owner, repository, revision), None);
        }
        let other = Url::parse("https://gitlab.com/o/r/repository/archive.tar.gz?ref=552b355").unwrap();
        let archive = HostArchive::at(other).unwrap();
        assert_eq!(archive.place(), "archive/gitlab.com/o/r/repository/archive.tar.gz-ref_552b355.tar");
    }
}
