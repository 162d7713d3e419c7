//! Texts in Nix strings, with their places.

use std::ops::Range;

use rnix::{
    SyntaxKind,
    ast::{BinOpKind, Expr, Str},
};
use rowan::ast::AstNode as _;

use super::{bare, call, names, range};
use crate::lint::view::shell::{self, Command};

/// How deeply expressions are followed.
const DEEPEST: usize = 12;

/// The text of a string as it is written, without its quotes. An interpolation is masked with letters of the same length, so offsets in it are
/// offsets in the file.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text.
    pub text: String,
    /// The offset in the file.
    pub start: usize,
}

impl Text {
    /// Returns the text of a string.
    pub fn of(string: &Str) -> Self {
        let mut text = String::new();
        let mut start = None;
        for child in string.syntax().children_with_tokens() {
            match child {
                rowan::NodeOrToken::Token(token) => match token.kind() {
                    SyntaxKind::TOKEN_STRING_START => start = Some(token.text_range().end().into()),
                    SyntaxKind::TOKEN_STRING_CONTENT => text.push_str(token.text()),
                    _ => {}
                },
                rowan::NodeOrToken::Node(node) => mask(&node.to_string(), &mut text),
            }
        }
        Self { text, start: start.unwrap_or_else(|| range(string.syntax()).start) }
    }

    /// Returns the bytes in the file of a part of the text.
    pub fn place(&self, part: &Range<usize>) -> Range<usize> {
        self.start + part.start..self.start + part.end
    }

    /// Returns its commands with their bytes in the file.
    pub fn commands(&self) -> impl Iterator<Item = Command<'_>> {
        shell::commands(&self.text).into_iter().map(|command| Command { range: self.place(&command.range), ..command })
    }
}

/// Masks an interpolation. A program in it stays visible: `${lib.getExe pkgs.bun}` ends with `bun`.
fn mask(interpolation: &str, text: &mut String) {
    let inner = interpolation.trim_start_matches("${").trim_end_matches('}');
    let program =
        if inner.contains("getExe ") { inner.rsplit([' ', '.']).next().unwrap_or_default().trim() } else { "" };
    let is_name = !program.is_empty() && program.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let program = if is_name && program.len() + 1 < interpolation.len() { program } else { "" };
    let rest = interpolation.len() - program.len();
    text.push_str(&"_".repeat(rest.saturating_sub(usize::from(!program.is_empty()))));
    if !program.is_empty() {
        text.push('/');
        text.push_str(program);
    }
}

/// Returns the texts that an expression is made of: strings, joined or chosen, in this file.
pub fn texts(expr: &Expr) -> Vec<Text> {
    let mut found = Vec::new();
    collect(expr, DEEPEST, &mut found);
    found
}

fn collect(expr: &Expr, depth: usize, found: &mut Vec<Text>) {
    if depth == 0 || found.len() > 100 {
        return;
    }
    let mut all = |parts: Vec<Expr>| parts.iter().for_each(|part| collect(part, depth - 1, found));
    match names::resolve(expr) {
        Expr::Str(string) => found.push(Text::of(&string)),
        Expr::BinOp(sum) if sum.operator() == Some(BinOpKind::Add) => {
            all(sum.lhs().into_iter().chain(sum.rhs()).collect());
        }
        Expr::IfElse(choice) => all(choice.body().into_iter().chain(choice.else_body()).collect()),
        Expr::LetIn(bindings) => all(bindings.body().into_iter().collect()),
        Expr::With(with) => all(with.body().into_iter().collect()),
        Expr::List(list) => all(list.items().collect()),
        call_expr @ Expr::Apply(_) => {
            let (_, arguments) = call(&call_expr);
            // `lib.optionalString condition text`, `lib.concatStringsSep "\n" [ … ]`.
            let is_text =
                |argument: &Expr| matches!(bare(argument.clone()), Expr::Str(_) | Expr::List(_) | Expr::BinOp(_));
            all(arguments.into_iter().filter(is_text).collect());
        }
        _ => {}
    }
}
