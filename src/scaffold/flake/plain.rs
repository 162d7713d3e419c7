//! Insertions for plain outputs: a set whose `packages` are a function of the system, or defined for named systems.

use rnix::ast::{AttrSet, Expr, HasEntry as _, Lambda, LetIn};
use rowan::ast::AstNode as _;

use super::{
    Insertion,
    doors::{Door, Found, OPAQUE},
    inputs::Flake,
    insert::indentation,
    syntax::{
        applied_lambda, bare, definitions, first_entry, has, inner, is_inherited, opening, parameters, start, value,
    },
};

const OUTPUTS: [&str; 4] = ["packages", "legacyPackages", "checks", "devShells"];

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

pub(super) fn insertions(door: &Door<'_>, lets: &[LetIn], set: &AttrSet) -> Found {
    let nixpkgs = door.nixpkgs()?;
    let name = free_name(&door.flake, "splitterFor");
    let colon = door.flake.colon().ok_or(OPAQUE)?;
    let binding = format!("{name} = pkgs: {};", door.outputs("pkgs"));
    let mut insertions = vec![let_binding(door.flake.source, lets.first(), colon, binding)];
    let forms = Forms { nixpkgs: &nixpkgs, lets, set };
    let mut lines = Vec::new();
    for output in OUTPUTS {
        if !has(set, output) {
            lines.extend(forms.whole(door, &name, output)?);
        } else if ["packages", "checks"].contains(&output) {
            match forms.form(output).ok_or("splitter does not recognise how it defines its packages or checks")? {
                Form::Each(each) => {
                    let ours = format!("({name} {}).{output}", argument(&each.pkgs));
                    insertions.push(merged(each.made, &ours).ok_or(OPAQUE)?);
                }
                Form::Fixed(all) => {
                    for fixed in all {
                        let ours = format!("({name} {}).{output}", argument(&forms.pkgs_of(&fixed.system)));
                        match fixed.made {
                            Ok(own) => insertions.push(merged(own, &ours).ok_or(OPAQUE)?),
                            Err(_) if fixed.system.starts_with('$') => {
                                return Err(
                                    "Nix does not allow a second definition of a computed attribute such as `packages.${system}`",
                                );
                            }
                            Err(own) if output == "packages" => {
                                let ours_alone: Vec<&str> = door
                                    .packages
                                    .iter()
                                    .filter(|name| !own.contains(name))
                                    .map(String::as_str)
                                    .collect();
                                let names = ours_alone.join(" ");
                                lines.push(format!("packages.{} = {{ inherit ({ours}) {names}; }};", fixed.system));
                            }
                            Err(_) => {}
                        }
                    }
                }
            }
        }
    }
    if !lines.is_empty() {
        insertions.push(Insertion::behind(door.flake.source, opening(set).ok_or(OPAQUE)?, first_entry(set), &lines));
    }
    Ok(insertions)
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
        let mut names: Vec<String> = OUTPUTS.map(str::to_owned).into();
        names.extend(definitions(self.set).into_iter().map(|(path, _)| path[0].clone()));
        Ok(match names.iter().find_map(|name| self.form(name)) {
            Some(Form::Each(Each { function, parameter, pkgs, .. })) => {
                vec![format!("{output} = {function} ({parameter}: ({name} {}).{output});", argument(&pkgs))]
            }
            Some(Form::Fixed(all)) => {
                let line = |fixed: &Fixed| {
                    let pkgs = argument(&self.pkgs_of(&fixed.system));
                    format!("{output}.{} = ({name} {pkgs}).{output};", fixed.system)
                };
                all.iter().map(line).collect()
            }
            None => {
                let (nixpkgs, systems) = (self.nixpkgs, door.systems()?);
                let each = format!("{nixpkgs}.lib.genAttrs ({systems})");
                vec![format!("{output} = {each} (system: ({name} {nixpkgs}.legacyPackages.${{system}}).{output});")]
            }
        })
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

/// Returns a binding for an existing `let`, or for a new one after the colon of a function.
pub(super) fn let_binding(source: &str, bindings: Option<&LetIn>, colon: usize, line: String) -> Insertion {
    if let Some((bindings, token)) = bindings.and_then(|bindings| Some((bindings, bindings.let_token()?))) {
        return Insertion::behind(source, token.text_range().end().into(), first_entry(bindings), &[line]);
    }
    let indentation = format!("{}  ", indentation(source, colon));
    Insertion::at(colon, format!("\n{indentation}let\n{indentation}  {line}\n{indentation}in"))
}

/// Returns a name that does not occur in the flake.
pub(super) fn free_name(flake: &Flake<'_>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    while flake.uses_name(&name) {
        name.push('\'');
    }
    name
}
