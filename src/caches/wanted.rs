//! Everything that CI and developers need of a repository: [`Wanted`], from one evaluation, without a build.
//!
//! One `nix eval` gives the outputs of the flake with their derivations and paths. `nix derivation show` then gives what each
//! of them is built from: the edges between them, and the store paths that a build needs if only this derivation changes. The
//! inputs of the flake come from `nix flake archive`, since evaluation needs them before anything else.

pub mod shown;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;
use serde_json::Value;

use self::shown::{Shown, shown_in};
use super::item::{Item, store_of};
use crate::{
    closure::ClosureError,
    nix::command::{Nix, NixError, Output, log::name_of},
    proof::{State, evaluation::nix_value},
    split::{
        config::Install,
        plan::{Derivations, Id},
    },
    system::System,
};

/// What something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tarballs, or a part of them.
    Deps,
    /// The program of the package manager.
    PackageManager,
    /// Installed packages.
    NodeModules,
    /// The build of a library.
    Library,
    /// An app.
    Product,
    /// A script that runs as a check.
    Check,
    /// A container image, or its plan.
    Image,
    /// What a dev shell is made of.
    DevShell,
    /// Another output of the flake.
    Package,
    /// The source of an input of the flake, which evaluation needs.
    Input,
}

impl Kind {
    /// Returns the name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deps => "deps",
            Self::PackageManager => "packageManager",
            Self::NodeModules => "nodeModules",
            Self::Library => "library",
            Self::Product => "product",
            Self::Check => "check",
            Self::Image => "image",
            Self::DevShell => "devShell",
            Self::Package => "package",
            Self::Input => "input",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deps => "deps",
            Self::PackageManager => "package manager",
            Self::NodeModules => "node_modules",
            Self::Library => "library",
            Self::Product => "product",
            Self::Check => "check",
            Self::Image => "image",
            Self::DevShell => "dev shell",
            Self::Package => "package",
            Self::Input => "flake input",
        })
    }
}

/// Something that CI or a developer needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// The name, as `splitter build` takes it. The default dev shell is `devShell`, and others are `devShell-NAME`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The system. Nothing for an input of the flake.
    pub system: Option<System>,
    /// The attribute of the flake, such as `packages.x86_64-linux.web`. Nothing for a part of `deps`, the program of the package
    /// manager and inputs of the flake.
    pub attribute: Option<String>,
    /// The path of the derivation. Nothing for an input of the flake.
    pub derivation: Option<String>,
    /// The store paths that somebody needs of it: its outputs, or what a dev shell is made of. Empty if they are known only after
    /// a build, because the derivation is content-addressed.
    pub paths: BTreeSet<Item>,
    /// The derivations of other things that it is built from.
    pub needs: BTreeSet<String>,
    /// The store paths that it is built from: the outputs of its direct inputs.
    pub inputs: BTreeSet<Item>,
}

/// Everything that CI and developers need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The folder of the store.
    pub store: String,
    /// The things: what others need comes first.
    pub things: Vec<Thing>,
    /// The attributes that Nix refuses to evaluate, such as those of a system that nixpkgs dropped.
    pub refused: Vec<String>,
    /// What builds each store path of the things and of their inputs. The sources of flake inputs are fetched, not built.
    pub built_by: BTreeMap<Item, Output>,
}

/// An evaluated derivation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Evaluated {
    drv: String,
    outputs: BTreeMap<String, String>,
}

/// An output of a flake.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Derivation(Evaluated),
    /// It throws, or with `null` it is no derivation.
    Other(Option<bool>),
}

/// The evaluated outputs of a flake for one system.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outputs {
    packages: BTreeMap<String, Entry>,
    checks: BTreeMap<String, Entry>,
    dev_shells: BTreeMap<String, Entry>,
    installs: BTreeMap<String, Entry>,
    plans: BTreeMap<String, Entry>,
    images: BTreeSet<String>,
}

