//! Requests for many paths at once, which Cachix and Attic have.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use super::{Item, Trouble, hashes, http::Http};
use crate::fetch::Secret;

/// How a server is asked for many paths at once.
pub(super) enum Bulk {
    /// A list of hashes; the answer lists those that are missing.
    Cachix {
        /// The address.
        url: Url,
        /// The token.
        token: Secret,
    },
    /// A list of hashes with the name of the cache; the answer lists those that are missing.
    Attic {
        /// The address.
        url: Url,
        /// The token.
        token: Secret,
        /// The name of the cache.
        cache: String,
    },
}

impl Bulk {
    /// Returns the hashes that the cache lacks.
    pub(super) async fn missing(&self, http: &Http, items: &[Item]) -> Result<BTreeSet<String>, Trouble> {
        let hashes = hashes(items);
        let (url, token, question) = match self {
            Self::Cachix { url, token } => (url, token, json!(hashes)),
            Self::Attic { url, token, cache } => (url, token, json!({ "cache": cache, "store_path_hashes": hashes })),
        };
        let answer = http.post(url, token, &question).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let missing = match self {
            Self::Cachix { .. } => Some(&answer),
            Self::Attic { .. } => answer.get("missing_paths"),
        };
        let missing = missing.and_then(Value::as_array);
        let missing = missing.ok_or_else(|| Trouble::NoCache("it sent no list of missing paths".to_owned()))?;
        // Attic sends hashes, and Cachix hashes too; a whole name would also be understood.
        Ok(missing.iter().filter_map(Value::as_str).map(|hash| hash.chars().take(32).collect()).collect())
    }
}
