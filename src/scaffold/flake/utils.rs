//! Insertions for flake-utils, where a function returns the outputs for a system.

use rnix::ast::{AttrSet, Expr, LetIn};

use super::{
    Kept,
    doors::{Addition, Door, Found, OPAQUE, OUTPUTS, singular},
    plain::{free_name, let_binding, literal_names, merged, without_default},
    syntax::{applied_lambda, body, definitions, has, inner, is_inherited, parameters, start, value},
};

/// Returns what to add to the function that is passed to `eachSystem`. `beside` is a set that is merged with its result.
pub(super) fn found(door: &Door<'_>, each: &Expr, beside: Option<&AttrSet>) -> Found {
    let Expr::Apply(apply) = each else { return Err(OPAQUE) };
    let (_, lambda) = applied_lambda(apply).ok_or("the function of its eachSystem is in another file")?;
    let (system, _) = parameters(&lambda.param().ok_or(OPAQUE)?);
    let system = system.ok_or(OPAQUE)?;
    let made = lambda.body().ok_or(OPAQUE)?;
    let made_start = start(&made);
    let (lets, Expr::AttrSet(set)) = inner(made) else { return Err(OPAQUE) };
    let is_bound = |bindings: &LetIn| has(bindings, "pkgs");
    let pkgs = if lets.iter().any(is_bound) {
        "pkgs".to_owned()
    } else {
        format!("{}.legacyPackages.${{{system}}}", door.nixpkgs()?)
    };
    let name = free_name(&door.flake, "splitterOutputs");
    let colon: usize = lambda.token_colon().ok_or(OPAQUE)?.text_range().end().into();
    let binding = format!("{name} = {};", door.outputs(&pkgs));
    let source = door.flake.source;
    let mut outputs =
        Outputs { door, name: &name, set: &set, lines: Vec::new(), inherited: Vec::new(), added: Addition::default() };
    outputs.added.insertions = let_binding(source, lets.last(), (colon, made_start), binding);
    for output in OUTPUTS {
        outputs.add(output, beside)?;
    }
    let Outputs { mut lines, mut inherited, mut added, .. } = outputs;
    inherited.sort_unstable();
    if !inherited.is_empty() {
        lines.push(format!("inherit ({name}) {};", inherited.join(" ")));
    }
    if !lines.is_empty() {
        added.insertions.extend(body(&set).ok_or(OPAQUE)?.insert(source, &lines));
    }
    Ok(added)
}

/// The outputs for a system, and what is added to them so far.
struct Outputs<'a> {
    door: &'a Door<'a>,
    /// The name that binds splitter's outputs.
    name: &'a str,
    set: &'a AttrSet,
    lines: Vec<String>,
    inherited: Vec<&'static str>,
    added: Addition,
}

impl Outputs<'_> {
    fn add(&mut self, output: &'static str, beside: Option<&AttrSet>) -> Result<(), &'static str> {
        let (name, set) = (self.name, self.set);
        if beside.is_some_and(|beside| has(beside, output)) {
            // `//` replaces the whole output, so a line in the function would do nothing.
            self.keep(output.to_owned(), output);
            return Ok(());
        }
        match (has(set, output), output, singular(set, output)) {
            (false, "devShells", Some((own, attribute))) => {
                self.keep(own.to_owned(), &format!("{output}.{attribute}"));
            }
            // `packages.default` would hide the `defaultPackage` of the flake.
            (false, "packages", Some(_)) => {
                self.lines.push(format!("packages = {};", without_default(&format!("{name}.packages"))));
            }
            (false, ..) => self.inherited.push(output),
            (true, "packages" | "checks", _) => self.merge(output)?,
            (true, ..) => self.keep(output.to_owned(), output),
        }
        Ok(())
    }

    /// Adds splitter's attributes to an output of the flake.
    fn merge(&mut self, output: &'static str) -> Result<(), &'static str> {
        let (name, set) = (self.name, self.set);
        if is_inherited(set, output) {
            return Err("it defines its packages or checks with `inherit`");
        }
        let own = if let Some(own) = value(set, output) {
            let names = literal_names(&own);
            let ours = format!("{name}.{output}");
            let ours = if singular(set, output).is_some() { without_default(&ours) } else { ours };
            self.added.insertions.push(merged(own, &ours).ok_or(OPAQUE)?);
            names
        } else {
            let own = definitions(set).into_iter().filter(|(path, _)| path[0] == output);
            let own: Vec<String> = own.filter_map(|(path, _)| path.get(1).cloned()).collect();
            let (ours, _) = self.door.divided(output, &own);
            if !ours.is_empty() {
                self.lines.push(format!("{output} = {{ inherit ({name}.{output}) {}; }};", ours.join(" ")));
            }
            own
        };
        let (_, kept) = self.door.divided(output, &own);
        let kept: Vec<String> = kept.into_iter().map(|name| format!("{output}.{name}")).collect();
        for name in kept {
            self.keep(name.clone(), &name);
        }
        Ok(())
    }

    fn keep(&mut self, own: String, ours: &str) {
        self.added.kept.push(Kept { own, ours: format!("{}.{ours}", self.name) });
    }
}
