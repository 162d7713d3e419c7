//! The inputs of a flake, and their names in its outputs.

use rnix::ast::{AttrSet, Expr, HasEntry as _, Lambda, Param};
use rowan::ast::AstNode as _;

use super::{
    insert::Insertion,
    syntax::{bare, body, definitions, has, parameters, start, text_of, value},
};

/// A flake: its inputs and its `outputs` function.
pub(super) struct Flake<'a> {
    pub(super) source: &'a str,
    set: AttrSet,
    pub(super) outputs: Lambda,
    /// The name that binds all inputs, such as `inputs`.
    whole: Option<String>,
    /// The inputs in the pattern of the function.
    named: Vec<String>,
}

impl<'a> Flake<'a> {
    pub(super) fn of(source: &'a str, root: &rnix::Root) -> Option<Self> {
        let Some(Expr::AttrSet(set)) = root.expr() else { return None };
        let Expr::Lambda(outputs) = bare(value(&set, "outputs")?) else { return None };
        let (whole, named) = parameters(&outputs.param()?);
        Some(Self { source, set, outputs, whole, named })
    }

    /// Returns the expression for an input in the outputs, if they can refer to it.
    fn name_of(&self, input: &str) -> Option<String> {
        if self.named.iter().any(|name| name == input) {
            return Some(input.to_owned());
        }
        self.whole.as_ref().map(|whole| format!("{whole}.{input}"))
    }

    /// Returns the expression for nixpkgs in the outputs.
    pub(super) fn nixpkgs(&self) -> Option<String> {
        let named = || self.named.iter().find(|name| name.starts_with("nixpkgs")).cloned();
        let by_url = || self.urls().into_iter().find(|(_, url)| url.contains("nixpkgs")).map(|(name, _)| name);
        let has = self.declares("nixpkgs") || self.named.iter().any(|name| name == "nixpkgs");
        let input = has.then(|| "nixpkgs".to_owned()).or_else(named).or_else(by_url)?;
        self.name_of(&input)
    }

    /// Returns the expression for splitter in the outputs, and the insertions that declare it as an input.
    pub(super) fn splitter(&self, url: &str) -> (String, Vec<Insertion>) {
        let mut insertions: Vec<Insertion> = self.declaration(url).unwrap_or_default();
        let name = self.name_of("splitter").unwrap_or_else(|| {
            insertions.extend(self.parameter());
            "splitter".to_owned()
        });
        (name, insertions)
    }

    /// Returns the declaration of `splitter` as an input, unless the flake has one.
    fn declaration(&self, url: &str) -> Option<Vec<Insertion>> {
        if self.declares("splitter") {
            return None;
        }
        // Without `follows`, the flake would download a second nixpkgs.
        let follows = "splitter.inputs.nixpkgs.follows = \"nixpkgs\";";
        let mut lines = vec![format!("splitter.url = \"{url}\";")];
        lines.extend(self.declares("nixpkgs").then(|| follows.to_owned()));
        if let Some(Expr::AttrSet(inputs)) = value(&self.set, "inputs") {
            return Some(body(&inputs)?.insert(self.source, &lines));
        }
        let lines: Vec<String> = lines.iter().map(|line| format!("inputs.{line}")).collect();
        Some(body(&self.set)?.insert(self.source, &lines))
    }

    /// Returns `splitter` for the pattern of a function that lists its inputs.
    fn parameter(&self) -> Option<Insertion> {
        let Param::Pattern(pattern) = self.outputs.param()? else { return None };
        let first: usize = pattern.pat_entries().next()?.syntax().text_range().start().into();
        Some(Insertion::at(first, "splitter, "))
    }

    fn declares(&self, input: &str) -> bool {
        let by_path = |(path, _): &(Vec<String>, Expr)| path.len() > 1 && path[0] == "inputs" && path[1] == input;
        definitions(&self.set).iter().any(by_path)
            || matches!(value(&self.set, "inputs"), Some(Expr::AttrSet(inputs)) if has(&inputs, input))
    }

    /// Returns the inputs with a literal URL.
    fn urls(&self) -> Vec<(String, String)> {
        let mut all: Vec<(Vec<String>, Expr)> = definitions(&self.set);
        if let Some(Expr::AttrSet(inputs)) = value(&self.set, "inputs") {
            let nested = definitions(&inputs).into_iter();
            all.extend(nested.map(|(path, value)| ([vec!["inputs".to_owned()], path].concat(), value)));
        }
        let mut urls = Vec::new();
        for (path, value) in all {
            let url = match (&path[..], value) {
                ([inputs, name, last], Expr::Str(text)) if inputs == "inputs" && last == "url" => Some((name, text)),
                ([inputs, name], Expr::AttrSet(set)) if inputs == "inputs" => match value_text(&set) {
                    Some(text) => Some((name, text)),
                    None => continue,
                },
                _ => None,
            };
            urls.extend(url.and_then(|(name, text)| Some((name.clone(), text_of(&text)?))));
        }
        urls
    }

    /// Returns the offset behind the colon of the function.
    pub(super) fn colon(&self) -> Option<usize> {
        self.outputs.token_colon().map(|token| token.text_range().end().into())
    }

    /// Returns the offset of the body of the function.
    pub(super) fn body_start(&self) -> Option<usize> {
        self.outputs.body().map(|body| start(&body))
    }

    /// Whether this name occurs in the flake.
    pub(super) fn uses_name(&self, name: &str) -> bool {
        self.set.attrpath_values().any(|entry| {
            entry.syntax().descendants().filter_map(rnix::ast::Ident::cast).any(|ident| ident.to_string() == name)
        })
    }
}

fn value_text(set: &AttrSet) -> Option<rnix::ast::Str> {
    match value(set, "url")? {
        Expr::Str(text) => Some(text),
        _ => None,
    }
}
