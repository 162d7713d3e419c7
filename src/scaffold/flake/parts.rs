//! Insertions for flake-parts: an import, and the systems if the flake has none. Flakes with devenv's module get the same.

use rnix::ast::Expr;

use super::{
    Insertion,
    doors::{Addition, Door, Found},
    syntax::{bare, body, definitions, has, inner, start, value},
};

/// Returns what to add to the module that is passed to `mkFlake`.
pub(super) fn found(door: &Door<'_>, module: Expr) -> Found {
    let set = match inner(module).1 {
        Expr::AttrSet(set) => set,
        Expr::Lambda(lambda) => match lambda.body().map(|body| inner(body).1) {
            Some(Expr::AttrSet(set)) => set,
            _ => return Err("its mkFlake module is not a plain attribute set"),
        },
        _ => return Err("its mkFlake module is in another file"),
    };
    let import = match &door.splitter {
        None => "./nix/splitter/flake-module.nix".to_owned(),
        Some(name) => format!("{name}.flakeModules.default"),
    };
    let source = door.flake.source;
    let mut lines = Vec::new();
    let mut insertions = Vec::new();
    match value(&set, "imports").map(bare) {
        Some(Expr::List(list)) => {
            let opening = list
                .l_brack_token()
                .ok_or("the `imports` of its mkFlake module could not be parsed")?
                .text_range()
                .end()
                .into();
            let first = list.items().next().map(|item| start(&item));
            insertions.push(Insertion::behind(source, opening, first, &[import]));
        }
        Some(_) => return Err("the `imports` of its mkFlake module are not a plain list"),
        None => lines.push(format!("imports = [ {import} ];")),
    }
    // An imported module may define the systems.
    let may_import_systems = definitions(&set).iter().any(|(path, _)| path[0] == "imports");
    if !has(&set, "systems") && !may_import_systems {
        lines.push(format!("systems = {};", door.systems()?));
    }
    if !lines.is_empty() {
        let body = body(&set).ok_or("its mkFlake module could not be parsed")?;
        insertions.extend(body.insert(source, &lines));
    }
    Ok(Addition { insertions, kept: Vec::new() })
}
