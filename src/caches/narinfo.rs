//! What a cache says of a store path: [`NarInfo`], and who signed it.

use std::{collections::BTreeSet, fmt};

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};

use super::{
    PublicKey,
    item::{Item, store_of},
};
use crate::nix::base32;

/// The largest answer that is read, in bytes. The closure of a large system has some thousand references.
pub const MOST: u64 = 8 << 20;
/// The number of bytes of a sha256 hash.
const HASH_LENGTH: usize = 32;

/// The sha256 hash of an archive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; HASH_LENGTH]);

/// What a cache says of a store path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The folder of the store.
    pub store: String,
    /// The store path.
    pub item: Item,
    /// The address of the archive, relative to the cache. Empty if a store has no archives.
    pub url: String,
    /// The size of the archive as the cache keeps it.
    pub file_size: Option<u64>,
    /// The hash of the archive without compression.
    pub nar_hash: Hash,
    /// The size of the archive without compression.
    pub nar_size: u64,
    /// The store paths that it refers to, perhaps itself.
    pub references: BTreeSet<Item>,
    /// The signatures.
    pub signatures: Vec<Signature>,
    /// How its content decides its path, if it does.
    pub content_address: Option<String>,
}

/// A signature with the name of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub key: String,
    bytes: Vec<u8>,
}

/// Whether Nix would take a path, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// A trusted key signed it.
    Signed(String),
    /// Its content decides its path, so it needs no signature.
    ContentAddressed,
    /// The address of the cache says that its paths need no signature.
    Unchecked,
    /// Nobody signed it.
    Unsigned,
    /// Only these keys signed it, and none of them is trusted.
    Foreign(Vec<String>),
    /// The signature of a trusted key does not fit.
    Wrong(String),
}

/// Why a text is not a narinfo.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NarInfoError {
    /// A line has no `: `.
    #[error("expected `Field: value`, found `{0}`")]
    Line(String),
    /// A field is missing.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field has a wrong value.
    #[error("the field `{field}` has the wrong value `{value}`")]
    Value {
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
    },
}

impl Trust {
    /// Whether Nix takes the path.
    pub fn is_enough(&self) -> bool {
        matches!(self, Self::Signed(_) | Self::ContentAddressed | Self::Unchecked)
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed(key) => write!(f, "signed by {key}"),
            Self::ContentAddressed => f.write_str("needs no signature, because its content decides its path"),
            Self::Unchecked => f.write_str("needs no signature, because the address of the cache says so"),
            Self::Unsigned => f.write_str("has no signature"),
            Self::Foreign(keys) => write!(f, "signed only by {}, which is no trusted key", keys.join(", ")),
            Self::Wrong(key) => write!(f, "has a wrong signature of {key}"),
        }
    }
}

impl Hash {
    /// Reads `sha256:` with 52 digits of base 32 or 64 of base 16, or `sha256-` with base 64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = match text.strip_prefix("sha256:") {
            Some(digits) if digits.len() == 2 * HASH_LENGTH => HEXLOWER.decode(digits.as_bytes()).ok()?,
            Some(digits) => base32::decode(digits).ok()?,
            None => BASE64.decode(text.strip_prefix("sha256-")?.as_bytes()).ok()?,
        };
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", base32::encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Reads a narinfo. Unknown fields are ignored, as Nix does.
pub fn parse(text: &str) -> Result<NarInfo, NarInfoError> {
    let mut fields = Fields::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        fields.take(line)?;
    }
    fields.finish()
}

/// The fields of a narinfo, as far as they were read.
#[derive(Default)]
struct Fields {
    path: Option<(String, Item)>,
    url: Option<String>,
    file_size: Option<u64>,
    nar_hash: Option<Hash>,
    nar_size: Option<u64>,
    references: BTreeSet<Item>,
    signatures: Vec<Signature>,
    content_address: Option<String>,
}

