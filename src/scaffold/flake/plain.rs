//! Insertions for plain outputs: a set whose `packages` are a function of the system, or defined for named systems.

use rnix::ast::{AttrSet, Expr, HasEntry as _, Lambda, LetIn};
use rowan::ast::AstNode as _;

use super::{
    Insertion, Kept,
    doors::{Addition, Door, Found, OPAQUE, OUTPUTS, singular},
    inputs::Flake,
    insert::indentation,
    syntax::{applied_lambda, bare, body, definitions, has, inner, is_inherited, let_body, parameters, start, value},
};

/// How a flake defines an output for its systems.
enum Form {
    /// `forAllSystems (system: …)`
    Each(Each),
    /// `x86_64-linux = …` or `${system} = …`
    Fixed(Vec<Fixed>),
}

struct Each {
    /// `forAllSystems`
    function: String,
    /// `system`
    parameter: String,
    /// The expression for nixpkgs, which may use the parameter.
    pkgs: String,
    made: Expr,
}

struct Fixed {
    /// `x86_64-linux` or `${system}`
    system: String,
    /// The set of all packages, or the names of packages that are defined one by one.
    made: Result<Expr, Vec<String>>,
}

pub(super) fn found(door: &Door<'_>, lets: &[LetIn], set: &AttrSet) -> Found {
    let nixpkgs = door.nixpkgs()?;
    let name = free_name(&door.flake, "splitterFor");
    let (colon, start) = (door.flake.colon().ok_or(OPAQUE)?, door.flake.body_start().ok_or(OPAQUE)?);
    let binding = format!("{name} = pkgs: {};", door.outputs("pkgs"));
    let source = door.flake.source;
    let forms = Forms { nixpkgs: &nixpkgs, lets, set };
    let mut lines = Vec::new();
    let mut added =
        Addition { insertions: let_binding(source, lets.first(), (colon, start), binding), ..Addition::default() };
    for output in OUTPUTS {
        let keep = |own: String, ours: &str| Kept { own, ours: format!("({name} pkgs).{ours}") };
        match (has(set, output), singular(set, output)) {
            (false, Some((own, attribute))) if output == "devShells" => {
                added.kept.push(keep(own.to_owned(), &format!("{output}.{attribute}")));
            }
            (false, _) => lines.extend(forms.whole(door, &name, output)?),
            (true, _) => match forms.merged(door, &name, output)? {
                Some((insertions, more, own)) => {
                    added.insertions.extend(insertions);
                    lines.extend(more);
                    let (_, own) = door.divided(output, &own);
                    added.kept.extend(own.into_iter().map(|own| {
                        let own = format!("{output}.{own}");
                        keep(own.clone(), &own)
                    }));
                }
                // The flake makes its shells by an expression, so splitter's is named as the shell that it is.
                None if output == "devShells" => added.kept.push(keep(output.to_owned(), "devShells.default")),
                None => added.kept.push(keep(output.to_owned(), output)),
            },
        }
    }
    if !lines.is_empty() {
        added.insertions.extend(body(set).ok_or(OPAQUE)?.insert(source, &lines));
    }
    Ok(added)
}

/// The outputs of a flake, with the context to read them.
struct Forms<'a> {
    nixpkgs: &'a str,
    lets: &'a [LetIn],
    set: &'a AttrSet,
}

