//! Detects the style of a flake from its outputs, and calls the module for that style.

use rnix::ast::{BinOpKind, Expr};

use super::{
    Advice, Insertion, Wanted,
    inputs::Flake,
    parts, plain,
    syntax::{call, inner, last_name},
    utils,
};

/// The reason if the outputs of a flake are not recognised.
pub(super) const OPAQUE: &str = "splitter does not recognise how it defines its outputs";

/// The insertions for a style, or the reason why there are none.
pub(super) type Found = Result<Vec<Insertion>, &'static str>;

/// The flake, and how it refers to splitter.
pub(super) struct Door<'a> {
    pub(super) flake: Flake<'a>,
    /// The name of splitter in its outputs, if splitter is an input.
    pub(super) splitter: Option<String>,
    pub(super) packages: &'a [String],
}

impl Door<'_> {
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
    let (style, found) = of_style(&Door { flake, splitter, packages: wanted.packages });
    match found {
        Ok(found) => {
            insertions.extend(found);
            Advice::Insert { style, insertions }
        }
        Err(reason) => Advice::Unknown { reason },
    }
}

fn of_style(door: &Door<'_>) -> (&'static str, Found) {
    let Some(body) = door.flake.outputs.body() else { return ("", Err(OPAQUE)) };
    let (lets, made) = inner(body);
    match &made {
        Expr::AttrSet(set) => ("plain outputs", plain::insertions(door, &lets, set)),
        Expr::BinOp(both) if both.operator() == Some(BinOpKind::Update) => {
            let side = [both.lhs(), both.rhs()].into_iter().flatten().map(|side| inner(side).1).find(is_utils);
            ("flake-utils", side.map_or(Err(OPAQUE), |side| utils::insertions(door, &side)))
        }
        _ if is_utils(&made) => ("flake-utils", utils::insertions(door, &made)),
        _ => match call(&made) {
            (function, arguments)
                if arguments.len() == 2 && last_name(&function).is_some_and(|name| name == "mkFlake") =>
            {
                ("flake-parts", parts::insertions(door, arguments[1].clone()))
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
