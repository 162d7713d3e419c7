//! The single steps of a push, each with its retries.

use std::time::Duration;

use super::{Described, Event, Layer, Made, PushError, Registry, Session};
use crate::image::{
    manifest::Document,
    registry::{Begun, Trouble},
};

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

    /// Lets the registry take a layer from another repository that this machine sent it to. Returns that repository. A failure
    /// is none: the layer is sent then.
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
        let attempts = std::sync::atomic::AtomicUsize::new(0);
        let attempt = async || {
            // After a cut, the registry may have all of it.
            let is_again = attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0;
            if is_again && registry.has_blob(digest, size).await? {
                return Ok(());
            }
            match registry.begin(None).await? {
                Begun::At(url) => registry.put_file(url, made.file.path(), size, digest).await,
                Begun::Mounted => Ok(()),
            }
        };
        self.persevere(registry, &format!("send the layer `{}` to", layer.name), attempt).await
    }

    /// Sends the configuration of an image, unless the registry has it.
    pub(super) async fn send_document(&self, registry: &Registry, document: &Document) -> Result<(), PushError> {
        let attempt = async || {
            if registry.has_blob(document.digest, document.bytes.len() as u64).await? {
                return Ok(());
            }
            match registry.begin(None).await? {
                Begun::At(url) => registry.put_bytes(url, &document.bytes, document.digest).await,
                Begun::Mounted => Ok(()),
            }
        };
        self.persevere(registry, "send the configuration to", attempt).await
    }

    pub(super) async fn put_manifest(
        &self,
        registry: &Registry,
        name: &str,
        document: &Document,
    ) -> Result<(), PushError> {
        let what = if name.contains(':') { "the manifest".to_owned() } else { format!("the tag `{name}`") };
        let attempt = async || registry.put_manifest(name, document).await;
        self.persevere(registry, &format!("write {what} of"), attempt).await
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
                return Err(PushError::Registry { doing: doing.to_owned(), reference, registry, trouble });
            };
            self.watch.event(Event::Retrying(doing, &trouble.to_string(), pause));
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
