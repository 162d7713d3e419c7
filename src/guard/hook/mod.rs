//! The git hook: installs it beside existing hooks, removes it, and checks whether it runs.
//!
//! Existing hooks are kept and run. Marks in the changed files let `uninstall` restore them byte for byte.

pub mod lines;
mod place;
mod script;
mod status;

use std::io::{self, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use self::script::{Block, BlockOrigin, KEPT, Parted, insertion};
pub use self::{
    place::{HookPlace, Owner, Tool},
    status::{SKIP, Status, is_found, is_skipped, status},
};
use crate::{
    diagnostic::{Category, Diagnose},
    reading,
    repo::GitError,
    scaffold::files::journal::temporary,
};

/// The hooks to install. An automatic merge runs only the second.
pub const EVENTS: [&str; 2] = ["pre-commit", "pre-merge-commit"];

/// Why the hook could not be installed or removed.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The repository has no working tree, or the answer of git cannot be read.
    #[error("git reports no working tree for this repository")]
    Answer,
    /// A file could not be read or written.
    #[error("could not change `{path}`")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The backup of the old hook already exists.
    #[error("could not rename the existing hook to `{0}`, because that file already exists")]
    Taken(Utf8PathBuf),
}

impl Diagnose for HookError {
    fn category(&self) -> Category {
        match self {
            Self::Git(error) => error.category(),
            Self::File { .. } => Category::Environment,
            Self::Answer | Self::Taken(_) => Category::Input,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Git(error) => error.hints(),
            Self::Taken(path) => vec![format!("move or delete `{path}`, or add the lines by hand")],
            _ => Vec::new(),
        }
    }
}

/// The result of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// These places were changed: files, or keys of git's configuration.
    Written(Vec<String>),
    /// Nothing had to change.
    Unchanged,
    /// A tool manages the hooks. The user must add these lines.
    Print {
        /// The tool or setting that manages the hooks.
        owner: String,
        /// Where the lines go.
        place: String,
        /// The lines.
        lines: String,
    },
}

/// Installs the hook.
pub fn install(place: &HookPlace) -> Result<Done, HookError> {
    match place.owner() {
        Owner::Configuration => configure(place),
        Owner::Folder => install_files(place, &place.hooks, BlockOrigin::NewFile),
        Owner::Husky => install_files(place, &place.husky(), BlockOrigin::NewFile),
        Owner::Tool(tool) => {
            let (target, lines) = lines::of_tool(tool, &place.root);
            Ok(Done::Print { owner: tool.name().to_owned(), place: target, lines })
        }
        Owner::Elsewhere | Owner::Nobody => Ok(elsewhere(place)),
    }
}

/// Returns the lines for hooks outside of this repository. Other repositories may use them, so the user must add the lines.
fn elsewhere(place: &HookPlace) -> Done {
    let folder = if place.has_husky() { place.husky() } else { place.hooks.clone() };
    let owner = match &place.hooks_path {
        Some(path) if !place.has_husky() => format!("core.hooksPath (`{path}`)"),
        _ => format!("`{}` (a link out of this repository)", place.shown(&folder)),
    };
    Done::Print {
        owner,
        place: format!("{} and {}", folder.join(EVENTS[0]), EVENTS[1]),
        lines: Block { origin: BlockOrigin::Lines, roots: vec![place.root.clone()] }.render(EVENTS[0]),
    }
}

/// Removes the hook from all places.
pub fn uninstall(place: &HookPlace) -> Result<Done, HookError> {
    let mut changed = Vec::new();
    let folders = [place.hooks.clone(), place.husky(), place.common.join("hooks")];
    for folder in folders.iter().filter(|folder| place.is_own(folder)) {
        for event in EVENTS {
            let path = folder.join(event);
            if remove_from(place, &path, event)? && !changed.contains(&place.shown(&path)) {
                changed.push(place.shown(&path));
            }
        }
    }
    let section = section(&place.root);
    if place.git.ask(&["config", "--local", "--get", &format!("{section}.command")])?.is_some() {
        place.git.output(&["config", "--local", "--remove-section", &section])?;
        changed.push(section);
    }
    Ok(if changed.is_empty() { Done::Unchanged } else { Done::Written(changed) })
}

/// Returns the section of git's configuration.
fn section(root: &str) -> String {
    if root.is_empty() { "hook.splitter".to_owned() } else { format!("hook.splitter/{root}") }
}

fn configure(place: &HookPlace) -> Result<Done, HookError> {
    let section = section(&place.root);
    let (command, event) = (format!("{section}.command"), format!("{section}.event"));
    let wanted = lines::command(&place.root);
    let found = place.git.ask(&["config", "--local", "--get", &command])?;
    let events = place.git.ask(&["config", "--local", "--get-all", &event])?.unwrap_or_default();
    if found.as_deref() == Some(wanted.as_str()) && events.lines().eq(EVENTS) {
        return Ok(Done::Unchanged);
    }
    if found.is_some() {
        place.git.output(&["config", "--local", "--remove-section", &section])?;
    }
    for value in EVENTS {
        place.git.output(&["config", "--local", "--add", &event, value])?;
    }
    place.git.output(&["config", "--local", &command, &wanted])?;
    Ok(Done::Written(vec![format!("{section} in git's configuration of this repository")]))
}

