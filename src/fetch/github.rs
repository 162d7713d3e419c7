//! Downloads GitHub archives from the API instead of the web site, if the environment names an API or holds a token.
//!
//! Bun uses the same variable for the API. With a token the API also gives archives of private repositories.

use url::Url;

use super::{credentials::Credentials, environment::Environment};

const API: &str = "https://api.github.com";
/// The variable that names another API. Bun reads it too.
const API_VARIABLE: &str = "GITHUB_API_URL";
/// The variables that hold a token. GitHub's command-line tool reads the same.
const TOKEN_VARIABLES: [&str; 2] = ["GH_TOKEN", "GITHUB_TOKEN"];

/// The API to use, if any.
#[derive(Clone, Default)]
pub(super) struct GitHub {
    api: Option<Url>,
}

impl GitHub {
    /// Reads the environment. Ignores a value that is not a URL, as Bun does.
    pub(super) fn of(environment: &Environment) -> Self {
        let named = environment.get(API_VARIABLE).or_else(|| environment.first_of(&TOKEN_VARIABLES).map(|_| API));
        let api = named.and_then(|text| Url::parse(text.trim_end_matches('/')).ok());
        Self { api: api.filter(|api| matches!(api.scheme(), "http" | "https")) }
    }

    /// Adds the token for URLs below the API.
    pub(super) fn add_token(&self, environment: &Environment, credentials: &mut Credentials) {
        if let Some((api, token)) = self.api.as_ref().zip(environment.first_of(&TOKEN_VARIABLES)) {
            credentials.add_token(&below(api, ""), token);
        }
    }

    /// Returns the API's URL of the archive at `url`. `None` if `url` is not a GitHub archive, or no API is configured.
    pub(super) fn archive(&self, url: &Url) -> Option<Url> {
        let api = self.api.as_ref().filter(|_| url.host_str() == Some("github.com"))?;
        let mut parts = url.path_segments()?;
        let (owner, repository, kind, file) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let revision = file.strip_suffix(".tar.gz").filter(|_| kind == "archive" && parts.next().is_none())?;
        Some(below(api, &format!("repos/{owner}/{repository}/tarball/{revision}")))
    }
}

fn below(api: &Url, path: &str) -> Url {
    let mut url = api.clone();
    url.set_path(&format!("{}/{path}", api.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<const N: usize>(environment: [(&str, &str); N], url: &str) -> Option<String> {
        GitHub::of(&environment.into()).archive(&Url::parse(url).unwrap()).map(String::from)
    }

    #[test]
    fn archives_come_from_the_api_where_one_is_configured() {
        let url = "https://github.com/o/r.js/archive/552b355.tar.gz";
        assert_eq!(asked([("A", "b")], url), None);
        let own = [("GITHUB_API_URL", "https://ghe.example/api/v3/")];
        assert_eq!(asked(own, url).unwrap(), "https://ghe.example/api/v3/repos/o/r.js/tarball/552b355");
        let token = [("GH_TOKEN", "t")];
        assert_eq!(asked(token, url).unwrap(), "https://api.github.com/repos/o/r.js/tarball/552b355");
        for other in ["https://github.com/o/r/releases/download/v1/x.tar.gz", "https://gitlab.com/o/r/archive/x.tar.gz"]
        {
            assert_eq!(asked(own, other), None);
        }
    }

    #[test]
    fn the_token_goes_to_the_api_alone() {
        let environment = Environment::from([("GITHUB_TOKEN", "t")]);
        let mut credentials = Credentials::default();
        GitHub::of(&environment).add_token(&environment, &mut credentials);
        let has = |url| credentials.find(&Url::parse(url).unwrap()).is_some();
        assert!(has("https://api.github.com/repos/o/r/tarball/552b355"));
        assert!(!has("https://github.com/o/r") && !has("https://codeload.github.com/o/r"));
    }
}
