//! Searches the programs of a workspace for files outside it that they read: the root's `package.json`, and `.env` files.

use super::{
    ProgramSearch, Search, environment,
    root_manifest::{Place, names_root},
};
use crate::{
    names::MANIFEST,
    parallel,
    repo::{EntryKind, RepoPath, Tree},
    split::{SplitError, manifest_path, sources::source_filter::SourceFilter},
};

/// Endings of files that can read another file.
const PROGRAMS: [&str; 13] =
    ["astro", "cjs", "cts", "js", "jsx", "mdx", "mjs", "mts", "sh", "svelte", "ts", "tsx", "vue"];

/// Folders that builds write by custom. If git ignores them, nothing in them is read.
const OUTPUTS: [&str; 6] = ["build", "dist", "lib", "out", "public", "storybook-static"];

/// The size in bytes from which a file is data or was generated.
const LARGE: usize = 1 << 20;

/// Adds the files that the programs of the workspace read. `filter` says which files are sources.
pub(super) fn search(search: &mut Search<'_, '_>, filter: &SourceFilter) -> Result<(), SplitError> {
    let root = search.finder.workspaces.get(&RepoPath::root());
    let root_name = root.map_or("", |manifest| manifest.name.as_str()).to_owned();
    let mut files = Vec::new();
    collect(search, filter, &search.own.clone(), &mut files)?;
    let (tree, own) = (search.finder.tree, search.own);
    let texts = parallel::map(&files, |path| text(tree, path));
    let texts = texts.into_iter().zip(&files).filter_map(|(text, path)| Some((text?, path)));
    let texts: Vec<(String, &RepoPath)> = texts.collect();
    let has_alias = texts.iter().any(|(text, path)| is_configuration(path) && names_root(text, path));
    let manifests = [own, &RepoPath::root()].map(|path| search.finder.workspaces.get(path));
    let place = Place { own, root_name: &root_name, has_alias, manifests };
    let manifest = manifest_path(&RepoPath::root());
    for (text, path) in texts.iter().filter(|(_, path)| !is_json(path)) {
        let folder = path.parent();
        let reads_manifest = !search.found.contains(&manifest) && place.is_read_by(text, &folder);
        let may_read = environment::may_read(text);
        if !(reads_manifest || may_read) || search.finder.is_ignored(path)? {
            continue;
        }
        if reads_manifest {
            search.found.insert(manifest.clone());
        }
        if may_read {
            environment::add(search, text, &folder)?;
        }
    }
    Ok(())
}

/// Collects the programs and TypeScript configurations in a folder of the workspace.
fn collect(
    search: &mut Search<'_, '_>,
    filter: &SourceFilter,
    folder: &RepoPath,
    files: &mut Vec<RepoPath>,
) -> Result<(), SplitError> {
    let is_whole = search.finder.programs == ProgramSearch::Whole;
    for entry in search.finder.tree.list(folder)? {
        let path = folder.child(&entry.name);
        let inner = path.below(search.own).unwrap_or_default();
        match entry.kind {
            EntryKind::File if is_wanted(&entry.name) && filter.rule(inner).is_none() => files.push(path),
            EntryKind::Folder if is_whole && !search.finder.workspaces.contains_key(&path) => {
                let is_source = filter.rule(&format!("{inner}/x")).is_none();
                let is_output = OUTPUTS.contains(&entry.name.as_str()) && search.finder.is_ignored(&path)?;
                if is_source && !is_output {
                    collect(search, filter, &path, files)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn is_program(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    PROGRAMS.contains(&ending)
}

fn is_wanted(name: &str) -> bool {
    is_program(name) || is_ts_config(name)
}

fn has_ending(path: &str, ending: &str) -> bool {
    camino::Utf8Path::new(path).extension() == Some(ending)
}

fn is_ts_config(name: &str) -> bool {
    (name.starts_with("tsconfig") || name.starts_with("jsconfig")) && has_ending(name, "json")
}

fn is_json(path: &RepoPath) -> bool {
    has_ending(path.as_str(), "json")
}

fn is_configuration(path: &RepoPath) -> bool {
    is_ts_config(path.file_name()) || path.file_name().contains(".config.")
}

/// The text of a program. A file that is no text reads nothing.
fn text(tree: &dyn Tree, path: &RepoPath) -> Option<String> {
    let bytes = tree.read(path).ok()??;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() < LARGE)?;
    (is_configuration(path) || text.contains(MANIFEST) || environment::may_read(&text)).then_some(text)
}
