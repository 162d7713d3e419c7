//! Finds files with environment variables outside a workspace: those that Yarn gives to every script, and the `.env` files of
//! folders above that a framework is told to read.

use super::search::Search;
use crate::{
    managers::yarn_berry::rc::BerryRc,
    repo::{EntryKind, RepoPath, Tree},
    split::{ManagerName, SplitError},
};

/// The file that Yarn 4 looks for if no setting names any. Whether its scripts get the variables is up to Yarn's version.
const OF_YARN: &str = ".env.yarn";

/// Texts of programs that read `.env` files from a folder that they name: `envDir` of Vite, `loadEnvConfig` of Next.js,
/// `env.dir` of `SvelteKit`, and packages.
const WORDS: [&str; 6] = ["envDir", "loadEnv", "dotenv", "env-cmd", "envFile", "dir:"];

/// What each of these programs has in its text. Most have not, and every program of a repository is searched.
const COMMON: &str = "nv";

/// The environment files of Yarn that a checkout has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::split) struct OfYarn {
    /// The files, in the order in which Yarn reads them.
    pub(in crate::split) files: Vec<RepoPath>,
    /// Whether `injectEnvironmentFiles` names them.
    pub(in crate::split) is_set: bool,
}

/// Returns the files of `injectEnvironmentFiles`, without those that are missing or that git ignores.
pub(in crate::split) fn of_yarn(tree: &dyn Tree, manager: ManagerName) -> Result<OfYarn, SplitError> {
    if manager != ManagerName::YarnBerry {
        return Ok(OfYarn::default());
    }
    let set = BerryRc::read(tree)?.npm.environment_files;
    let is_set = set.is_some();
    let mut files = Vec::new();
    for name in set.unwrap_or_else(|| vec![OF_YARN.to_owned()]) {
        let Ok(path) = RepoPath::root().resolve(name.trim_end_matches('?')) else { continue };
        if tree.is_file(&path)? && !tree.is_ignored(&path)? && !files.contains(&path) {
            files.push(path);
        }
    }
    Ok(OfYarn { files, is_set })
}

/// Whether a program may read `.env` files.
pub(super) fn may_read(text: &str) -> bool {
    text.contains(COMMON) && WORDS.iter().any(|word| text.contains(word))
}

/// Returns the `.env` files of the folders above the workspace that a program names.
pub(super) fn read_by(search: &mut Search<'_, '_>, text: &str, folder: &RepoPath) -> Result<Vec<RepoPath>, SplitError> {
    let mut found = Vec::new();
    for ups in ups(text) {
        for from in [folder.clone(), search.own.clone()] {
            let Ok(target) = from.resolve(&"../".repeat(ups)) else { continue };
            if search.own.is_within(&target) && target != *search.own && search.is_outside(&target) {
                found.extend(in_folder(search, &target)?);
            }
        }
    }
    Ok(found)
}

fn in_folder(search: &mut Search<'_, '_>, folder: &RepoPath) -> Result<Vec<RepoPath>, SplitError> {
    let is_one = |name: &str| name == ".env" || (name.starts_with(".env.") && name != OF_YARN && !is_example(name));
    let entries = search.finder.list(folder)?;
    let found = entries.iter().filter(|entry| entry.kind != EntryKind::Folder && is_one(&entry.name));
    Ok(found.map(|entry| folder.child(&entry.name)).collect())
}

fn is_example(name: &str) -> bool {
    ["example", "sample", "template"].iter().any(|word| name.ends_with(word))
}

/// How many folders up the texts of a program lead: `"../.."`, or `"..", ".."` in one call.
fn ups(text: &str) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    // Whether the last text in quotes led up, and only a comma follows it.
    let mut goes_on = false;
    for (number, part) in text.split(['"', '\'', '`']).enumerate() {
        let count = part.split('/').filter(|name| *name == "..").count();
        let is_up = part.split('/').all(|name| matches!(name, "" | "." | ".." | ".env") || name.starts_with("${"));
        match (number % 2 == 1 && count > 0 && is_up, goes_on, found.last_mut()) {
            (true, true, Some(last)) => *last += count,
            (true, ..) => found.push(count),
            _ => {}
        }
        goes_on = if number % 2 == 1 { count > 0 && is_up } else { goes_on && part.trim() == "," };
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_above_are_found_in_all_forms() {
        assert_eq!(ups("export default { envDir: '../..' }"), [2]);
        assert_eq!(ups("loadEnvConfig(path.join(__dirname, '..', \"..\"))"), [2]);
        assert_eq!(ups("loadEnv(mode, resolve(import.meta.dirname, '../'), 'VITE_')"), [1]);
        assert_eq!(ups("dotenv.config({ path: '../../.env' })"), [2]);
        assert_eq!(ups("a('..'); b('..', 'x')"), [1]);
        assert_eq!(ups("import x from '../../packages/x'"), [0; 0]);
        assert_eq!(ups("it's"), [0; 0]);
    }
}
