//! `patch:` descriptors. Yarn makes their locators anew in each install, from the patched package and the patch files.

use serde::Serialize;
use sha2::{Digest as _, Sha512};

use super::resolver::Resolver;
use crate::{
    lockfile::{Resolution, split_name},
    managers::yarn_berry::lockfile::reference::Reference,
    repo::{RepoPath, read_text},
    split::{SplitError, lock::drift::Drift},
};

/// Whether a `patch:` names a file relative to the package that asks for it.
pub(super) fn has_relative_file(range: &str, is_old: bool) -> bool {
    let Some(reference) = range.starts_with("patch:").then(|| Reference::parse(range)).flatten() else { return false };
    let is_relative = |path: &str| {
        let path = path.rsplit('!').next().unwrap_or(path);
        let path = if is_old { path.strip_prefix('~').unwrap_or(path) } else { path };
        let is_built_in = path.starts_with("builtin<") && path.ends_with('>');
        !is_built_in && !path.starts_with('/') && (is_old || !path.starts_with("~/"))
    };
    reference.source.is_some() && reference.selector.split('&').filter(|path| !path.is_empty()).any(is_relative)
}

/// Returns the folder of the workspace that a local locator is bound to.
pub(super) fn folder_of_parent(locator: &str) -> Option<RepoPath> {
    let reference = Reference::parse(split_name(locator)?.1)?;
    let parent = reference.binding("locator")?;
    let parent = Reference::parse(split_name(&parent)?.1)?;
    (parent.protocol == Some("workspace:")).then(|| RepoPath::root().resolve(&parent.selector).ok())?
}

/// Returns the entry of a patched package, unless the patched package or the files differ from those of its locator.
pub(super) fn checked(resolver: &mut Resolver<'_>, range: &str, index: usize) -> Result<Option<usize>, SplitError> {
    let project = resolver.project;
    let package = &project.lockfile.packages[index];
    let locked = split_name(&package.key).and_then(|(_, reference)| Reference::parse(reference));
    let (Some(wanted), Some(locked)) = (Reference::parse(range), locked) else { return Ok(None) };
    let Some(source) = &wanted.source else { return Ok(None) };
    let Some(source) = resolver.source_of_patch(source)? else { return Ok(None) };
    let (of, entry) = (&project.lockfile.packages[source], &project.locked.entries[source]);
    let is_workspace = matches!(of.resolution, Resolution::Workspace(_));
    if locked.source.as_deref() != Some(of.key.as_str())
        || locked.selector != wanted.selector
        || (!is_workspace && locked.binding("version").as_deref() != Some(entry.version.as_str()))
    {
        return Ok(None);
    }
    let Resolution::Patched { files, .. } = &package.resolution else { return Ok(Some(index)) };
    let patches = wanted.selector.split('&').filter(|patch| !patch.is_empty()).count();
    // The texts of built-in patches are in Yarn.
    if files.is_empty() || files.len() < patches {
        return Ok(Some(index));
    }
    let mut texts = Vec::new();
    for file in files {
        // A missing file is reported where the files of the lock set are read.
        let Some(text) = read_text(project.tree, file)? else { return Ok(Some(index)) };
        texts.push(text);
    }
    let locked_hash = locked.binding("hash");
    if let (Some(found), Some(locked)) = (hash(&texts), locked_hash.as_deref())
        && found != locked
    {
        resolver.add(Drift::setting(&files[0], "hash", Some(&found), Some(locked)));
    }
    Ok(Some(index))
}

/// Returns the hash of patches in a locator. Returns `None` for patches that are valid for some versions only, or that Yarn
/// would refuse.
fn hash(texts: &[String]) -> Option<String> {
    let mut hasher = Sha512::new_with_prefix("3");
    for text in texts {
        for part in parts(&text.replace("\r\n", "\n").replace('\r', "\n"))? {
            hasher.update(serde_json::to_string(&part).ok()?);
        }
    }
    Some(data_encoding::HEXLOWER.encode(&hasher.finalize())[..6].to_owned())
}

