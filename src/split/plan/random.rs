//! Compares the model on random graphs with rings with a simple version that lists everything for each build.

use proptest::prelude::*;

use super::{
    parts::Closures as Numbered,
    tests::{Files, derivations},
    ways::Ways,
    *,
};
use crate::{
    repo::MemoryTree,
    split::{Choices, config::Exposes, workspaces::graph::Workspace},
};

const NAMES: [&str; 6] = ["w0", "w1", "w2", "w3", "w4", "w5"];

/// Random facts of a workspace: its dependencies (and whether each is for development), whether it has a build, whether it
/// exposes only its output, whether it reads a root file.
type Facts = (Vec<(usize, bool)>, bool, bool, bool);

fn facts() -> impl Strategy<Value = Vec<Facts>> {
    let edges = proptest::collection::vec((0..NAMES.len(), any::<bool>()), 0..4);
    proptest::collection::vec((edges, any::<bool>(), any::<bool>(), any::<bool>()), NAMES.len())
}

/// Returns the files of a repository. `w0` and `w1` are apps, the others libraries.
fn repository(facts: &[Facts]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        ("package.json".to_owned(), r#"{"name": "acme", "workspaces": ["*"]}"#.to_owned()),
        ("bun.lock".to_owned(), r#"{"lockfileVersion": 1, "workspaces": {}, "packages": {}}"#.to_owned()),
        ("shared/a.json".to_owned(), "{}".to_owned()),
        ("tsconfig.json".to_owned(), "{}".to_owned()),
    ]);
    let mut choices = serde_json::Map::new();
    for (number, (edges, is_built, is_closed, reads)) in facts.iter().enumerate() {
        let (mut runtime, mut loose) = (serde_json::Map::new(), serde_json::Map::new());
        for (to, is_loose) in edges.iter().filter(|(to, _)| *to != number) {
            let group = if *is_loose { &mut loose } else { &mut runtime };
            group.insert(NAMES[*to].to_owned(), "*".into());
        }
        let is_built = *is_built || number < 2;
        let mut manifest =
            serde_json::json!({ "name": NAMES[number], "dependencies": runtime, "devDependencies": loose });
        if is_built {
            let script = if *reads { "node ../shared/a.json" } else { "tsc" };
            manifest["scripts"] = serde_json::json!({ "build": script });
            manifest["main"] = "dist/index.js".into();
        }
        if number >= 2 && is_built && *is_closed {
            choices.insert(NAMES[number].to_owned(), serde_json::json!({ "exposes": "output", "kind": "library" }));
        } else {
            let kind = if number < 2 { "app" } else { "library" };
            choices.insert(NAMES[number].to_owned(), serde_json::json!({ "kind": kind }));
        }
        files.insert(format!("{}/package.json", NAMES[number]), manifest.to_string());
        files.insert(format!("{}/index.ts", NAMES[number]), number.to_string());
    }
    files.insert("splitter.json".to_owned(), serde_json::json!({ "workspaces": choices }).to_string());
    files
}

fn view(files: &BTreeMap<String, String>) -> Files<'_> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
}

fn split(files: &BTreeMap<String, String>) -> Split {
    let tree = MemoryTree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    Split::read(&tree, &Choices::default()).unwrap()
}

/// Finds the workspaces that a workspace reaches, by walking.
fn walked<'a>(
    split: &'a Split,
    start: &'a RepoPath,
    next: impl Fn(&'a Workspace) -> Vec<&'a RepoPath>,
) -> BTreeSet<&'a RepoPath> {
    let by_path: BTreeMap<_, _> = split.graph.workspaces().map(|found| (&found.path, found)).collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(path) = open.pop() {
        if seen.insert(path) {
            open.extend(next(by_path[path]));
        }
    }
    seen
}