impl Forms<'_> {
    /// Returns the lines that define a missing output, in the form of the flake's other outputs.
    fn whole(&self, door: &Door<'_>, name: &str, output: &str) -> Result<Vec<String>, &'static str> {
        let ours = |pkgs: &str| self.ours(name, output, pkgs);
        let mut names: Vec<String> = OUTPUTS.map(str::to_owned).into();
        names.extend(definitions(self.set).into_iter().map(|(path, _)| path[0].clone()));
        Ok(match names.iter().find_map(|name| self.form(name)) {
            Some(Form::Each(Each { function, parameter, pkgs, .. })) => {
                vec![format!("{output} = {function} ({parameter}: {});", ours(&pkgs))]
            }
            Some(Form::Fixed(all)) => {
                let line =
                    |fixed: &Fixed| format!("{output}.{} = {};", fixed.system, ours(&self.pkgs_of(&fixed.system)));
                all.iter().map(line).collect()
            }
            None => {
                let (nixpkgs, systems) = (self.nixpkgs, door.systems()?);
                let each = format!("{nixpkgs}.lib.genAttrs ({systems})");
                vec![format!("{output} = {each} (system: {});", ours(&format!("{nixpkgs}.legacyPackages.${{system}}")))]
            }
        })
    }

    /// Returns the expression for an output of splitter. `packages.default` would hide a `defaultPackage` of the flake.
    fn ours(&self, name: &str, output: &str, pkgs: &str) -> String {
        let ours = format!("({name} {}).{output}", argument(pkgs));
        if singular(self.set, output).is_some() { without_default(&ours) } else { ours }
    }

    /// Adds splitter's attributes to an output that the flake has: with insertions, lines, and the names of the flake's own
    /// attributes. Returns `None` if the output stays as it is.
    #[expect(clippy::type_complexity, reason = "one caller takes it apart")]
    fn merged(
        &self,
        door: &Door<'_>,
        name: &str,
        output: &str,
    ) -> Result<Option<(Vec<Insertion>, Vec<String>, Vec<String>)>, &'static str> {
        if !["packages", "checks"].contains(&output) {
            return Ok(None);
        }
        let (mut insertions, mut lines, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let ours = |pkgs: &str| self.ours(name, output, pkgs);
        let all = match self.form(output) {
            Some(Form::Each(each)) => {
                names.extend(literal_names(&each.made));
                insertions.push(merged(each.made, &ours(&each.pkgs)).ok_or(OPAQUE)?);
                Vec::new()
            }
            Some(Form::Fixed(all)) => all,
            // Splitter's checks are optional, its packages are not.
            None if output == "checks" => return Ok(None),
            None => return Err("splitter does not recognise how it defines its packages"),
        };
        for fixed in all {
            let pkgs = self.pkgs_of(&fixed.system);
            match fixed.made {
                Ok(own) => {
                    names.extend(literal_names(&own));
                    insertions.push(merged(own, &ours(&pkgs)).ok_or(OPAQUE)?);
                }
                Err(_) if fixed.system.starts_with('$') && output == "checks" => return Ok(None),
                Err(_) if fixed.system.starts_with('$') => {
                    return Err(
                        "Nix does not allow a second definition of a computed attribute such as `packages.${system}`",
                    );
                }
                Err(own) => {
                    let (missing, _) = door.divided(output, &own);
                    if !missing.is_empty() {
                        let ours = format!("({name} {}).{output}", argument(&pkgs));
                        lines.push(format!(
                            "{output}.{} = {{ inherit ({ours}) {}; }};",
                            fixed.system,
                            missing.join(" ")
                        ));
                    }
                    names.extend(own);
                }
            }
        }
        Ok(Some((insertions, lines, names)))
    }

    fn form(&self, output: &str) -> Option<Form> {
        if is_inherited(self.set, output) {
            return None;
        }
        match value(self.set, output).map(bare) {
            Some(Expr::Apply(apply)) => {
                let (function, lambda) = applied_lambda(&apply)?;
                let text = function.to_string();
                // A function with comments or line breaks cannot be repeated on one line.
                (!text.contains(['\n', '#'])).then_some(())?;
                Some(Form::Each(self.each(text, &lambda)?))
            }
            Some(Expr::AttrSet(own)) => Self::fixed(definitions(&own)),
            Some(_) => None,
            None => {
                let deeper = definitions(self.set).into_iter().filter(|(path, _)| path[0] == output);
                Self::fixed(deeper.map(|(path, value)| (path[1..].to_vec(), value)).collect())
            }
        }
    }

    fn each(&self, function: String, lambda: &Lambda) -> Option<Each> {
        let param = lambda.param()?;
        let (whole, named) = parameters(&param);
        let (inner_lets, made) = inner(lambda.body()?);
        let legacy = || format!("{}.legacyPackages.${{system}}", self.nixpkgs);
        let is = |name: &str| whole.as_deref() == Some(name) || named.iter().any(|other| other == name);
        let pkgs = match () {
            () if is("pkgs") => "pkgs".to_owned(),
            () if is("system") => inner_lets.iter().find_map(own_pkgs).unwrap_or_else(legacy),
            () => return None,
        };
        Some(Each { function, parameter: param.to_string(), pkgs, made })
    }

    /// Reads definitions by system, or by system and name.
    fn fixed(definitions: Vec<(Vec<String>, Expr)>) -> Option<Form> {
        let mut all: Vec<Fixed> = Vec::new();
        for (path, value) in definitions {
            let system = path.first()?.clone();
            let is_system = system == "${system}" || ["-linux", "-darwin"].iter().any(|end| system.ends_with(end));
            if !is_system {
                return None;
            }
            let known = all.iter_mut().find(|fixed| fixed.system == system);
            match (path.get(1), known) {
                (None, None) => all.push(Fixed { system, made: Ok(inner(value).1) }),
                (Some(name), None) => all.push(Fixed { system, made: Err(vec![name.clone()]) }),
                (Some(name), Some(Fixed { made: Err(names), .. })) => names.push(name.clone()),
                // A set and single definitions for the same system are mixed.
                _ => return None,
            }
        }
        (!all.is_empty()).then_some(Form::Fixed(all))
    }

    /// Returns the expression for nixpkgs on a system: the flake's own `pkgs` if the system is a variable.
    fn pkgs_of(&self, system: &str) -> String {
        if system.starts_with('$') && self.lets.iter().any(|bindings| has(bindings, "pkgs")) {
            return "pkgs".to_owned();
        }
        format!("{}.legacyPackages.{system}", self.nixpkgs)
    }
}

