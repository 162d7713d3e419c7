//! Passwords for hosts in a netrc file, as curl and Nix read it: [`Netrc`].

use std::collections::BTreeMap;

use crate::fetch::Secret;

/// The entries of a netrc file, by host. The empty host is the default.
#[derive(Debug, Clone, Default)]
pub(super) struct Netrc(BTreeMap<String, Secret>);

impl Netrc {
    /// Reads a file. Words that it does not know are skipped, as curl does.
    pub(super) fn parse(text: &str) -> Self {
        let mut entries = BTreeMap::new();
        // A `#` starts a comment only where a word starts.
        let lines = text.lines().map(|line| line.trim_start()).filter(|line| !line.starts_with('#'));
        let mut words = lines.flat_map(str::split_ascii_whitespace).map(unquoted);
        let (mut host, mut user, mut password): (Option<String>, String, Option<String>) = (None, String::new(), None);
        let mut finish = |host: &mut Option<String>, user: &mut String, password: &mut Option<String>| {
            if let (Some(host), Some(password)) = (host.take(), password.take()) {
                entries.entry(host).or_insert_with(|| Secret::basic(user, &password));
            }
            user.clear();
        };
        while let Some(word) = words.next() {
            match word.as_str() {
                "machine" | "default" => {
                    finish(&mut host, &mut user, &mut password);
                    host = if word == "machine" { words.next() } else { Some(String::new()) };
                }
                "login" => user = words.next().unwrap_or_default(),
                "password" => password = words.next(),
                _ => {}
            }
        }
        finish(&mut host, &mut user, &mut password);
        Self(entries)
    }

    /// Returns the credentials for a host.
    pub(super) fn of(&self, host: &str) -> Option<&Secret> {
        self.0.get(host).or_else(|| self.0.get(""))
    }
}

fn unquoted(word: &str) -> String {
    word.strip_prefix('"').and_then(|word| word.strip_suffix('"')).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_host() {
        let netrc = Netrc::parse(
            "# x\nmachine a.example\n  login me\n  password \"p\"\nmachine b.example password t\ndefault login x password y\n",
        );
        assert_eq!(netrc.of("a.example"), Some(&Secret::basic("me", "p")));
        assert_eq!(netrc.of("b.example"), Some(&Secret::basic("", "t")));
        assert_eq!(netrc.of("c.example"), Some(&Secret::basic("x", "y")));
        for text in ["", "machine", "machine a", "machine a login", "password x", "default password"] {
            assert_eq!(Netrc::parse(text).of("a"), None, "{text}");
        }
    }
}
