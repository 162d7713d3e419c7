//! What a workspace's package is: a site, a server, programs or other files. Found from its manifest, its scripts, and
//! the configuration of its tools; `splitter.json` has the last word.

use super::{
    Build,
    command::has_ending,
    output::{config_text, setting},
    program::{Entry, Keeps, Product, Program, Purpose, Runtime},
    script,
    start::{self, Start, bare},
    tools::{Condition, ProductKind, ProductRule, ToolProgram},
};
use crate::{
    repo::{RepoPath, Tree, read_text},
    split::{
        ManagerName, Manifest, SplitError,
        config::{BuildChoice, WorkspaceConfig},
    },
};

/// A workspace that is asked for its product.
pub(in crate::split) struct Asked<'a> {
    pub(in crate::split) tree: &'a dyn Tree,
    pub(in crate::split) folder: &'a RepoPath,
    pub(in crate::split) manifest: &'a Manifest,
    pub(in crate::split) manager: ManagerName,
    pub(in crate::split) choice: &'a WorkspaceConfig,
    pub(in crate::split) build: Option<&'a Build>,
}

/// What a workspace offers; none where it has nothing to run and nothing that is built.
pub(in crate::split) fn find(asked: &Asked<'_>) -> Result<Option<Product>, SplitError> {
    if asked.choice.publish {
        let product = Product::files(Purpose::Tarball, "is packed to be published, as splitter.json says");
        return Ok(Some(Product { keeps: Keeps::Packed, ..product }));
    }
    let mut product = match (&asked.choice.start, asked.build) {
        (Some(text), _) => Some(asked.chosen(text)?),
        (None, Some(build)) => Some(asked.built(build)?),
        (None, None) => asked.run_from_sources()?,
    };
    if let Some(product) = &mut product {
        asked.apply_choices(product);
    }
    Ok(product)
}

