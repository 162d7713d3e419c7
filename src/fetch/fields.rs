//! A digest over a list of texts: [`Fields`].

use camino::Utf8Path;
use url::Url;

use crate::reading;

/// A digest over texts. Each text is hashed with its length, so different lists give different digests.
#[derive(Default)]
pub(super) struct Fields(blake3::Hasher);

impl Fields {
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Adds the content of a file, not its path. Adds the path if the file cannot be read.
    pub(super) fn file(&mut self, path: &Utf8Path) {
        match reading::bytes(path) {
            Ok(bytes) => self.bytes(&bytes),
            Err(_) => self.text(path.as_str()),
        }
    }

    /// Adds the URL of a proxy without its password.
    pub(super) fn proxy(&mut self, text: &str) {
        match Url::parse(text) {
            Ok(mut url) if url.password().is_some() => {
                let _ = url.set_password(None);
                self.text(url.as_str());
            }
            _ => self.text(text),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    pub(super) fn finish(&self) -> blake3::Hash {
        self.0.finalize()
    }
}
