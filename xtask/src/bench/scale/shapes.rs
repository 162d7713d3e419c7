//! Generates repositories with a chosen number of workspaces. They are computed from numbers and the same on every machine.

use std::fmt::Write as _;

use camino::Utf8Path;
use fs_err as fs;
use splitter::lockfile::{Algorithm, Hasher, Integrity};

use crate::{
    Result,
    bench::inputs::{git_repository, noise},
};

/// The shape of the graph of workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Eight layers. Each workspace depends on three of the layer below.
    Layered,
    /// Each workspace depends on three of the forty before it.
    Deep,
}

impl Shape {
    pub(super) const ALL: [Self; 2] = [Self::Layered, Self::Deep];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Layered => "layered",
            Self::Deep => "deep",
        }
    }
}

/// The number of packages in the lockfile. It stays the same for all sizes.
const PACKAGES: usize = 200;
const LAYERS: usize = 8;
const NEAR: usize = 40;
/// The number of dependencies of a workspace on workspaces (`USED`) and on packages (`ASKED`).
const USED: usize = 3;
const ASKED: usize = 5;

/// One of this many workspaces is an app.
const ONE_APP_IN: usize = 20;
/// The number of libraries with a build among ten workspaces.
const BUILT_OF_TEN: usize = 3;

/// A file in the library that all others depend on, directly or not. An edit of it rebuilds the most.
pub(super) const EDITED: &str = "packages/workspace-0000/src/index.ts";

/// Writes the tarballs of all packages with the paths of a registry, and returns their integrities.
pub(super) fn tarballs(folder: &Utf8Path) -> Result<Vec<Integrity>> {
    let mut integrities = Vec::new();
    for number in 0..PACKAGES {
        let bytes = noise(number as u64, 1000);
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(&bytes);
        integrities.push(hasher.finish().into());
        let name = package(number);
        let path = folder.join(&name).join("-");
        fs::create_dir_all(&path)?;
        fs::write(path.join(format!("{name}-1.0.0.tgz")), &bytes)?;
    }
    Ok(integrities)
}

/// Creates a git repository with this number of workspaces, all committed.
pub(super) fn repository(root: &Utf8Path, shape: Shape, number: usize, integrities: &[Integrity]) -> Result<()> {
    let workspaces = workspaces(shape, number);
    fs::create_dir_all(root.join("scripts"))?;
    fs::write(root.join("bun.lock"), lock(&workspaces, integrities))?;
    fs::write(root.join(".gitignore"), "node_modules\ndist\n")?;
    fs::write(root.join("tsconfig.base.json"), "{ \"compilerOptions\": { \"strict\": true } }\n")?;
    fs::write(root.join("scripts/build.mjs"), "import './banner.mjs';\n")?;
    fs::write(root.join("scripts/banner.mjs"), "export const banner = '';\n")?;
    let manifest =
        r#"{ "name": "acme", "private": true, "workspaces": ["apps/*", "packages/*"], "packageManager": "bun@1.4.4" }"#;
    fs::write(root.join("package.json"), manifest)?;
    for workspace in &workspaces {
        write_workspace(root, workspace)?;
    }
    git_repository(root)
}

/// A workspace. `used` holds the numbers of the workspaces that it depends on.
struct Workspace {
    path: String,
    name: String,
    is_app: bool,
    is_built: bool,
    used: Vec<usize>,
    number: usize,
}

fn workspaces(shape: Shape, number: usize) -> Vec<Workspace> {
    let mut state = 1;
    (0..number)
        .map(|index| {
            let is_app = is_app(index);
            let folder = if is_app { "apps" } else { "packages" };
            Workspace {
                path: format!("{folder}/workspace-{index:04}"),
                name: workspace_name(index),
                is_app,
                is_built: is_app || index % 10 < BUILT_OF_TEN,
                used: used(shape, index, number, &mut state),
                number: index,
            }
        })
        .collect()
}

fn is_app(index: usize) -> bool {
    index % ONE_APP_IN == ONE_APP_IN - 1
}

fn workspace_name(index: usize) -> String {
    format!("@acme/workspace-{index:04}")
}

