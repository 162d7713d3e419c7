//! The work: builds that load the processor, and store paths to download.

use std::{io, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Amount, Kind, MeasureError, server::Server};
use crate::{ending::Folder, nix::command::Nix};

/// A build: a part that no second core helps, and one that up to four cores share. Bundlers and compilers of JavaScript are so.
const SCRIPT: &str = r#"
work() { i=0; while [ "$i" -lt "$1" ]; do i=$((i + 1)); done; }
work $((steps / 3))
cores=$NIX_BUILD_CORES
if [ "$cores" -gt 4 ] || [ "$cores" -lt 1 ]; then cores=4; fi
k=0
while [ "$k" -lt "$cores" ]; do work $((steps * 2 / 3 / cores)) & k=$((k + 1)); done
wait
echo done > "$out"
"#;

/// A scratch folder with stores.
pub(super) struct Workshop<'a> {
    nix: &'a Nix,
    scratch: Folder,
    amount: Amount,
}

/// Work that is ready to run.
pub(super) enum Prepared {
    Builds { expression: String, sandbox_paths: Option<&'static str> },
    Downloads { paths: Vec<String>, server: Server },
}

impl<'a> Workshop<'a> {
    pub(super) fn new(nix: &'a Nix, folder: &Utf8Path, amount: Amount) -> Result<Self, MeasureError> {
        let fail = |source| MeasureError::Folder { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fail)?;
        let scratch = Folder::without_leftovers("splitter-measure-", folder.as_std_path()).map_err(fail)?;
        Ok(Self { nix, scratch, amount })
    }

    fn folder(&self) -> Result<&Utf8Path, MeasureError> {
        let path = self.scratch.path();
        Utf8Path::from_path(path).ok_or_else(|| self.fail(io::ErrorKind::InvalidData.into()))
    }

    fn fail(&self, source: io::Error) -> MeasureError {
        MeasureError::Folder { path: self.scratch.path().to_string_lossy().into_owned().into(), source }
    }

    pub(super) fn prepare(&self, kind: Kind) -> Result<Prepared, MeasureError> {
        match kind {
            Kind::Builds => Ok(Prepared::Builds { expression: self.builds(), sandbox_paths: self.shell()? }),
            Kind::Downloads => {
                let paths = self.source(|store| {
                    let list = format!(
                        "builtins.genList (n: builtins.toFile \"small-${{toString n}}\" \"${{toString n}}\\n\") {}",
                        self.amount.paths
                    );
                    self.nix.scratch_eval(store, &format!("builtins.concatStringsSep \" \" ({list})"))
                })?;
                self.served(paths)
            }
            Kind::Linking => {
                let tree = self.folder()?.join("tree");
                write_tree(&tree, self.amount.files).map_err(|source| self.fail(source))?;
                let paths = self.source(|store| self.nix.scratch_add(store, &tree))?;
                self.served(paths)
            }
        }
    }

    /// Makes store paths, and copies them to a cache in a folder.
    fn source(
        &self,
        make: impl FnOnce(&str) -> Result<String, crate::nix::command::NixError>,
    ) -> Result<Vec<String>, MeasureError> {
        let (store, cache) = (self.folder()?.join("source"), self.folder()?.join("cache"));
        let printed = make(store.as_str())?;
        let paths: Vec<String> = printed.split_whitespace().map(str::to_owned).collect();
        self.nix.scratch_copy(store.as_str(), &format!("file://{cache}?compression=none"), &paths)?;
        Ok(paths)
    }

    fn served(&self, paths: Vec<String>) -> Result<Prepared, MeasureError> {
        let server =
            Server::start(&self.folder()?.join("cache"), self.amount.delay).map_err(|source| self.fail(source))?;
        Ok(Prepared::Downloads { paths, server })
    }

    /// Returns what the sandbox must show for a shell, if the one that Nix was built with is missing on this computer.
    fn shell(&self) -> Result<Option<&'static str>, MeasureError> {
        let known = self.nix.known_settings()?;
        let shell = known
            .settings
            .get("sandbox-paths")
            .and_then(|setting| setting.value.get("/bin/sh")?.get("source")?.as_str());
        let is_missing = shell.is_some_and(|shell| !Utf8Path::new(shell).exists());
        Ok(is_missing.then_some("/bin /usr /lib /lib64?"))
    }

    fn builds(&self) -> String {
        format!(
            "builtins.genList (n: derivation {{ name = \"measure-${{toString n}}\"; system = builtins.currentSystem; \
             builder = \"/bin/sh\"; args = [ \"-c\" {} ]; steps = toString {}; }}) {}",
            nix_text(SCRIPT),
            self.amount.steps,
            self.amount.builds
        )
    }

    /// Does the work in an empty store. Returns when it began, so that the caller stops the time before the store is removed.
    pub(super) fn run(&self, prepared: &Prepared, settings: &[(&str, &str)]) -> Result<Instant, MeasureError> {
        let folder = self.folder()?.to_owned();
        let (store, home) = (folder.join("store"), folder.join("home"));
        let fail = |source| self.fail(source);
        remove(&store).and_then(|()| remove(&home)).map_err(fail)?;
        write_out();
        let start = Instant::now();
        match prepared {
            Prepared::Builds { expression, sandbox_paths } => {
                let mut options = vec![("substitute", "false")];
                options.extend(sandbox_paths.map(|paths| ("sandbox-paths", paths)));
                options.extend(settings);
                self.nix.scratch_build(store.as_str(), &home, &options, &["--impure", "--expr", expression])?;
            }
            Prepared::Downloads { paths, server } => {
                let url = format!("{}?trusted=true", server.url());
                let mut options =
                    vec![("substituters", url.as_str()), ("extra-substituters", ""), ("require-sigs", "false")];
                options.extend(settings);
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                self.nix.scratch_build(store.as_str(), &home, &options, &paths)?;
            }
        }
        Ok(start)
    }
}

impl Drop for Workshop<'_> {
    fn drop(&mut self) {
        // Stores are read-only, which the folder's own removal does not expect.
        for name in ["store", "source"] {
            let _ = Utf8Path::from_path(self.scratch.path()).map(|folder| remove(&folder.join(name)));
        }
    }
}

/// Waits until the disk has what earlier runs left. A run would pay for it otherwise, and each more than the one before.
fn write_out() {
    #[cfg(unix)]
    rustix::fs::sync();
}

/// Writes a tree as an install makes it: many small files, every fourth of them with the same content as another.
fn write_tree(tree: &Utf8Path, files: usize) -> io::Result<()> {
    for number in 0..files {
        let folder = tree.join(format!("package-{}", number / 20));
        if number % 20 == 0 {
            fs::create_dir_all(&folder)?;
        }
        let content =
            if number % 4 == 0 { format!("export {{}};{}\n", " ".repeat(number % 37)) } else { number.to_string() };
        fs::write(folder.join(format!("file-{}.js", number % 20)), content)?;
    }
    Ok(())
}

/// Removes a folder, also one with read-only folders in it.
fn remove(folder: &Utf8Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {}
    }
    make_writable(folder)?;
    fs::remove_dir_all(folder)
}

#[cfg(unix)]
fn make_writable(folder: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let path = Utf8PathBuf::from_path_buf(entry.path()).map_err(|_| io::ErrorKind::InvalidData)?;
            make_writable(&path)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_writable(_: &Utf8Path) -> io::Result<()> {
    Ok(())
}

fn nix_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}