impl Asked<'_> {
    /// What `splitter.json` has it start.
    fn chosen(&self, text: &str) -> Result<Product, SplitError> {
        let program = start::chosen(self.tree, self.folder, self.manifest, self.manager, text)?.map_err(|part| {
            let reason = format!(
                "`start` of `{}` is not supported: expected a file, or one command without `&&`, pipes, redirections and \
                 `$VAR`; found `{part}` in `{text}`",
                self.folder
            );
            SplitError::Config { reason }
        })?;
        Ok(self.running(program, "chosen in splitter.json"))
    }

    /// A package that runs a program: one of its outputs, or of its sources.
    fn running(&self, program: Program, reason: &str) -> Product {
        let outputs = self.build.map_or(&[][..], |build| &build.outputs);
        let keeps = match &program.entry {
            Entry::File(file) if !is_below_any(file, outputs) => Keeps::Sources,
            _ => Keeps::Server,
        };
        let mut product = Product::running(keeps, Purpose::Server, vec![program], reason);
        if product.programs.iter().any(|program| self.reads_ts_config(program)) {
            // Its paths count from the folder that the program runs in.
            product.programs.iter_mut().for_each(|program| program.directory = Some(".".to_owned()));
            product.files.push("tsconfig*.json".to_owned());
        }
        product
    }

    /// Whether a file that a program loads first reads `tsconfig.json`, as `tsconfig-paths` does.
    fn reads_ts_config(&self, program: &Program) -> bool {
        program.options.iter().any(|option| {
            let file = option.split_once("{workspace}/").map(|(_, file)| self.folder.child(file));
            let text = file.and_then(|file| read_text(self.tree, &file).ok().flatten()).unwrap_or_default();
            option.contains("tsconfig-paths") || text.contains("tsconfig")
        })
    }

    /// What runs from the sources alone: the program of a script, and those of `bin`.
    fn run_from_sources(&self) -> Result<Option<Product>, SplitError> {
        let bins = self.bins(&[])?;
        let (mut product, unclear) = match start::find(self.tree, self.folder, self.manifest, self.manager)? {
            Start::Program(program) => (self.running(program, "runs a server from source"), None),
            Start::Unclear(unclear) => {
                let program = bare(Entry::File(unclear.file.clone()));
                (self.running(program, "runs a server from source"), Some(unclear))
            }
            Start::Nothing if bins.is_empty() => return Ok(None),
            Start::Nothing => {
                (Product::running(Keeps::Sources, Purpose::Program, Vec::new(), "has a program in `bin`"), None)
            }
        };
        product.add_programs(bins);
        product.unclear = unclear;
        Ok(Some(product))
    }

    /// What a build leaves: compiled programs, what the tool's framework makes, or what the scripts start.
    fn built(&self, build: &Build) -> Result<Product, SplitError> {
        let programs: Vec<Program> = build.compiled.iter().filter_map(|file| self.compiled(file)).collect();
        if !programs.is_empty() {
            return Ok(Product { programs, ..Product::files(Purpose::Program, "compiles a program") });
        }
        let rule = self.rule(build)?;
        let started = match rule {
            // What is put together from parts has one program.
            Some(rule) if !rule.layout.is_empty() => Start::Nothing,
            _ => start::find_built(self.tree, self.folder, self.manifest, self.manager, &build.outputs)?,
        };
        let unclear = match &started {
            Start::Unclear(unclear) => Some(unclear.clone()),
            _ => None,
        };
        let mut product = match (started, rule) {
            (Start::Program(program), _) => {
                self.running(self.in_its_folder(program, build)?, "has a script that starts what it builds")
            }
            (_, Some(rule)) => self.of_rule(rule, build),
            _ => Product::files(Purpose::Files, self.how_built()),
        };
        if let Some(rule) = rule.filter(|_| product.keeps == Keeps::Server) {
            product.files.extend(rule.files.iter().cloned());
            product.listens.clone_from(&rule.listens);
        }
        self.add_bins(&mut product, build)?;
        product.without = build.tool.map(|tool| tool.without.clone()).unwrap_or_default();
        product.unclear = unclear.filter(|_| product.programs.is_empty() && product.purpose == Purpose::Files);
        Ok(product)
    }

    /// What says how it is built, for reasons.
    fn how_built(&self) -> &'static str {
        match self.choice.build {
            BuildChoice::Detected if !self.manifest.scripts.contains_key("build") => "is built by a script of the root",
            _ => "has a build script",
        }
    }

    /// Adds the programs that `bin` names among the outputs.
    fn add_bins(&self, product: &mut Product, build: &Build) -> Result<(), SplitError> {
        let bins = self.bins(&build.outputs)?;
        if bins.is_empty() || product.purpose == Purpose::Site || !product.layout.is_empty() {
            return Ok(());
        }
        if product.programs.is_empty() {
            *product = Product::running(Keeps::Server, Purpose::Program, Vec::new(), "has a program in `bin`");
        }
        let needs_sources =
            bins.iter().any(|bin| matches!(&bin.entry, Entry::File(file) if !is_below_any(file, &build.outputs)));
        if needs_sources {
            product.keeps = Keeps::Sources;
        }
        product.add_programs(bins);
        Ok(())
    }

    /// The programs of the manifest's `bin` that are outputs or sources and that the runtime can run.
    fn bins(&self, outputs: &[String]) -> Result<Vec<Program>, SplitError> {
        let mut programs = Vec::new();
        for (name, file) in bins(self.manifest) {
            let Ok(path) = self.folder.resolve(&file) else { continue };
            let Some(inner) = path.below(self.folder) else { continue };
            let runs =
                self.manager.manager().runs_typescript() || !["ts", "tsx", "mts"].iter().any(|end| has_end(inner, end));
            let is_source = runs && self.tree.is_file(&path)?;
            if is_source || is_below_any(inner, outputs) {
                let runtime = if is_source { Some(self.runtime_of(&path)?) } else { None };
                programs.push(Program { name, runtime, ..bare(Entry::File(inner.to_owned())) });
            }
        }
        Ok(programs)
    }

    /// What runs a source: the program that its first line names, or else the package manager's usual one.
    fn runtime_of(&self, path: &RepoPath) -> Result<Runtime, SplitError> {
        let text = read_text(self.tree, path)?.unwrap_or_default();
        let line = text.lines().next().filter(|line| line.starts_with("#!")).unwrap_or_default();
        let is_bun = line.contains("bun") || (!line.contains("node") && self.manager.manager().runs_typescript());
        Ok(if is_bun { Runtime::Bun } else { Runtime::Node })
    }

    /// The program, in the folder of its file if it needs that.
    fn in_its_folder(&self, program: Program, build: &Build) -> Result<Program, SplitError> {
        let folder = match &program.entry {
            Entry::File(file) => file.rsplit_once('/').map(|(folder, _)| folder.to_owned()),
            Entry::Bin(_) => None,
        };
        if program.directory.is_some() || folder.is_none() || !self.needs_its_folder(build)? {
            return Ok(program);
        }
        Ok(Program { directory: folder, ..program })
    }

    /// Whether what is bundled finds its pages only from the folder that it was written to: Bun bundles HTML that a
    /// server imports, and looks for it in the folder that the server runs in.
    fn needs_its_folder(&self, build: &Build) -> Result<bool, SplitError> {
        let words = script::words(&build.script);
        if build.tool.is_none_or(|tool| tool.name() != "bun build") {
            return Ok(false);
        }
        for entry in words.iter().filter(|word| has_ending(word) && !word.starts_with('-')) {
            let Ok(path) = self.folder.resolve(entry) else { continue };
            let text = read_text(self.tree, &path)?.unwrap_or_default();
            if text.contains(".html\"") || text.contains(".html'") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A compiled program under the name that `bin` gives it, or its file's. One for another system is a file alone.
    fn compiled(&self, compiled: &super::compiled::Compiled) -> Option<Program> {
        if compiled.target.is_some() {
            return None;
        }
        let file = compiled.file.trim_start_matches("./").to_owned();
        let named = bins(self.manifest).into_iter().find(|(_, path)| path.trim_start_matches("./") == file);
        let name = named.map_or_else(|| script::base(&file).to_owned(), |(name, _)| name);
        Some(Program { name, runtime: Some(Runtime::None), ..bare(Entry::File(file)) })
    }

    /// The rule of the build's tool that holds.
    fn rule(&self, build: &Build) -> Result<Option<&'static ProductRule>, SplitError> {
        let Some(tool) = build.tool else { return Ok(None) };
        for rule in &tool.products {
            if rule.when.as_ref().map_or(Ok(true), |when| self.holds(when, build))? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    fn holds(&self, when: &Condition, build: &Build) -> Result<bool, SplitError> {
        if let Some(package) = &when.package {
            return Ok(self.manifest.depends_on(package));
        }
        if let Some(option) = &when.option {
            return Ok(script::words(&build.script).contains(option));
        }
        let Some(file) = &when.file else { return Ok(true) };
        Ok(match (&when.mentions, &when.setting) {
            (Some(text), _) => config_text(self.tree, self.folder, file)?.is_some_and(|config| config.contains(text)),
            (_, Some(name)) => setting(self.tree, self.folder, file, name)? == when.is,
            _ => config_text(self.tree, self.folder, file)?.is_some(),
        })
    }

    fn of_rule(&self, rule: &ProductRule, build: &Build) -> Product {
        let reason = format!("is built with {}", build.tool.map_or("a tool", |tool| tool.name()));
        let program = rule.program.as_ref().map(|program| placed(program, build));
        match (rule.kind, program) {
            (ProductKind::Server, Some(program)) => {
                let mut product = Product::running(Keeps::Server, Purpose::Server, vec![program], reason);
                if rule.runtime.is_some() {
                    product.runtime = None;
                }
                product.layout.clone_from(&rule.layout);
                for part in &mut product.layout {
                    // The root of a repository has no folder of its own.
                    let place = part.to.replace("{path}", self.folder.as_str());
                    place.trim_start_matches('/').clone_into(&mut part.to);
                }
                product
            }
            (ProductKind::Site, _) => Product::files(Purpose::Site, reason),
            _ => Product::files(Purpose::Files, reason),
        }
    }

    /// What `splitter.json` says of the run time.
    fn apply_choices(&self, product: &mut Product) {
        let runtime = &self.choice.runtime;
        if product.keeps != Keeps::Files {
            if let Some(install) = runtime.install {
                product.runtime = install;
            }
            product.files.extend(runtime.files.iter().cloned());
        }
        if runtime.directory {
            product.programs.iter_mut().for_each(|program| program.directory = Some(".".to_owned()));
        }
        if self.choice.build == BuildChoice::None {
            "runs from source by choice".clone_into(&mut product.reason);
        }
    }
}

impl Product {
    /// Adds programs, but for those that are there under their name, and those that another one starts anyway.
    fn add_programs(&mut self, programs: Vec<Program>) {
        let is_plain = |program: &Program| {
            program.options.is_empty()
                && program.arguments.is_empty()
                && program.env.is_empty()
                && program.directory.is_none()
        };
        self.programs.retain(|old| !(is_plain(old) && programs.iter().any(|new| new.entry == old.entry)));
        for program in programs {
            if !self.programs.iter().any(|old| old.name == program.name) {
                self.programs.push(program);
            }
        }
    }
}

/// A program of the table.
fn placed(program: &ToolProgram, build: &Build) -> Program {
    let output = build.outputs.first().map_or("dist", String::as_str);
    let file = program.file.as_ref().map(|file| Entry::File(file.replace("{output}", output)));
    let entry = file.unwrap_or_else(|| Entry::Bin(program.bin.clone().unwrap_or_default()));
    let ToolProgram { arguments, env, directory, .. } = program;
    // What frameworks build is for Node.js, if nothing says otherwise.
    let runtime = matches!(entry, Entry::File(_)).then_some(Runtime::Node);
    Program { runtime, arguments: arguments.clone(), env: env.clone(), directory: directory.clone(), ..bare(entry) }
}

/// The commands of a manifest: name and file. Names that are no file names are left out.
fn bins(manifest: &Manifest) -> Vec<(String, String)> {
    let own = manifest.name.rsplit('/').next().unwrap_or_default();
    let found: Vec<(String, String)> = match manifest.json.get("bin") {
        Some(serde_json::Value::String(file)) => vec![(own.to_owned(), file.clone())],
        Some(serde_json::Value::Object(bins)) => {
            bins.iter().filter_map(|(name, file)| Some((name.clone(), file.as_str()?.to_owned()))).collect()
        }
        _ => Vec::new(),
    };
    let is_name = |name: &str| {
        let is_plain = |character: char| character.is_alphanumeric() || "._-+@".contains(character);
        name.starts_with(char::is_alphanumeric) && name.chars().all(is_plain)
    };
    found
        .into_iter()
        .map(|(name, file)| (name.rsplit('/').next().unwrap_or_default().to_owned(), file))
        .filter(|(name, _)| is_name(name))
        .collect()
}

fn is_below_any(file: &str, folders: &[String]) -> bool {
    let is_below = |folder: &String| {
        file.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    folders.iter().any(is_below)
}

fn has_end(file: &str, ending: &str) -> bool {
    camino::Utf8Path::new(file).extension() == Some(ending)
}

#[cfg(test)]
mod tests;
