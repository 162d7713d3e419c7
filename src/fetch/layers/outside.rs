//! Settings outside of the repository that decide an install here. The package manager merges them with the settings of the
//! repository, but Nix builds, CI and other machines do not have them.

use std::{collections::BTreeSet, fmt, iter};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    fetch::environment::Environment,
    managers::{ManagerName, installer_fields::INSTALLER_FIELDS},
    names::{BUNFIG, NPMRC, YARNRC, YARNRC_YML},
    reading,
};

/// The variable that gives the settings file of Yarn another name.
const RC_FILENAME: &str = "YARN_RC_FILENAME";

/// The largest file that is read, in bytes. Others may own the folders above a repository.
const MOST: u64 = 1 << 20;

/// Keys of Yarn whose entries come from all files.
const MERGED: [&str; 3] = ["catalog", "catalogs", "packageExtensions"];

/// Settings outside of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// A file sets these keys, and the repository does not.
    File {
        /// The file.
        path: Utf8PathBuf,
        /// The keys, sorted.
        keys: Vec<String>,
        /// The package manager.
        manager: ManagerName,
        /// The file of the repository that could set them.
        own: &'static str,
    },
    /// An environment variable sets this key.
    Variable {
        /// The variable.
        variable: String,
        /// The key.
        key: String,
    },
    /// An environment variable has Yarn read another file than `.yarnrc.yml`.
    OtherName {
        /// The name of the file.
        name: String,
    },
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, keys, manager, own } => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                let title = manager.title();
                write!(
                    f,
                    "{title} also reads {path}, which sets {}; Nix builds and other machines do not have that file, so set this in \
                     {own} of the repository",
                    keys.join(", ")
                )
            }
            Self::Variable { variable, key } => write!(
                f,
                "the environment variable {variable} sets `{key}` for Yarn; Nix builds do not have it, so set this in {YARNRC_YML}"
            ),
            Self::OtherName { name } => write!(
                f,
                "the environment variable {RC_FILENAME} has Yarn read `{name}` instead of {YARNRC_YML}; splitter and Nix builds read \
                 {YARNRC_YML}, so move the settings there and unset the variable"
            ),
        }
    }
}

/// Finds the settings outside of the repository at `root`. Skips files that cannot be read: a download says why.
pub fn find(root: &Utf8Path, manager: ManagerName, environment: &Environment) -> Vec<Outside> {
    match manager {
        ManagerName::Bun => of_bun(root, environment),
        ManagerName::YarnClassic => of_files(root, manager, YARNRC, &above(root, YARNRC, environment)),
        ManagerName::YarnBerry => of_berry(root, environment),
    }
}

fn of_bun(root: &Utf8Path, environment: &Environment) -> Vec<Outside> {
    let home = environment.home();
    let folders = [environment.get("XDG_CONFIG_HOME").map(Utf8PathBuf::from), home.clone()];
    let mut bunfigs = folders.into_iter().flatten().map(|folder| folder.join(".bunfig.toml"));
    let bunfig: Vec<Utf8PathBuf> = bunfigs.find(|path| path.exists()).into_iter().collect();
    let npmrc: Vec<Utf8PathBuf> = home.map(|home| home.join(NPMRC)).into_iter().collect();
    let mut found = of_files(root, ManagerName::Bun, BUNFIG, &bunfig);
    found.extend(of_files(root, ManagerName::Bun, NPMRC, &npmrc));
    found
}

fn of_berry(root: &Utf8Path, environment: &Environment) -> Vec<Outside> {
    let variables = INSTALLER_FIELDS.yarnrc_yml.iter().filter_map(|key| {
        let variable = variable(key);
        environment.get(&variable).is_some().then(|| Outside::Variable { variable, key: key.clone() })
    });
    // Yarn does not read the files of the usual name then.
    if let Some(name) = environment.get(RC_FILENAME).filter(|name| *name != YARNRC_YML) {
        return iter::once(Outside::OtherName { name: name.to_owned() }).chain(variables).collect();
    }
    let files = above(root, YARNRC_YML, environment);
    variables.chain(of_files(root, ManagerName::YarnBerry, YARNRC_YML, &files)).collect()
}

/// Returns the variable that sets a key of Yarn: `YARN_NODE_LINKER` for `nodeLinker`.
fn variable(key: &str) -> String {
    let mut name = String::from("YARN_");
    for character in key.chars() {
        if character.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(character.to_ascii_uppercase());
    }
    name
}

/// Returns the places of a file in the folders above the repository, and in the home folder.
fn above(root: &Utf8Path, name: &str, environment: &Environment) -> Vec<Utf8PathBuf> {
    let mut folders: Vec<Utf8PathBuf> = root.ancestors().skip(1).map(Utf8Path::to_owned).collect();
    folders.extend(environment.home().filter(|home| home != root && !folders.contains(home)));
    folders.into_iter().map(|folder| folder.join(name)).collect()
}