/// Returns the definition of `pkgs` in a function of the system, if it uses no other local name.
fn own_pkgs(bindings: &LetIn) -> Option<String> {
    let own = value(bindings, "pkgs")?;
    let text = own.to_string();
    let local: Vec<String> = definitions(bindings).into_iter().map(|(path, _)| path[0].clone()).collect();
    let mut names = own.syntax().descendants().filter_map(rnix::ast::Ident::cast).map(|ident| ident.to_string());
    let is_free =
        !text.contains(['\n', '#']) && bindings.inherits().next().is_none() && !names.any(|name| local.contains(&name));
    is_free.then_some(text)
}

/// Returns an expression in the form of a function argument.
fn argument(pkgs: &str) -> String {
    if pkgs.contains(' ') { format!("({pkgs})") } else { pkgs.to_owned() }
}

/// Returns `ours // ` for insertion before the user's expression, so that the user's names win. Returns `None` if the
/// operator would bind differently there.
pub(super) fn merged(own: Expr, ours: &str) -> Option<Insertion> {
    let (_, own) = inner(own);
    let binds = match &own {
        Expr::AttrSet(_) | Expr::Apply(_) | Expr::Select(_) | Expr::Ident(_) => true,
        Expr::BinOp(both) => both.operator() == Some(rnix::ast::BinOpKind::Update),
        _ => false,
    };
    binds.then(|| Insertion::at(start(&own), format!("{ours} // ")))
}

/// Returns the names that a literal set defines.
pub(super) fn literal_names(own: &Expr) -> Vec<String> {
    match inner(own.clone()).1 {
        Expr::AttrSet(set) => definitions(&set).into_iter().map(|(path, _)| path[0].clone()).collect(),
        _ => Vec::new(),
    }
}

/// Returns packages without the default one.
pub(super) fn without_default(packages: &str) -> String {
    format!("builtins.removeAttrs {packages} [ \"default\" ]")
}

/// Returns a binding for an existing `let`, or for a new one in a function with this colon and this start of its body.
pub(super) fn let_binding(
    source: &str,
    bindings: Option<&LetIn>,
    (colon, start): (usize, usize),
    line: String,
) -> Vec<Insertion> {
    if let Some(body) = bindings.and_then(let_body) {
        return body.insert(source, &[line]);
    }
    if source[colon..start].contains('\n') {
        let indentation = indentation(source, start);
        return vec![Insertion::at(colon, format!("\n{indentation}let\n{indentation}  {line}\n{indentation}in"))];
    }
    let indentation = indentation(source, colon);
    vec![Insertion::at(colon, format!(" let\n{indentation}  {line}\n{indentation}in"))]
}

/// Returns a name that does not occur in the flake.
pub(super) fn free_name(flake: &Flake<'_>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while flake.uses_name(&name) {
        name.push('\'');
    }
    name
}
