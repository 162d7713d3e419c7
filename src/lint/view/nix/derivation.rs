//! Calls that make derivations.

use rnix::ast::{Apply, AttrSet, BinOpKind, Expr, HasEntry as _};
use rowan::ast::AstNode as _;

use super::{
    bare, call, definitions, key, last_name,
    names::{Bound, bound_in, resolve},
    span,
    strings::{Text, texts},
};

/// Functions that make a derivation from a set.
const OF_SETS: [&str; 16] = [
    "mkDerivation",
    "buildNpmPackage",
    "mkYarnPackage",
    "mkYarnModules",
    "mkYarnWorkspace",
    "buildYarnPackage",
    "buildPnpmPackage",
    "mkPnpmPackage",
    "buildBunPackage",
    "mkBunDerivation",
    "mkBunPackage",
    "buildNodePackage",
    "buildGoModule",
    "buildRustPackage",
    "buildPackage",
    "buildEnv",
];

/// Functions that make a derivation from a name, a set and a script.
const OF_SCRIPTS: [&str; 4] = ["runCommand", "runCommandCC", "runCommandLocal", "runCommandNoCC"];

/// Functions that make a package of a JavaScript project.
const JAVASCRIPT: [&str; 11] = [
    "buildNpmPackage",
    "mkYarnPackage",
    "mkYarnModules",
    "mkYarnWorkspace",
    "buildYarnPackage",
    "buildPnpmPackage",
    "mkPnpmPackage",
    "buildBunPackage",
    "mkBunDerivation",
    "mkBunPackage",
    "buildNodePackage",
];

/// A call that makes a derivation.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// The call.
    pub call: Apply,
    /// The name of the function.
    pub function: String,
    /// The sets that it is made of, the last one first.
    pub sets: Vec<AttrSet>,
    /// Whether other sets belong to it, which this file does not have.
    pub is_open: bool,
    script: Option<Expr>,
}

impl Derivation {
    pub(super) fn of(apply: &Apply) -> Option<Self> {
        let (head, arguments) = call(&Expr::Apply(apply.clone()));
        let function = last_name(&head)?;
        let (set, script) = if OF_SETS.contains(&function.as_str()) {
            (arguments.first()?.clone(), None)
        } else if OF_SCRIPTS.contains(&function.as_str()) {
            (arguments.get(1)?.clone(), arguments.get(2).cloned())
        } else {
            return None;
        };
        let mut made = Self { call: apply.clone(), function, sets: Vec::new(), is_open: false, script };
        made.take(&set, 8);
        Some(made)
    }

    /// Takes the sets of an argument: a set, sets joined with `//`, or a function of the final attributes.
    fn take(&mut self, expr: &Expr, depth: usize) {
        if depth == 0 {
            self.is_open = true;
            return;
        }
        match resolve(expr) {
            Expr::AttrSet(set) => self.sets.push(set),
            Expr::BinOp(join) if join.operator() == Some(BinOpKind::Update) => {
                for side in join.rhs().into_iter().chain(join.lhs()) {
                    self.take(&side, depth - 1);
                }
            }
            Expr::Lambda(function) => {
                if let Some(body) = function.body() {
                    self.take(&body, depth - 1);
                }
            }
            Expr::LetIn(bindings) => {
                if let Some(body) = bindings.body() {
                    self.take(&body, depth - 1);
                }
            }
            Expr::With(with) => {
                if let Some(body) = with.body() {
                    self.take(&body, depth - 1);
                }
            }
            _ => self.is_open = true,
        }
    }

    /// Returns the value of an attribute: its definition, or the expression that it is inherited as.
    pub fn attribute(&self, name: &str) -> Option<Expr> {
        self.sets.iter().find_map(|set| match bound_in(set, name)? {
            Bound::Value(value) => Some(value),
            _ => None,
        })
    }

    /// Whether an attribute is set, in whatever way.
    pub fn has(&self, name: &str) -> bool {
        self.sets.iter().any(|set| bound_in(set, name).is_some())
    }

    /// Returns the bytes of an attribute's path, or of the whole function if it is inherited.
    pub fn place(&self, name: &str) -> std::ops::Range<usize> {
        let defined = self.sets.iter().find_map(|set| definitions(set).find(|(path, _)| *path == [name]));
        defined.map_or_else(|| self.head(), |(_, entry)| key(&entry))
    }

    /// Returns the bytes of the function's name.
    pub fn head(&self) -> std::ops::Range<usize> {
        let (head, _) = call(&Expr::Apply(self.call.clone()));
        span(&head)
    }

    /// Returns the texts that its builder runs.
    pub fn scripts(&self) -> Vec<Text> {
        let mut found: Vec<Text> = self.script.iter().flat_map(texts).collect();
        for set in &self.sets {
            for (path, entry) in definitions(set) {
                let is_script = matches!(&path[..], [name] if is_script(name));
                found.extend(entry.value().filter(|_| is_script).iter().flat_map(texts));
            }
        }
        found
    }

    /// Returns its whole text.
    pub fn text(&self) -> String {
        self.call.syntax().to_string()
    }

    /// Whether its output has a hash, so that its builder has the network.
    pub fn is_fixed(&self) -> bool {
        self.text().contains("outputHash")
    }

    /// Whether a function for JavaScript packages makes it.
    pub fn is_javascript(&self) -> bool {
        JAVASCRIPT.contains(&self.function.as_str())
    }

    /// Whether it inherits names from sets that are not in this file.
    pub fn inherits_from(&self) -> bool {
        self.sets.iter().any(|set| set.inherits().any(|inherit| inherit.from().is_some()))
    }

    /// Returns the items of an attribute that is a list: through `with`, `++`, and `lib.optionals`.
    pub fn items(&self, name: &str) -> Vec<Expr> {
        let mut found = Vec::new();
        if let Some(value) = self.attribute(name) {
            list_items(&value, 8, &mut found);
        }
        found
    }
}

/// Adds the items of a list.
pub fn list_items(expr: &Expr, depth: usize, found: &mut Vec<Expr>) {
    if depth == 0 {
        return;
    }
    match resolve(expr) {
        Expr::List(list) => found.extend(list.items().map(bare)),
        Expr::With(with) => with.body().iter().for_each(|body| list_items(body, depth - 1, found)),
        Expr::BinOp(join) if join.operator() == Some(BinOpKind::Concat) => {
            join.lhs().into_iter().chain(join.rhs()).for_each(|side| list_items(&side, depth - 1, found));
        }
        apply @ Expr::Apply(_) => {
            let (_, arguments) = call(&apply);
            arguments.last().into_iter().for_each(|last| list_items(last, depth - 1, found));
        }
        _ => {}
    }
}

/// Whether stdenv runs an attribute: a phase, or what comes before or after one.
fn is_script(name: &str) -> bool {
    const STEPS: [&str; 9] =
        ["Unpack", "Patch", "Configure", "Build", "Check", "Install", "Fixup", "InstallCheck", "Dist"];
    let step = name.strip_prefix("pre").or_else(|| name.strip_prefix("post"));
    name.ends_with("Phase") || name == "buildCommand" || step.is_some_and(|step| STEPS.contains(&step))
}
