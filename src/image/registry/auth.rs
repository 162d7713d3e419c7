//! Tokens: the exchange of credentials for what each request carries.
//!
//! A registry answers 401 and names a token service, which gives a token for some repositories. Requests run at once, so the
//! first one asks for a token and the others wait.

use std::collections::BTreeMap;

use reqwest::{
    Client, RequestBuilder, Response,
    header::{AUTHORIZATION, HeaderValue},
};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::{
    Trouble,
    answer::{read_body, refusal, trouble_of},
    challenge::{self, Challenge},
};
use crate::{
    fetch::{Patience, Secret, leads_to_loopback},
    image::credentials::Credential,
};

/// The name that token services see.
const CLIENT: &str = "splitter";

/// The credentials and the tokens of a registry.
pub(super) struct Auth {
    credential: Option<Credential>,
    headers: Mutex<BTreeMap<String, Secret>>,
}

impl Auth {
    pub(super) fn new(credential: Option<Credential>) -> Self {
        Self { credential, headers: Mutex::default() }
    }

    pub(super) fn is_anonymous(&self) -> bool {
        self.credential.is_none()
    }

    /// Returns the header for these scopes, if an earlier answer gave one.
    pub(super) async fn header(&self, scopes: &[String]) -> Option<Secret> {
        self.headers.lock().await.get(&scopes.join(" ")).cloned()
    }

    /// Gets a header after an answer of 401. `used` is the header of the refused request. Returns whether there is a new one.
    pub(super) async fn renew(
        &self,
        client: &Client,
        patience: &Patience,
        refused: &Response,
        scopes: &[String],
        used: Option<&Secret>,
    ) -> Result<bool, Trouble> {
        let key = scopes.join(" ");
        let mut headers = self.headers.lock().await;
        if headers.get(&key).is_some_and(|header| Some(header) != used) {
            return Ok(true);
        }
        let texts = refused.headers().get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok());
        let header = match (challenge::parse(texts), &self.credential) {
            (Some(Challenge::Bearer { realm, service }), _) => {
                let realm = self.realm(&realm, refused.url())?;
                self.token(client, patience, realm, service.as_deref(), scopes).await?
            }
            (Some(Challenge::Basic), Some(Credential::Basic { user, password })) => Secret::basic(user, password),
            _ => return Ok(false),
        };
        let is_new = Some(&header) != used;
        headers.insert(key, header);
        Ok(is_new)
    }

    /// Returns the address of the token service. Credentials go there, so it must be reached by TLS as the registry is.
    #[expect(clippy::unused_self, reason = "beside the other steps of the exchange")]
    fn realm(&self, realm: &str, registry: &Url) -> Result<Url, Trouble> {
        let wrong =
            || Trouble::Answer { why: "the address of its token service is not valid, or not https".to_owned() };
        let url = registry.join(realm).map_err(|_| wrong())?;
        let is_safe = url.scheme() == "https"
            || (url.scheme() == "http" && leads_to_loopback(&url) && leads_to_loopback(registry));
        if is_safe { Ok(url) } else { Err(wrong()) }
    }

    async fn token(
        &self,
        client: &Client,
        patience: &Patience,
        mut realm: Url,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<Secret, Trouble> {
        let request = if let Some(Credential::Identity(token)) = &self.credential {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT);
            form.append_pair("refresh_token", token).append_pair("scope", &scopes.join(" "));
            form.extend_pairs(service.map(|service| ("service", service)));
            let form_type = "application/x-www-form-urlencoded";
            client.post(realm).header("content-type", form_type).body(form.finish())
        } else {
            realm.query_pairs_mut().extend_pairs(service.map(|service| ("service", service)));
            realm.query_pairs_mut().extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
            let request = client.get(realm);
            match &self.credential {
                Some(Credential::Basic { user, password }) => with_secret(request, &Secret::basic(user, password)),
                _ => request,
            }
        };
        let answer = tokio::time::timeout(patience.connect + patience.stall, request.send()).await;
        let answer = answer.map_err(|_| Trouble::Stalled)?.map_err(|error| trouble_of(&error))?;
        if answer.status().as_u16() != 200 {
            return Err(refusal(answer, patience, self.is_anonymous()).await);
        }
        let body = read_body(answer, patience).await?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token = ["token", "access_token"].into_iter().find_map(|key| answer[key].as_str());
        let token = token.filter(|token| !token.is_empty());
        token.map(Secret::bearer).ok_or_else(|| Trouble::Answer { why: "its token service sent no token".to_owned() })
    }
}

/// Adds the header `Authorization`, marked so that no log shows it.
pub(super) fn with_secret(request: RequestBuilder, secret: &Secret) -> RequestBuilder {
    match HeaderValue::from_str(secret.expose()) {
        Ok(mut value) => {
            value.set_sensitive(true);
            request.header(AUTHORIZATION, value)
        }
        Err(_) => request,
    }
}
