//! The lock set: every file that an install reads, each with a digest of the content that matters.
//!
//! `check` compares these digests with the recorded ones. The content is normalised first. So a change that no install can
//! see makes nothing stale: formatting, scripts, the version of a workspace in the lockfile, a token.

use std::collections::{BTreeMap, BTreeSet};

use crate::split::{
    SplitError, Workspaces, manifest_path,
    workspaces::{links::Links, manifest::digest_of},
};
use crate::{
    lockfile::{Format, Lockfile, Resolution},
    managers::{ManagerName, OwnFiles},
    repo::{EntryKind, RepoPath, Tree, is_lfs_pointer, through_links},
    secrets,
};

/// The files of the lock set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockSet {
    /// Digest of each file, `blake3-<hexadecimal>`.
    pub files: BTreeMap<RepoPath, String>,
    /// Files and folders that an install reads unchanged: patches, local tarballs, `file:` folders.
    pub local: BTreeSet<RepoPath>,
    /// The rc files, reduced as in the Nix files. Files without any relevant setting are excluded.
    pub settings: BTreeMap<RepoPath, String>,
}

impl LockSet {
    /// Collects the lock set.
    pub(in crate::split) fn collect(
        tree: &dyn Tree,
        lockfile: &Lockfile,
        workspaces: &Workspaces,
        links: &Links,
        patches: &BTreeSet<RepoPath>,
        own: &OwnFiles,
    ) -> Result<Self, SplitError> {
        let mut set = Self::default();
        set.add(RepoPath::root().child(lockfile.format.file()), &lockfile.digest);
        for (folder, manifest) in workspaces.iter().chain(&links.manifests) {
            let digest =
                if folder.is_root() { digest_of(&manifest.normalised_root(workspaces)) } else { manifest.digest() };
            set.add(manifest_path(folder), &digest);
        }
        set.add_rc_files(tree, lockfile.format)?;
        set.add_own_files(tree, own)?;
        set.add_patches(tree, lockfile, workspaces)?;
        for folder in patches {
            set.add_folder(tree, folder, "a script that runs `patch-package`")?;
        }
        set.add_local_packages(tree, lockfile)?;
        Ok(set)
    }

    fn add(&mut self, path: RepoPath, digest: &str) {
        self.files.insert(path, format!("blake3-{digest}"));
    }

    fn add_rc_files(&mut self, tree: &dyn Tree, format: Format) -> Result<(), SplitError> {
        for file in ManagerName::from(format).manager().settings_files() {
            let path = RepoPath::root().child(file.name);
            if let Some(text) = crate::repo::read_text(tree, &path)? {
                self.add(path.clone(), blake3::hash((file.normalise)(&text)?.as_bytes()).to_hex().as_str());
                let kept = (file.as_in_nix)(&text)?;
                if !kept.is_empty() {
                    secrets::refuse_in(file.name, &kept, &text)?;
                    self.settings.insert(path, kept);
                }
            }
        }
        Ok(())
    }

    /// Adds the package manager's own files: its program, its plugins and a committed cache. The names in the cache are enough,
    /// since they hold checksums.
    fn add_own_files(&mut self, tree: &dyn Tree, own: &OwnFiles) -> Result<(), SplitError> {
        if let Some(path) = &own.program {
            self.add_file(tree, path.clone(), "the path of Yarn in the rc file")?;
        }
        for path in &own.plugins {
            self.add_file(tree, path.clone(), "`plugins` of `.yarnrc.yml`")?;
        }
        if let Some(cache) = &own.cache {
            self.add(cache.folder.clone(), &cache.digest());
            self.local.insert(cache.folder.clone());
            let has_lfs = uses_lfs(tree)?;
            if let Some(zip) = cache.first().filter(|_| has_lfs)
                && is_lfs_pointer(&tree.read(&zip)?.unwrap_or_default())
            {
                return Err(SplitError::LfsPointer { path: zip, by: "the committed cache of Yarn".to_owned() });
            }
        }
        Ok(())
    }