/// A change of a file, with the fields in the order in which Yarn hashes them.
#[derive(Serialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Part {
    #[serde(rename = "rename")]
    Rename { from_path: String, to_path: String },
    #[serde(rename = "file deletion")]
    Deletion { hunk: Option<Hunk>, path: String, mode: u32, hash: Option<String> },
    #[serde(rename = "file creation")]
    Creation { hunk: Option<Hunk>, path: String, mode: u32, hash: Option<String> },
    #[serde(rename = "mode change")]
    Mode { path: String, old_mode: u32, new_mode: u32 },
    #[serde(rename = "patch")]
    Patch { path: String, hunks: Vec<Hunk>, before_hash: Option<String>, after_hash: Option<String> },
}

#[derive(Serialize)]
struct Hunk {
    header: Header,
    parts: Vec<HunkPart>,
}

#[derive(Serialize)]
struct Header {
    original: Span,
    patched: Span,
}

#[derive(Serialize)]
struct Span {
    start: u64,
    length: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HunkPart {
    r#type: &'static str,
    lines: Vec<String>,
    no_newline_at_end_of_file: bool,
}

/// The headers of a file in a patch.
#[derive(Default)]
struct File {
    has_semver: bool,
    diff_from: Option<String>,
    diff_to: Option<String>,
    old_mode: Option<String>,
    new_mode: Option<String>,
    deleted_mode: Option<String>,
    created_mode: Option<String>,
    rename_from: Option<String>,
    rename_to: Option<String>,
    before: Option<String>,
    after: Option<String>,
    from: Option<String>,
    to: Option<String>,
    hunks: Option<Vec<Hunk>>,
}

/// Reads a patch as `parsePatchFile` of Yarn does.
fn parts(text: &str) -> Option<Vec<Part>> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.last() == Some(&"") {
        lines.pop();
    }
    let mut parts = Vec::new();
    for file in files(&lines)? {
        add_parts(file, &mut parts)?;
    }
    (!parts.is_empty()).then_some(parts)
}

