//! Credentials of registries, where Docker and podman keep them.
//!
//! Both write the same JSON: `auths` with the credentials, `credHelpers` and `credsStore` with names of programs that hold
//! them. podman also uses keys with a part of the repository. The first file with an entry for the registry counts. Nothing
//! here prints a secret: a message about a damaged file names only the place.

use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use data_encoding::BASE64;
use serde_json::{Map, Value};

mod helper;

use super::reference::{DOCKER_HUB, Reference};
use crate::{
    diagnostic::{Category, Diagnose, Location, Position},
    fetch::Environment,
    reading,
};

/// Credentials of a registry.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password.
    Basic {
        /// The user.
        user: String,
        /// The password, or a token in its place.
        password: String,
    },
    /// A token that the registry's token service exchanges for others.
    Identity(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why credentials cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file cannot be read.
    #[error("cannot read the credentials of registries: {0}")]
    Read(#[source] io::Error, Utf8PathBuf),
    /// A file has another form.
    #[error("the credentials of registries are not valid: expected {expected}")]
    Form {
        /// The file and the place in it.
        location: Location,
        /// What should be there.
        expected: &'static str,
    },
    /// A helper failed. Its output is not shown, since it may hold a secret.
    #[error("the credential helper `{program}` failed: {why}")]
    Helper {
        /// The program.
        program: String,
        /// The reason.
        why: String,
    },
}

impl Diagnose for CredentialsError {
    fn category(&self) -> Category {
        match self {
            Self::Read(..) | Self::Form { .. } => Category::Input,
            Self::Helper { .. } => Category::Environment,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Read(_, path) => Some(Location::file(path.clone())),
            Self::Form { location, .. } => Some(location.clone()),
            Self::Helper { .. } => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Helper { program, .. } => {
                vec![format!("run `docker login` or `podman login` again, or check that `{program}` is in PATH")]
            }
            _ => Vec::new(),
        }
    }
}

/// Finds the credentials for a repository. Runs a helper if a file names one.
pub fn find(reference: &Reference, environment: &Environment) -> Result<Option<Credential>, CredentialsError> {
    for path in files(environment) {
        if !path.exists() {
            continue;
        }
        let bytes = reading::bytes(&path).map_err(|error| CredentialsError::Read(error, path.clone()))?;
        let found = in_file(&bytes, reference, &path, &|program, key| helper::ask(program, key, environment))?;
        if found.is_some() {
            tracing::debug!(%path, registry = reference.registry, "credentials found");
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the files of podman and Docker, in the order of podman. A variable that names a file comes first.
fn files(environment: &Environment) -> Vec<Utf8PathBuf> {
    let below = |variable: &str, path: &str| Some(Utf8Path::new(environment.get(variable)?).join(path));
    let home = |path: &str| below("HOME", path);
    let all = [
        environment.get("REGISTRY_AUTH_FILE").map(Utf8PathBuf::from),
        below("DOCKER_CONFIG", "config.json"),
        below("XDG_RUNTIME_DIR", "containers/auth.json"),
        below("XDG_CONFIG_HOME", "containers/auth.json"),
        home(".config/containers/auth.json"),
        home(".docker/config.json"),
    ];
    all.into_iter().flatten().collect()
}

type Ask<'a> = &'a dyn Fn(&str, &str) -> Result<Option<Credential>, CredentialsError>;

fn in_file(
    bytes: &[u8],
    reference: &Reference,
    path: &Utf8Path,
    ask: Ask<'_>,
) -> Result<Option<Credential>, CredentialsError> {
    let whole = |location, expected| CredentialsError::Form { location, expected };
    let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(bytes);
    let file = parsed.map_err(|error| {
        // The text of the error may quote a secret.
        let position = Position { line: error.line().max(1), column: error.column().max(1) };
        whole(Location::at(path, position), "a JSON object")
    })?;
    let keys = keys(reference);
    let server = keys.last().map_or("", String::as_str);
    let section = |name: &str| file.get(name).and_then(Value::as_object);
    let named = |name: &str| {
        let section = section(name)?;
        keys.iter().find_map(|key| section.iter().find(|(other, _)| bare(other) == bare(key)).map(|(_, value)| value))
    };
    if let Some(helper) = named("credHelpers").and_then(Value::as_str) {
        return ask(helper, server);
    }
    if let Some(entry) = named("auths") {
        let credential = of_entry(entry).map_err(|expected| whole(Location::file(path), expected))?;
        if credential.is_some() {
            return Ok(credential);
        }
    }
    match file.get("credsStore").and_then(Value::as_str).filter(|helper| !helper.is_empty()) {
        Some(helper) => ask(helper, server),
        None => Ok(None),
    }
}

/// Returns the keys of a repository, the longest first. The last one is the registry's.
fn keys(reference: &Reference) -> Vec<String> {
    if reference.registry == DOCKER_HUB.0 || reference.registry == DOCKER_HUB.1 {
        return vec![
            format!("{}/{}", DOCKER_HUB.0, reference.repository),
            DOCKER_HUB.0.to_owned(),
            DOCKER_HUB.2.to_owned(),
        ];
    }
    let whole = reference.to_string();
    let ends = whole.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
    let shorter = ends.into_iter().rev().map(|end| whole[..end].to_owned());
    [whole.clone()].into_iter().chain(shorter).collect()
}

/// Removes the scheme, and the path that old versions of Docker wrote.
fn bare(key: &str) -> &str {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest).trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

/// Reads an entry of `auths`. An empty one says that a helper holds the credentials.
fn of_entry(entry: &Value) -> Result<Option<Credential>, &'static str> {
    let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credential::Identity(token.to_owned())));
    }
    if let (Some(user), Some(password)) = (text("username"), text("password")) {
        return Ok(Some(Credential::Basic { user: user.to_owned(), password: password.to_owned() }));
    }
    let Some(encoded) = text("auth") else { return Ok(None) };
    let wrong = "base64 of `user:password` in `auth`";
    let padded = format!("{encoded}{}", "=".repeat(encoded.len().next_multiple_of(4) - encoded.len()));
    let decoded = BASE64.decode(padded.as_bytes()).map_err(|_| wrong)?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong)?;
    let (user, password) = decoded.split_once(':').ok_or(wrong)?;
    Ok(Some(Credential::Basic { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn basic(user: &str, password: &str) -> Credential {
        Credential::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    fn found(file: &str, text: &str) -> Result<Option<Credential>, String> {
        let ask: Ask<'_> = &|program, key| Ok(Some(basic(program, key)));
        let reference = Reference::parse(text).unwrap();
        in_file(file.as_bytes(), &reference, Utf8Path::new("/f"), ask).map_err(|error| error.to_string())
    }

    #[test]
    fn entries_of_all_forms_are_read() {
        let auths = |key: &str, entry: &str| format!(r#"{{"auths":{{"{key}":{entry}}}}}"#);
        let encoded = r#"{"auth":"dTpwOmE="}"#;
        for key in ["r.example", "https://r.example", "https://r.example/v1/", "r.example/acme", "r.example/acme/web"] {
            assert_eq!(found(&auths(key, encoded), "r.example/acme/web"), Ok(Some(basic("u", "p:a"))), "{key}");
        }
        for key in ["other.example", "r.example/other", "r.example/acme/we"] {
            assert_eq!(found(&auths(key, encoded), "r.example/acme/web"), Ok(None), "{key}");
        }
        let token = Ok(Some(Credential::Identity("t".to_owned())));
        assert_eq!(found(&auths("r.example", r#"{"auth":"dTo=","identitytoken":"t"}"#), "r.example/a"), token);
        let apart = r#"{"username":"u","password":"p"}"#;
        assert_eq!(found(&auths("r.example", apart), "r.example/a"), Ok(Some(basic("u", "p"))));
        assert_eq!(found(&auths("https://index.docker.io/v1/", encoded), "docker.io/a/b"), Ok(Some(basic("u", "p:a"))));
        let both = r#"{"auths":{"r.example":{"auth":"dTpw"},"r.example/acme":{"auth":"djpx"}}}"#;
        assert_eq!(found(both, "r.example/acme/web"), Ok(Some(basic("v", "q"))));
    }

    #[test]
    fn helpers_are_asked_with_the_key_of_the_registry() {
        let helpers = r#"{"credHelpers":{"r.example":"gcloud"},"credsStore":"desktop","auths":{"r.example":{}}}"#;
        assert_eq!(found(helpers, "r.example/a/b"), Ok(Some(basic("gcloud", "r.example"))));
        assert_eq!(found(helpers, "s.example/a/b"), Ok(Some(basic("desktop", "s.example"))));
        assert_eq!(found(helpers, "docker.io/a/b"), Ok(Some(basic("desktop", "https://index.docker.io/v1/"))));
    }

    #[test]
    fn messages_show_no_secret() {
        for file in [r#"["hunter2"]"#, r#"{"auths":{"r.example":{"auth":"hunter2"}}}"#, r#""hunter2"#] {
            let error = found(file, "r.example/a").unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("expected "), "{error}");
        }
        assert_eq!(format!("{:?}", basic("u", "p")), "***");
    }

    #[test]
    fn a_variable_that_names_a_file_comes_first() {
        let names = ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "HOME"];
        let environment = Environment::from_pairs(names.map(|name| (name, "/x")));
        let expected = [
            "/x",
            "/x/config.json",
            "/x/containers/auth.json",
            "/x/.config/containers/auth.json",
            "/x/.docker/config.json",
        ];
        assert_eq!(files(&environment), expected.map(Utf8PathBuf::from));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = found(&text, "r.example/a");
            let _ = of_entry(&serde_json::json!({ "auth": text }));
        }
    }
}
