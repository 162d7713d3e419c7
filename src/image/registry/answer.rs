//! Reading the answers of a registry, with limits.

use std::time::Instant;

use reqwest::Response;
use serde_json::Value;

use super::Trouble;
use crate::fetch::{Patience, cause_of, is_certificate_error, retry_after};

/// The most bytes of an answer that are read.
const MOST: usize = 1 << 20;
/// The most characters of a registry's message that are shown.
const SHOWN: usize = 300;

/// Classifies an error of the client. Only the cause is kept, since the client's own texts contain URLs.
pub(super) fn trouble_of(error: &reqwest::Error) -> Trouble {
    let why = cause_of(error);
    if is_certificate_error(error) {
        Trouble::Certificate { why }
    } else if error.is_connect() {
        Trouble::Connect { why: if error.is_timeout() { "the host did not answer in time".to_owned() } else { why } }
    } else if error.is_timeout() {
        Trouble::Stalled
    } else {
        Trouble::Transfer { why }
    }
}

/// Reads a small body.
pub(super) async fn read_body(mut answer: Response, patience: &Patience) -> Result<Vec<u8>, Trouble> {
    let (mut body, start) = (Vec::new(), Instant::now());
    loop {
        let left = patience.stall.saturating_sub(start.elapsed());
        let chunk = tokio::time::timeout(left, answer.chunk()).await.map_err(|_| Trouble::Stalled)?;
        let Some(chunk) = chunk.map_err(|error| trouble_of(&error))? else { return Ok(body) };
        body.extend_from_slice(&chunk);
        if body.len() > MOST {
            return Err(Trouble::Answer { why: "it is larger than 1 MiB".to_owned() });
        }
    }
}

/// Turns an answer with an unexpected status into an error.
pub(super) async fn refusal(answer: Response, patience: &Patience, is_anonymous: bool) -> Trouble {
    let status = answer.status().as_u16();
    let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(retry_after);
    let body = read_body(answer, patience).await.unwrap_or_default();
    let message = message(&body);
    match status {
        401 | 403 => Trouble::Denied { status, message, is_anonymous },
        _ => Trouble::Status { status, retry_after: asked, message },
    }
}

/// Returns the first error in the JSON of the distribution specification.
fn message(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let error = &body["errors"][0];
    let parts = [text(&error["code"]), text(&error["message"])];
    let shown = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(": ");
    shown.replace(['\n', '\t'], " ").chars().take(SHOWN).collect()
}
