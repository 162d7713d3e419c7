//! The single steps of a push, each with its retries.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use url::Url;

use super::{Described, Event, Layer, Made, PushError, Registry, Session};
use crate::image::{
    digest::Digest,
    manifest::Document,
    registry::{Begun, Trouble},
};

/// What an attempt does first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// It asks whether the registry has the blob.
    Ask,
    /// It sends.
    Send,
}

/// The most repositories that a registry is asked to take a layer from.
const MOST_MOUNTS: usize = 3;

impl Session {
    pub(super) async fn has_blob(
        &self,
        registry: &Registry,
        layer: &Layer,
        described: Described,
    ) -> Result<bool, PushError> {
        let doing = format!("ask for the layer `{}` of", layer.name);
        self.persevere(registry, &doing, async || registry.has_blob(described.digest, described.size).await).await
    }

    /// Lets the registry take a layer from another repository that this machine sent it to. Returns that repository. If
    /// it fails, the layer is sent.
    pub(super) async fn mount(&self, registry: &Registry, described: Described) -> Option<String> {
        let own = &registry.reference().repository;
        let repositories = self.known.repositories(&registry.reference().registry, described.digest);
        if self.is_dry {
            return None;
        }
        for from in repositories.into_iter().filter(|from| from != own).take(MOST_MOUNTS) {
            match registry.begin(Some((described.digest, &from))).await {
                Ok(Begun::Mounted) => return Some(from),
                Ok(Begun::At(_)) => {}
                Err(error) => tracing::debug!(%error, from, "could not mount a layer"),
            }
        }
        None
    }

    pub(super) async fn send_layer(&self, registry: &Registry, layer: &Layer, made: &Made) -> Result<(), PushError> {
        let Described { digest, size, .. } = made.described;
        let put = async |url| registry.put_file(url, made.file.path(), size, digest).await;
        // The caller has asked already.
        let doing = format!("send the layer `{}` to", layer.name);
        self.send_blob(registry, &doing, (digest, size), Before::Send, put).await
    }

    /// Sends the configuration of an image, unless the registry has it.
    pub(super) async fn send_document(&self, registry: &Registry, document: &Document) -> Result<(), PushError> {
        let blob = (document.digest, document.bytes.len() as u64);
        let put = async |url| registry.put_bytes(url, &document.bytes, document.digest).await;
        self.send_blob(registry, "send the configuration to", blob, Before::Ask, put).await
    }

    async fn send_blob(
        &self,
        registry: &Registry,
        doing: &str,
        (digest, size): (Digest, u64),
        first: Before,
        put: impl AsyncFn(Url) -> Result<(), Trouble>,
    ) -> Result<(), PushError> {
        let before = Mutex::new(first);
        let attempt = async || {
            let now = *before.lock().unwrap_or_else(PoisonError::into_inner);
            if now == Before::Ask && registry.has_blob(digest, size).await? {
                return Ok(());
            }
            let sent = match registry.begin(None).await? {
                Begun::At(url) => put(url).await,
                Begun::Mounted => Ok(()),
            };
            // After a cut, the registry may have all of it. One that stored something else is not believed.
            let next = if matches!(sent, Err(Trouble::Digest { .. })) { Before::Send } else { Before::Ask };
            *before.lock().unwrap_or_else(PoisonError::into_inner) = next;
            sent
        };
        self.persevere(registry, doing, attempt).await
    }

    pub(super) async fn put_manifest(
        &self,
        registry: &Registry,
        name: &str,
        document: &Document,
    ) -> Result<(), PushError> {
        let target = if name.contains(':') { "the manifest".to_owned() } else { format!("the tag `{name}`") };
        let attempt = async || registry.put_manifest(name, document).await;
        self.persevere(registry, &format!("write {target} of"), attempt).await
    }

    /// Repeats an attempt until it succeeds or another one is pointless.
    pub(super) async fn persevere<T>(
        &self,
        registry: &Registry,
        doing: &str,
        attempt: impl AsyncFn() -> Result<T, Trouble>,
    ) -> Result<T, PushError> {
        let mut failures = 0;
        loop {
            let trouble = match attempt().await {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            failures += 1;
            let Some(pause) = pause_after(&trouble, failures, registry) else {
                let reference = registry.reference();
                let (reference, registry) = (reference.to_string(), reference.registry.clone());
                return Err(PushError::Registry {
                    doing: doing.to_owned(),
                    reference,
                    registry,
                    trouble: Box::new(trouble),
                });
            };
            let what = format!("{doing} {}", registry.reference());
            self.watch.event(Event::Retrying(&what, &trouble.to_string(), pause));
            tokio::time::sleep(pause).await;
        }
    }
}

fn pause_after(trouble: &Trouble, failures: u32, registry: &Registry) -> Option<Duration> {
    let patience = registry.patience();
    let most = match trouble {
        // Once again, since a proxy may have damaged the bytes.
        Trouble::Digest { .. } => 2,
        Trouble::Connect { .. } | Trouble::Stalled => patience.attempts_unanswered,
        _ => patience.attempts,
    };
    if !trouble.is_transient() || failures >= most {
        return None;
    }
    match trouble {
        Trouble::Status { retry_after: Some(asked), .. } => patience.asked_pause(*asked),
        _ => Some(patience.pause(failures)),
    }
}
