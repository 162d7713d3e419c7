//! What splitter writes into a repository has no findings, matters of taste included.

use super::{Choices, Finding, testing};
use crate::{
    ci::{self, Images, Provider, Settings, StoreCache, actions::Pins},
    repo::MemoryTree,
    scaffold::direnv::{self, Direnv},
};

/// Returns choices as the file of a CI system has them.
fn settings(provider: Provider, changes: &[(&str, serde_json::Value)]) -> Settings {
    let mut choices =
        serde_json::json!({ "provider": provider, "branch": "main", "systems": ["x86_64-linux", "aarch64-darwin"] });
    for (name, value) in changes {
        choices[*name] = value.clone();
    }
    serde_json::from_value(choices).unwrap()
}

/// Returns a text without its first lines, which say that splitter wrote it: such files are not read.
fn without_mark(text: &str) -> String {
    text.split_inclusive('\n').skip_while(|line| line.starts_with('#')).collect()
}

fn pedantic(files: &[(&str, &str)]) -> Vec<Finding> {
    testing::findings(files, &Choices { is_pedantic: true, ..Choices::default() })
}

#[test]
fn files_for_ci_have_no_findings() {
    let images = Images { registry: "ghcr.io/acme".to_owned(), job_token: true };
    let caches =
        serde_json::json!(["https://cache.example.org", "cachix:acme", "attic:attic.example.org/acme", "s3://acme"]);
    let keys = serde_json::json!(["cache.example.org-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]);
    for provider in Provider::ALL {
        let stores = [StoreCache::None, StoreCache::CacheNixAction, StoreCache::Hestia];
        for store in stores.into_iter().filter(|store| provider == Provider::Github || *store == StoreCache::None) {
            for caches in [serde_json::json!([]), caches.clone()] {
                let images = serde_json::to_value(&images).unwrap();
                let store = serde_json::to_value(store).unwrap();
                let changes = [
                    ("storeCache", store),
                    ("caches", caches),
                    ("bots", true.into()),
                    ("images", images),
                    ("publicKeys", keys.clone()),
                ];
                let written = ci::wanted(&settings(provider, &changes), &[], &Pins::of_the_program());
                let files: Vec<(String, String)> =
                    written.into_iter().map(|file| (file.path, without_mark(&file.text))).collect();
                let mut files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
                assert!(!files.is_empty() && files.iter().all(|(_, text)| text.lines().count() > 10));
                files.extend([
                    ("bun.lock", "{}"),
                    ("flake.lock", "{}"),
                    ("flake.nix", "{ outputs = _: { checks = { }; }; }\n"),
                ]);
                let of_ci = |finding: &Finding| !finding.path.starts_with("flake");
                let found: Vec<_> = pedantic(&files).into_iter().filter(of_ci).collect();
                assert!(found.is_empty(), "{provider:?} {changes:?}\n{found:#?}");
            }
        }
    }
}

#[test]
fn the_envrc_has_no_findings() {
    let Direnv::Written(files) = direnv::files(&MemoryTree::new([])).unwrap() else { panic!("there is no .envrc") };
    let texts: Vec<(String, String)> = files.into_iter().map(|(path, text)| (path.to_string(), text)).collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (&**path, &**text)).collect();
    assert!(files.iter().any(|(path, _)| *path == ".envrc"));
    assert_eq!(pedantic(&files).len(), 0);
}
