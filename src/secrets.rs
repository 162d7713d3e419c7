//! Secrets in URLs: user names, passwords and tokens.
//!
//! Builds copy the lockfile, the manifests and parts of the rc files into the Nix store, which everybody can read. So the raw
//! texts are searched before they are parsed, including entries that no install needs.

use std::borrow::Cow;

use url::Url;

use crate::diagnostic::{Category, Diagnose, Location, Position};

/// A URL with a secret, in a file that builds read.
#[derive(Debug, thiserror::Error)]
#[error("`{url}` contains a user name, a password or a token, which every build would copy into the Nix store")]
pub struct SecretInUrl {
    /// The file.
    pub file: String,
    /// The word with the URL, without the secret.
    pub url: String,
    /// The position in the file.
    pub position: Position,
}

impl Diagnose for SecretInUrl {
    fn category(&self) -> Category {
        Category::Input
    }

    fn location(&self) -> Option<Location> {
        Some(Location::at(self.file.as_str(), self.position))
    }

    fn hints(&self) -> Vec<String> {
        vec![
            "remove the secret from the URL, and revoke it at the host, because it may be in the git history"
                .to_owned(),
            "put a new secret into your own ~/.npmrc, ~/.yarnrc.yml or git credential helper".to_owned(),
        ]
    }
}

/// A URL with a secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The byte offset of the word in the text.
    offset: usize,
    /// The word without its secrets.
    masked: String,
}

/// Endings of names of query fields that contain a secret, in lower case without separators: `private_token`,
/// `X-Amz-Signature`.
const SECRET_ENDS: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "auth",
    "authorization",
    "signature",
    "credential",
    "apikey",
    "accesskey",
];
/// Full names of query fields that contain a secret.
const SECRET_NAMES: [&str; 5] = ["key", "sig", "jwt", "pat", "bearer"];

/// Maximum layers of percent-encoding: Yarn encodes a URL in a locator, and that one in the locator of a patch.
const MOST_LAYERS: usize = 3;

/// Returns an error if a URL in a text that builds read contains a secret.
pub(crate) fn refuse(file: &str, text: &str) -> Result<(), SecretInUrl> {
    refuse_in(file, text, text)
}

/// Like [`refuse`], if builds read only `part` of `text`.
pub(crate) fn refuse_in(file: &str, part: &str, text: &str) -> Result<(), SecretInUrl> {
    let Some(found) = find(part) else { return Ok(()) };
    let word = word_at(part, found.offset);
    let position = Position::of_offset(text, text.find(word).unwrap_or_default());
    Err(SecretInUrl { file: file.to_owned(), url: found.masked, position })
}

/// Returns whether a URL contains a secret.
pub(crate) fn has_secret(url: &Url) -> bool {
    find(url.as_str()).is_some()
}

/// Finds the first URL with a secret in a text.
pub(crate) fn find(text: &str) -> Option<Found> {
    let mut searched = 0;
    while let Some(at) = next_url(text, searched) {
        let start = text[..at].rfind(ends_word).map_or(0, |before| before + next_char(text, before));
        let word = word_at(text, start);
        let masked = masked(word);
        if masked != plain(word) {
            return Some(Found { offset: start, masked });
        }
        searched = (start + word.len()).max(at + 1);
    }
    None
}

/// Replaces secrets of URLs in a text by `***`.
pub(crate) fn masked(text: &str) -> String {
    text.split_inclusive(ends_word).map(|word| masked_word(&plain(word))).collect()
}

/// Finds the next `://`, plain or encoded once or twice.
fn next_url(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let begins_url = |at: usize| {
        let here = &rest.as_bytes()[at..];
        let begins = |start: &[u8]| here.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
        [b"://".as_slice(), b":\\/", b"%3a", b"%253a"].into_iter().any(begins)
    };
    rest.match_indices([':', '%']).map(|(at, _)| at).find(|at| begins_url(*at)).map(|at| from + at)
}

fn word_at(text: &str, start: usize) -> &str {
    let rest = &text[start..];
    &rest[..rest.find(ends_word).unwrap_or(rest.len())]
}

