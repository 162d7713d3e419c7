//! Where a build writes what is kept: its commands say it, the tools' configuration, entry points that git lacks, or a task runner.

use jsonc_parser::ast::Object;

use super::{compiled, entry_points, script, tools::OutputRule};
use crate::{
    lockfile::json::{Dialect, Document},
    repo::{RepoPath, Tree, read_text},
    split::{Manifest, SplitError},
};

/// What is kept where neither the tool nor its configuration is known.
const USUAL: &str = "dist";

/// The options that name the output of most tools.
const USUAL_OPTIONS: [&str; 3] = ["--outdir", "--outDir", "--out-dir"];

/// What a build leaves, relative to the workspace's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outputs {
    /// What must be there.
    pub(super) required: Vec<String>,
    /// What commands beside the main one write, if they do.
    pub(super) optional: Vec<String>,
    /// Whether nothing says where the build writes.
    pub(super) is_guess: bool,
}

/// Finds what a build leaves: as its commands or their tools' configuration say it, or else the folder of an entry point that git
/// lacks, or else what a task runner says, `of_task`.
pub(super) fn find(
    tree: &dyn Tree,
    folder: &RepoPath,
    script: &str,
    manifest: &Manifest,
    of_task: &[String],
) -> Result<Outputs, SplitError> {
    let tools = script::tools(script, manifest);
    let main = tools.iter().min_by_key(|(place, ..)| *place);
    let mut outputs = Outputs::default();
    for (place, tool, words) in &tools {
        // `next export` turns what `next build` left into files of its own.
        if main.is_some_and(|(main, main_tool, _)| place != main && tool.name() == main_tool.name()) {
            continue;
        }
        let command = Command { tree, folder, words };
        let Some(found) = command.first_of(&tool.output)?.and_then(|text| inside(&text)) else { continue };
        let list =
            if main.is_some_and(|(main, ..)| place == main) { &mut outputs.required } else { &mut outputs.optional };
        list.push(found);
    }
    // What goes into a compiled program is no output of its own.
    let compiled = script::commands(script).into_iter().filter_map(|words| compiled::find(&words));
    let programs: Vec<String> = compiled.filter_map(|found| inside(&found.file)).collect();
    if !programs.is_empty() {
        outputs = Outputs { required: programs, ..Outputs::default() };
    }
    if outputs.required.is_empty() {
        outputs.required.append(&mut outputs.optional);
    }
    if outputs.required.is_empty() {
        let named = script::option(script, &USUAL_OPTIONS).filter(|_| tools.is_empty());
        let named = match named {
            None => entry_points::missing_folder(tree, folder, manifest)?,
            some => some,
        };
        let found = named.or_else(|| usual_task_output(of_task)).and_then(|text| inside(&text));
        outputs.is_guess = found.is_none();
        outputs.required.push(found.unwrap_or_else(|| USUAL.to_owned()));
    }
    outputs.drop_nested();
    Ok(outputs)
}

