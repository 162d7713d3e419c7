//! Removes temporary folders of runs that were killed.
//!
//! A run holds a lock on each of its folders. The system releases it when the run ends, in any way. A folder of the same
//! user that nobody has locked is a leftover.

use std::{fs::File, io, path::Path};

/// Removes a folder, also one with read-only folders, such as those of a Nix store.
pub(crate) fn remove_all(folder: &Path) -> io::Result<()> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_writable(folder);
            fs_err::remove_dir_all(folder)
        }
        result => result,
    }
}

/// Makes folders writable for their owner. Links are not followed.
#[cfg(unix)]
fn make_writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        // A failure is reported by the removal.
        let _ = fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o700));
        let entries = fs_err::read_dir(&folder).into_iter().flatten().flatten();
        left.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
}

#[cfg(not(unix))]
fn make_writable(_: &Path) {}

/// Locks a folder. On a system or file system without such locks there is none, and nothing is removed either.
#[cfg(unix)]
pub(super) fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock().is_ok().then_some(file)
}

#[cfg(not(unix))]
pub(super) fn lock(_: &Path) -> Option<File> {
    None
}

/// The number of random characters at the end of a name.
pub(super) const RANDOM: usize = 12;

/// Removes the unlocked folders in `parent` whose names are those of [`super::Folder::new`]. A failure is ignored:
/// other users have folders there too.
#[cfg(unix)]
pub(super) fn remove(prefix: &str, parent: &Path) {
    let Ok(entries) = fs_err::read_dir(parent) else { return };
    for entry in entries.flatten().filter(|entry| is_name(entry.file_name().as_encoded_bytes(), prefix)) {
        let is_left = entry.metadata().is_ok_and(|metadata| is_own_folder(&metadata) && !is_new(&metadata));
        if is_left && lock(&entry.path()).is_some() {
            let _ = remove_all(&entry.path());
        }
    }
}

/// Whether a run gives such names. People name folders `splitter-demo-2`, and those stay.
#[cfg(unix)]
fn is_name(name: &[u8], prefix: &str) -> bool {
    let random = name.strip_prefix(prefix.as_bytes()).unwrap_or_default();
    random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(not(unix))]
pub(super) fn remove(_: &str, _: &Path) {}

/// Whether it is a folder of this user.
#[cfg(unix)]
fn is_own_folder(metadata: &std::fs::Metadata) -> bool {
    metadata.is_dir() && std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

/// Whether a run may have created the folder just now, and not locked it yet.
#[cfg(unix)]
fn is_new(metadata: &std::fs::Metadata) -> bool {
    const MOMENT: std::time::Duration = std::time::Duration::from_millis(100);
    metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age < MOMENT))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_runs_are_removed() {
        assert!(is_name(b"splitter-demo-aB3aB3aB3aB3", "splitter-demo-"));
        for other in ["splitter-demo-", "splitter-demo-2", "splitter-demo-my-own-notes", "xsplitter-demo-aB3aB3aB3aB3"]
        {
            assert!(!is_name(other.as_bytes(), "splitter-demo-"), "{other}");
        }
    }
}