fn install_files(place: &HookPlace, folder: &Utf8Path, new: BlockOrigin) -> Result<Done, HookError> {
    let is_new = !folder.exists();
    if is_new {
        let fail = |source| HookError::File { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let origin = if is_new { BlockOrigin::NewFolder } else { new };
    let mut written = Vec::new();
    for event in EVENTS {
        let path = folder.join(event);
        if install_file(place, &path, event, origin)? {
            written.push(place.shown(&path));
        }
    }
    Ok(if written.is_empty() { Done::Unchanged } else { Done::Written(written) })
}

/// Adds the lines to one hook. Returns whether it had to change.
fn install_file(place: &HookPlace, path: &Utf8Path, event: &str, new: BlockOrigin) -> Result<bool, HookError> {
    let root = &place.root;
    let block = |origin| Block { origin, roots: vec![root.clone()] };
    let fail = |source| HookError::File { path: path.to_owned(), source };
    let Ok(metadata) = fs::symlink_metadata(path) else {
        write(path, &format!("#!/bin/sh\n{}", block(new).render(event)), None)?;
        return Ok(true);
    };
    let content = reading::bytes(path).map_err(fail)?;
    let text = String::from_utf8_lossy(&content);
    if let Some(Parted { before, block: mut found, after }) = Block::find(&text) {
        if !found.roots.contains(root) {
            found.roots.push(root.clone());
            found.roots.sort();
        }
        let wanted = format!("{before}{}{after}", found.render(event));
        if wanted == text {
            return Ok(false);
        }
        // The lines are in the target of a link, which is not changed. The link is kept and run.
        if metadata.is_file() {
            write(path, &wanted, Some(metadata.permissions()))?;
            return Ok(true);
        }
    }
    if let Some(at) = insertion(&content).filter(|_| metadata.is_file() && runs(&metadata, place)) {
        let lines = block(BlockOrigin::Lines).render(event);
        write(path, &format!("{}{lines}{}", &text[..at], &text[at..]), Some(metadata.permissions()))?;
        return Ok(true);
    }
    let kept = Utf8PathBuf::from(format!("{path}{KEPT}"));
    if fs::symlink_metadata(&kept).is_ok() {
        return Err(HookError::Taken(kept));
    }
    fs::rename(path, &kept).map_err(fail)?;
    write(path, &format!("#!/bin/sh\n{}", block(BlockOrigin::Wrapper).render(event)), None)?;
    Ok(true)
}

/// Removes the lines from one hook. Returns whether it had them. Targets of links are not changed.
fn remove_from(place: &HookPlace, path: &Utf8Path, event: &str) -> Result<bool, HookError> {
    let fail = |source| HookError::File { path: path.to_owned(), source };
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        return Ok(false);
    }
    let Some(text) = place::text(path) else { return Ok(false) };
    let Some(Parted { before, mut block, after }) = Block::find(&text) else { return Ok(false) };
    let permissions = fs::metadata(path).map_err(fail)?.permissions();
    let count = block.roots.len();
    block.roots.retain(|root| *root != place.root);
    if block.roots.len() == count {
        return Ok(false);
    }
    if !block.roots.is_empty() {
        write(path, &format!("{before}{}{after}", block.render(event)), Some(permissions))?;
        return Ok(true);
    }
    let is_ours = block.origin != BlockOrigin::Lines && before == "#!/bin/sh\n" && after.is_empty();
    match block.origin {
        BlockOrigin::Wrapper if is_ours => fs::rename(format!("{path}{KEPT}"), path).map_err(fail)?,
        _ if is_ours => {
            fs::remove_file(path).map_err(fail)?;
            if block.origin == BlockOrigin::NewFolder {
                // This fails, rightly, if the folder has other files.
                let _ = fs::remove_dir(path.parent().unwrap_or(path));
            }
        }
        _ => write(path, &format!("{before}{after}"), Some(permissions))?,
    }
    Ok(true)
}

/// Returns whether git or husky runs a hook with this mode.
#[cfg(unix)]
fn runs(metadata: &std::fs::Metadata, place: &HookPlace) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // husky 9 runs hooks with `sh`, whatever their mode.
    metadata.permissions().mode() & 0o111 != 0 || place.has_husky()
}

#[cfg(not(unix))]
fn runs(_: &std::fs::Metadata, _: &HookPlace) -> bool {
    true
}

/// Writes a script beside its target and renames it, so that a parallel commit runs the old or the new one.
fn write(path: &Utf8Path, text: &str, permissions: Option<std::fs::Permissions>) -> Result<(), HookError> {
    let fail = |source| HookError::File { path: path.to_owned(), source };
    let new = temporary(path);
    // A killed run may have left it.
    let _ = fs::remove_file(&new);
    let written = || -> io::Result<()> {
        let mut file = fs::File::options().write(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        let permissions = permissions.map_or_else(|| executable(file.file()), Ok)?;
        file.set_permissions(permissions)?;
        fs::rename(&new, path)
    };
    written().map_err(|error| {
        let _ = fs::remove_file(&new);
        fail(error)
    })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
fn executable(_: &std::fs::File) -> io::Result<std::fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn executable(file: &std::fs::File) -> io::Result<std::fs::Permissions> {
    Ok(file.metadata()?.permissions())
}
