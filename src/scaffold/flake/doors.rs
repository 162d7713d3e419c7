//! Detects the style of a flake from its outputs, and calls the module for that style.

use rnix::ast::{AttrSet, BinOpKind, Expr};

use super::{
    Advice, Insertion, Kept, Wanted,
    inputs::Flake,
    parts, plain,
    syntax::{call, has, inner, last_name},
    utils,
};

/// The reason if the outputs of a flake are not recognised.
pub(super) const OPAQUE: &str = "splitter does not recognise how it defines its outputs";

/// The insertions for a style, or the reason why there are none.
pub(super) type Found = Result<Addition, &'static str>;

/// What to add to a flake, and what it has already.
#[derive(Debug, Default)]
pub(super) struct Addition {
    pub(super) insertions: Vec<Insertion>,
    pub(super) kept: Vec<Kept>,
}

/// The outputs of splitter, in the order of the printed lines.
pub(super) const OUTPUTS: [&str; 4] = ["packages", "legacyPackages", "checks", "devShells"];

/// Outputs with a singular name, which Nix still reads: the name, the output that has replaced it, and the attribute.
const SINGULAR: [(&str, &str, &str); 2] =
    [("devShell", "devShells", "default"), ("defaultPackage", "packages", "default")];

/// Returns the singular output of a flake that an output of splitter would hide.
pub(super) fn singular(set: &AttrSet, output: &str) -> Option<(&'static str, &'static str)> {
    let found = SINGULAR.iter().find(|(name, plural, _)| *plural == output && has(set, name));
    found.map(|(name, _, attribute)| (*name, *attribute))
}

/// The flake, and how it refers to splitter.
pub(super) struct Door<'a> {
    pub(super) flake: Flake<'a>,
    /// The name of splitter in its outputs, if splitter is an input.
    pub(super) splitter: Option<String>,
    pub(super) packages: &'a [String],
    pub(super) checks: &'a [String],
}

impl Door<'_> {
    /// Returns the names that splitter gives to the attributes of an output. Empty if they are not known.
    pub(super) const fn names(&self, output: &str) -> &[String] {
        match output.as_bytes() {
            b"packages" => self.packages,
            b"checks" => self.checks,
            _ => &[],
        }
    }

    /// Splits the names of an output into those that splitter adds, and those that the flake defines itself.
    pub(super) fn divided(&self, output: &str, own: &[String]) -> (Vec<&str>, Vec<&str>) {
        self.names(output).iter().map(String::as_str).partition(|name| !own.iter().any(|own| own == name))
    }

    /// Returns the expression for splitter's outputs. `pkgs` is the expression for nixpkgs.
    pub(super) fn outputs(&self, pkgs: &str) -> String {
        let function = self
            .splitter
            .as_ref()
            .map_or_else(|| "import ./nix/splitter".to_owned(), |name| format!("{name}.lib.mkSplit"));
        let pkgs = if pkgs == "pkgs" { "inherit pkgs;".to_owned() } else { format!("pkgs = {pkgs};") };
        format!("({function} {{ {pkgs} root = ./.; }}).outputs")
    }

    /// Returns the expression for the recorded systems that nixpkgs supports.
    pub(super) fn systems(&self) -> Result<String, &'static str> {
        let nixpkgs = self.nixpkgs()?;
        Ok(match &self.splitter {
            None => format!("import ./nix/splitter/systems.nix {nixpkgs}.lib"),
            Some(name) => format!("{name}.lib.systems {{ inherit ({nixpkgs}) lib; root = ./.; }}"),
        })
    }

    pub(super) fn nixpkgs(&self) -> Result<String, &'static str> {
        self.flake.nixpkgs().ok_or("its `outputs` function has no nixpkgs input")
    }
}

pub(super) fn advice(source: &str, root: &rnix::Root, wanted: Wanted<'_>) -> Advice {
    let Some(flake) = Flake::of(source, root) else {
        return Advice::Unknown { reason: "it has no `outputs` function" };
    };
    let (splitter, mut insertions) = match wanted.input {
        Some(url) => {
            let (name, insertions) = flake.splitter(url);
            (Some(name), insertions)
        }
        None => (None, Vec::new()),
    };
    let door = Door { flake, splitter, packages: wanted.packages, checks: wanted.checks };
    let (style, found) = of_style(&door);
    match found {
        Ok(Addition { insertions: found, kept }) => {
            insertions.extend(found);
            Advice::Insert { style, insertions, kept }
        }
        Err(reason) => Advice::Unknown { reason },
    }
}

fn of_style(door: &Door<'_>) -> (&'static str, Found) {
    let Some(body) = door.flake.outputs.body() else { return ("", Err(OPAQUE)) };
    let (lets, made) = inner(body);
    match &made {
        Expr::AttrSet(set) => ("plain outputs", plain::found(door, &lets, set)),
        Expr::BinOp(both) if both.operator() == Some(BinOpKind::Update) => {
            let sides = [both.lhs(), both.rhs()].map(|side| side.map(|side| inner(side).1));
            let of_utils = sides.iter().flatten().find(|side| is_utils(side));
            let beside = sides.iter().flatten().find_map(|side| match side {
                Expr::AttrSet(set) => Some(set),
                _ => None,
            });
            ("flake-utils", of_utils.map_or(Err(OPAQUE), |side| utils::found(door, side, beside)))
        }
        _ if is_utils(&made) => ("flake-utils", utils::found(door, &made, None)),
        _ => match call(&made) {
            (function, arguments)
                if arguments.len() == 2 && last_name(&function).is_some_and(|name| name == "mkFlake") =>
            {
                ("flake-parts", parts::found(door, arguments[1].clone()))
            }
            _ => ("", Err(OPAQUE)),
        },
    }
}

fn is_utils(expr: &Expr) -> bool {
    let (function, arguments) = call(expr);
    let name = last_name(&function).unwrap_or_default();
    matches!((name.as_str(), arguments.len()), ("eachDefaultSystem", 1) | ("eachSystem", 2))
}
