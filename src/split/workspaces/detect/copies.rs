//! Finds the apps that get copies of packages instead of links into the store, by what they depend on and run.
//!
//! The known packages and commands are data, `copies.json`. Prisma is an exception: its schema says whether its client is
//! written into `node_modules`.

use std::sync::LazyLock;

use nodejs_semver::{Range, Version};
use serde::Deserialize;

use super::script;
use crate::{
    lockfile::{DependencyGroup, LockedPackage, Lockfile, Resolution},
    repo::{EntryKind, RepoPath, Tree, read_text},
    split::{Manifest, SplitError},
};

const TEXT: &str = include_str!("copies.json");

/// What does not work with links.
#[derive(Debug, Default, Deserialize)]
struct Known {
    dependencies: Vec<KnownDependency>,
    commands: Vec<KnownCommand>,
}

#[derive(Debug, Deserialize)]
struct KnownDependency {
    package: String,
    why: String,
}

#[derive(Debug, Deserialize)]
struct KnownCommand {
    program: String,
    /// Absent if the program does one thing only.
    verb: Option<String>,
    /// One of these must be there, where there are any.
    #[serde(default)]
    options: Vec<String>,
    /// The package that must be locked in the major version `from` or a later one, and in one below `before`.
    package: Option<String>,
    #[serde(default)]
    from: u64,
    before: Option<u64>,
    /// None of these may be there.
    #[serde(default)]
    unless: Vec<String>,
    why: String,
}

/// The table. The file is part of the program and a test reads it, so that the fallback is never used.
static KNOWN: LazyLock<Known> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// Why an app needs copies, in words, as its manifest and its build command `build` tell; none where links will do.
pub(in crate::split) fn reason(app: &Manifest, build: Option<&str>, lockfile: &Lockfile) -> Option<String> {
    by_dependency(app).or_else(|| by_command(app, build, lockfile))
}

/// Why a workspace and all that are built with it need copies: it has a schema of Prisma that says so.
pub(in crate::split) fn reason_of_schema(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
) -> Result<Option<String>, SplitError> {
    let schema = prisma_schema_into_node_modules(tree, folder, manifest)?;
    Ok(schema.map(|schema| format!("`prisma generate` writes into node_modules ({schema})")))
}

/// Peers are what a library leaves to its users, and say nothing of what is run.
fn by_dependency(app: &Manifest) -> Option<String> {
    let asked = |package: &str| {
        let mut groups = app.dependencies.iter().filter(|(group, _)| **group != DependencyGroup::Peer);
        groups.any(|(_, specifiers)| specifiers.contains_key(package))
    };
    let found = KNOWN.dependencies.iter().find(|known| asked(&known.package))?;
    Some(format!("it depends on {}: {}", found.package, found.why))
}

fn by_command(app: &Manifest, build: Option<&str>, lockfile: &Lockfile) -> Option<String> {
    let script = script::expanded(build?, app);
    let commands = script::commands(&script);
    let runs = |known: &&KnownCommand| {
        let majors = known.from..known.before.unwrap_or(u64::MAX);
        commands.iter().any(|words| known.matches(words))
            && known.package.as_deref().is_none_or(|package| is_locked_in(app, package, &majors, lockfile))
    };
    let found = KNOWN.commands.iter().find(runs)?;
    let command = found.verb.as_ref().map_or_else(|| found.program.clone(), |verb| format!("{} {verb}", found.program));
    Some(format!("it runs `{command}`: {}", found.why))
}

impl KnownCommand {
    fn matches(&self, words: &[String]) -> bool {
        let has = |option: &String| words.contains(option);
        let runs = match &self.verb {
            Some(verb) => script::runs(words, &self.program, verb),
            None => script::runs_any(words, &self.program),
        };
        runs && (self.options.is_empty() || self.options.iter().any(has)) && !self.unless.iter().any(has)
    }
}

