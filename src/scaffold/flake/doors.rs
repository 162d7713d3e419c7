//! Tells the style of a flake by what its outputs come to, and gives it to the file that knows the style.

use rnix::ast::{BinOpKind, Expr};

use super::{
    Advice, Insertion, Wanted,
    inputs::Flake,
    parts, plain,
    syntax::{call, inner, last_name},
    utils,
};

/// What makes no outputs that can be read.
pub(super) const OPAQUE: &str = "its outputs are made in a way that splitter does not know";

/// What a style gives: its insertions, or why there are none.
pub(super) type Found = Result<Vec<Insertion>, &'static str>;

/// How the flake gets at splitter.
pub(super) struct Door<'a> {
    pub(super) flake: Flake<'a>,
    /// How its outputs name splitter, where that is an input.
    pub(super) splitter: Option<String>,
    pub(super) packages: &'a [String],
}

impl Door<'_> {
    /// What gives the outputs for nixpkgs, which is an argument of a call such as `{ inherit pkgs; root = ./.; }`.
    pub(super) fn outputs(&self, pkgs: &str) -> String {
        let function = self
            .splitter
            .as_ref()
            .map_or_else(|| "import ./nix/splitter".to_owned(), |name| format!("{name}.lib.mkSplit"));
        let pkgs = if pkgs == "pkgs" { "inherit pkgs;".to_owned() } else { format!("pkgs = {pkgs};") };
        format!("({function} {{ {pkgs} root = ./.; }}).outputs")
    }

    /// The recorded systems that nixpkgs has.
    pub(super) fn systems(&self) -> Result<String, &'static str> {
        let nixpkgs = self.nixpkgs()?;
        Ok(match &self.splitter {
            None => format!("import ./nix/splitter/systems.nix {nixpkgs}.lib"),
            Some(name) => format!("{name}.lib.systems {{ inherit ({nixpkgs}) lib; root = ./.; }}"),
        })
    }

    pub(super) fn nixpkgs(&self) -> Result<String, &'static str> {
        self.flake.nixpkgs().ok_or("its outputs take no input that is nixpkgs")
    }
}

pub(super) fn advice(source: &str, root: &rnix::Root, wanted: Wanted<'_>) -> Advice {
    let Some(flake) = Flake::of(source, root) else {
        return Advice::Unknown { reason: "it has no function `outputs`" };
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