/// Evaluates the flake in the folder of `nix`, for these systems.
pub fn wanted(nix: &Nix, flake: &str, state: &State, systems: &[System]) -> Result<Wanted, ClosureError> {
    let failed = |source| ClosureError::Nix { place: state.place.clone(), source: Box::new(source) };
    let unexpected = |command, expected| ClosureError::Answer { place: state.place.clone(), command, expected };
    // The leading dot is the root of the flake's outputs.
    let answer = nix.eval_json_applied(&format!("{flake}#."), &expression(systems, &installs(&state.derivations)));
    let answer = answer.map_err(failed)?;
    let outputs: BTreeMap<System, Outputs> =
        systems_of(answer).ok_or_else(|| unexpected("eval", "the outputs of the flake with their derivations"))?;
    let mut gathered = Gathered::default();
    let own: BTreeMap<String, Kind> = state.derivations.iter().map(|(id, _)| (id.package(), kind_of(id))).collect();
    for (system, outputs) in outputs {
        gathered.take(system, outputs, &own);
    }
    let shown = gathered.show(nix).map_err(failed)?;
    let shown = shown.ok_or_else(|| unexpected("derivation show", "derivations with inputs and outputs"))?;
    gathered.connect(&shown, state.split.pin.manager.name.command());
    let sources = nix.flake_sources(flake).map_err(failed)?;
    gathered.things.extend(sources_of(&sources));
    Ok(gathered.finish())
}

const fn kind_of(id: &Id) -> Kind {
    match id {
        Id::App(_) => Kind::Product,
        Id::Deps(_) => Kind::Deps,
        Id::NodeModules | Id::OwnInstall(_) | Id::RuntimeInstall(..) => Kind::NodeModules,
        Id::Library(_) => Kind::Library,
        Id::Check(_) => Kind::Check,
    }
}

/// The installs of programs that are among splitter's derivations. The flake has others, which nothing uses.
fn installs(derivations: &Derivations) -> Vec<(String, Install)> {
    let install = |id: &Id| match id {
        Id::RuntimeInstall(name, install) => Some((name.clone(), *install)),
        _ => None,
    };
    derivations.iter().filter_map(|(id, _)| install(id)).collect()
}

/// Returns a function from the outputs of the flake to data. It is on one line, because Nix repeats it in messages.
fn expression(systems: &[System], installs: &[(String, Install)]) -> String {
    let systems: Vec<Value> = systems.iter().map(|system| system.to_string().into()).collect();
    let installs: Vec<Value> =
        installs.iter().map(|(name, install)| serde_json::json!({ "name": name, "install": install.name() })).collect();
    // `tryEval` catches what a package of the user throws. A set with an `outPath` would become a string in JSON.
    format!(
        "flake: let \
         data = d: {{ drv = d.drvPath; outputs = builtins.listToAttrs (map (name: {{ inherit name; value = d.${{name}}.outPath; }}) (d.outputs or [ \"out\" ])); }}; \
         one = d: let tried = builtins.tryEval (if builtins.isAttrs d && d ? drvPath then builtins.deepSeq (data d) (data d) else null); \
         in if tried.success then tried.value else false; \
         all = builtins.mapAttrs (_: one); \
         of = system: let legacy = flake.legacyPackages.${{system}} or {{ }}; images = legacy.images or {{ }}; in {{ \
         packages = all (flake.packages.${{system}} or {{ }}); checks = all (flake.checks.${{system}} or {{ }}); \
         devShells = all (flake.devShells.${{system}} or {{ }}); images = builtins.attrNames images; \
         plans = builtins.mapAttrs (_: image: one (image.plan or null)) images; \
         installs = builtins.listToAttrs (map (i: {{ name = \"installs.${{i.name}}.${{i.install}}\"; \
         value = one (legacy.installs.${{i.name}}.${{i.install}} or null); }}) {}); }}; \
         in builtins.listToAttrs (map (name: {{ inherit name; value = of name; }}) {})",
        nix_value(&installs.into()),
        nix_value(&systems.into())
    )
}