/// Whether a package that a manifest asks for is locked in one of these major versions. Of several versions those count that the
/// manifest's range admits; all of them where it is no range.
fn is_locked_in(manifest: &Manifest, package: &str, majors: &std::ops::Range<u64>, lockfile: &Lockfile) -> bool {
    let asked = manifest.dependencies.values().find_map(|specifiers| specifiers.get(package));
    let range = asked.and_then(|text| Range::parse(text.strip_prefix("npm:").unwrap_or(text)).ok());
    let versions = lockfile.packages.iter().filter(|locked| locked.name == package).filter_map(version);
    let mut admitted = versions.filter(|version| range.as_ref().is_none_or(|range| range.satisfies(version)));
    admitted.any(|version| majors.contains(&version.major()))
}

fn version(package: &LockedPackage) -> Option<Version> {
    match &package.resolution {
        Resolution::Registry { version, .. } => Version::parse(version).ok(),
        _ => None,
    }
}

/// A schema whose generator writes the client where it is by default: into the installed packages.
fn prisma_schema_into_node_modules(
    tree: &dyn Tree,
    folder: &RepoPath,
    manifest: &Manifest,
) -> Result<Option<RepoPath>, SplitError> {
    if !manifest.depends_on("@prisma/client") {
        return Ok(None);
    }
    let named = manifest.json.pointer("/prisma/schema").and_then(serde_json::Value::as_str);
    for place in named.into_iter().chain(["schema.prisma", "prisma", "prisma/schema"]) {
        let Ok(path) = folder.resolve(place) else { continue };
        for file in schema_files(tree, &path)? {
            if read_text(tree, &file)?.is_some_and(|text| generates_into_node_modules(&text)) {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// A schema is a file, or a folder of them.
fn schema_files(tree: &dyn Tree, path: &RepoPath) -> Result<Vec<RepoPath>, SplitError> {
    if path.as_str().ends_with(".prisma") {
        return Ok(vec![path.clone()]);
    }
    let entries = tree.list(path)?.into_iter();
    let schemas = entries.filter(|entry| entry.kind == EntryKind::File && entry.name.ends_with(".prisma"));
    Ok(schemas.map(|entry| path.child(&entry.name)).collect())
}

/// Whether a schema has the JavaScript generator with no `output` of its own. A generator's block has no braces in it.
fn generates_into_node_modules(schema: &str) -> bool {
    let lines = schema.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let text = lines.collect::<Vec<_>>().join("\n");
    let blocks = text.split("\ngenerator ").skip(1).filter_map(|rest| rest.split('}').next());
    let first = text.strip_prefix("generator ").and_then(|rest| rest.split('}').next());
    blocks.chain(first).any(|block| {
        let setting = |name: &str| {
            block
                .lines()
                .find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == name))
                .map(|(_, value)| value)
        };
        setting("provider").is_some_and(|value| value.contains("prisma-client-js"))
            && setting("output").is_none_or(|value| value.contains("node_modules"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{managers::bun::lockfile as bun, repo::MemoryTree};

    fn lock(package: &str, version: &str) -> Lockfile {
        let integrity = crate::lockfile::Algorithm::Sha512.digest(b"");
        let entry = format!(r#""{package}": ["{package}@{version}", "", {{}}, "{integrity}"]"#);
        bun::parse(&format!(r#"{{"lockfileVersion": 1, "workspaces": {{}}, "packages": {{{entry}}}}}"#)).unwrap()
    }

    fn found(manifest: &str, next: &str, files: &[(&str, &str)]) -> Option<String> {
        let app = Manifest::parse("package.json", manifest).unwrap();
        let folder: RepoPath = "apps/web".parse().unwrap();
        let tree = MemoryTree::new(files.iter().copied());
        let own = reason(&app, Some("bun run build"), &lock("next", next));
        own.or_else(|| reason_of_schema(&tree, &folder, &app).unwrap())
    }

    #[test]
    fn the_table_is_read() {
        assert!(!KNOWN.dependencies.is_empty());
        assert!(KNOWN.commands.iter().all(|known| known.package.is_some() || (known.from, known.before) == (0, None)));
    }

    #[test]
    fn a_command_counts_with_or_without_a_verb_and_in_some_versions() {
        let by = |script: &str, angular: &str| {
            let manifest =
                format!(r#"{{"dependencies": {{"@angular/core": "*"}}, "scripts": {{"build": "{script}"}}}}"#);
            let app = Manifest::parse("package.json", &manifest).unwrap();
            reason(&app, Some("yarn run build"), &lock("@angular/core", angular))
        };
        assert!(by("ng build --prod", "12.2.0").unwrap().contains("ngcc"));
        assert_eq!(by("ng build", "17.0.0"), None);
        assert!(by("gatsby build", "1.0.0").is_some());
        assert!(by("tsc && electron-builder --linux", "1.0.0").unwrap().starts_with("it runs `electron-builder`: "));
    }

    #[test]
    fn turbopack_gets_copies_by_option_and_by_version() {
        let next = |script: &str, version: &str| {
            let manifest = format!(r#"{{"scripts": {{"build": "{script}"}}, "dependencies": {{"next": "*"}}}}"#);
            found(&manifest, version, &[])
        };
        assert_eq!(
            next("NODE_ENV=production next build --turbopack", "15.3.0").unwrap(),
            "it runs `next build`: Turbopack refuses links that leave its root"
        );
        assert!(next("next build", "16.0.1").unwrap().contains("since Next.js 16"));
        assert_eq!(next("next build", "15.5.0"), None);
        assert_eq!(next("next build --webpack", "16.0.1"), None);
        assert_eq!(next("next lint", "16.0.1"), None);
    }

    #[test]
    fn of_several_versions_those_that_the_manifest_admits_count() {
        let manifest =
            |range: &str| format!(r#"{{"scripts": {{"build": "next build"}}, "dependencies": {{"next": "{range}"}}}}"#);
        assert_eq!(found(&manifest("^15.0.0"), "16.1.0", &[]), None);
        assert!(found(&manifest("npm:^16.0.0"), "16.1.0", &[]).is_some());
        assert!(found(&manifest("catalog:"), "16.1.0", &[]).is_some());
    }

    #[test]
    fn metro_gets_copies_where_it_is_no_peer() {
        let expo = |group: &str| found(&format!(r#"{{"{group}": {{"expo": "53"}}}}"#), "15.0.0", &[]);
        assert_eq!(expo("dependencies").unwrap(), "it depends on expo: Metro does not follow links out of its project");
        assert_eq!(expo("peerDependencies"), None);
    }

    #[test]
    fn prisma_gets_copies_where_its_client_goes_into_node_modules() {
        let prisma = |path: &str, generator: &str| {
            let schema = format!("datasource db {{\n}}\n\ngenerator client {{\n{generator}\n}}\n");
            found(r#"{"dependencies": {"@prisma/client": "6"}}"#, "15.0.0", &[(path, &schema)])
        };
        let default = "  provider = \"prisma-client-js\"\n  // output = \"../src\"";
        assert_eq!(
            prisma("apps/web/prisma/schema.prisma", default).unwrap(),
            "`prisma generate` writes into node_modules (apps/web/prisma/schema.prisma)"
        );
        assert!(prisma("apps/web/prisma/schema/db.prisma", default).is_some());
        let own = "provider = \"prisma-client-js\"\noutput   = \"../src/generated\"";
        assert_eq!(prisma("apps/web/prisma/schema.prisma", own), None);
        assert_eq!(prisma("apps/web/prisma/schema.prisma", "provider = \"prisma-client\"\noutput = \"../x\""), None);
        assert_eq!(found("{}", "15.0.0", &[("apps/web/schema.prisma", default)]), None);
    }
}
