//! Searches the programs of a workspace for what they read outside it: paths and imports, the root's `package.json`, and `.env`
//! files.

use std::collections::BTreeSet;

use super::{
    Purpose, environment,
    linters::Settings,
    mentions,
    root_manifest::{Place, names_root},
    search::Search,
    specifiers::{self, Specifiers},
    tables::OUTPUTS,
    texts,
};
use crate::{
    names::MANIFEST,
    parallel,
    repo::{EntryKind, RepoPath, Tree},
    split::{SplitError, manifest_path, sources::source_filter::SourceFilter},
};

/// Endings of files that can read another file.
const PROGRAMS: [&str; 18] = [
    "astro", "cjs", "css", "cts", "js", "jsx", "less", "mdx", "mjs", "mts", "pcss", "sass", "scss", "sh", "svelte",
    "ts", "tsx", "vue",
];

/// Folders of files that are copied elsewhere before they are built. Their imports are not those of the workspace.
const TEMPLATES: [&str; 4] = ["__fixtures__", "fixtures", "template", "templates"];

/// Folders of files for tests. No bundler reads them. A compiler reads them with the rest, and needs what they import.
const OF_TESTS: [&str; 5] = ["__mocks__", "test-helpers", "test-setup", "test-support", "test-utils"];

/// The parts of Node.js that most programs import.
const NODE: [&str; 14] = [
    "assert",
    "buffer",
    "child_process",
    "crypto",
    "events",
    "fs",
    "http",
    "https",
    "module",
    "os",
    "path",
    "stream",
    "url",
    "util",
];

/// The size in bytes from which a file is data or was generated.
const LARGE: usize = 1 << 20;

/// What the text of one program says.
struct Scanned {
    /// The text, if it may read the root's manifest or `.env` files, or is a configuration.
    text: Option<String>,
    specifiers: Specifiers,
}

/// Adds the files that the programs of the workspace read. `filter` says which files are sources. Returns what they import.
pub(super) fn search(search: &mut Search<'_, '_>, filter: &SourceFilter) -> Result<Specifiers, SplitError> {
    let mut files = Vec::new();
    collect(search, filter, &search.own.clone(), &mut files)?;
    let scanned = scan(search, &files);
    let mut found = Specifiers::default();
    let mut texts: Vec<(String, &RepoPath)> = Vec::new();
    for (Scanned { text, specifiers }, path) in scanned.into_iter().zip(&files) {
        texts.extend(text.map(|text| (text, path)));
        let is_new = !specifiers.is_subset(&found);
        // Files that git ignores are on no other machine. Most have nothing new, and need not be asked for.
        if is_new && !search.finder.is_ignored(path)? {
            let origins = search.finder.origins.entry(search.own.clone()).or_default();
            for text in specifiers.all() {
                origins.entry(text.clone()).or_insert_with(|| path.clone());
            }
            found.extend(specifiers);
        }
    }
    read_texts(search, &texts, &mut found)?;
    let manifest = search.finder.workspaces.get(search.own);
    let is_open = |name: &String| {
        let package = mentions::package_name(name);
        let is_alias = || search.aliases.iter().any(|alias| alias.targets_of(name).is_some());
        !manifest.is_some_and(|manifest| manifest.depends_on(package)) || is_alias()
    };
    found.names.retain(is_open);
    search.finder.names.entry(search.own.clone()).or_default().extend(found.names.iter().cloned());
    Ok(found)
}

