//! Insertions for flake-utils, where a function returns the outputs for a system.

use rnix::ast::{Expr, LetIn};

use super::{
    Insertion,
    doors::{Door, Found, OPAQUE},
    plain::{free_name, let_binding, merged},
    syntax::{applied_lambda, definitions, first_entry, has, inner, is_inherited, opening, parameters, value},
};

/// Returns the insertions for the function that is passed to `eachSystem`.
pub(super) fn insertions(door: &Door<'_>, each: &Expr) -> Found {
    let Expr::Apply(apply) = each else { return Err(OPAQUE) };
    let (_, lambda) = applied_lambda(apply).ok_or("the function of its eachSystem is in another file")?;
    let (system, _) = parameters(&lambda.param().ok_or(OPAQUE)?);
    let system = system.ok_or(OPAQUE)?;
    let (lets, Expr::AttrSet(set)) = inner(lambda.body().ok_or(OPAQUE)?) else { return Err(OPAQUE) };
    let is_bound = |bindings: &LetIn| has(bindings, "pkgs");
    let pkgs = if lets.iter().any(is_bound) {
        "pkgs".to_owned()
    } else {
        format!("{}.legacyPackages.${{{system}}}", door.nixpkgs()?)
    };
    let name = free_name(&door.flake, "splitterOutputs");
    let colon: usize = lambda.token_colon().ok_or(OPAQUE)?.text_range().end().into();
    let binding = format!("{name} = {};", door.outputs(&pkgs));
    let mut insertions: Vec<Insertion> = vec![let_binding(door.flake.source, lets.last(), colon, binding)];
    let mut lines = Vec::new();
    let mut inherited: Vec<&str> =
        ["packages", "legacyPackages", "checks", "devShells"].into_iter().filter(|output| !has(&set, output)).collect();
    inherited.sort_unstable();
    for output in ["packages", "checks"].into_iter().filter(|output| has(&set, output)) {
        if is_inherited(&set, output) {
            return Err("it defines its packages or checks with `inherit`");
        }
        match value(&set, output) {
            Some(own) => insertions.push(merged(own, &format!("{name}.{output}")).ok_or(OPAQUE)?),
            None if output == "packages" => {
                let own: Vec<String> = definitions(&set)
                    .into_iter()
                    .filter(|(path, _)| path[0] == output)
                    .map(|(path, _)| path[1].clone())
                    .collect();
                let names: Vec<&str> =
                    door.packages.iter().filter(|name| !own.contains(name)).map(String::as_str).collect();
                lines.push(format!("packages = {{ inherit ({name}.packages) {}; }};", names.join(" ")));
            }
            // The flake defines single checks. Splitter's checks are its packages and scripts, which can be missing there.
            None => {}
        }
    }
    if !inherited.is_empty() {
        lines.push(format!("inherit ({name}) {};", inherited.join(" ")));
    }
    insertions.push(Insertion::behind(door.flake.source, opening(&set).ok_or(OPAQUE)?, first_entry(&set), &lines));
    Ok(insertions)
}
