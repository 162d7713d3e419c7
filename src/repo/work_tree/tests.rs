//! Trees in temporary folders.

use super::*;

fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, WorkTree) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize().unwrap()).unwrap();
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    (folder, WorkTree::at(root))
}

#[test]
fn the_root_is_found_from_any_folder_inside() {
    let (_folder, tree) = repository(&[("bun.lock", "{}"), ("apps/web/src/a.ts", "")]);
    let found = WorkTree::discover(&tree.root().join("apps/web/src")).unwrap();
    assert_eq!(found.root(), tree.root());
}

#[test]
fn source_files_leave_out_what_git_ignores() {
    let (_folder, tree) = repository(&[
        (".gitignore", "dist\n"),
        ("src/a.ts", "abc"),
        ("dist/a.js", ""),
        ("node_modules/x/index.js", ""),
        (".git/config", ""),
        (".env.example", ""),
    ]);
    let files = tree.source_files().unwrap();
    let paths: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.bytes)).collect();
    assert_eq!(paths, [(".env.example", 0), (".gitignore", 5), ("src/a.ts", 3)]);
}

#[test]
fn files_of_a_folder_that_git_ignores_are_told_apart() {
    let files = [(".yarn/cache/a.zip", ""), (".yarn/cache/b/c.zip", ""), (".yarn/d.zip", ""), ("e.zip", "")];
    let folder = ".yarn/cache".parse().unwrap();
    let (_folder, tree) = repository(&files);
    assert_eq!(tree.unignored_files(&folder).unwrap(), ["a.zip"]);
    let (_folder, tree) = repository(&[&files[..], &[(".gitignore", ".yarn/*\n!.yarn/patches\n")]].concat());
    assert!(tree.unignored_files(&folder).unwrap().is_empty());
    assert!(tree.unignored_files(&"no/such".parse().unwrap()).unwrap().is_empty());
}

#[test]
fn what_other_machines_need_not_have_is_told() {
    let (_folder, tree) = repository(&[
        (".gitignore", "/.env\ndist/\n"),
        ("a/.gitignore", "!dist/\nx.json\n"),
        (".env", ""),
        ("dist/b/c.js", ""),
        ("a/dist/c.js", ""),
        ("a/x.json", ""),
        ("node_modules/d/t.json", ""),
    ]);
    let ignored = |path: &str| tree.is_ignored(&path.parse().unwrap()).unwrap();
    assert!([".env", "dist", "dist/b", "dist/b/c.js", "a/x.json", "node_modules/d/t.json"].into_iter().all(ignored));
    assert!(!["a", "a/dist", "a/dist/c.js", ".gitignore"].into_iter().any(ignored));
}

#[test]
fn what_is_absent_is_none_and_not_an_error() {
    let (_folder, tree) = repository(&[("a/b", "x")]);
    assert!(tree.read(&"a/c".parse().unwrap()).unwrap().is_none());
    assert!(tree.read(&"a".parse().unwrap()).unwrap().is_none());
    assert!(tree.read(&"a/b/c".parse().unwrap()).unwrap().is_none());
    assert!(tree.list(&"nowhere".parse().unwrap()).unwrap().is_empty());
}
