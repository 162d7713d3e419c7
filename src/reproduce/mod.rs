//! Compares two builds of the same output: which files differ, what differs inside of them, and why.
//!
//! The files come from builds, so anybody who can change a package can choose their content. Every reader has limits of size,
//! of entries and of depth, and a file that it cannot read is compared as bytes.
//!
//! | module | contains |
//! | --- | --- |
//! | [`tree`] | walks two folders, pairs their files |
//! | [`content`] | chooses the reader for two files |
//! | [`found`] | the limits, and the details that readers find |
//! | [`excerpt`] | the parts of two texts that differ, with some text around them |
//! | [`text`], [`json`] with [`key_order`], [`gzip`], [`archive`], [`zip`], [`tarball`], [`elf`], [`binary`] | one format each |
//! | [`cause`] | known causes and their remedies, from `causes.json` |
//! | [`known`] | the differences that `splitter.json` allows |

mod archive;
mod binary;
pub mod cause;
mod content;
mod elf;
mod excerpt;
mod found;
mod gzip;
mod json;
mod key_order;
pub mod known;
mod tarball;
mod text;
mod tree;
mod zip;

pub use self::content::compare_bytes;
pub use self::{
    cause::Cause,
    excerpt::Excerpt,
    found::{Detail, What},
    tree::{Difference, Kind, Trees, compare},
};
