//! Why a workflow cannot be written or checked.

use std::io;

use crate::{
    caches::Address,
    ci::Provider,
    diagnostic::{Category, Diagnose},
    system::System,
};

#[derive(Debug, thiserror::Error)]
pub(super) enum CiError {
    #[error("the CI system of this repository is not known: it has no files of one, and no remote with its name")]
    NoProvider,
    #[error("`flake.nix` is missing at the root of the repository")]
    NoFlake,
    #[error("no workflow of splitter in this repository")]
    NotWritten,
    #[error("the {what} `{text}` has characters that a workflow cannot have")]
    NotPlain { what: &'static str, text: String },
    #[error("`{address}` names its server as the configuration of attic does, which no job has")]
    NoHost { address: Address },
    #[error("`--github-output` needs the variable GITHUB_OUTPUT, which names a file")]
    NoOutputFile,
    #[error("could not write to `{path}`")]
    Output { path: String, source: io::Error },
    #[error("`--runner` names {system}, which the workflow does not build for; it builds for {}", names(chosen))]
    OtherRunner { system: System, chosen: Vec<System> },
    #[error("only GitHub has the store cache that was chosen")]
    StoreCache,
    #[error("the images of {} reach the job that sends them only through a cache", names(systems))]
    ImagesNeedCache { systems: Vec<System> },
    #[error("no system of the workflow is Linux, and container images are for Linux")]
    NoImages,
    #[error("the jobs of {} have no token for a registry", provider.name())]
    NoToken { provider: Provider },
}

fn names(systems: &[System]) -> String {
    systems.iter().map(|system| system.name()).collect::<Vec<_>>().join(" and ")
}

impl Diagnose for CiError {
    fn category(&self) -> Category {
        match self {
            Self::NoOutputFile | Self::Output { .. } => Category::Environment,
            _ => Category::Input,
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::OtherRunner { system, .. } => return vec![format!("add `--system {system}`, or remove the runner")],
            Self::NoProvider => "add `--provider github`, `gitlab`, `forgejo` or `buildkite`",
            Self::NoFlake => "run `splitter init`: the jobs evaluate the flake",
            Self::NotWritten => "run `splitter ci init`",
            Self::NotPlain { .. } => "use letters, digits and any of `._-/:@?&=+%,~`",
            Self::NoHost { .. } => "name the server by its host: `attic:HOST/NAME`",
            Self::NoOutputFile => "GitHub sets it in each step; elsewhere, use `--format`",
            Self::Output { .. } => return Vec::new(),
            Self::StoreCache => "remove `--store-cache`, and name a binary cache with `--cache`",
            Self::ImagesNeedCache { .. } => {
                "name a binary cache with `--cache`, or build for one Linux with `--system`"
            }
            Self::NoImages => "add `--system x86_64-linux` or `--system aarch64-linux`",
            Self::NoToken { .. } => "remove `--registry-token`, and set REGISTRY_USER and REGISTRY_PASSWORD",
        };
        vec![hint.to_owned()]
    }
}