    fn add_patches(&mut self, tree: &dyn Tree, lockfile: &Lockfile, workspaces: &Workspaces) -> Result<(), SplitError> {
        let mut patches: BTreeMap<RepoPath, String> = BTreeMap::new();
        for (package, path) in &lockfile.patches {
            patches.insert(path.clone(), format!("the patched package `{package}` in `{}`", lockfile.format.file()));
        }
        for (package, path) in &workspaces[&RepoPath::root()].patches {
            let wrong = |reason| SplitError::PatchPath { package: package.clone(), path: path.clone(), reason };
            let by = format!("`patchedDependencies` of `package.json` for `{package}`");
            patches.entry(path.parse().map_err(wrong)?).or_insert(by);
        }
        for (path, by) in patches {
            self.add_file(tree, path, &by)?;
        }
        Ok(())
    }

    fn add_local_packages(&mut self, tree: &dyn Tree, lockfile: &Lockfile) -> Result<(), SplitError> {
        for package in &lockfile.packages {
            let by = || format!("package `{}` in `{}`", package.key, lockfile.format.file());
            match &package.resolution {
                Resolution::LocalTarball(path) | Resolution::Generated(path) => {
                    self.add_file(tree, path.clone(), &by())?;
                }
                Resolution::Folder(path) => self.add_folder(tree, path, &by())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn add_file(&mut self, tree: &dyn Tree, path: RepoPath, by: &str) -> Result<(), SplitError> {
        let Some(bytes) = tree.read(&path)? else { return Err(SplitError::Missing { path, by: by.to_owned() }) };
        if is_lfs_pointer(&bytes) {
            return Err(SplitError::LfsPointer { path, by: by.to_owned() });
        }
        self.add(path.clone(), &digest_of_file(&bytes));
        self.add_local(tree, path)
    }

    fn add_folder(&mut self, tree: &dyn Tree, folder: &RepoPath, by: &str) -> Result<(), SplitError> {
        if !self.add_files_below(tree, folder, by)? {
            return Err(SplitError::Missing { path: folder.clone(), by: by.to_owned() });
        }
        self.add_local(tree, folder.clone())
    }

    /// Adds a file or folder with the links that it lies behind: Nix copies links as they are.
    fn add_local(&mut self, tree: &dyn Tree, path: RepoPath) -> Result<(), SplitError> {
        self.local.extend(through_links(tree, &path)?);
        self.local.insert(path);
        Ok(())
    }

    /// Adds all files below a folder. Returns whether it found any.
    fn add_files_below(&mut self, tree: &dyn Tree, folder: &RepoPath, by: &str) -> Result<bool, SplitError> {
        let mut found = false;
        for entry in tree.list(folder)? {
            let path = folder.child(&entry.name);
            match entry.kind {
                EntryKind::Folder if entry.name == "node_modules" || entry.name == ".git" => {}
                EntryKind::Folder => found |= self.add_files_below(tree, &path, by)?,
                EntryKind::File => {
                    found = true;
                    let bytes = tree.read(&path)?.unwrap_or_default();
                    if is_lfs_pointer(&bytes) {
                        return Err(SplitError::LfsPointer { path, by: by.to_owned() });
                    }
                    self.add(path, &digest_of_file(&bytes));
                }
                EntryKind::Link => {}
            }
        }
        Ok(found)
    }
}

/// Whether attributes at the root name Git LFS. Without them, reading a zip on every check would be for nothing.
fn uses_lfs(tree: &dyn Tree) -> Result<bool, SplitError> {
    let attributes = tree.read(&RepoPath::root().child(".gitattributes"))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&attributes).contains("filter=lfs"))
}

/// Returns the digest of a file that installs read unchanged. In text files `\r\n` counts as `\n`, as git stores it, so a
/// checkout with `core.autocrlf` has the same digest. As in git, a file with a zero byte is not text.
fn digest_of_file(bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    if bytes.contains(&0) {
        hasher.update(bytes);
    } else {
        let mut rest = bytes;
        while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
            hasher.update(&rest[..at]);
            rest = &rest[at + 1..];
        }
        hasher.update(rest);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{managers::bun::lockfile as bun, repo::MemoryTree, split::workspaces};

    fn collected(files: &[(&str, &str)], packages: &str) -> Result<LockSet, SplitError> {
        let lock = format!(
            r#"{{"lockfileVersion": 1, "packages": {{{packages}}}, "patchedDependencies": {{"x@1.0.0": "patches/x.patch"}}}}"#
        );
        let tree = MemoryTree::new(files.iter().copied());
        LockSet::collect(
            &tree,
            &bun::parse(&lock).unwrap(),
            &workspaces::read(&tree)?,
            &Links::default(),
            &BTreeSet::new(),
            &OwnFiles::default(),
        )
    }

    const FILES: [(&str, &str); 7] = [
        ("package.json", r#"{"workspaces": ["a"], "patchedDependencies": {"x@1.0.0": "patches/x.patch"}}"#),
        ("a/package.json", "{}"),
        ("patches/x.patch", "diff"),
        ("vendor/t.tgz", "bytes"),
        ("lib/f/package.json", "{}"),
        ("lib/f/index.js", ""),
        ("bunfig.toml", "[install]\nlinker = \"hoisted\"\n"),
    ];
    const PACKAGES: &str = r#""t": ["t@vendor/t.tgz", {}], "f": ["f@file:lib/f", {}]"#;

    #[test]
    fn it_holds_every_file_that_an_install_reads() {
        let set = collected(&FILES, PACKAGES).unwrap();
        let paths: Vec<_> = set.files.keys().map(RepoPath::as_str).collect();
        assert_eq!(
            paths,
            [
                "a/package.json",
                "bun.lock",
                "bunfig.toml",
                "lib/f/index.js",
                "lib/f/package.json",
                "package.json",
                "patches/x.patch",
                "vendor/t.tgz"
            ]
        );
        let local: Vec<_> = set.local.iter().map(RepoPath::as_str).collect();
        assert_eq!(local, ["lib/f", "patches/x.patch", "vendor/t.tgz"]);
        assert!(set.files.values().all(|digest| digest.len() == "blake3-".len() + 64));
    }

    #[test]
    fn a_folder_may_be_two_packages() {
        let packages = r#""f": ["f@file:lib/f", {}], "g": ["g@file:lib/f", {}], "t": ["t@vendor/t.tgz", {}]"#;
        assert_eq!(collected(&FILES, packages).unwrap().local, collected(&FILES, PACKAGES).unwrap().local);
    }

    #[test]
    fn a_patch_outside_the_repository_is_refused_as_one() {
        let mut files = FILES;
        files[0].1 = r#"{"patchedDependencies": {"y@1.0.0": "../y.patch"}}"#;
        assert_eq!(
            collected(&files, PACKAGES).unwrap_err().to_string(),
            "wrong path `../y.patch` for the patch of `y@1.0.0`: path leaves the repository"
        );
    }

    #[test]
    fn a_file_that_is_named_but_not_there_is_an_error() {
        let without: Vec<_> = FILES.iter().copied().filter(|(path, _)| *path != "vendor/t.tgz").collect();
        assert_eq!(
            collected(&without, PACKAGES).unwrap_err().to_string(),
            "`vendor/t.tgz` is missing; package `t` in `bun.lock` refers to it"
        );
    }

    #[test]
    fn line_ends_of_a_text_are_no_difference_and_bytes_are() {
        let digest = digest_of_file;
        assert_eq!(digest(b"a\r\nb\r\n\r\n"), digest(b"a\nb\n\n"));
        assert_ne!(digest(b"a\rb"), digest(b"ab"));
        assert_ne!(digest(b"a\0\r\nb"), digest(b"a\0\nb"));
        assert_eq!(digest(b"a\nb"), blake3::hash(b"a\nb").to_hex().as_str());
    }
}