/// Returns what the programs in a folder outside all workspaces import.
pub(super) fn search_module(search: &mut Search<'_, '_>, folder: &RepoPath) -> Result<Specifiers, SplitError> {
    let (mut open, mut files) = (vec![folder.clone()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in search.finder.tree.list(&folder)? {
            let path = folder.child(&entry.name);
            match entry.kind {
                EntryKind::File if is_wanted(&entry.name) => files.push(path),
                EntryKind::Folder if entry.name != "node_modules" => open.push(path),
                _ => {}
            }
        }
    }
    let mut found = Specifiers::default();
    for scanned in scan(search, &files) {
        found.extend(scanned.specifiers);
    }
    Ok(found)
}

fn scan(search: &Search<'_, '_>, files: &[RepoPath]) -> Vec<Scanned> {
    let (tree, own) = (search.finder.tree, search.own);
    let known = [own, &RepoPath::root()].map(|path| search.finder.workspaces.get(path));
    // Most names are packages of manifests, parts of Node.js or files of the own folder.
    let is_explained = |name: &str| {
        let package = mentions::package_name(name);
        name.starts_with("node:")
            || name.starts_with("@/")
            || NODE.contains(&package)
            || known.iter().flatten().any(|manifest| manifest.depends_on(package))
    };
    let is_meant = search.is_wanted();
    let own_manifest = known[0];
    let is_wanted = |name: &str| {
        // A dependency leads nowhere else, unless an alias has its name.
        if own_manifest.is_some_and(|manifest| manifest.depends_on(mentions::package_name(name))) {
            return search.aliases.iter().any(|alias| name.starts_with(alias.start.as_str()));
        }
        is_meant(name) || !is_explained(name)
    };
    let without_tests = search.purpose == Purpose::Build && !search.compiles;
    let is_left_out = |folder: &str| TEMPLATES.contains(&folder) || (without_tests && OF_TESTS.contains(&folder));
    let entries = if search.purpose == Purpose::Build { tree.list(own).unwrap_or_default() } else { Vec::new() };
    let settings = Settings::of(&entries);
    parallel::map(files, |path| read(tree, path, own, &is_left_out, &is_wanted, &settings))
}

/// Adds the root's manifest and the `.env` files that programs read.
fn read_texts(
    search: &mut Search<'_, '_>,
    texts: &[(String, &RepoPath)],
    found: &mut Specifiers,
) -> Result<(), SplitError> {
    let own = search.own;
    let root = search.finder.workspaces.get(&RepoPath::root());
    let root_name = root.map_or("", |manifest| manifest.name.as_str()).to_owned();
    let has_alias = texts.iter().any(|(text, path)| is_configuration(path) && names_root(text, path));
    let manifests = [own, &RepoPath::root()].map(|path| search.finder.workspaces.get(path));
    let place = Place { own, root_name: &root_name, has_alias, manifests };
    let manifest = manifest_path(&RepoPath::root());
    let mut reads = BTreeSet::new();
    for (text, path) in texts.iter().filter(|(_, path)| !is_json(path)) {
        let folder = path.parent();
        let reads_manifest = !reads.contains(&manifest) && place.is_read_by(text, &folder);
        let may_read = environment::may_read(text);
        if !(reads_manifest || may_read) || search.finder.is_ignored(path)? {
            continue;
        }
        if reads_manifest {
            reads.insert(manifest.clone());
        }
        if may_read {
            reads.extend(environment::read_by(search, text, &folder)?);
        }
    }
    found.paths.extend(reads.iter().map(|path| path.as_str().to_owned()));
    Ok(())
}

/// Collects the programs and TypeScript configurations in a folder of the workspace.
fn collect(
    search: &mut Search<'_, '_>,
    filter: &SourceFilter,
    folder: &RepoPath,
    files: &mut Vec<RepoPath>,
) -> Result<(), SplitError> {
    for entry in search.finder.tree.list(folder)? {
        let path = folder.child(&entry.name);
        let inner = path.below(search.own).unwrap_or_default();
        match entry.kind {
            EntryKind::File if is_wanted(&entry.name) && filter.rule(inner).is_none() => files.push(path),
            EntryKind::Folder if !search.finder.workspaces.contains_key(&path) => {
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

/// Reads a program. A file that is no text reads nothing.
fn read(
    tree: &dyn Tree,
    path: &RepoPath,
    own: &RepoPath,
    is_left_out: &(dyn Fn(&str) -> bool + Sync),
    is_name: &(dyn Fn(&str) -> bool + Sync),
    settings: &Settings,
) -> Scanned {
    let nothing = Scanned { text: None, specifiers: Specifiers::default() };
    let Ok(Some(bytes)) = tree.read(path) else { return nothing };
    let Some(text) = String::from_utf8(bytes).ok().filter(|text| text.len() < LARGE) else { return nothing };
    let folder = path.parent();
    let inner = folder.below(own).unwrap_or_default();
    let is_template = inner.split('/').any(is_left_out);
    // A configuration that a build reads is followed by itself.
    let is_followed = folder == *own && super::is_configuration(path.file_name());
    let mut specifiers = if is_template || is_followed || is_json(path) {
        Specifiers::default()
    } else if has_ending(path.as_str(), "mdx") {
        specifiers::of(&without_code(&text), specifiers::Place::of(own, &folder, false), is_name)
    } else {
        let has_texts = texts::has_texts(path.file_name());
        specifiers::of(&text, specifiers::Place::of(own, &folder, has_texts), is_name)
    };
    if !is_template && !is_json(path) {
        let is_of_tool = is_followed || (folder == *own && path.file_name().starts_with("codegen."));
        let read = settings.read_by(&text, is_of_tool).into_iter();
        specifiers.paths.extend(read.map(|name| own.child(name).as_str().to_owned()));
    }
    let is_read = is_configuration(path) || text.contains(MANIFEST) || environment::may_read(&text);
    Scanned { text: is_read.then_some(text), specifiers }
}

/// A page without its examples of code.
fn without_code(text: &str) -> String {
    let mut is_code = false;
    let is_page = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    text.lines().filter(is_page).collect::<Vec<_>>().join("\n")
}
