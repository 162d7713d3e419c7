//! Where a tool writes what it builds.

use jsonc_parser::ast::Object;

use super::{
    script,
    tools::{OutputRule, Tool},
};
use crate::{
    lockfile::json::{Dialect, Document},
    repo::{RepoPath, Tree, read_text},
    split::SplitError,
};

/// What is kept where neither the tool nor its configuration is known.
const USUAL: &str = "dist";

/// The options that name the output of most tools.
const USUAL_OPTIONS: [&str; 3] = ["--outdir", "--outDir", "--out-dir"];

/// The folder that a build leaves, relative to the workspace's: as the script or the tool's configuration says it, or else
/// what a task runner has, `outputs`.
pub(super) fn folder(
    tree: &dyn Tree,
    folder: &RepoPath,
    script: &str,
    tool: Option<&Tool>,
    outputs: &[String],
) -> Result<String, SplitError> {
    let build = BuildScript { tree, folder, script };
    let found = match tool {
        Some(tool) => build.first_of(&tool.output)?,
        None => script::option(script, &USUAL_OPTIONS),
    };
    let found = found.or_else(|| of_task(outputs));
    // A configuration may name anything; what leaves the workspace cannot be kept as its output.
    let inside = found.and_then(|text| RepoPath::root().resolve(&text).ok()).filter(|path| !path.is_root());
    Ok(inside.map_or_else(|| USUAL.to_owned(), |path| path.as_str().to_owned()))
}

/// A build script, and where it is run.
struct BuildScript<'a> {
    tree: &'a dyn Tree,
    folder: &'a RepoPath,
    script: &'a str,
}

impl BuildScript<'_> {
    fn first_of(&self, rules: &[OutputRule]) -> Result<Option<String>, SplitError> {
        for rule in rules {
            if let Some(found) = self.apply(rule)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn apply(&self, rule: &OutputRule) -> Result<Option<String>, SplitError> {
        let &Self { tree, folder, script } = self;
        Ok(match rule {
            OutputRule::Option { names, parent } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                script::option(script, &names).map(|value| if *parent { parent_of(value) } else { value })
            }
            OutputRule::Setting { file, name } => setting(tree, folder, file, name)?,
            OutputRule::SettingIs { file, name, is, folder: output } => {
                setting(tree, folder, file, name)?.filter(|value| value == is).map(|_| output.clone())
            }
            OutputRule::Mentions { file, text, folder: output } => {
                config_text(tree, folder, file)?.filter(|config| config.contains(text)).map(|_| output.clone())
            }
            OutputRule::TsConfig {} => ts_out_dir(tree, folder, script)?,
            OutputRule::Folder { folder } => Some(folder.clone()),
        })
    }
}

/// The folder of a file; a file that lies in none is the output itself.
fn parent_of(file: String) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) if folder != "." => folder.to_owned(),
        _ => file,
    }
}

/// Of the folders that a task writes, the usual one, or else the first: lists often serve many workspaces.
fn of_task(outputs: &[String]) -> Option<String> {
    let folder = |output: &String| {
        let folder = output.trim_start_matches("./").split_once('*').map_or(output.as_str(), |(folder, _)| folder);
        let is_whole = output.ends_with("/**") || output.ends_with("/**/*") || !output.contains('*');
        let folder = folder.trim_end_matches('/');
        (is_whole && !folder.is_empty() && camino::Utf8Path::new(folder).extension().is_none())
            .then(|| folder.to_owned())
    };
    let folders: Vec<String> = outputs.iter().filter_map(folder).collect();
    folders.iter().find(|folder| *folder == USUAL).or(folders.first()).cloned()
}

/// A plain `name: "value"` in a configuration file.
fn setting(tree: &dyn Tree, folder: &RepoPath, file: &str, name: &str) -> Result<Option<String>, SplitError> {
    Ok(config_text(tree, folder, file)?.and_then(|text| plain_setting(&text, name)))
}

fn config_text(tree: &dyn Tree, folder: &RepoPath, file: &str) -> Result<Option<String>, SplitError> {
    for ending in ["ts", "js", "mjs", "mts", "cjs"] {
        if let Some(text) = read_text(tree, &folder.child(&format!("{file}.{ending}")))? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

fn plain_setting(text: &str, name: &str) -> Option<String> {
    text.match_indices(name).find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|character| character.is_alphanumeric() || character == '_') {
            return None;
        }
        let value = text[at + name.len()..].trim_start().strip_prefix(':')?.trim_start();
        let quote = value.chars().next().filter(|quote| "\"'`".contains(*quote))?;
        let value = &value[1..];
        let value = &value[..value.find(quote)?];
        (!value.is_empty() && !value.contains(['$', '\n'])).then(|| value.to_owned())
    })
}

fn ts_out_dir(tree: &dyn Tree, folder: &RepoPath, script: &str) -> Result<Option<String>, SplitError> {
    let name = script::option(script, &["-p", "--project", "-b", "--build"]).unwrap_or_default();
    let name = if is_json(&name) { name } else { "tsconfig.json".to_owned() };
    let mut next = folder.resolve(&name).ok();
    // Which configuration extends which is a chain; one that is a ring is the compiler's to report.
    for _ in 0..EXTENDED {
        let Some(path) = next.take() else { return Ok(None) };
        let Some(text) = read_text(tree, &path)? else { return Ok(None) };
        let TsConfig { out_dir, extends } = ts_config(&path, &text);
        if let Some(out_dir) = out_dir {
            let place = path.parent().resolve(&out_dir).ok();
            return Ok(place.and_then(|place| place.below(folder).map(str::to_owned)));
        }
        next = extends.and_then(|extends| path.parent().resolve(&extends).ok());
    }
    Ok(None)
}