impl Fields {
    fn take(&mut self, line: &str) -> Result<(), NarInfoError> {
        // A field without a value may lose its space on the way.
        let split = line.split_once(':').map(|(field, value)| (field, value.trim()));
        let (field, value) = split.ok_or_else(|| NarInfoError::Line(shown(line)))?;
        let wrong = |field| NarInfoError::Value { field, value: shown(value) };
        let number = |field| value.parse::<u64>().map_err(|_| wrong(field));
        match field {
            "StorePath" => self.path = Some(store_path(value).ok_or_else(|| wrong("StorePath"))?),
            "URL" => self.url = Some(value.to_owned()),
            "FileSize" => self.file_size = Some(number("FileSize")?).filter(|size| *size > 0),
            "NarHash" => self.nar_hash = Some(Hash::parse(value).ok_or_else(|| wrong("NarHash"))?),
            "NarSize" => self.nar_size = Some(number("NarSize")?),
            "References" => self.references = items(value).ok_or_else(|| wrong("References"))?,
            "Sig" => self.signatures.push(signature(value).ok_or_else(|| wrong("Sig"))?),
            "CA" if !value.is_empty() => self.content_address = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<NarInfo, NarInfoError> {
        let (store, item) = self.path.ok_or(NarInfoError::Missing("StorePath"))?;
        Ok(NarInfo {
            store,
            item,
            url: self.url.filter(|url| !url.is_empty()).ok_or(NarInfoError::Missing("URL"))?,
            file_size: self.file_size,
            nar_hash: self.nar_hash.ok_or(NarInfoError::Missing("NarHash"))?,
            nar_size: self.nar_size.ok_or(NarInfoError::Missing("NarSize"))?,
            references: self.references,
            signatures: self.signatures,
            content_address: self.content_address,
        })
    }
}

/// Returns the start of a text of a server, for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

fn store_path(text: &str) -> Option<(String, Item)> {
    Some((store_of(text)?.to_owned(), text.parse().ok()?))
}

fn items(text: &str) -> Option<BTreeSet<Item>> {
    text.split_ascii_whitespace().map(|item| item.parse().ok()).collect()
}

/// Reads a signature, `key:base64`. Its length is checked with the key.
pub fn signature(text: &str) -> Option<Signature> {
    let (key, encoded) = text.split_once(':')?;
    let bytes = BASE64.decode(encoded.as_bytes()).ok()?;
    (!key.is_empty()).then(|| Signature { key: key.to_owned(), bytes })
}

impl NarInfo {
    /// Returns the text that is signed.
    pub fn fingerprint(&self) -> String {
        let references: Vec<String> = self.references.iter().map(|item| item.in_store(&self.store)).collect();
        let path = self.item.in_store(&self.store);
        format!("1;{path};{};{};{}", self.nar_hash, self.nar_size, references.join(","))
    }

    /// Decides whether Nix would take the path with these trusted keys.
    pub fn trust(&self, keys: &[PublicKey]) -> Trust {
        if self.is_content_addressed() {
            return Trust::ContentAddressed;
        }
        let fingerprint = self.fingerprint();
        let mut wrong = None;
        for signature in &self.signatures {
            let known: Vec<&PublicKey> = keys.iter().filter(|key| key.name() == signature.key).collect();
            if known.iter().any(|key| signature.fits(key, &fingerprint)) {
                return Trust::Signed(signature.key.clone());
            }
            if !known.is_empty() {
                wrong = Some(signature.key.clone());
            }
        }
        match wrong {
            Some(key) => Trust::Wrong(key),
            None if self.signatures.is_empty() => Trust::Unsigned,
            None => Trust::Foreign(self.signatures.iter().map(|signature| signature.key.clone()).collect()),
        }
    }

    /// Whether the path is the one that its content address gives. Only then it needs no signature.
    fn is_content_addressed(&self) -> bool {
        let Some(address) = &self.content_address else { return false };
        let others: Vec<String> =
            self.references.iter().filter(|item| **item != self.item).map(|item| item.in_store(&self.store)).collect();
        let has_itself = others.len() < self.references.len();
        let hash = addressed(&self.store, self.item.name(), address, &others, has_itself);
        hash.is_some_and(|hash| hash == self.item.hash())
    }
}

/// Returns the store path that a content address gives a path without references, such as a fixed output.
pub(super) fn addressed_item(store: &str, name: &str, address: &str) -> Option<Item> {
    format!("{}-{name}", addressed(store, name, address, &[], false)?).parse().ok()
}

/// Returns the hash of the path that a content address gives, by Nix's rules for store paths.
fn addressed(store: &str, name: &str, address: &str, others: &[String], has_itself: bool) -> Option<String> {
    let references: String = others.iter().map(|path| format!(":{path}")).collect();
    let itself = if has_itself { ":self" } else { "" };
    if let Some(hash) = address.strip_prefix("text:") {
        return Some(folded(&format!("text{references}"), &hex_of(hash)?, store, name));
    }
    let fixed = address.strip_prefix("fixed:")?;
    if let Some(hash) = fixed.strip_prefix("r:").filter(|hash| hash.starts_with("sha256:")) {
        return Some(folded(&format!("source{references}{itself}"), &hex_of(hash)?, store, name));
    }
    let (method, hash) = fixed.strip_prefix("r:").map_or(("", fixed), |hash| ("r:", hash));
    let (algorithm, _) = hash.split_once(':')?;
    let described = format!("fixed:out:{method}{algorithm}:{}:", hex_digits(hash)?);
    let inner = HEXLOWER.encode(&Sha256::digest(described.as_bytes()));
    // Only paths without references have such an address.
    (others.is_empty() && !has_itself).then(|| folded("output:out", &inner, store, name))
}

fn folded(kind: &str, hash: &str, store: &str, name: &str) -> String {
    let described = format!("{kind}:sha256:{hash}:{store}:{name}");
    let mut folded = [0_u8; 20];
    for (index, byte) in Sha256::digest(described.as_bytes()).iter().enumerate() {
        folded[index % 20] ^= byte;
    }
    base32::encode(&folded)
}

/// Returns the base 16 digits of `sha256:` with base 32.
fn hex_of(hash: &str) -> Option<String> {
    hash.strip_prefix("sha256:").and_then(|_| hex_digits(hash))
}

/// Returns the base 16 digits of `<algorithm>:<base 32>`.
fn hex_digits(hash: &str) -> Option<String> {
    let (_, digits) = hash.split_once(':')?;
    Some(HEXLOWER.encode(&base32::decode(digits).ok()?))
}

impl Signature {
    fn fits(&self, key: &PublicKey, fingerprint: &str) -> bool {
        UnparsedPublicKey::new(&ED25519, key.bytes()).verify(fingerprint.as_bytes(), &self.bytes).is_ok()
    }
}

#[cfg(test)]
mod tests;
