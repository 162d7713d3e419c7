//! Reads `package.json` from a package's tarball.
//!
//! An npm tarball has one top folder, usually `package`, with `package.json` in it. Reading stops after that file.

use std::{io::Read as _, ops::ControlFlow};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::MultiGzDecoder;
use fs_err as fs;

use super::archive::{ArchiveError, members};

/// The largest part of a manifest that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// The most bytes of an unpacked tarball that are searched. A few kilobytes can unpack to many gigabytes.
const MOST_UNPACKED: u64 = 2 << 30;

/// Why the manifest of a tarball cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The archive cannot be read.
    #[error("`{path}` is not a package tarball: {source}")]
    Archive {
        /// The file in the cache.
        path: Utf8PathBuf,
        /// What was wrong.
        source: ArchiveError,
    },
    /// The archive has no `package.json`.
    #[error("`{0}` has no package.json")]
    Absent(Utf8PathBuf),
    /// The `package.json` is not JSON.
    #[error("cannot read the package.json in `{path}`: {source}")]
    Json {
        /// The file in the cache.
        path: Utf8PathBuf,
        /// What was wrong.
        source: serde_json::Error,
    },
}

/// Reads `package.json` from the tarball at `path`.
pub fn manifest_in_tarball(path: &Utf8Path) -> Result<serde_json::Value, ManifestError> {
    let wrong = |source| ManifestError::Archive { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(|error| wrong(error.into()))?;
    let unpacked = MultiGzDecoder::new(std::io::BufReader::new(file)).take(MOST_UNPACKED);
    let mut text = None;
    members::each(unpacked, |member| {
        if !is_manifest(&member.path) {
            return Ok(ControlFlow::Continue(()));
        }
        member.data.take(LONGEST).read_to_end(text.insert(Vec::new()))?;
        Ok(ControlFlow::Break(()))
    })
    .map_err(wrong)?;
    let text = text.ok_or_else(|| ManifestError::Absent(path.to_owned()))?;
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
    serde_json::from_slice(text).map_err(|source| ManifestError::Json { path: path.to_owned(), source })
}

/// Whether an entry is `package.json` in the top folder.
fn is_manifest(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    parts.next().is_some() && parts.next() == Some(b"package.json") && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tarball(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            archive.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(&file, flate2::Compression::fast());
        gzip.write_all(&archive.into_inner().unwrap()).unwrap();
        gzip.finish().unwrap();
        file
    }

    fn read(files: &[(&str, &str)]) -> Result<serde_json::Value, ManifestError> {
        let file = tarball(files);
        manifest_in_tarball(Utf8Path::from_path(file.path()).unwrap())
    }

    #[test]
    fn the_manifest_lies_in_the_folder_at_the_root_whatever_its_name() {
        let other = ("package/lib/package.json", "{}");
        let manifest = read(&[other, ("package/package.json", "\u{feff}{\"os\": [\"linux\"]}")]).unwrap();
        assert_eq!(manifest["os"][0], "linux");
        assert!(read(&[("./x-1.0/package.json", "{}")]).is_ok());
    }

    #[test]
    fn what_is_no_package_is_an_error() {
        assert!(matches!(read(&[("package/a.js", "")]), Err(ManifestError::Absent(_))));
        assert!(matches!(read(&[("package/package.json", "{")]), Err(ManifestError::Json { .. })));
        let text = tempfile::NamedTempFile::new().unwrap();
        fs::write(text.path(), "no archive").unwrap();
        let error = manifest_in_tarball(Utf8Path::from_path(text.path()).unwrap()).unwrap_err();
        assert!(matches!(error, ManifestError::Archive { .. }));
    }
}
