//! Sending images to a registry, and only what the registry lacks.
//!
//! Layers go first, then configurations, then manifests under their digests, and the tags at the very end. So whatever fails,
//! no tag names an image that is not whole. For each layer, the cheapest way that works is taken:
//!
//! 1. An earlier run made it, and the registry says that it has it: nothing is read.
//! 2. An earlier run sent it to another repository of the registry: the registry takes it from there.
//! 3. It is made, and sent if the registry lacks it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;

mod error;
mod steps;

pub use error::PushError;

use super::{
    compression::Compression,
    digest::Digest,
    known::Known,
    layer::{Described, Made, Remembered, key, make},
    manifest::{Document, Documents, documents, index, tag_of},
    plan::{Layer, Plan},
    registry::{Count, Registry},
    store::Store,
    tar::TarError,
};

/// Layers that are worked on at once. One of them is made, on all cores, while others are sent.
const AT_ONCE: usize = 4;

/// How a layer got into the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was there, and was not even made.
    Known,
    /// It was there. It had to be made to know.
    Present,
    /// The registry took it from this repository.
    Mounted(String),
    /// It was sent.
    Sent,
    /// It would be sent.
    Lacking,
}

/// What happens during a push.
#[derive(Debug)]
pub enum Event<'a> {
    /// A layer is made.
    Making(&'a Layer),
    /// A layer is sent.
    Sending(&'a Layer, u64),
    /// A layer is done.
    Done(&'a Plan, &'a Layer, Described, &'a Fate),
    /// Something failed, and is tried again after a pause.
    Retrying(&'a str, &'a str, Duration),
}

/// Hears of the progress of a push.
pub trait Watch: Count {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// What all pushes of a run share.
pub struct Session {
    /// The store.
    pub store: Store,
    /// How layers are compressed.
    pub compression: Compression,
    /// What earlier runs left.
    pub known: Known,
    /// Whether nothing is sent.
    pub is_dry: bool,
    /// Hears of the progress.
    pub watch: Arc<dyn Watch>,
    making: Semaphore,
}

/// The result of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest, or of the index.
    pub digest: Digest,
    /// The tags.
    pub tags: Vec<String>,
    /// Whether the registry had everything, tags included.
    pub was_there: bool,
    /// The number of bytes of layers that were sent, or would be.
    pub sent: u64,
}

impl Session {
    /// Creates a session that sends.
    pub fn new(store: Store, compression: Compression, known: Known, watch: Arc<dyn Watch>) -> Self {
        Self { store, compression, known, is_dry: false, watch, making: Semaphore::new(1) }
    }

    /// Sends an image: one plan for each platform. Without tags, the digest gives one.
    pub async fn push(&self, registry: &Registry, plans: &[Plan], tags: &[String]) -> Result<Pushed, PushError> {
        refuse_same_platforms(plans)?;
        if let Some((whole, tags)) = self.documents_of_known(plans).map(|(_, whole)| tags_for(whole, tags))
            && self.has_tags(registry, &whole, &tags).await?
        {
            return Ok(Pushed { digest: whole.digest, tags, was_there: true, sent: 0 });
        }
        let (mut images, mut sent) = (Vec::new(), 0);
        for plan in plans {
            let layers = self.layers(registry, plan).await?;
            let lacking = layers.iter().flatten().filter(|(_, fate)| matches!(fate, Fate::Sent | Fate::Lacking));
            sent += lacking.map(|(described, _)| described.size).sum::<u64>();
            let layers: Vec<_> = layers.into_iter().map(|layer| layer.map(|(described, _)| described)).collect();
            images.push(documents(plan, &layers, self.compression));
        }
        let (whole, tags) = tags_for(whole(&images), tags);
        if !self.is_dry {
            for image in &images {
                self.send_document(registry, &image.config).await?;
            }
            for manifest in images.iter().map(|image| &image.manifest).chain((images.len() > 1).then_some(&whole)) {
                self.put_manifest(registry, &manifest.digest.to_string(), manifest).await?;
            }
            for tag in &tags {
                self.put_manifest(registry, tag, &whole).await?;
            }
        }
        Ok(Pushed { digest: whole.digest, tags, was_there: false, sent })
    }

    /// Returns the documents, if earlier runs made all layers.
    fn documents_of_known(&self, plans: &[Plan]) -> Option<(Vec<Documents>, Document)> {
        let known = |layer: &Layer| self.known.layer(key(layer, &self.store, self.compression));
        let image = |plan: &Plan| {
            let layers = plan.layers.iter().map(known).collect::<Option<Vec<_>>>()?;
            let layers: Vec<_> = layers.into_iter().map(Remembered::described).collect();
            Some(documents(plan, &layers, self.compression))
        };
        let images = plans.iter().map(image).collect::<Option<Vec<_>>>()?;
        let whole = whole(&images);
        Some((images, whole))
    }

    async fn has_tags(&self, registry: &Registry, whole: &Document, tags: &[String]) -> Result<bool, PushError> {
        for tag in tags {
            let found =
                self.persevere(registry, "ask for the tag of", async || registry.manifest_digest(tag).await).await?;
            if found != Some(whole.digest) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Brings the layers of a plan into the registry, several at once.
    async fn layers(&self, registry: &Registry, plan: &Plan) -> Result<Vec<Option<(Described, Fate)>>, PushError> {
        let mut work = stream::iter(&plan.layers)
            .map(async |layer| {
                let done = self.layer(registry, plan, layer).await?;
                if let Some((described, fate)) = &done {
                    if !self.is_dry {
                        let (name, repository) = (&registry.reference().registry, &registry.reference().repository);
                        self.known.remember_repository(name, described.digest, repository);
                    }
                    self.watch.event(Event::Done(plan, layer, *described, fate));
                }
                Ok::<_, PushError>(done)
            })
            .buffered(AT_ONCE);
        let mut layers = Vec::new();
        while let Some(layer) = work.next().await {
            layers.push(layer?);
        }
        Ok(layers)
    }

    async fn layer(
        &self,
        registry: &Registry,
        plan: &Plan,
        layer: &Layer,
    ) -> Result<Option<(Described, Fate)>, PushError> {
        let key = key(layer, &self.store, self.compression);
        match self.known.layer(key) {
            Some(Remembered::Empty) => return Ok(None),
            Some(Remembered::Made(described)) => {
                if self.has_blob(registry, layer, described).await? {
                    return Ok(Some((described, Fate::Known)));
                }
                if let Some(from) = self.mount(registry, described).await {
                    return Ok(Some((described, Fate::Mounted(from))));
                }
            }
            None => {}
        }
        let Some(made) = self.make(plan, layer).await? else {
            self.known.remember_layer(key, Remembered::Empty);
            return Ok(None);
        };
        let described = made.described;
        self.known.remember_layer(key, Remembered::Made(described));
        if self.has_blob(registry, layer, described).await? {
            return Ok(Some((described, Fate::Present)));
        }
        if let Some(from) = self.mount(registry, described).await {
            return Ok(Some((described, Fate::Mounted(from))));
        }
        if self.is_dry {
            return Ok(Some((described, Fate::Lacking)));
        }
        self.watch.event(Event::Sending(layer, described.size));
        self.send_layer(registry, layer, &made).await?;
        Ok(Some((described, Fate::Sent)))
    }

    /// Makes a layer. One at a time, since each uses all cores.
    async fn make(&self, plan: &Plan, layer: &Layer) -> Result<Option<Made>, PushError> {
        // The semaphore is never closed.
        let _turn = self.making.acquire().await;
        self.watch.event(Event::Making(layer));
        let (store, compression, folder) = (self.store.clone(), self.compression, self.known.cache().clone());
        let owned = layer.clone();
        let work = tokio::task::spawn_blocking(move || make(&owned, &store, compression, folder.tmp()));
        let made = work.await.unwrap_or_else(|error| Err(TarError::Io(std::io::Error::other(error))));
        made.map_err(|source| PushError::Layer {
            image: plan.name.clone(),
            layer: layer.name.clone(),
            source: Box::new(source),
        })
    }
}

/// Returns the manifest of a single image, or the index of several.
fn whole(images: &[Documents]) -> Document {
    match images {
        [image] => image.manifest.clone(),
        images => index(images),
    }
}

fn tags_for(whole: Document, tags: &[String]) -> (Document, Vec<String>) {
    let tags = if tags.is_empty() { vec![tag_of(&whole)] } else { tags.to_vec() };
    (whole, tags)
}

fn refuse_same_platforms(plans: &[Plan]) -> Result<(), PushError> {
    let mut seen = BTreeSet::new();
    match plans.iter().find(|plan| !seen.insert(&plan.platform)) {
        Some(plan) => Err(PushError::SamePlatform { image: plan.name.clone(), platform: plan.platform.clone() }),
        None => Ok(()),
    }
}
