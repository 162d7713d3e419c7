//! [`Fields`].

use camino::Utf8Path;
use fs_err as fs;
use url::Url;

/// A digest over texts, each with its length, so that no two lists are the same.
#[derive(Default)]
pub(super) struct Fields(blake3::Hasher);

impl Fields {
    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// What a file holds, wherever it lies; its path if it cannot be read.
    pub(super) fn file(&mut self, path: &Utf8Path) {
        match fs::read(path) {
            Ok(bytes) => self.bytes(&bytes),
            Err(_) => self.text(path.as_str()),
        }
    }

    /// A proxy's URL without its password.
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