fn files(lines: &[&str]) -> Option<Vec<File>> {
    let (mut files, mut file, mut in_hunks, mut index) = (Vec::new(), File::default(), false, 0);
    while index < lines.len() {
        let line = lines[index];
        index += 1;
        if !in_hunks {
            if line.starts_with("@@") {
                in_hunks = true;
                file.hunks = Some(Vec::new());
                index -= 1;
            } else {
                if line.starts_with("diff --git ") && file.diff_from.is_some() {
                    files.push(std::mem::take(&mut file));
                }
                header(&mut file, line)?;
            }
            continue;
        }
        let hunks = file.hunks.get_or_insert_default();
        let kind = match line.as_bytes().first() {
            Some(b'@') => {
                hunks.push(Hunk { header: hunk_header(line)?, parts: Vec::new() });
                continue;
            }
            Some(b'\\') => {
                line.starts_with("\\ No newline at end of file").then_some(())?;
                hunks.last_mut()?.parts.last_mut()?.no_newline_at_end_of_file = true;
                continue;
            }
            Some(b'-') => "deletion",
            Some(b'+') => "insertion",
            Some(b' ') | None => "context",
            Some(_) => {
                in_hunks = false;
                files.push(std::mem::take(&mut file));
                index -= 1;
                continue;
            }
        };
        let parts = &mut hunks.last_mut()?.parts;
        if parts.last().is_none_or(|last| last.r#type != kind) {
            parts.push(HunkPart { r#type: kind, lines: Vec::new(), no_newline_at_end_of_file: false });
        }
        parts.last_mut()?.lines.push(line.get(1..).unwrap_or_default().to_owned());
    }
    files.push(file);
    Some(files)
}

fn header(file: &mut File, line: &str) -> Option<()> {
    let after = |length: usize| Some(line.get(length..).unwrap_or_default().trim().to_owned());
    if let Some(rest) = line.strip_prefix("diff --git a/") {
        let (from, to) = rest.split_once(" b/")?;
        (file.diff_from, file.diff_to) = (Some(from.to_owned()), Some(to.trim_end().to_owned()));
    } else if line.starts_with("diff --git ") {
        return None;
    } else if line.starts_with("old mode ") {
        file.old_mode = after(9);
    } else if line.starts_with("new mode ") {
        file.new_mode = after(9);
    } else if line.starts_with("deleted file mode ") {
        file.deleted_mode = after(18);
    } else if line.starts_with("new file mode ") {
        file.created_mode = after(14);
    } else if line.starts_with("rename from ") {
        file.rename_from = after(12);
    } else if line.starts_with("rename to ") {
        file.rename_to = after(10);
    } else if let Some(rest) = line.strip_prefix("index ") {
        let word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let (before, rest) = rest.split_once("..").unwrap_or_default();
        let after = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        if !before.is_empty() && !after.is_empty() && word(before) {
            (file.before, file.after) = (Some(before.to_owned()), Some(after.to_owned()));
        }
    } else if line.starts_with("semver exclusivity ") {
        file.has_semver = true;
    } else if line.starts_with("--- ") {
        file.from = after(6);
    } else if line.starts_with("+++ ") {
        file.to = after(6);
    }
    Some(())
}

/// Reads `@@ -1,2 +3,4 @@`.
fn hunk_header(line: &str) -> Option<Header> {
    let (original, rest) = line.trim().strip_prefix("@@ -")?.split_once(" +")?;
    let (patched, _) = rest.split_once(" @@")?;
    let span = |text: &str| {
        let (start, length) = text.split_once(',').unwrap_or((text, "1"));
        Some(Span { start: start.parse::<u64>().ok()?.max(1), length: length.parse().ok()? })
    };
    Some(Header { original: span(original)?, patched: span(patched)? })
}

fn add_parts(file: File, parts: &mut Vec<Part>) -> Option<()> {
    if file.has_semver {
        return None;
    }
    let mut hunks = file.hunks.unwrap_or_default();
    let mut first = || if hunks.is_empty() { None } else { Some(hunks.remove(0)) };
    let target = if let Some(from) = file.rename_from {
        let to = file.rename_to?;
        parts.push(Part::Rename { from_path: relative(&from)?, to_path: relative(&to)? });
        Some(to)
    } else if let Some(deleted) = file.deleted_mode {
        let path = relative(&file.diff_from.or(file.from)?)?;
        parts.push(Part::Deletion { hunk: first(), path, mode: mode(&deleted)?, hash: file.before });
        return Some(());
    } else if let Some(created) = file.created_mode {
        let path = relative(&file.diff_to.or(file.to)?)?;
        parts.push(Part::Creation { hunk: first(), path, mode: mode(&created)?, hash: file.after });
        return Some(());
    } else {
        file.to.or(file.diff_to)
    };
    let Some(target) = target.filter(|target| !target.is_empty()) else { return Some(()) };
    let path = relative(&target)?;
    if let (Some(old), Some(new)) = (&file.old_mode, &file.new_mode)
        && old != new
    {
        parts.push(Part::Mode { path: path.clone(), old_mode: mode(old)?, new_mode: mode(new)? });
    }
    if !hunks.is_empty() {
        parts.push(Part::Patch { path, hunks, before_hash: file.before, after_hash: file.after });
    }
    Some(())
}

/// Returns a path without `.` and `..`.
fn relative(path: &str) -> Option<String> {
    RepoPath::root().resolve(path.trim_start_matches('/')).ok().map(|path| path.as_str().to_owned())
}

/// Yarn knows two modes.
fn mode(text: &str) -> Option<u32> {
    let mode = u32::from_str_radix(text, 8).ok()? & 0o777;
    (mode == 0o644 || mode == 0o755).then_some(mode)
}