fn systems_of(answer: Value) -> Option<BTreeMap<System, Outputs>> {
    let by_name: BTreeMap<String, Outputs> = serde_json::from_value(answer).ok()?;
    by_name.into_iter().map(|(system, outputs)| Some((system.parse().ok()?, outputs))).collect()
}

/// The name of an output that has its name only because commands of Nix take it without one.
const DEFAULT: &str = "default";

/// Sorts outputs so that the most telling name of a derivation comes first: splitter's own names, then the user's, then `default`.
fn by_meaning(outputs: BTreeMap<String, Entry>, is_own: impl Fn(&str) -> bool) -> Vec<(String, Entry)> {
    let mut sorted: Vec<_> = outputs.into_iter().collect();
    sorted.sort_by_cached_key(|(name, _)| (name == DEFAULT, !is_own(name)));
    sorted
}

/// Returns the name of a dev shell, which differs from the names of packages.
fn name_of_shell(name: &str) -> String {
    if name == DEFAULT { "devShell".to_owned() } else { format!("devShell-{name}") }
}

/// Things while they are gathered.
#[derive(Default)]
struct Gathered {
    store: Option<String>,
    things: Vec<Thing>,
    refused: Vec<String>,
    /// The derivations of all things, since the flake has many under two names.
    known: BTreeSet<String>,
    built_by: BTreeMap<Item, Output>,
}

impl Gathered {
    fn take(&mut self, system: System, outputs: Outputs, own: &BTreeMap<String, Kind>) {
        let is_image = |name: &str| name.strip_suffix("-image").is_some_and(|image| outputs.images.contains(image));
        let kind = |name: &str| match own.get(name) {
            Some(kind) => *kind,
            None if is_image(name) => Kind::Image,
            None => Kind::Package,
        };
        for (name, evaluated) in by_meaning(outputs.packages, |name| kind(name) != Kind::Package) {
            let (kind, attribute) = (kind(&name), format!("packages.{system}.{name}"));
            self.add(system, name, kind, attribute, evaluated);
        }
        for (name, evaluated) in outputs.plans {
            self.add(
                system,
                format!("{name}-image plan"),
                Kind::Image,
                format!("legacyPackages.{system}.images.{name}.plan"),
                evaluated,
            );
        }
        for (name, evaluated) in outputs.installs {
            let attribute = format!("legacyPackages.{system}.{name}");
            self.add(system, name, Kind::NodeModules, attribute, evaluated);
        }
        for (name, evaluated) in by_meaning(outputs.checks, |name| kind(name) != Kind::Package) {
            let (kind, attribute) = (kind(&name), format!("checks.{system}.{name}"));
            let kind = if kind == Kind::Package { Kind::Check } else { kind };
            self.add(system, name, kind, attribute, evaluated);
        }
        for (name, evaluated) in by_meaning(outputs.dev_shells, |_| false) {
            self.add(system, name_of_shell(&name), Kind::DevShell, format!("devShells.{system}.{name}"), evaluated);
        }
    }

    fn add(&mut self, system: System, name: String, kind: Kind, attribute: String, entry: Entry) {
        let evaluated = match entry {
            Entry::Derivation(evaluated) => evaluated,
            Entry::Other(Some(_)) => return self.refused.push(attribute),
            Entry::Other(None) => return,
        };
        if !self.known.insert(evaluated.drv.clone()) {
            return;
        }
        self.store = self.store.take().or_else(|| store_of(&evaluated.drv).map(str::to_owned));
        // The path of a content-addressed output is a placeholder until it is built.
        let paths = evaluated.outputs.values().filter_map(|path| path.parse().ok());
        let paths = if kind == Kind::DevShell { BTreeSet::new() } else { paths.collect() };
        let (attribute, derivation) = (Some(attribute), Some(evaluated.drv));
        let (needs, inputs) = (BTreeSet::new(), BTreeSet::new());
        self.things.push(Thing { name, kind, system: Some(system), attribute, derivation, paths, needs, inputs });
    }

