//! `layers-out-of-order`: your own code in a layer below packages of nixpkgs.

use std::ops::Range;

use rnix::ast::{AttrSet, Expr, With};
use rowan::ast::AstNode as _;

use super::{mutable_created::image, tool_in_nix_image::contents};
use crate::lint::{
    Check, Example, Found, Level, Rule,
    view::{NixFile, nix},
};

pub(in crate::lint::rules) const RULE: Rule = Rule {
    name: "layers-out-of-order",
    level: Level::Info,
    is_taste: false,
    why: "Docker knows a layer by all layers below it, so when the lower one changes it downloads and unpacks those above again.",
    remedy: "Put what changes rarely first: packages of nixpkgs, then your dependencies, your own code last. `splitter images` writes such layers.",
    about: "Found are `layers` of nix2container and images on a `fromImage` of the same file, if a lower layer has code of this repository (a \
            derivation with a local `src`, a path, `self`) and a higher one has only packages of nixpkgs. The contents of the image itself are its \
            last layer. `dockerTools.buildLayeredImage` chooses the order by itself, and that cannot be seen in a file. A layer made by \
            `buildLayer` has everything that its contents need, unless the layers below are named in its own `layers`.",
    checks: &[Check::Nix(check)],
    examples: &[
        Example {
            findings: 1,
            files: &[(
                "image.nix",
                r#"{ pkgs, nix2container }:
let
  web = pkgs.stdenv.mkDerivation { pname = "web"; version = "1"; src = ./.; };
in
nix2container.buildImage {
  name = "web";
  layers = [
    (nix2container.buildLayer { deps = [ web ]; })
    (nix2container.buildLayer { deps = [ pkgs.nodejs pkgs.cacert ]; })
  ];
}
"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "image.nix",
                r#"{ pkgs, nix2container }:
let
  web = pkgs.stdenv.mkDerivation { pname = "web"; version = "1"; src = ./.; };
in
nix2container.buildImage {
  name = "web";
  layers = [
    (nix2container.buildLayer { deps = [ pkgs.nodejs pkgs.cacert ]; })
    (nix2container.buildLayer { deps = [ web ]; })
  ];
}
"#,
            )],
        },
        // The contents of the image are above its layers.
        Example {
            findings: 1,
            files: &[(
                "a.nix",
                r#"n2c.buildImage { name = "a"; layers = [ (n2c.buildLayer { copyToRoot = [ self.packages.${system}.web ]; }) ]; copyToRoot = pkgs.buildEnv { name = "root"; paths = with pkgs; [ bash jq ]; }; }"#,
            )],
        },
        Example {
            findings: 1,
            files: &[(
                "a.nix",
                r#"let base = dockerTools.buildImage { name = "app"; copyToRoot = [ ./app ]; }; in dockerTools.buildImage { name = "b"; fromImage = base; copyToRoot = [ pkgs.curl ]; }"#,
            )],
        },
        // Nobody knows whose code `package` is, and a layer with both is no fault.
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"{ package, pkgs }: n2c.buildImage { name = "a"; layers = [ (n2c.buildLayer { deps = [ package ]; }) (n2c.buildLayer { deps = [ pkgs.bash ]; }) (n2c.buildLayer { deps = [ ./app ]; }) (n2c.buildLayer { deps = [ ./other pkgs.jq ]; }) ]; }"#,
            )],
        },
        Example {
            findings: 0,
            files: &[(
                "a.nix",
                r#"let base = dockerTools.buildImage { name = "base"; copyToRoot = [ pkgs.bash ]; }; in dockerTools.buildLayeredImage { name = "b"; fromImage = base; contents = [ ./app pkgs.curl ]; }"#,
            )],
        },
    ],
};

/// The attributes that put something into a layer.
const CONTENTS: [&str; 3] = ["contents", "copyToRoot", "deps"];

/// How many images are below each other.
const DEEPEST: usize = 4;

/// What a layer has.
#[derive(Default)]
struct Layer {
    /// Code of this repository: its text and its bytes.
    own: Vec<(String, Range<usize>)>,
    /// Packages of nixpkgs.
    packages: Vec<String>,
}

fn check(file: &NixFile<'_>, found: &mut Found<'_>) {
    for (_, set) in file.calls.iter().filter_map(image) {
        let mut layers = Vec::new();
        gather(file, &set, DEEPEST, &mut layers);
        let only_packages = |layer: &&Layer| layer.own.is_empty() && !layer.packages.is_empty();
        for (at, layer) in layers.iter().enumerate() {
            let above = layers[at + 1..].iter().find(only_packages);
            if let (Some((own, range)), Some(above)) = (layer.own.first(), above) {
                found.add(range.clone(), format!("`{own}` is in a layer below `{}`", above.packages[0]));
            }
        }
    }
}

/// Adds the layers of an image, the lowest first.
fn gather(file: &NixFile<'_>, set: &AttrSet, depth: usize, layers: &mut Vec<Layer>) {
    if depth == 0 {
        return;
    }
    if let Some(Expr::Apply(base)) = nix::value_in(set, "fromImage").map(|base| nix::resolve(&base))
        && let Some((_, set)) = image(&base)
    {
        gather(file, &set, depth - 1, layers);
    }
    let mut listed = Vec::new();
    if let Some(value) = nix::value_in(set, "layers") {
        nix::list_items(&value, 8, &mut listed);
    }
    for item in listed {
        let (head, arguments) = nix::call(&nix::resolve(&item));
        if nix::last_name(&head).as_deref() == Some("buildLayer")
            && let Some(Expr::AttrSet(set)) = arguments.first().map(nix::resolve)
        {
            layers.push(layer(file, &set));
        }
    }
    layers.push(layer(file, set));
}

fn layer(file: &NixFile<'_>, set: &AttrSet) -> Layer {
    let mut layer = Layer::default();
    for item in contents(set, &CONTENTS) {
        if is_own(file, &item) {
            layer.own.push((item.to_string().lines().next().unwrap_or_default().to_owned(), nix::span(&item)));
        } else if is_package(&item) {
            layer.packages.push(item.to_string());
        }
    }
    layer
}

/// Whether something is made of files of this repository, as far as this file says it.
fn is_own(file: &NixFile<'_>, item: &Expr) -> bool {
    let is_local = |expr: &Expr| {
        let text = expr.to_string();
        text.contains("./") && !text.contains("fetch") || nix::path(expr).first().is_some_and(|name| name == "self")
    };
    match nix::resolve(item) {
        Expr::Apply(call) => {
            let made = file.derivations().iter().find(|made| made.call.syntax() == call.syntax());
            made.and_then(|made| made.attribute("src")).is_some_and(|src| is_local(&nix::resolve(&src)))
        }
        path @ (Expr::PathRel(_) | Expr::Select(_)) => is_local(&path),
        _ => false,
    }
}

/// Whether something is a package of nixpkgs: `pkgs.jq`, or `jq` in a list `with pkgs`.
fn is_package(item: &Expr) -> bool {
    const SETS: [&str; 2] = ["pkgs", "nixpkgs"];
    match nix::resolve(item) {
        Expr::Ident(name) => {
            let around = name.syntax().ancestors().find_map(With::cast);
            let set = around.and_then(|with| with.namespace());
            set.is_some_and(|set| SETS.contains(&set.to_string().as_str()))
        }
        select @ Expr::Select(_) => nix::path(&select).first().is_some_and(|first| SETS.contains(&first.as_str())),
        _ => false,
    }
}
