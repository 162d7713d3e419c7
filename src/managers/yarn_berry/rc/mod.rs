//! The `.yarnrc.yml` of a repository, as far as the split needs it.
//!
//! Format: <https://yarnpkg.com/configuration/yarnrc>. Paths are relative to the file, which is at the root.

mod blocks;
mod resolution;

use std::collections::BTreeSet;

use camino::Utf8Path;

pub use self::{
    blocks::kept,
    resolution::{PackageExtension, ResolutionSettings},
};

use crate::{
    diagnostic::Position,
    managers::{
        ManagerError,
        installer_fields::INSTALLER_FIELDS,
        yarn::rc::{
            NpmSettings, Setting, YarnRcError,
            npm::Settings,
            variables,
            yaml::{self, Node, Value},
        },
    },
    names::YARNRC_YML,
    repo::{RepoPath, Tree, read_text},
};

/// The settings in a repository's `.yarnrc.yml`.
#[derive(Debug, Clone)]
pub struct BerryRc {
    /// `yarnPath`: the program of Yarn, if it is in the repository.
    pub yarn_path: Option<RepoPath>,
    /// `plugins`: the files of plugins. Yarn 4 has some of them built in; such a file may be missing, and is then not
    /// listed.
    pub plugins: Vec<RepoPath>,
    /// `nodeLinker`.
    pub node_linker: NodeLinker,
    /// `patchFolder`: the folder of the user's patches, or `None` if it is outside the repository.
    pub patch_folder: Option<RepoPath>,
    /// `cacheFolder`: the folder of the committed cache, or `None` if it is outside the repository.
    pub cache_folder: Option<RepoPath>,
    /// `enableGlobalCache`, if set. Yarn 4 uses the global cache by default; earlier versions do not.
    pub enable_global_cache: Option<bool>,
    /// What decides how ranges become packages.
    pub resolution: ResolutionSettings,
    /// Registries and credentials.
    pub(crate) npm: NpmSettings,
}

/// Keys besides those of an install that decide which program and which cache Yarn uses.
const DECIDING: [&str; 2] = ["cacheFolder", "yarnPath"];

/// Returns the keys in the text of a `.yarnrc.yml` that decide an install.
pub(super) fn deciding_keys(text: &str) -> BTreeSet<String> {
    let fields = yaml::read(Utf8Path::new(YARNRC_YML), text).unwrap_or_default();
    let decides =
        |key: &String| DECIDING.contains(&key.as_str()) || INSTALLER_FIELDS.yarnrc_yml.iter().any(|kept| kept == key);
    fields.into_keys().filter(decides).collect()
}

/// The layout of installed packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeLinker {
    /// Plug'n'Play, the default: `.pnp.cjs`, and packages stay in zips.
    Pnp,
    /// Links into a store in `node_modules/.store`.
    Pnpm,
    /// A hoisted `node_modules`.
    NodeModules,
}

impl BerryRc {
    /// Reads the `.yarnrc.yml` of a tree. Without one, every setting has Yarn's default.
    pub fn read(tree: &dyn Tree) -> Result<Self, ManagerError> {
        let text = read_text(tree, &RepoPath::root().child(YARNRC_YML))?.unwrap_or_default();
        let path = Utf8Path::new(YARNRC_YML);
        let fields = yaml::read(path, &text)?;
        let settings = Settings { path, prefix: "", fields: &fields };
        Ok(Self {
            yarn_path: yarn_path(&settings)?,
            plugins: plugins(tree, &settings)?,
            node_linker: node_linker(&settings)?,
            patch_folder: folder(&settings, "patchFolder", ".yarn/patches")?,
            cache_folder: folder(&settings, "cacheFolder", ".yarn/cache")?,
            enable_global_cache: flag(&settings, "enableGlobalCache")?,
            resolution: ResolutionSettings::of(&settings)?,
            npm: NpmSettings::of(settings)?,
        })
    }
}