    /// Asks for all derivations, and for those that they are built from.
    fn show(&self, nix: &Nix) -> Result<Option<BTreeMap<String, Shown>>, NixError> {
        let store = self.store.as_deref().unwrap_or_default();
        let mut all = BTreeMap::new();
        let mut asked: BTreeSet<String> = self.known.clone();
        for _ in 0..2 {
            let paths: Vec<&str> = asked.iter().map(String::as_str).collect();
            for answer in nix.derivations(&paths)? {
                match shown_in(&answer, store) {
                    Some(shown) => all.extend(shown),
                    None => return Ok(None),
                }
            }
            asked = all
                .values()
                .flat_map(|shown: &Shown| shown.inputs.keys())
                .filter(|drv| !all.contains_key(*drv))
                .cloned()
                .collect();
        }
        Ok(Some(all))
    }

    /// Adds the edges and the inputs, and what is only an input: the parts of `deps` and the package manager.
    fn connect(&mut self, shown: &BTreeMap<String, Shown>, manager: &str) {
        for (drv, shown) in shown {
            let output = |name: &String| Output { derivation: drv.clone(), name: name.clone() };
            self.built_by.extend(shown.outputs.iter().map(|(item, name)| (item.clone(), output(name))));
        }
        let mut found: BTreeMap<String, Thing> = BTreeMap::new();
        let program = format!("{manager}-");
        for thing in &self.things {
            let inputs = thing.derivation.as_ref().and_then(|drv| shown.get(drv)).map(|shown| shown.inputs.keys());
            for drv in inputs.into_iter().flatten().filter(|drv| !self.known.contains(*drv)) {
                let own = name_of(drv);
                let (name, kind) = match (thing.kind, part_of_deps(own)) {
                    (Kind::Deps | Kind::NodeModules, Some(part)) => (part, Kind::Deps),
                    (Kind::DevShell, _) if own.starts_with(&program) => (own.to_owned(), Kind::PackageManager),
                    _ => continue,
                };
                let paths = shown.get(drv).map(|shown| shown.outputs.keys().cloned().collect());
                let paths = paths.unwrap_or_default();
                let part = Thing {
                    name,
                    kind,
                    system: thing.system,
                    attribute: None,
                    derivation: Some(drv.clone()),
                    paths,
                    needs: BTreeSet::new(),
                    inputs: BTreeSet::new(),
                };
                found.insert(drv.clone(), part);
            }
        }
        self.known.extend(found.keys().cloned());
        self.things.extend(found.into_values());
        for thing in &mut self.things {
            let Some(drv) = &thing.derivation else { continue };
            let direct = shown.get(drv).map(|shown| shown.inputs.keys()).into_iter().flatten();
            for input in direct {
                let Some(of_input) = shown.get(input) else { continue };
                thing.inputs.extend(of_input.outputs.keys().cloned());
                // An edge may lead through a derivation that is no thing, such as the closure of an image.
                let through = if self.known.contains(input) {
                    [input].into_iter().collect()
                } else {
                    of_input.inputs.keys().filter(|drv| self.known.contains(*drv)).collect::<Vec<_>>()
                };
                thing.needs.extend(through.into_iter().filter(|other| *other != drv).cloned());
            }
            if thing.kind == Kind::DevShell {
                thing.paths.clone_from(&thing.inputs);
            }
        }
    }

    fn finish(self) -> Wanted {
        let store = self.store.unwrap_or_else(|| crate::nix::store_path::STORE.to_owned());
        Wanted { store, things: in_order(self.things), refused: self.refused, built_by: self.built_by }
    }
}

/// Sorts things so that what others need comes first, and by kind and name otherwise.
fn in_order(mut things: Vec<Thing>) -> Vec<Thing> {
    things.sort_by(|a, b| (a.kind, &a.name, a.system).cmp(&(b.kind, &b.name, b.system)));
    let present: BTreeSet<String> = things.iter().filter_map(|thing| thing.derivation.clone()).collect();
    let mut placed = BTreeSet::new();
    let mut sorted = Vec::with_capacity(things.len());
    while !things.is_empty() {
        let is_ready = |thing: &Thing| thing.needs.iter().all(|drv| placed.contains(drv) || !present.contains(drv));
        let (mut ready, left): (Vec<_>, Vec<_>) = things.into_iter().partition(is_ready);
        let mut left = left;
        // Derivations have no cycles. If Nix said so nevertheless, the rest stays as it is.
        if ready.is_empty() {
            ready.append(&mut left);
        }
        placed.extend(ready.iter().filter_map(|thing| thing.derivation.clone()));
        sorted.append(&mut ready);
        things = left;
    }
    sorted
}

