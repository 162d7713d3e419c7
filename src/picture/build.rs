//! Finds the boxes and lines for a repository.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Mark, Node, Picture};
use crate::{
    repo::RepoPath,
    split::{
        Split, System,
        config::Install,
        lock::shards::Part,
        plan::{Cause, Comparison, Derivations, Effect, Id},
        workspaces::graph::{Role, Workspace},
    },
};

/// Sizes as texts. The caller formats them like all other sizes.
pub struct Sizes<'a> {
    /// The size of the sources of a workspace.
    pub sources: &'a dyn Fn(&RepoPath) -> String,
    /// The size of the fixed outputs in one box.
    pub parts: &'a dyn Fn(&[&Part]) -> String,
    /// The detail of the install.
    pub install: String,
}

/// Returns the picture of a repository for one system, with the effect of an edit.
pub fn picture(
    split: &Split,
    derivations: &Derivations,
    system: System,
    sizes: &Sizes<'_>,
    edit: Option<(&RepoPath, &Comparison)>,
) -> Picture {
    let comparison = edit.map(|(_, comparison)| comparison);
    let mut packages = downloads(derivations, system, sizes, comparison);
    for (id, _) in derivations.iter() {
        let (kind, detail) = match id {
            Id::NodeModules => (Kind::Install, sizes.install.clone()),
            _ => continue,
        };
        packages.push(Node { kind, title: id.to_string(), detail, mark: mark_of(comparison, Some(id), false) });
    }
    let used = split.graph.closure_of(split.graph.apps().map(|(_, app)| &app.path));
    let built: BTreeMap<&RepoPath, &Id> = derivations
        .iter()
        .filter(|(id, _)| !matches!(id, Id::Check(_)))
        .filter_map(|(id, derivation)| Some((derivation.workspace.as_ref()?, id)))
        .collect();
    let (shown, unused): (Vec<&Workspace>, Vec<&Workspace>) =
        split.graph.workspaces().partition(|workspace| used.contains(&workspace.path));
    let edited = edit.map(|(path, comparison)| edited_workspaces(path, comparison, split)).unwrap_or_default();
    let node = |workspace: &&Workspace| {
        let (kind, title) = match &workspace.role {
            Role::App { name, .. } => (Kind::App, name.clone()),
            Role::Library => {
                let kind = if workspace.library.is_some() { Kind::BuiltLibrary } else { Kind::Library };
                let is_unnamed = workspace.name.is_empty();
                (kind, if is_unnamed { workspace.path.to_string() } else { workspace.name.clone() })
            }
        };
        let size = (sizes.sources)(&workspace.path);
        let is_said = title.rsplit('/').next() == Some(workspace.path.file_name());
        let install = match workspace.install {
            Install::Shared => "",
            Install::Own => ", own install",
            Install::Production => ", own production install",
        };
        let detail = if is_said { format!("{size}{install}") } else { format!("{}: {size}{install}", workspace.path) };
        let mark = mark_of(comparison, built.get(&workspace.path).copied(), edited.contains(&workspace.path));
        Node { kind, title, detail, mark }
    };
    let mut workspaces: Vec<Node> = shown.iter().map(node).collect();
    let edges = edges(&shown);
    mark_ways(&mut workspaces, &edges);
    Picture {
        packages,
        workspaces,
        edges,
        unused: unused.iter().filter(|workspace| !workspace.path.is_root()).map(|w| w.path.to_string()).collect(),
        edit: edit.map(|(path, _)| path.to_string()),
    }
}

/// Returns the downloads that builds for a system read: one box for the common ones, and one for those of the system.
fn downloads(
    derivations: &Derivations,
    system: System,
    sizes: &Sizes<'_>,
    comparison: Option<&Comparison>,
) -> Vec<Node> {
    let mut boxes: BTreeMap<Option<System>, Vec<(&Id, &Part)>> = BTreeMap::new();
    for (id, _) in derivations.iter() {
        if let Id::Deps(part) = id
            && part.serves(system)
        {
            boxes.entry(part.system).or_default().push((id, part));
        }
    }
    let node = |parts: Vec<(&Id, &Part)>| {
        let marks: Vec<Mark> = parts.iter().map(|(id, _)| mark_of(comparison, Some(id), false)).collect();
        let mark = marks.iter().find(|mark| **mark == Mark::Rebuilt).or(marks.first()).copied().unwrap_or(Mark::None);
        let parts: Vec<&Part> = parts.into_iter().map(|(_, part)| part).collect();
        let title = parts.first().map_or(String::new(), |part| format!("deps-{}", part.scope_name()));
        Node { kind: Kind::Deps, title, detail: (sizes.parts)(&parts), mark }
    };
    boxes.into_values().map(node).collect()
}

fn mark_of(comparison: Option<&Comparison>, id: Option<&Id>, is_edited: bool) -> Mark {
    let Some(comparison) = comparison else { return Mark::None };
    match id.map(|id| comparison.effect(id)) {
        Some(Effect::Rebuilt | Effect::Unsure | Effect::Added | Effect::Removed) => Mark::Rebuilt,
        _ if is_edited => Mark::Edited,
        _ => Mark::Kept,
    }
}