impl Outputs {
    /// Drops what lies in another output, and what is named twice.
    fn drop_nested(&mut self) {
        let all: Vec<String> = self.required.iter().chain(&self.optional).cloned().collect();
        let is_nested = |path: &String| {
            all.iter().any(|other| path.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let mut seen = Vec::new();
        for list in [&mut self.required, &mut self.optional] {
            list.retain(|path| {
                let is_new = !is_nested(path) && !seen.contains(path);
                seen.push(path.clone());
                is_new
            });
        }
    }
}

/// A path below the workspace's folder. A configuration may name anything, and what leaves the workspace is not kept.
fn inside(text: &str) -> Option<String> {
    RepoPath::root().resolve(text).ok().filter(|path| !path.is_root()).map(|path| path.as_str().to_owned())
}

/// A command of a build script, and where it is run.
pub(super) struct Command<'a> {
    pub(super) tree: &'a dyn Tree,
    pub(super) folder: &'a RepoPath,
    pub(super) words: &'a [String],
}

impl Command<'_> {
    fn first_of(&self, rules: &[OutputRule]) -> Result<Option<String>, SplitError> {
        for rule in rules {
            if let Some(found) = self.apply(rule)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn apply(&self, rule: &OutputRule) -> Result<Option<String>, SplitError> {
        let &Self { tree, folder, words } = self;
        Ok(match rule {
            OutputRule::Option { names, parent } => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                script::option_in(words, &names).map(|value| if *parent { parent_of(value) } else { value })
            }
            OutputRule::Argument { below } => argument(words).map(|argument| format!("{argument}/{below}")),
            OutputRule::Compiled {} => compiled::find(words).map(|compiled| compiled.file),
            OutputRule::Setting { file, name } => setting(tree, folder, file, name)?,
            OutputRule::SettingIs { file, name, is, folder: output } => {
                setting(tree, folder, file, name)?.filter(|value| value == is).map(|_| output.clone())
            }
            OutputRule::Mentions { file, text, folder: output } => {
                config_text(tree, folder, file)?.filter(|config| config.contains(text)).map(|_| output.clone())
            }
            OutputRule::TsConfig {} => match script::option_in(words, &["--outDir"]) {
                Some(folder) => Some(folder),
                None if words.iter().any(|word| word == "--noEmit") => None,
                None => ts_out_dir(tree, folder, words)?,
            },
            OutputRule::Folder { folder } => Some(folder.clone()),
        })
    }
}

/// The folder that a command names behind its verb: `vite build web`.
fn argument(words: &[String]) -> Option<&String> {
    let verb = words.iter().position(|word| word == "build")?;
    words.get(verb + 1).filter(|word| !word.starts_with('-') && !word.contains(['$', '*']))
}

/// The folder of a file; a file that lies in none is the output itself.
fn parent_of(file: String) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) if folder != "." => folder.to_owned(),
        _ => file,
    }
}

/// Of the folders that a task writes, the usual one, or else the first: lists often serve many workspaces.
fn usual_task_output(outputs: &[String]) -> Option<String> {
    let folder = |output: &String| {
        let folder = output.trim_start_matches("./").split_once('*').map_or(output.as_str(), |(folder, _)| folder);
        let is_whole = output.ends_with("/**") || output.ends_with("/**/*") || !output.contains('*');
        let folder = folder.trim_end_matches('/');
        (is_whole && !folder.is_empty() && camino::Utf8Path::new(folder).extension().is_none())
            .then(|| folder.to_owned())
    };
    // A list for all workspaces names the folders of frameworks too, which only these write.
    let folders: Vec<String> = outputs.iter().filter_map(folder).filter(|folder| !folder.starts_with('.')).collect();
    folders.iter().find(|folder| *folder == USUAL).or(folders.first()).cloned()
}

/// A plain `name: "value"` in a configuration file.
pub(super) fn setting(
    tree: &dyn Tree,
    folder: &RepoPath,
    file: &str,
    name: &str,
) -> Result<Option<String>, SplitError> {
    Ok(config_text(tree, folder, file)?.and_then(|text| plain_setting(&text, name)))
}