/// Returns the length of the longest way to a workspace, by following every way.
fn rank(split: &Split, workspace: &Workspace) -> usize {
    let next = workspace.build_edges().filter_map(|path| split.graph.workspaces().find(|found| found.path == *path));
    next.map(|next| 1 + rank(split, next)).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_a_build_is_made_of_is_what_a_walk_finds(facts in facts()) {
        let split = split(&repository(&facts));
        let numbered = Numbered::of(&split);
        let parts = &numbered.parts;
        let mut ranked: Vec<_> = split.graph.workspaces().filter(|found| found.awaited).map(|found| (rank(&split, found), &found.path)).collect();
        ranked.sort();
        for workspace in split.graph.workspaces() {
            let own = parts.number(&workspace.path).unwrap();
            let members = walked(&split, &workspace.path, |found| found.source_edges().collect());
            prop_assert!(numbered.parts_of(own).ones().map(|part| &parts.folders[part].path).eq(members.iter().copied()));
            let reached = walked(&split, &workspace.path, |found| if workspace.awaited { found.build_edges().collect() } else { found.source_edges().collect() });
            let libraries: Vec<_> =
                ranked.iter().map(|(_, path)| *path).filter(|path| reached.contains(path) && **path != workspace.path).collect();
            prop_assert_eq!(parts.in_order(&numbered.libraries_of(own, workspace)), libraries);
            let open = split.graph.workspaces().filter(|found| {
                members.contains(&found.path) && (found.exposes == Exposes::Sources || found.path == workspace.path)
            });
            let root_files: BTreeSet<&RepoPath> = open.flat_map(|found| &found.root_files).collect();
            prop_assert!(numbered.root_files_of(own).ones().map(|file| &parts.root_files[file].path).eq(root_files));
            let ways = Ways::from(parts, &workspace.path);
            for other in split.graph.workspaces() {
                let way = ways.to(&other.path);
                prop_assert_eq!(way.last(), members.get(&other.path).copied());
            }
        }
    }

    #[test]
    fn a_build_changes_where_what_it_is_made_of_does(facts in facts(), others in facts(), edited in 0..NAMES.len(), which in 0..3_u8) {
        let before = repository(&facts);
        let mut after = match which {
            // The same workspaces with different dependencies.
            0 => repository(&[&others[..2], &facts[2..]].concat()),
            _ => before.clone(),
        };
        if which < 2 {
            after.insert(format!("{}/index.ts", NAMES[edited]), "edited".to_owned());
        } else {
            after.insert("shared/a.json".to_owned(), "edited".to_owned());
        }
        let (old, new) = (derivations(&view(&before)), derivations(&view(&after)));
        let comparison = compare(&old, &new);
        for id in old.all.keys().filter(|id| new.all.contains_key(id)) {
            let is_kept = listed(&old, id) == listed(&new, id);
            prop_assert_eq!(comparison.effect(id) == Effect::Kept, is_kept, "{}: {:?}", id, comparison.verdicts[id]);
        }
    }
}

/// Lists all inputs of a derivation: files with their states, other inputs, and the same for the derivations that it needs.
fn listed(state: &Derivations, id: &Id) -> Vec<String> {
    let derivation = &state.all[id];
    let mut lines: Vec<String> = derivation
        .inputs
        .iter()
        .chain(derivation.shared.iter())
        .map(|(input, text)| format!("{input:?} {text}"))
        .collect();
    let none = FileStates::new();
    for part in derivation.parts.ones().map(|part| &state.parts.folders[part]) {
        let is_shown = part.is_closed && derivation.workspace.as_ref() != Some(&part.path);
        let files = if is_shown { &state.shown } else { &state.sources }.get(&part.path).unwrap_or(&none);
        lines.push(format!("{} {is_shown} {files:?}", part.path));
    }
    let roots = derivation.root_files.ones().map(|root| &state.root_files[&state.parts.root_files[root].path]);
    lines.push(format!("{:?}", roots.flatten().collect::<BTreeMap<_, _>>()));
    lines.push(format!("{:?}", state.parts.in_order(&derivation.libraries)));
    let libraries = derivation.libraries.ones().map(|library| &state.parts.libraries[library].id);
    for need in derivation.needs.iter().chain(libraries) {
        lines.push(format!("{need}: {:?}", listed(state, need)));
    }
    lines
}