fn next_char(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`<>".contains(c)
}

/// Undoes escapes of JSON in a word, and of URLs if it contains one.
fn plain(word: &str) -> Cow<'_, str> {
    let mut plain = if word.contains("\\/") { Cow::Owned(word.replace("\\/", "/")) } else { Cow::Borrowed(word) };
    for _ in 0..MOST_LAYERS {
        let lower = plain.to_ascii_lowercase();
        if !lower.contains("%3a") && !lower.contains("%253a") {
            break;
        }
        plain = Cow::Owned(decoded(&plain));
    }
    plain
}

/// Undoes one layer of `%xx`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn masked_word(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
        let (authority, path) = after.split_at(end);
        masked.push_str(&masked_fields(before));
        masked.push_str("://");
        match authority.rsplit_once('@') {
            Some((user, host)) if !is_public_user(before, user) => masked.extend(["***@", host]),
            _ => masked.push_str(authority),
        }
        rest = path;
    }
    masked.push_str(&masked_fields(rest));
    masked
}

/// Returns whether the user before `@` is public: a user of ssh is part of the address, and `git` is shared by all.
fn is_public_user(before: &str, user: &str) -> bool {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    password.is_empty() && (before.ends_with("ssh") || matches!(name, "" | "git"))
}

/// Masks the values of `name=value` in a path, a query or a fragment.
fn masked_fields(text: &str) -> String {
    text.split_inclusive(['?', '#', '&', ';']).map(masked_field).collect()
}

fn masked_field(field: &str) -> String {
    let end = field.trim_end_matches(['?', '#', '&', ';']).len();
    let (inner, separator) = field.split_at(end);
    match inner.split_once('=') {
        Some((name, value)) if !value.trim_end().is_empty() && is_secret(name) => [name, "=***", separator].concat(),
        _ => field.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = decoded(name);
    let name = name.rsplit(['/', ':', '@']).next().unwrap_or_default();
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let letters = letters.strip_suffix('s').unwrap_or(&letters);
    SECRET_NAMES.contains(&letters) || SECRET_ENDS.iter().any(|end| letters.ends_with(end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn user_names_passwords_and_tokens_are_found_and_not_shown() {
        for (text, shown) in [
            ("git+https://me:s3cret@h.example/r.git#main", "git+https://***@h.example/r.git#main"),
            ("a@https://s3cret@h.example/a.tgz", "a@https://***@h.example/a.tgz"),
            ("https://s3cret:x-oauth-basic@h.example", "https://***@h.example"),
            ("ssh://git:s3cret@h.example/r.git", "ssh://***@h.example/r.git"),
            ("git+ssh://me:s3cret@h.example:o/r.git", "git+ssh://***@h.example:o/r.git"),
            ("https://p@ss:s3cret@h.example/r", "https://***@h.example/r"),
            ("https://h.example/a.tgz?v=1&private_token=s3cret#x", "https://h.example/a.tgz?v=1&private_token=***#x"),
            ("https://h.example/a.tgz?X-Amz-Signature=s3cret", "https://h.example/a.tgz?X-Amz-Signature=***"),
            ("https://h.example/a.tgz?sv=1&sig=s3cret", "https://h.example/a.tgz?sv=1&sig=***"),
            ("https://h.example/a.tgz?API%5Fkey=s3cret", "https://h.example/a.tgz?API%5Fkey=***"),
            ("https://h.example/:_authToken=s3cret", "https://h.example/:_authToken=***"),
            ("https://h.example/r.git#access_token=s3cret", "https://h.example/r.git#access_token=***"),
            ("https:\\/\\/me:s3cret@h.example\\/r", "https://***@h.example/r"),
            (
                "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fme%3As3cret%40h.example%2Fa.tgz",
                "a@npm:1.0.0::__archiveUrl=https://***@h.example/a.tgz",
            ),
            (
                "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fh.example%2Fa.tgz%3Ftoken%3Ds3cret",
                "a@npm:1.0.0::__archiveUrl=https://h.example/a.tgz?token=***",
            ),
            ("a@patch:a@https%253A%252F%252Fme%253As3cret%2540h.example/a#x", "a@patch:a@https://***@h.example/a#x"),
        ] {
            let file = format!("{{\"a\": \"x://y\",\n \"b\": \"{text}\"}}");
            let found = find(&file).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.offset, found.masked.as_str()), (file.find(text).unwrap(), shown), "{text}");
            let error = refuse("bun.lock", &file).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
            assert_eq!(crate::diagnostic::Diagnose::location(&error).unwrap().to_string(), "bun.lock:2:8", "{text}");
        }
    }

    #[test]
    fn addresses_are_no_secrets() {
        for text in [
            "git+ssh://git@h.example:o/r.git#552b355",
            "ssh://deploy@h.example/r.git",
            "git@h.example:o/r.git",
            "git+https://git@h.example/o/r.git",
            "@s/a@https://h.example/@s/a@1.0.0.tgz?v=1&token=&author=me#workspace=@s/token&commit=552b355",
            "https://h.example/a.tgz?ref=main&path=auth&hash=abc&design=x",
            "a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fh.example%2Fa.tgz%3Fv%3D1",
            "patch:a@npm%3A1.0.0#optional!builtin<compat/a>::version=1.0.0&hash=token",
            "token=s3cret and no URL",
            "über://é@",
        ] {
            assert_eq!(find(text).filter(|_| !text.starts_with('ü')), None, "{text}");
        }
    }

    #[test]
    fn a_message_is_shown_without_secrets() {
        assert_eq!(
            masked("fatal: could not read Password for 'https://s3cret@h.example': no\nsee https://h.example?token=x"),
            "fatal: could not read Password for 'https://***@h.example': no\nsee https://h.example?token=***"
        );
        assert_eq!(masked("a b  c\n"), "a b  c\n");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_masked_stays(text in "[a-z:/@?=&%23A\\\\ \"é]{0,60}") {
            let _ = find(&text);
            let once = masked(&text);
            prop_assert_eq!(find(&once).filter(|found| !found.masked.contains("***")), None);
        }
    }
}
