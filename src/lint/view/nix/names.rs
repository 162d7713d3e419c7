//! Names: what a name is bound to, as far as the file itself says it.

use rnix::{
    SyntaxNode,
    ast::{Attr, AttrSet, AttrpathValue, Expr, HasEntry, Inherit, InterpolPart, Lambda, LetIn, Param, Select, Str},
};
use rowan::ast::AstNode as _;

/// How many names are followed.
const STEPS: usize = 12;

/// What a name is bound to.
#[derive(Debug, Clone)]
pub enum Bound {
    /// A definition in a `let` or a `rec` set.
    Value(Expr),
    /// `inherit (from) name`.
    Inherited(Expr),
    /// An argument of a function.
    Argument,
    /// Nothing in this file: a builtin, or a name of a `with`.
    Free,
}

/// Returns the name of an attribute. A computed name is returned as its source text.
pub fn attr_name(attr: &Attr) -> String {
    match attr {
        Attr::Str(text) => literal_of(text).unwrap_or_else(|| attr.to_string()),
        _ => attr.to_string(),
    }
}

/// Returns the names in the path of a definition.
pub fn entry_path(entry: &AttrpathValue) -> Vec<String> {
    entry.attrpath().into_iter().flat_map(|path| path.attrs()).map(|attr| attr_name(&attr)).collect()
}

/// Removes parentheses.
pub fn bare(expr: Expr) -> Expr {
    let mut expr = expr;
    while let Expr::Paren(paren) = &expr {
        let Some(inner) = paren.expr() else { break };
        expr = inner;
    }
    expr
}

/// Returns a function and its arguments.
pub fn call(expr: &Expr) -> (Expr, Vec<Expr>) {
    let (mut head, mut arguments) = (bare(expr.clone()), Vec::new());
    while let Expr::Apply(apply) = &head {
        let (Some(function), Some(argument)) = (apply.lambda(), apply.argument()) else { break };
        arguments.push(bare(argument));
        head = bare(function);
    }
    arguments.reverse();
    (head, arguments)
}

/// Returns the names in `a.b.c`. It starts with an empty name if `a` is no name.
pub fn path(expr: &Expr) -> Vec<String> {
    match expr {
        Expr::Ident(ident) => vec![ident.to_string()],
        Expr::Select(select) => select_path(select),
        Expr::Paren(paren) => paren.expr().map_or_else(Vec::new, |inner| path(&inner)),
        _ => vec![String::new()],
    }
}

fn select_path(select: &Select) -> Vec<String> {
    let mut parts = vec![select.clone()];
    let mut names = loop {
        let inner = parts.last().and_then(Select::expr).map(bare);
        match inner {
            Some(Expr::Select(select)) => parts.push(select),
            Some(Expr::Ident(ident)) => break vec![ident.to_string()],
            _ => break vec![String::new()],
        }
    };
    for select in parts.iter().rev() {
        names.extend(select.attrpath().into_iter().flat_map(|path| path.attrs()).map(|attr| attr_name(&attr)));
    }
    names
}

/// Returns the last name of a function or a package, followed through `let` and `inherit`: `mkDerivation` for
/// `pkgs.stdenv.mkDerivation`.
pub fn last_name(expr: &Expr) -> Option<String> {
    let mut expr = bare(expr.clone());
    for _ in 0..STEPS {
        match &expr {
            Expr::Select(select) => return select_path(select).pop(),
            Expr::Ident(ident) => match lookup(&ident.to_string(), ident.syntax()) {
                Bound::Value(value) => match bare(value) {
                    value @ (Expr::Ident(_) | Expr::Select(_)) => expr = value,
                    _ => return Some(ident.to_string()),
                },
                _ => return Some(ident.to_string()),
            },
            _ => return None,
        }
    }
    None
}

/// Follows names to their definitions, and removes parentheses.
pub fn resolve(expr: &Expr) -> Expr {
    let mut expr = bare(expr.clone());
    for _ in 0..STEPS {
        let next = match &expr {
            Expr::Ident(ident) => match lookup(&ident.to_string(), ident.syntax()) {
                Bound::Value(value) => value,
                _ => return expr,
            },
            Expr::Select(select) => match selected(select) {
                Some(value) => value,
                None => return expr,
            },
            _ => return expr,
        };
        expr = bare(next);
    }
    expr
}

/// Returns `b` of `a.b`, if `a` is a set in this file.
fn selected(select: &Select) -> Option<Expr> {
    let Some(Expr::Ident(ident)) = select.expr() else { return None };
    let Bound::Value(value) = lookup(&ident.to_string(), ident.syntax()) else { return None };
    let Expr::AttrSet(set) = bare(value) else { return None };
    let names: Vec<String> = select.attrpath()?.attrs().map(|attr| attr_name(&attr)).collect();
    let [name] = &names[..] else { return None };
    value_in(&set, name)
}

/// Returns the value of a name that a set defines as a whole or inherits.
pub fn value_in(set: &AttrSet, name: &str) -> Option<Expr> {
    match bound_in(set, name)? {
        Bound::Value(value) => Some(value),
        _ => None,
    }
}

/// Returns what a set or a `let` binds a name to.
pub(super) fn bound_in<S: HasEntry>(set: &S, name: &str) -> Option<Bound> {
    let defined = set.attrpath_values().find(|entry| entry_path(entry) == [name]);
    if let Some(value) = defined.and_then(|entry| entry.value()) {
        return Some(Bound::Value(value));
    }
    let inherits = |inherit: &Inherit| inherit.attrs().any(|attr| attr_name(&attr) == name);
    let inherit = set.inherits().find(inherits)?;
    match inherit.from() {
        Some(from) => Some(Bound::Inherited(from.expr()?)),
        // The name is looked up around the set.
        None => Some(set.syntax().parent().map_or(Bound::Free, |outer| lookup(name, &outer))),
    }
}

/// Returns what a name is bound to at a place.
pub fn lookup(name: &str, place: &SyntaxNode) -> Bound {
    for node in place.ancestors() {
        let bound = if let Some(bindings) = LetIn::cast(node.clone()) {
            bound_in(&bindings, name)
        } else if let Some(set) = AttrSet::cast(node.clone()) {
            set.rec_token().and_then(|_| bound_in(&set, name))
        } else if let Some(function) = Lambda::cast(node) {
            function.param().filter(|param| binds(param, name)).map(|_| Bound::Argument)
        } else {
            None
        };
        if let Some(bound) = bound {
            return bound;
        }
    }
    Bound::Free
}

fn binds(param: &Param, name: &str) -> bool {
    match param {
        Param::IdentParam(ident) => ident.ident().is_some_and(|ident| ident.to_string() == name),
        Param::Pattern(pattern) => {
            let whole = pattern.pat_bind().and_then(|bind| bind.ident());
            let parts = pattern.pat_entries().filter_map(|entry| entry.ident());
            whole.into_iter().chain(parts).any(|ident| ident.to_string() == name)
        }
    }
}

/// Returns the value of a string without interpolation, followed through names.
pub fn literal(expr: &Expr) -> Option<String> {
    match resolve(expr) {
        Expr::Str(text) => literal_of(&text),
        _ => None,
    }
}

pub(super) fn literal_of(text: &Str) -> Option<String> {
    match &text.normalized_parts()[..] {
        [] => Some(String::new()),
        [InterpolPart::Literal(literal)] => Some(literal.clone()),
        _ => None,
    }
}