fn of_files(root: &Utf8Path, manager: ManagerName, own: &'static str, files: &[Utf8PathBuf]) -> Vec<Outside> {
    let keys = |path: &Utf8Path| -> BTreeSet<String> {
        let text = read(path).unwrap_or_default();
        manager.manager().deciding_keys(own, text.strip_prefix('\u{feff}').unwrap_or(&text))
    };
    let mut known: BTreeSet<String> = keys(&root.join(own));
    known.retain(|key| !MERGED.contains(&key.as_str()));
    let mut found = Vec::new();
    for path in files {
        let more: Vec<String> = keys(path).into_iter().filter(|key| known.insert(key.clone())).collect();
        if !more.is_empty() {
            found.push(Outside::File { path: path.clone(), keys: more, manager, own });
        }
    }
    found
}

fn read(path: &Utf8Path) -> Option<String> {
    let is_small = fs_err::metadata(path).ok()?.len() <= MOST;
    if is_small { reading::text(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    fn found(files: &[(&str, &str)], manager: ManagerName, variables: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(folder.path()).unwrap();
        for (path, text) in files {
            fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
            fs::write(top.join(path), text).unwrap();
        }
        let home = top.join("home");
        let environment = Environment::from_pairs(variables.iter().copied().chain([("HOME", home.as_str())]));
        let found = find(&top.join("parent/repo"), manager, &environment);
        found.iter().map(|outside| outside.to_string().replace(top.as_str(), "")).collect()
    }

    /// The values are those of `yarn config get nodeLinker` of Yarn 3.8 and 4.18.
    #[test]
    fn later_yarns_read_the_files_of_all_folders_above() {
        let files = [
            ("home/.yarnrc.yml", "nodeLinker: pnpm\nnpmAuthToken: secret\ncompressionLevel: 0\n"),
            ("parent/.yarnrc.yml", "\u{feff}nodeLinker: node-modules\nenableTelemetry: false\ncacheFolder: ./cache\n"),
            ("parent/repo/.yarnrc.yml", "enableScripts: false\n"),
        ];
        let of_home = "Yarn also reads /home/.yarnrc.yml, which sets `compressionLevel`; Nix builds and other machines do not have \
                       that file, so set this in .yarnrc.yml of the repository";
        let of_parent = "Yarn also reads /parent/.yarnrc.yml, which sets `cacheFolder`, `nodeLinker`; Nix builds and other machines \
                         do not have that file, so set this in .yarnrc.yml of the repository";
        assert_eq!(found(&files, ManagerName::YarnBerry, &[]), [of_parent, of_home]);
        let own = [files[1], ("parent/repo/.yarnrc.yml", "nodeLinker: pnpm\ncacheFolder: x\n")];
        assert!(found(&own, ManagerName::YarnBerry, &[]).is_empty());
        // Yarn merges these mappings.
        let merged = [
            ("parent/.yarnrc.yml", "packageExtensions:\n  a@*: {}\n"),
            ("parent/repo/.yarnrc.yml", "packageExtensions:\n  b@*: {}\n"),
        ];
        assert_eq!(found(&merged, ManagerName::YarnBerry, &[]).len(), 1);
        assert!(found(&files, ManagerName::Bun, &[]).is_empty());
        assert!(found(&[("parent/.yarnrc.yml", "\t")], ManagerName::YarnBerry, &[]).is_empty());
    }

    #[test]
    fn variables_of_later_yarns_are_named() {
        let files = [("parent/.yarnrc.yml", "nodeLinker: pnpm\n")];
        let variables = [("YARN_RC_FILENAME", ".yarnrc.ci.yml"), ("YARN_NODE_LINKER", "pnpm")];
        assert_eq!(
            found(&files, ManagerName::YarnBerry, &variables),
            [
                "the environment variable YARN_RC_FILENAME has Yarn read `.yarnrc.ci.yml` instead of .yarnrc.yml; splitter and Nix \
                 builds read .yarnrc.yml, so move the settings there and unset the variable",
                "the environment variable YARN_NODE_LINKER sets `nodeLinker` for Yarn; Nix builds do not have it, so set this in \
                 .yarnrc.yml",
            ]
        );
        assert!(found(&[], ManagerName::YarnBerry, &[("YARN_RC_FILENAME", ".yarnrc.yml")]).is_empty());
    }

    #[test]
    fn yarn_1_and_bun_have_such_files_too() {
        let files = [
            ("parent/.yarnrc", "workspaces-nohoist-experimental false\nlastUpdateCheck 5\n"),
            ("home/.bunfig.toml", "[install]\nlinker = \"isolated\"\nregistry = \"https://r.example\"\n"),
            ("home/.npmrc", "//r.example/:_authToken=secret\nomit=dev\n"),
            ("parent/repo/bunfig.toml", "[install]\nproduction = false\n"),
        ];
        let classic = found(&files, ManagerName::YarnClassic, &[]);
        assert_eq!(classic.len(), 1);
        assert!(
            classic[0].starts_with("Yarn also reads /parent/.yarnrc, which sets `workspaces-nohoist-experimental`;")
        );
        let bun = found(&files, ManagerName::Bun, &[]);
        assert!(bun[0].starts_with("Bun also reads /home/.bunfig.toml, which sets `linker`;"), "{bun:?}");
        assert!(bun[1].starts_with("Bun also reads /home/.npmrc, which sets `omit`;") && bun.len() == 2, "{bun:?}");
    }
}
