//! Helpers for reading a syntax tree.

use rnix::ast::{
    Apply, Attr, AttrSet, AttrpathValue, Entry, Expr, HasEntry, InterpolPart, Lambda, LetIn, Param, Select, Str,
};
use rowan::ast::AstNode as _;

use super::insert::Body;

/// Returns the offset of an expression.
pub(super) fn start(expr: &Expr) -> usize {
    expr.syntax().text_range().start().into()
}

/// Returns the name of an attribute. A computed name is returned as its source text.
pub(super) fn name(attr: &Attr) -> String {
    match attr {
        Attr::Str(text) => text_of(text).unwrap_or_else(|| attr.to_string()),
        _ => attr.to_string(),
    }
}

/// Returns the value of a string without interpolation.
pub(super) fn text_of(text: &Str) -> Option<String> {
    match &text.normalized_parts()[..] {
        [] => Some(String::new()),
        [InterpolPart::Literal(literal)] => Some(literal.clone()),
        _ => None,
    }
}

/// Returns the names in an attribute path.
pub(super) fn path(entry: &AttrpathValue) -> Vec<String> {
    entry.attrpath().into_iter().flat_map(|path| path.attrs()).map(|attr| name(&attr)).collect()
}

/// Returns the definitions of a set with their paths.
pub(super) fn definitions(set: &impl HasEntry) -> Vec<(Vec<String>, Expr)> {
    set.attrpath_values().filter_map(|entry| Some((path(&entry), entry.value()?))).collect()
}

/// Whether a set defines or inherits a name.
pub(super) fn has(set: &impl HasEntry, wanted: &str) -> bool {
    definitions(set).iter().any(|(path, _)| path[0] == wanted) || is_inherited(set, wanted)
}

pub(super) fn is_inherited(set: &impl HasEntry, wanted: &str) -> bool {
    set.inherits().flat_map(|inherit| inherit.attrs()).any(|attr| name(&attr) == wanted)
}

/// Returns the value of a name that is defined as a whole.
pub(super) fn value(set: &impl HasEntry, wanted: &str) -> Option<Expr> {
    definitions(set).into_iter().find(|(path, _)| *path == [wanted]).map(|(_, value)| value)
}

/// Returns the place of the entries of a set.
pub(super) fn body(set: &AttrSet) -> Option<Body> {
    Some(Body {
        opening: set.l_curly_token()?.text_range().end().into(),
        closing: set.r_curly_token()?.text_range().start().into(),
        entries: entries(set),
    })
}

/// Returns the place of the bindings of a `let`.
pub(super) fn let_body(bindings: &LetIn) -> Option<Body> {
    Some(Body {
        opening: bindings.let_token()?.text_range().end().into(),
        closing: bindings.in_token()?.text_range().start().into(),
        entries: entries(bindings),
    })
}

/// Returns where the first entry starts and where the last one ends.
fn entries(set: &impl HasEntry) -> Option<(usize, usize)> {
    let mut ranges = set.entries().map(|entry: Entry| entry.syntax().text_range());
    let first = ranges.next()?;
    let last = ranges.last().unwrap_or(first);
    Some((first.start().into(), last.end().into()))
}

/// Removes the parentheses around an expression.
pub(super) fn bare(expr: Expr) -> Expr {
    match &expr {
        Expr::Paren(paren) => paren.expr().map_or(expr, bare),
        _ => expr,
    }
}

/// Returns the expression inside `let`, `with`, `assert` and parentheses, and these `let`s, the outermost first.
pub(super) fn inner(expr: Expr) -> (Vec<LetIn>, Expr) {
    let (mut lets, mut expr) = (Vec::new(), expr);
    loop {
        let next = match &expr {
            Expr::Paren(paren) => paren.expr(),
            Expr::With(with) => with.body(),
            Expr::Assert(assert) => assert.body(),
            Expr::LetIn(bindings) => {
                lets.push(bindings.clone());
                bindings.body()
            }
            _ => None,
        };
        match next {
            Some(next) => expr = next,
            None => return (lets, expr),
        }
    }
}

/// Returns a function and its arguments.
pub(super) fn call(expr: &Expr) -> (Expr, Vec<Expr>) {
    let (mut head, mut arguments) = (expr.clone(), Vec::new());
    while let Expr::Apply(apply) = &head {
        let (Some(function), Some(argument)) = (apply.lambda(), apply.argument()) else { break };
        arguments.push(argument);
        head = function;
    }
    arguments.reverse();
    (head, arguments)
}

/// Returns the last name of a function: `eachSystem` for `flake-utils.lib.eachSystem`.
pub(super) fn last_name(function: &Expr) -> Option<String> {
    match function {
        Expr::Ident(ident) => Some(ident.to_string()),
        Expr::Select(select) => select.attrpath()?.attrs().last().map(|attr| name(&attr)),
        _ => None,
    }
}

/// Returns both functions of `function (argument: …)`.
pub(super) fn applied_lambda(apply: &Apply) -> Option<(Expr, Lambda)> {
    match bare(apply.argument()?) {
        Expr::Lambda(lambda) => Some((apply.lambda()?, lambda)),
        _ => None,
    }
}

/// Returns the name that a parameter binds as a whole, and the names in its pattern.
pub(super) fn parameters(param: &Param) -> (Option<String>, Vec<String>) {
    match param {
        Param::IdentParam(ident) => (ident.ident().map(|ident| ident.to_string()), Vec::new()),
        Param::Pattern(pattern) => (
            pattern.pat_bind().and_then(|bind| bind.ident()).map(|ident| ident.to_string()),
            pattern.pat_entries().filter_map(|entry| entry.ident()).map(|ident| ident.to_string()).collect(),
        ),
    }
}

/// Returns the names in `a.b.c`.
pub(super) fn select_path(select: &Select) -> Vec<String> {
    let mut names = match select.expr().map(bare) {
        Some(Expr::Select(inner)) => select_path(&inner),
        Some(Expr::Ident(ident)) => vec![ident.to_string()],
        _ => vec![String::new()],
    };
    names.extend(select.attrpath().into_iter().flat_map(|path| path.attrs()).map(|attr| name(&attr)));
    names
}