fn is_json(file: &str) -> bool {
    camino::Utf8Path::new(file).extension() == Some("json")
}

/// How many configurations of TypeScript may extend each other.
const EXTENDED: usize = 8;

/// What of a `tsconfig.json` says where `tsc` writes.
#[derive(Default)]
struct TsConfig {
    out_dir: Option<String>,
    /// The file that it extends; none where that is a package's.
    extends: Option<String>,
}

/// Reads the text of a `tsconfig.json`. What is wrong with it is the compiler's to report.
fn ts_config(path: &RepoPath, text: &str) -> TsConfig {
    let Ok(document) = Document::parse(path.as_str(), text, Dialect::Jsonc) else { return TsConfig::default() };
    let Ok(root) = document.object() else { return TsConfig::default() };
    let text = |object: &Object<'_>, key: &str| {
        let value = object.get(key).and_then(|property| property.value.as_string_lit());
        value.map(|text| text.value.clone().into_owned())
    };
    let options = root.get("compilerOptions").and_then(|property| property.value.as_object());
    let extends = text(root, "extends").filter(|extends| extends.starts_with('.'));
    TsConfig {
        out_dir: options.and_then(|options| text(options, "outDir")),
        extends: extends.map(|file| if is_json(&file) { file } else { file + ".json" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn found(script: &str, tool: Option<&str>, files: &[(&str, &str)]) -> String {
        folder(&MemoryTree::new(files.iter().copied()), &"apps/a".parse().unwrap(), script, tool.map(Tool::named), &[])
            .unwrap()
    }

    #[test]
    fn each_tool_has_its_usual_folder() {
        assert_eq!(found("", Some("Next.js"), &[]), ".next");
        assert_eq!(found("", Some("Vite"), &[]), "dist");
        assert_eq!(found("", Some("SvelteKit"), &[]), "build");
        assert_eq!(found("", Some("React Router"), &[]), "build");
        assert_eq!(found("", Some("TanStack Start"), &[]), ".output");
        assert_eq!(found("make", None, &[]), "dist");
    }

    #[test]
    fn what_tsc_writes_may_be_said_in_a_file_that_is_extended() {
        let found = |own: &str, base: &str| {
            let files = [("apps/a/tsconfig.build.json", own), ("apps/a/tsconfig.json", base), ("ring.json", own)];
            found("tsc -p tsconfig.build.json", Some("tsc"), &files)
        };
        let out = r#"{"compilerOptions": {"outDir": "build"}}"#;
        assert_eq!(found(r#"{"extends": "./tsconfig.json"}"#, out), "build");
        assert_eq!(found(r#"{"extends": "./tsconfig"}"#, out), "build");
        assert_eq!(found(r#"{"extends": "./tsconfig.build.json"}"#, out), "dist");
        assert_eq!(found(r#"{"extends": "@acme/tsconfig"}"#, out), "dist");
        assert_eq!(found(r#"{"extends": "../../no.json"}"#, out), "dist");
    }

    #[test]
    fn a_task_runner_is_asked_where_nothing_else_says_it() {
        let found = |script: &str, tool: Option<&str>, outputs: &[&str]| {
            let outputs: Vec<_> = outputs.iter().map(|output| (*output).to_owned()).collect();
            folder(&MemoryTree::new([]), &RepoPath::root(), script, tool.map(Tool::named), &outputs).unwrap()
        };
        assert_eq!(found("make", None, &["package.json", "lib/**", "es"]), "lib");
        assert_eq!(found("make", None, &[".next/**", "dist/**"]), "dist");
        assert_eq!(found("make", None, &["**/*.js", "../out/**"]), "dist");
        assert_eq!(found("make --outdir www", None, &["lib/**"]), "www");
        assert_eq!(found("", Some("Next.js"), &["lib/**"]), ".next");
    }

    #[test]
    fn options_and_configuration_say_otherwise() {
        assert_eq!(found("bun build a.ts --outdir ./out/", Some("bun build"), &[]), "out");
        assert_eq!(found("bun build a.ts --outfile build/a.js", Some("bun build"), &[]), "build");
        assert_eq!(found("bun build a.ts --compile --outfile server", Some("bun build"), &[]), "server");
        assert_eq!(found("vite build --outDir www", Some("Vite"), &[]), "www");
        let config = ("apps/a/vite.config.ts", "export default { build: { outDir: 'web', } }");
        assert_eq!(found("vite build", Some("Vite"), &[config]), "web");
        let config = ("apps/a/vite.config.ts", "build: { outDir: process.env.OUT, myoutDir: 'x' }");
        assert_eq!(found("vite build", Some("Vite"), &[config]), "dist");
        let config = ("apps/a/vite.config.ts", "build: { outDir: '../../out' }");
        assert_eq!(found("vite build", Some("Vite"), &[config]), "dist");
        assert_eq!(found("", Some("Next.js"), &[("apps/a/next.config.mjs", "{ output: \"export\" }")]), "out");
        let config = ("apps/a/tsconfig.json", "{ // c\n \"compilerOptions\": { \"outDir\": \"./lib\", } }");
        assert_eq!(found("tsc -b", Some("tsc"), &[config]), "lib");
        let config = ("apps/a/tsconfig.build.json", "{ \"compilerOptions\": { \"outDir\": \"es\" } }");
        assert_eq!(found("tsc -p tsconfig.build.json", Some("tsc"), &[config]), "es");
        let config = ("apps/a/svelte.config.js", "import adapter from '@sveltejs/adapter-cloudflare'");
        assert_eq!(found("", Some("SvelteKit"), &[config]), ".svelte-kit/cloudflare");
    }
}