pub(super) fn config_text(tree: &dyn Tree, folder: &RepoPath, file: &str) -> Result<Option<String>, SplitError> {
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

fn ts_out_dir(tree: &dyn Tree, folder: &RepoPath, words: &[String]) -> Result<Option<String>, SplitError> {
    let name = script::option_in(words, &["-p", "--project", "-b", "--build"]).unwrap_or_default();
    let name = if is_json(&name) { name } else { "tsconfig.json".to_owned() };
    let mut next = folder.resolve(&name).ok();
    // Which configuration extends which is a chain; one that is a ring is the compiler's to report.
    for _ in 0..EXTENDED {
        let Some(path) = next.take() else { return Ok(None) };
        let Some(text) = read_text(tree, &path)? else { return Ok(None) };
        let TsConfig { out_dir, extends, emits } = ts_config(&path, &text);
        if emits == Some(false) {
            return Ok(None);
        }
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

/// The fields of a `tsconfig.json` that say where `tsc` writes.
#[derive(Default)]
struct TsConfig {
    out_dir: Option<String>,
    /// Whether it writes anything; none where it does not say.
    emits: Option<bool>,
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
        emits: options.and_then(|options| options.get_boolean("noEmit")).map(|no| !no.value),
        extends: extends.map(|file| if is_json(&file) { file } else { file + ".json" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    /// What a script in `apps/a` leaves, with `?` behind a guess and what is optional in brackets.
    fn found_of(script: &str, dependency: &str, files: &[(&str, &str)], of_task: &[&str]) -> String {
        let tree = MemoryTree::new(files.iter().copied());
        let text = format!(r#"{{"devDependencies": {{"{dependency}": "1"}}}}"#);
        let manifest = Manifest::parse("package.json", &text).unwrap();
        let of_task: Vec<String> = of_task.iter().map(|output| (*output).to_owned()).collect();
        let found = find(&tree, &"apps/a".parse().unwrap(), script, &manifest, &of_task).unwrap();
        let optional = found.optional.iter().map(|path| format!("({path})"));
        let all: Vec<String> = found.required.iter().cloned().chain(optional).collect();
        format!("{}{}", all.join(" "), if found.is_guess { "?" } else { "" })
    }

    fn found(script: &str, files: &[(&str, &str)]) -> String {
        found_of(script, "x", files, &[])
    }

    #[test]
    fn each_tool_has_its_usual_folder() {
        for (script, folder) in [
            ("next build", ".next"),
            ("next build && next export -o www", "www"),
            ("vite build", "dist"),
            ("vite build web", "web/dist"),
            ("react-router build", "build"),
            ("make", "dist?"),
            ("react-scripts build", "build"),
            ("craco build", "build"),
            ("docusaurus build", "build"),
            ("gatsby build", "public"),
            ("eleventy", "_site"),
            ("eleventy --output=www", "www"),
            ("vitepress build", ".vitepress/dist"),
            ("vitepress build docs", "docs/.vitepress/dist"),
            ("storybook build", "storybook-static"),
            ("storybook build -o out", "out"),
            ("wxt build", ".output"),
            ("parcel build src/index.html --dist-dir www", "www"),
            ("vue-cli-service build --dest www", "www"),
            ("webpack -o out", "out"),
            ("ncc build src/a.ts -o out", "out"),
            ("babel src -d lib", "lib"),
            ("swc src -d lib", "lib"),
            ("esbuild src/a.ts --outfile=out/a.js", "out"),
            ("electron-vite build", "out"),
            ("nitro build", ".output"),
            ("rspress build", "doc_build"),
            ("opennextjs-cloudflare build", ".open-next"),
            ("expo export", "dist"),
            ("nest build", "dist"),
            ("tsc", "dist?"),
        ] {
            assert_eq!(found(script, &[]), folder, "{script}");
        }
        assert_eq!(found_of("vite build", "@sveltejs/kit", &[], &[]), "build");
        assert_eq!(found_of("vite build", "@tanstack/react-start", &[], &[]), "dist");
        let nitro = ("apps/a/vite.config.ts", "import { nitro } from 'nitro/vite'");
        assert_eq!(found_of("vite build", "@tanstack/react-start", &[nitro], &[]), ".output");
    }

    #[test]
    fn a_script_may_leave_several_outputs() {
        for (script, folders) in [
            (
                "vite build --outDir dist/client && vite build --ssr s.ts --outDir dist/server",
                "dist/client dist/server",
            ),
            ("tsc --outDir build/cjs && tsc --outDir build/esm", "build/cjs build/esm"),
            ("vite build && tsc --outDir types", "dist (types)"),
            ("vite build && tsc --outDir dist/types", "dist"),
            ("tsc --noEmit && vite build", "dist"),
            ("vite build && bun build a.ts --compile --outfile out/tool", "out/tool"),
            ("babel src -d es && babel src -d cjs && rollup -d umd", "umd (es) (cjs)"),
        ] {
            assert_eq!(found(script, &[]), folders, "{script}");
        }
        let no_emit = ("apps/a/tsconfig.json", r#"{"compilerOptions": {"noEmit": true, "outDir": "build"}}"#);
        assert_eq!(found("tsc && vite build", &[no_emit]), "dist");
    }

    #[test]
    fn what_tsc_writes_may_be_said_in_a_file_that_is_extended() {
        let found = |own: &str, base: &str| {
            let files = [("apps/a/tsconfig.build.json", own), ("apps/a/tsconfig.json", base), ("ring.json", own)];
            found("tsc -p tsconfig.build.json", &files)
        };
        let out = r#"{"compilerOptions": {"outDir": "build"}}"#;
        assert_eq!(found(r#"{"extends": "./tsconfig.json"}"#, out), "build");
        assert_eq!(found(r#"{"extends": "./tsconfig"}"#, out), "build");
        assert_eq!(found(r#"{"extends": "./tsconfig.build.json"}"#, out), "dist?");
        assert_eq!(found(r#"{"extends": "@acme/tsconfig"}"#, out), "dist?");
        assert_eq!(found(r#"{"extends": "../../no.json"}"#, out), "dist?");
    }

    #[test]
    fn a_task_runner_is_asked_where_nothing_else_says_it() {
        let found = |script: &str, outputs: &[&str]| found_of(script, "x", &[], outputs);
        assert_eq!(found("make", &["package.json", "lib/**", "es"]), "lib");
        assert_eq!(found("make", &[".next/**", "dist/**"]), "dist");
        assert_eq!(found("make", &[".next/**", "generated/**"]), "generated");
        assert_eq!(found("make", &[".next/**"]), "dist?");
        assert_eq!(found("make", &["**/*.js", "../out/**"]), "dist?");
        assert_eq!(found("make --outdir www", &["lib/**"]), "www");
        assert_eq!(found("next build", &["lib/**"]), ".next");
    }

    #[test]
    fn an_entry_point_that_git_lacks_says_where_the_build_writes() {
        let found = |manifest: &str, files: &[&str]| {
            let tree = MemoryTree::new(files.iter().map(|path| (*path, "")));
            let manifest = Manifest::parse("package.json", manifest).unwrap();
            let found =
                find(&tree, &"a".parse().unwrap(), "bun run build.ts", &manifest, &["dist/**".to_owned()]).unwrap();
            found.required.join(" ")
        };
        assert_eq!(found(r#"{"main": "src/i.ts", "bin": {"cli": "build/index.js"}}"#, &["a/src/i.ts"]), "build");
        assert_eq!(found(r#"{"exports": {"./x": "./made/x.js"}}"#, &[]), "made");
        assert_eq!(found(r#"{"main": "src/made.js"}"#, &["a/src/i.ts"]), "dist");
        assert_eq!(found(r#"{"main": "lib/i.js"}"#, &["a/lib/i.ts"]), "dist");
        assert_eq!(found(r#"{"main": "index.js"}"#, &[]), "dist");
    }

    #[test]
    fn options_and_configuration_say_otherwise() {
        assert_eq!(found("bun build a.ts --outdir ./out/", &[]), "out");
        assert_eq!(found("bun build a.ts --outfile build/a.js", &[]), "build");
        assert_eq!(found("bun build a.ts --compile --outfile server", &[]), "server");
        assert_eq!(found("vite build --outDir www", &[]), "www");
        let config = ("apps/a/vite.config.ts", "export default { build: { outDir: 'web', } }");
        assert_eq!(found("vite build", &[config]), "web");
        let config = ("apps/a/vite.config.ts", "build: { outDir: process.env.OUT, myoutDir: 'x' }");
        assert_eq!(found("vite build", &[config]), "dist");
        let config = ("apps/a/vite.config.ts", "build: { outDir: '../../out' }");
        assert_eq!(found("vite build", &[config]), "dist?");
        assert_eq!(found("next build", &[("apps/a/next.config.mjs", "{ output: \"export\" }")]), "out");
        let config = ("apps/a/tsconfig.json", "{ // c\n \"compilerOptions\": { \"outDir\": \"./lib\", } }");
        assert_eq!(found("tsc -b", &[config]), "lib");
        let config = ("apps/a/tsconfig.build.json", "{ \"compilerOptions\": { \"outDir\": \"es\" } }");
        assert_eq!(found("tsc -p tsconfig.build.json", &[config]), "es");
        let config = ("apps/a/svelte.config.js", "import adapter from '@sveltejs/adapter-cloudflare'");
        assert_eq!(found_of("vite build", "@sveltejs/kit", &[config], &[]), ".svelte-kit/cloudflare");
    }
}
