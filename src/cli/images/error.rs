//! Errors of choosing images.

use camino::Utf8PathBuf;

use super::labels::TIME;
use crate::{
    diagnostic::{Category, Diagnose, Location},
    image::{PlanError, store::STORE_VARIABLE},
    names::RECORD,
    proof::Place,
};

/// Why images cannot be chosen.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImagesError {
    /// A plan is not valid.
    #[error("{source}")]
    Plan { path: Utf8PathBuf, source: PlanError },
    /// The flake has no such image.
    #[error("image `{name}` not found in the flake; it has {}", list(known))]
    Unknown { name: String, known: Vec<String> },
    /// The flake has no image at all.
    #[error("the flake has no images for {system}")]
    NoImages { system: String },
    /// Nix printed something else than expected.
    #[error("unexpected output of `nix eval`: expected the names of images")]
    Answer,
    /// A commit has a record that does not match its lockfile.
    #[error("in {0}: `{RECORD}` is missing or stale, so its images cannot be built")]
    StaleCommit(Place),
    /// An edited file is not in the repository.
    #[error("`--edit {0}` is outside the repository; expected a path from the root of the repository")]
    Outside(Utf8PathBuf),
    /// More than one range, or a range and an edit.
    #[error("expected one range of commits or one edit, found `{first}` and `{second}`")]
    TwoChanges { first: String, second: String },
    /// The variable for the time holds something else.
    #[error("`{TIME}` is not a number of seconds since 1970: `{0}`")]
    Time(String),
    /// An image has the name of a subcommand.
    #[error("the flake has an image named `{0}`, so `images {0}` could mean to show it or to send all images")]
    NamedAsCommand(String),
    /// The picture could not be written.
    #[error("could not write `{path}`")]
    Write { path: Utf8PathBuf, source: std::io::Error },
    /// The variable holds no folder.
    #[error("`{STORE_VARIABLE}` is not an absolute folder: `{0}`")]
    Store(String),
    /// The plan names no registry, and neither does the user.
    #[error("no registry for the image `{0}`")]
    NoRegistry(String),
    /// One repository for several images.
    #[error("`--to {to}` names one repository, but there are {count} images")]
    OneRepository { to: String, count: usize },
    /// A tag has other characters than registries allow.
    #[error("`{0}` is not a tag: expected letters, digits, `_`, `.` and `-`, at most 128")]
    Tag(String),
    /// A layout holds one image.
    #[error("expected one image to write, found {}", list(found))]
    SeveralImages { found: Vec<String> },
    /// `write` got other words than a name and a folder.
    #[error("expected {expected}, found `{}`", found.join(" "))]
    Words { expected: &'static str, found: Vec<String> },
}

/// Returns a reference without its tag. The port of a registry is not a tag.
fn without_tag(reference: &str) -> &str {
    reference.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(reference, |(folder, _)| folder)
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

impl Diagnose for ImagesError {
    fn category(&self) -> Category {
        match self {
            Self::Answer | Self::Write { .. } => Category::Environment,
            _ => Category::Input,
        }
    }

    fn location(&self) -> Option<Location> {
        match self {
            Self::Plan { path, source: PlanError::Syntax { position, .. } } => {
                Some(Location::at(path.clone(), *position))
            }
            Self::Plan { path, .. } => Some(Location::file(path.clone())),
            _ => None,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Plan { source, .. } => source.hints(),
            Self::NoRegistry(name) => {
                vec![format!("add `--to REGISTRY/{name}`, or set the registry in the options of the image")]
            }
            Self::OneRepository { to, .. } => {
                let folder = without_tag(to);
                vec![format!("end it with a `/`: `--to {folder}/`, and give the tag by `--tag`; or name one image")]
            }
            Self::StaleCommit(_) => vec!["compare commits whose `splitter check` passes".to_owned()],
            Self::NamedAsCommand(name) => vec![
                format!(
                    "run `splitter images {name} {name}` to send it, and `splitter images --image {name}` to show it"
                ),
                format!("name the images to send: `splitter images {name} web`"),
            ],
            Self::NoImages { .. } => {
                vec!["run `splitter scan` to see what is built; images are for servers, programs and sites".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_tag;

    #[test]
    fn a_tag_is_no_part_of_a_folder() {
        assert_eq!(without_tag("localhost:5000/acme:v1"), "localhost:5000/acme");
        assert_eq!(without_tag("localhost:5000/acme"), "localhost:5000/acme");
    }
}