fn package(number: usize) -> String {
    format!("package-{number:04}")
}

/// Returns the dependencies of a workspace: earlier libraries, as the shape requires.
fn used(shape: Shape, index: usize, number: usize, state: &mut u64) -> Vec<usize> {
    let layer = number.div_ceil(LAYERS);
    let candidates = match shape {
        Shape::Layered => (index / layer * layer).saturating_sub(layer)..index / layer * layer,
        Shape::Deep => index.saturating_sub(NEAR)..index,
    };
    let candidates: Vec<usize> = candidates.filter(|index| !is_app(*index)).collect();
    let mut used: Vec<usize> = Vec::new();
    while used.len() < USED.min(candidates.len()) {
        let next = candidates[random(state) % candidates.len()];
        if !used.contains(&next) {
            used.push(next);
        }
    }
    used.sort_unstable();
    used
}

/// Returns the next number of a linear congruential generator. Its high bits are random enough here.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 40).unwrap_or_default()
}

/// Returns the dependencies of a workspace, as they are in a manifest and a lockfile.
fn dependencies(workspace: &Workspace) -> String {
    let used = workspace.used.iter().map(|index| format!("\"{}\": \"workspace:*\"", workspace_name(*index)));
    let asked = (0..ASKED).map(|step| format!("\"{}\": \"^1.0.0\"", package((workspace.number * 7 + step) % PACKAGES)));
    used.chain(asked).collect::<Vec<_>>().join(", ")
}

fn write_workspace(root: &Utf8Path, workspace: &Workspace) -> Result<()> {
    let folder = root.join(&workspace.path);
    fs::create_dir_all(folder.join("src"))?;
    let build = match (workspace.is_app, workspace.is_built) {
        (true, _) => r#", "scripts": { "build": "vite build" }"#,
        (_, true) => r#", "main": "dist/index.js", "scripts": { "build": "node ../../scripts/build.mjs" }"#,
        _ => "",
    };
    let (name, dependencies) = (&workspace.name, dependencies(workspace));
    let manifest = format!("{{ \"name\": \"{name}\", \"dependencies\": {{ {dependencies} }}{build} }}\n");
    fs::write(folder.join("package.json"), manifest)?;
    fs::write(folder.join("tsconfig.json"), "{ \"extends\": \"../../tsconfig.base.json\" }\n")?;
    fs::write(folder.join("README.md"), format!("# {name}\n"))?;
    fs::write(folder.join("src/index.ts"), format!("export const number = {};\n", workspace.number))?;
    fs::write(folder.join("src/index.test.ts"), "test(() => {});\n")?;
    Ok(())
}

/// Returns the lockfile in Bun's format.
fn lock(workspaces: &[Workspace], integrities: &[Integrity]) -> String {
    let mut text = "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\n    \"\": { \"name\": \"acme\" },\n".to_owned();
    for workspace in workspaces {
        let (path, name, dependencies) = (&workspace.path, &workspace.name, dependencies(workspace));
        let _ = writeln!(text, "    \"{path}\": {{ \"name\": \"{name}\", \"dependencies\": {{ {dependencies} }} }},");
    }
    text.push_str("  },\n  \"packages\": {\n");
    for Workspace { path, name, .. } in workspaces {
        let _ = writeln!(text, "    \"{name}\": [\"{name}@workspace:{path}\"],\n");
    }
    for (number, integrity) in integrities.iter().enumerate() {
        let name = package(number);
        let _ = writeln!(text, "    \"{name}\": [\"{name}@1.0.0\", \"\", {{}}, \"{integrity}\"],\n");
    }
    text.push_str("  }\n}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_no_rings_and_the_edited_library_is_used_most() {
        for shape in Shape::ALL {
            let workspaces = workspaces(shape, 400);
            assert!(workspaces.iter().all(|found| found.used.iter().all(|used| *used < found.number)));
            assert!(EDITED.starts_with(&workspaces[0].path));
            assert_eq!(workspaces.iter().filter(|found| found.is_app).count(), 20);
        }
    }
}
