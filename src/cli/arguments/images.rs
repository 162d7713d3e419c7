//! The arguments of `splitter images`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use crate::split::System;

#[derive(Debug, Args)]
pub(in crate::cli) struct ImagesOptions {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<ImagesCommand>,
    /// Show these images of the flake [default: all images]; compare two commits if a range such as `main..HEAD` is given
    #[arg(value_name = "NAME|FROM..TO", conflicts_with = "plan_files")]
    pub(in crate::cli) words: Vec<String>,
    /// Show this image, as NAME does (repeatable); for an image with the name of a command, such as `push`
    #[arg(long = "image", value_name = "NAME", conflicts_with = "plan_files")]
    pub(in crate::cli) images: Vec<String>,
    /// Show which layers an edit of this file sends again (path from the root of the repository)
    ///
    /// splitter edits the file in a copy of the repository, and builds the images again.
    #[arg(long, value_name = "PATH", conflicts_with = "plan_files")]
    pub(in crate::cli) edit: Option<Utf8PathBuf>,
    /// Read the plan of an image from this file instead of building it (repeatable, one for each platform)
    #[arg(long = "plan", value_name = "FILE")]
    pub(in crate::cli) plan_files: Vec<Utf8PathBuf>,
    /// Build the images for this system (repeatable) [default: Linux on this machine's processor]
    #[arg(long = "system", value_name = "SYSTEM", conflicts_with = "plan_files")]
    pub(in crate::cli) systems: Vec<System>,
    /// Write a picture of the layers to this file: SVG, or HTML if it ends in .html
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<Utf8PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS", conflicts_with = "plan_files")]
    pub(in crate::cli) nix_options: Vec<String>,
}

/// Options that add labels to images.
#[derive(Debug, Args)]
pub(in crate::cli) struct LabelOptions {
    /// Add a label to the configuration of the image (repeatable)
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    pub(in crate::cli) labels: Vec<(String, String)>,
    /// Add neither the commit nor its time
    ///
    /// Without this option, each commit gives the image another digest, even if all layers stay the same.
    #[arg(long)]
    pub(in crate::cli) no_git_labels: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !key.contains(char::is_control) => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("expected `KEY=VALUE`, such as `org.opencontainers.image.vendor=Acme`".to_owned()),
    }
}

/// Options that choose images.
#[derive(Debug, Args)]
pub(in crate::cli) struct PlanOptions {
    /// Use these images of the flake [default: all images]
    #[arg(value_name = "NAME", conflicts_with = "plan_files")]
    pub(in crate::cli) names: Vec<String>,
    /// Read the plan of an image from this file instead of building it (repeatable, one for each platform)
    #[arg(long = "plan", value_name = "FILE")]
    pub(in crate::cli) plan_files: Vec<Utf8PathBuf>,
    /// Build the images for this system (repeatable) [default: Linux on this machine's processor]
    ///
    /// With several systems, an image gets an index that names one image for each.
    #[arg(long = "system", value_name = "SYSTEM", conflicts_with = "plan_files")]
    pub(in crate::cli) systems: Vec<System>,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS", conflicts_with = "plan_files")]
    pub(in crate::cli) nix_options: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImagesCommand {
    /// Send images to a registry, and print their digests
    ///
    /// stdout gets one line for each image, such as `registry.example/acme/web@sha256:…`, and nothing else. A layer that the registry has is
    /// not even made if this machine made it before. Tags are written at the very end. Credentials come from `docker login` and
    /// `podman login`.
    #[command(after_help = examples! {
        "splitter images push" => "Send all images to the registries that their options name",
        "splitter images push web --to registry.example/acme/web:v1 --tag latest" => "Send the image `web` with two tags",
    })]
    Push(ImagesPushOptions),
    /// Write an image to a folder, as an OCI layout
    #[command(after_help = examples! {
        "splitter images write web image" => "Write the image `web` to the folder `image`",
        "splitter images write --plan result image && skopeo inspect oci:image" => "Write it from a plan, and look at it",
    })]
    Write(ImagesWriteOptions),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImagesPushOptions {
    #[command(flatten)]
    pub(in crate::cli) plans: PlanOptions,
    /// Send to this repository; with a `/` at the end, to the repository of each image's name below it
    ///
    /// [default: the registry in the options of the image]. Registries are reached by HTTPS; those on this machine by HTTP.
    #[arg(long, value_name = "REGISTRY/REPO[:TAG]")]
    pub(in crate::cli) to: Option<String>,
    /// Write this tag (repeatable) [default: the tag in the options of the image, or else 12 digits of the digest]
    #[arg(long = "tag", value_name = "TAG")]
    pub(in crate::cli) tags: Vec<String>,
    /// Compress layers with this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LayerCompression::Gzip)]
    pub(in crate::cli) compression: LayerCompression,
    #[command(flatten)]
    pub(in crate::cli) labels: LabelOptions,
    /// Send nothing, and show what would be sent
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImagesWriteOptions {
    /// The image of the flake, unless `--plan` is given; then the folder to write. An OCI layout that is there is replaced
    #[arg(value_name = "NAME|DIR", required = true, num_args = 1..=2)]
    pub(in crate::cli) words: Vec<String>,
    /// Read the plan of the image from this file instead of building it (repeatable, one for each platform)
    #[arg(long = "plan", value_name = "FILE")]
    pub(in crate::cli) plan_files: Vec<Utf8PathBuf>,
    /// Build the image for this system (repeatable) [default: Linux on this machine's processor]
    #[arg(long = "system", value_name = "SYSTEM", conflicts_with = "plan_files")]
    pub(in crate::cli) systems: Vec<System>,
    /// Note this tag in the layout [default: the tag in the options of the image, or else 12 digits of the digest]
    #[arg(long, value_name = "TAG")]
    pub(in crate::cli) tag: Option<String>,
    /// Compress layers with this format
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LayerCompression::Gzip)]
    pub(in crate::cli) compression: LayerCompression,
    #[command(flatten)]
    pub(in crate::cli) labels: LabelOptions,
    /// Options for all nix commands, such as `--override-input nixpkgs FLAKE`
    #[arg(last = true, value_name = "NIX-OPTIONS", conflicts_with = "plan_files")]
    pub(in crate::cli) nix_options: Vec<String>,
}

/// Formats of compressed layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LayerCompression {
    /// gzip, which everything reads
    #[default]
    Gzip,
    /// zstd: smaller and faster; Docker reads it since version 23
    Zstd,
    /// No compression
    None,
}

impl From<LayerCompression> for crate::image::Compression {
    fn from(chosen: LayerCompression) -> Self {
        match chosen {
            LayerCompression::Gzip => Self::Gzip,
            LayerCompression::Zstd => Self::Zstd,
            LayerCompression::None => Self::None,
        }
    }
}