/// Returns the name of a part of `deps`. Its derivation has the fingerprint in its name as well.
fn part_of_deps(name: &str) -> Option<String> {
    let (part, fingerprint) = name.strip_prefix("deps-")?.rsplit_once('-')?;
    (!part.is_empty() && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| format!("deps-{part}"))
}

/// Reads the store paths of the inputs of a flake, with those of their inputs.
fn sources_of(archive: &Value) -> Vec<Thing> {
    let mut found: BTreeMap<Item, String> = BTreeMap::new();
    let mut open: Vec<(String, &Value)> = vec![(String::new(), archive)];
    while let Some((above, value)) = open.pop() {
        for (name, input) in value.get("inputs").and_then(Value::as_object).into_iter().flatten() {
            let name = if above.is_empty() { name.clone() } else { format!("{above}/{name}") };
            if let Some(item) = input.get("path").and_then(|path| path.as_str()?.parse().ok()) {
                found.entry(item).or_insert_with(|| name.clone());
            }
            open.push((name, input));
        }
    }
    let thing = |(item, name): (Item, String)| Thing {
        name,
        kind: Kind::Input,
        system: None,
        attribute: None,
        derivation: None,
        paths: [item].into(),
        needs: BTreeSet::new(),
        inputs: BTreeSet::new(),
    };
    found.into_iter().map(thing).collect()
}

/// No paths.
static NOTHING: BTreeSet<Item> = BTreeSet::new();

impl Thing {
    /// Returns the store paths that its build needs if a source changes. What is built of the lockfile alone is rebuilt only with
    /// it, and then from other paths.
    pub fn inputs_of_a_rebuild(&self) -> &BTreeSet<Item> {
        match self.kind {
            Kind::Library | Kind::Product | Kind::Check | Kind::Image => &self.inputs,
            _ => &NOTHING,
        }
    }
}

impl Wanted {
    /// Returns the thing of a derivation.
    pub fn thing(&self, derivation: &str) -> Option<&Thing> {
        self.things.iter().find(|thing| thing.derivation.as_deref() == Some(derivation))
    }

    /// Keeps the named things, what they are built from, and what evaluation needs. Returns a name that nothing has.
    pub fn keep(&mut self, names: &[String]) -> Result<(), String> {
        if names.is_empty() {
            return Ok(());
        }
        let is_named = |thing: &Thing, name: &str| {
            let is_library = thing.kind == Kind::Library && thing.name.strip_prefix("library-") == Some(name);
            thing.kind != Kind::Input && (thing.name == name || is_library)
        };
        if let Some(name) = names.iter().find(|name| !self.things.iter().any(|thing| is_named(thing, name))) {
            return Err(name.clone());
        }
        let mut kept: BTreeSet<String> = BTreeSet::new();
        // Those that need others come last.
        for thing in self.things.iter().rev() {
            let Some(drv) = &thing.derivation else { continue };
            if kept.contains(drv) || names.iter().any(|name| is_named(thing, name)) {
                kept.insert(drv.clone());
                kept.extend(thing.needs.iter().cloned());
            }
        }
        self.things.retain(|thing| thing.derivation.as_ref().is_none_or(|drv| kept.contains(drv)));
        Ok(())
    }

    /// Returns the store paths that a cache must have: those that are needed themselves, and those that a build needs if only
    /// the app is built again.
    pub fn roots(&self) -> BTreeSet<Item> {
        self.things.iter().flat_map(|thing| thing.paths.iter().chain(thing.inputs_of_a_rebuild())).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