/// Marks the workspaces between an edited workspace and the rebuilt ones: everything that uses it, directly or not.
fn mark_ways(workspaces: &mut [Node], edges: &[(usize, usize)]) {
    let mut users = vec![Vec::new(); workspaces.len()];
    for (used, user) in edges {
        users[*used].push(*user);
    }
    let is_marked = |workspace: &Node| matches!(workspace.mark, Mark::Edited | Mark::Between);
    let mut open: Vec<usize> = (0..workspaces.len()).filter(|number| is_marked(&workspaces[*number])).collect();
    while let Some(used) = open.pop() {
        for user in &users[used] {
            if workspaces[*user].mark == Mark::Kept {
                workspaces[*user].mark = Mark::Between;
                open.push(*user);
            }
        }
    }
}

/// Returns the workspaces that contain an edited source file. A linked folder belongs to the workspaces that link to it.
fn edited_workspaces(path: &RepoPath, comparison: &Comparison, split: &Split) -> BTreeSet<RepoPath> {
    let is_workspace = |path: &&RepoPath| split.manifests.contains_key(*path);
    let causes = comparison.verdicts.values().flat_map(|verdict| &verdict.causes);
    let ends = causes.filter_map(|cause| match cause {
        Cause::Source { path: found, way, .. } if found == path => way.iter().rfind(is_workspace).cloned(),
        _ => None,
    });
    ends.collect()
}

/// Returns the lines between workspaces, without lines that others imply, and without the line that closes a ring.
fn edges(workspaces: &[&Workspace]) -> Vec<(usize, usize)> {
    let index: BTreeMap<&RepoPath, usize> = workspaces.iter().enumerate().map(|(i, w)| (&w.path, i)).collect();
    let direct: Vec<BTreeSet<usize>> = workspaces
        .iter()
        .map(|workspace| {
            let uses = workspace.dependencies.iter().chain(&workspace.uses);
            uses.filter_map(|path| index.get(path).copied()).collect()
        })
        .collect();
    let mut order = Vec::new();
    let mut state = vec![0u8; workspaces.len()];
    let mut kept: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); workspaces.len()];
    for start in 0..workspaces.len() {
        visit(start, &direct, &mut state, &mut kept, &mut order);
    }
    // In this order a workspace comes after everything that it uses.
    let mut reached: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); workspaces.len()];
    let mut edges = Vec::new();
    for user in order {
        let indirect: BTreeSet<usize> = kept[user].iter().flat_map(|used| reached[*used].iter().copied()).collect();
        edges.extend(kept[user].difference(&indirect).map(|used| (*used, user)));
        reached[user] = &indirect | &kept[user];
    }
    edges.sort_unstable();
    edges
}

/// Visits a workspace after everything that it uses. A line to a workspace whose visit is not finished would close a ring.
fn visit(
    user: usize,
    direct: &[BTreeSet<usize>],
    state: &mut [u8],
    kept: &mut [BTreeSet<usize>],
    order: &mut Vec<usize>,
) {
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    if state[user] != 0 {
        return;
    }
    state[user] = OPEN;
    for used in &direct[user] {
        visit(*used, direct, state, kept, order);
        if state[*used] == DONE {
            kept[user].insert(*used);
        }
    }
    state[user] = DONE;
    order.push(user);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        repo::MemoryTree,
        split::{Choices, plan::Recorded},
    };

    #[test]
    fn lines_that_follow_from_others_are_left_out_and_rings_are_opened() {
        let manifest = |name: &str, uses: &[&str]| {
            let uses: Vec<_> = uses.iter().map(|name| format!("\"{name}\": \"*\"")).collect();
            format!(r#"{{"name": "{name}", "scripts": {{}}, "dependencies": {{{}}}}}"#, uses.join(", "))
        };
        let web = manifest("web", &["a", "b", "c"]).replace("{},", r#"{"build": "x"},"#);
        let (a, b, c) = (manifest("a", &[]), manifest("b", &["a", "c"]), manifest("c", &["b"]));
        let a = a.replace("{},", r#"{"build": "x"}, "main": "dist/a.js","#);
        let tree = MemoryTree::new([
            ("package.json", r#"{"name": "acme", "workspaces": ["apps/*", "packages/*"]}"#),
            ("bun.lock", r#"{"lockfileVersion": 1, "workspaces": {"": {"name": "acme"}}, "packages": {}}"#),
            ("apps/web/package.json", &web),
            ("packages/a/package.json", &a),
            ("packages/b/package.json", &b),
            ("packages/c/package.json", &c),
            ("packages/unused/package.json", r#"{"name": "unused"}"#),
        ]);
        let split = Split::read(&tree, &Choices::default()).unwrap();
        let system = System::X8664Linux;
        let derivations = Derivations::of(&split, crate::repo::states::FileStates::new(), &Recorded::default(), system);
        let text = |_: &RepoPath| "1 file".to_owned();
        let parts = |_: &[&Part]| String::new();
        let sizes = Sizes { sources: &text, parts: &parts, install: String::new() };
        let drawn = picture(&split, &derivations, system, &sizes, None);
        let titles: Vec<_> = drawn.workspaces.iter().map(|node| node.title.as_str()).collect();
        assert_eq!(titles, ["web", "a", "b", "c"]);
        let kinds: Vec<_> = drawn.workspaces.iter().map(|node| node.kind).collect();
        assert_eq!(kinds, [Kind::App, Kind::BuiltLibrary, Kind::Library, Kind::Library]);
        // web uses a, b and c; b uses a and c; c uses b, which closes a ring.
        assert_eq!(drawn.edges, [(1, 2), (2, 0), (3, 2)]);
        assert_eq!(drawn.unused, ["packages/unused"]);
    }
}
