//! The error of a push.

use crate::{
    diagnostic::{Category, Diagnose},
    fetch::{CacheError, ClientError},
    image::{plan::Platform, registry::Trouble, tar::TarError},
};

/// Why an image could not be sent. Nothing is tagged then.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// A layer could not be made.
    #[error("cannot make the layer `{layer}` of `{image}`")]
    Layer {
        /// The name of the image.
        image: String,
        /// The name of the layer.
        layer: String,
        /// The reason.
        source: Box<TarError>,
    },
    /// The registry did not take something.
    #[error("cannot {doing} `{reference}`: {trouble}")]
    Registry {
        /// What was done: `send the layer X to`.
        doing: String,
        /// The repository.
        reference: String,
        /// The registry.
        registry: String,
        /// The reason.
        trouble: Box<Trouble>,
    },
    /// The HTTP client could not be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Two plans are for the same platform.
    #[error("two plans of the image `{image}` are for {platform}")]
    SamePlatform {
        /// The name of the image.
        image: String,
        /// The platform.
        platform: Platform,
    },
}

impl Diagnose for PushError {
    fn category(&self) -> Category {
        match self {
            Self::Layer { source, .. } => source.category(),
            Self::Registry { .. } => Category::Environment,
            Self::Client(error) => error.category(),
            Self::Cache(error) => error.category(),
            Self::SamePlatform { .. } => Category::Input,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Layer { source, .. } => source.hints(),
            Self::Registry { trouble, registry, .. } => trouble.hints(registry),
            Self::Client(error) => error.hints(),
            Self::Cache(error) => error.hints(),
            Self::SamePlatform { .. } => vec!["give one plan for each system".to_owned()],
        }
    }
}