fn yarn_path(settings: &Settings<'_>) -> Result<Option<RepoPath>, YarnRcError> {
    let Some(setting) = settings.setting("yarnPath")? else { return Ok(None) };
    let text = expanded(settings, "yarnPath", &setting)?;
    repo_path(settings, "yarnPath", &text, setting.position).map(Some)
}

/// Reads the files of plugins. A plugin is a path, or a mapping of `path`, `spec` and `checksum`.
fn plugins(tree: &dyn Tree, settings: &Settings<'_>) -> Result<Vec<RepoPath>, ManagerError> {
    let Some(node) = settings.node("plugins") else { return Ok(Vec::new()) };
    let Value::List(items) = &node.value else { return Err(settings.wrong_kind("plugins", node, "a list").into()) };
    let mut paths = Vec::new();
    for item in items {
        let (path, is_built_in) = plugin(settings, item)?;
        if !is_built_in || tree.is_file(&path)? {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Returns the file of a plugin, and whether Yarn 4 has the plugin built in. If so, the file may be missing.
fn plugin(settings: &Settings<'_>, item: &Node) -> Result<(RepoPath, bool), YarnRcError> {
    let expected = "a path, or a mapping with `path`";
    let wrong = || settings.wrong_kind("plugins[]", item, expected);
    match &item.value {
        Value::Text(text) => Ok((repo_path(settings, "plugins[]", text, item.position)?, false)),
        Value::Mapping(fields) => {
            let entry = Settings { path: settings.path, prefix: "plugins[].", fields };
            let path = entry.setting("path")?.ok_or_else(wrong)?;
            let spec = entry.setting("spec")?.map(|spec| spec.text).unwrap_or_default();
            let path = repo_path(&entry, "path", &path.text, path.position)?;
            Ok((path, spec.starts_with("@yarnpkg/plugin-")))
        }
        _ => Err(wrong()),
    }
}

fn node_linker(settings: &Settings<'_>) -> Result<NodeLinker, YarnRcError> {
    let Some(setting) = settings.setting("nodeLinker")? else { return Ok(NodeLinker::Pnp) };
    match expanded(settings, "nodeLinker", &setting)?.as_str() {
        "pnp" => Ok(NodeLinker::Pnp),
        "pnpm" => Ok(NodeLinker::Pnpm),
        "node-modules" => Ok(NodeLinker::NodeModules),
        other => {
            let (path, position) = (settings.path.to_owned(), setting.position);
            Err(YarnRcError::NodeLinker { path, position, found: other.to_owned() })
        }
    }
}

/// Reads a folder that may be anywhere. Returns `None` if it is outside the repository, or if its path needs a
/// variable.
fn folder(settings: &Settings<'_>, key: &str, default: &str) -> Result<Option<RepoPath>, YarnRcError> {
    let setting = settings.setting(key)?;
    let text = setting.map_or_else(|| default.to_owned(), |setting| setting.text);
    Ok(variables::expand(&text, &|_| None).ok().and_then(|text| text.parse().ok()))
}

fn flag(settings: &Settings<'_>, key: &str) -> Result<Option<bool>, YarnRcError> {
    let Some(setting) = settings.setting(key)? else { return Ok(None) };
    match expanded(settings, key, &setting)?.as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => Err(YarnRcError::Kind {
            path: settings.path.to_owned(),
            position: setting.position,
            key: key.to_owned(),
            expected: "`true` or `false`",
            found: "not a boolean",
        }),
    }
}

/// Replaces variables by their defaults. A variable without a default is an error: the result must not depend on the
/// environment.
fn expanded(settings: &Settings<'_>, key: &str, setting: &Setting) -> Result<String, YarnRcError> {
    variables::expand(&setting.text, &|_| None).map_err(|variables::Unset(variable)| YarnRcError::Variable {
        path: settings.path.to_owned(),
        position: setting.position,
        key: key.to_owned(),
        variable,
    })
}

fn repo_path(settings: &Settings<'_>, key: &str, text: &str, position: Position) -> Result<RepoPath, YarnRcError> {
    text.parse().map_err(|reason| YarnRcError::Path {
        path: settings.path.to_owned(),
        position,
        key: format!("{}{key}", settings.prefix),
        text: text.to_owned(),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diagnostic::Diagnose as _, repo::MemoryTree};

    fn read(text: &str) -> Result<BerryRc, ManagerError> {
        BerryRc::read(&MemoryTree::new([(YARNRC_YML, text), (".yarn/plugins/built-in-2.cjs", "")]))
    }

    fn paths(paths: &[RepoPath]) -> Vec<&str> {
        paths.iter().map(RepoPath::as_str).collect()
    }

    #[test]
    fn without_a_file_it_is_what_yarn_has_by_default() {
        let rc = BerryRc::read(&MemoryTree::new([])).unwrap();
        assert_eq!(
            (rc.yarn_path, rc.plugins, rc.node_linker, rc.enable_global_cache),
            (None, vec![], NodeLinker::Pnp, None)
        );
        assert_eq!(rc.cache_folder.unwrap().as_str(), ".yarn/cache");
        assert_eq!(rc.patch_folder.unwrap().as_str(), ".yarn/patches");
    }

    #[test]
    fn paths_are_those_of_the_repository() {
        let rc = read(
            "yarnPath: ./jupyterlab/../tools/yarn.js\nnodeLinker: node-modules\nenableGlobalCache: false\npatchFolder: ./patches\n\
             cacheFolder: ../cache\nplugins:\n  - a.cjs\n  - path: ./.yarn/plugins/b.cjs\n    spec: https://b.example/b.js\n\
             \x20 - {path: .yarn/plugins/built-in-1.cjs, spec: '@yarnpkg/plugin-typescript'}\n\
             \x20 - {path: .yarn/plugins/built-in-2.cjs, spec: '@yarnpkg/plugin-version'}\n",
        )
        .unwrap();
        assert_eq!(rc.yarn_path.unwrap().as_str(), "tools/yarn.js");
        assert_eq!(paths(&rc.plugins), ["a.cjs", ".yarn/plugins/b.cjs", ".yarn/plugins/built-in-2.cjs"]);
        assert_eq!((rc.node_linker, rc.enable_global_cache), (NodeLinker::NodeModules, Some(false)));
        assert_eq!((rc.patch_folder.unwrap().as_str(), rc.cache_folder), ("patches", None));
        assert_eq!(read("cacheFolder: ${HOME}/x\n").unwrap().cache_folder, None);
    }

    #[test]
    fn what_is_wrong_is_refused_with_its_place() {
        for (text, message) in [
            ("yarnPath: ../yarn.cjs\n", "wrong path `../yarn.cjs` in `yarnPath`: path leaves the repository"),
            (
                "yarnPath: ${Y}/a.cjs\n",
                "`yarnPath` uses the variable `Y` without a default, so the install depends on the environment",
            ),
            ("nodeLinker: hoisted\n", "`nodeLinker` is `hoisted`; expected `pnp`, `pnpm` or `node-modules`"),
            (
                "plugins:\n  - path: /etc/a.cjs\n",
                "wrong path `/etc/a.cjs` in `plugins[].path`: path is absolute; expected one relative to the repository",
            ),
            ("plugins:\n  - spec: a\n", "`plugins[]` is a mapping; expected a path, or a mapping with `path`"),
            ("plugins: a.cjs\n", "`plugins` is a string; expected a list"),
            ("enableGlobalCache: yes\n", "`enableGlobalCache` is not a boolean; expected `true` or `false`"),
            ("a: 1\na: 2\n", "malformed YAML: duplicate key"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(error.location().unwrap().position.is_some(), "{error}");
        }
    }
}
