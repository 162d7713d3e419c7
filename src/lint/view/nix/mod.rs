//! Nix files: the syntax tree, sorted by what rules look for, and a small resolver of names.

mod depth;
mod derivation;
mod names;
mod strings;

use std::{cell::OnceCell, ops::Range};

use rnix::{
    SyntaxKind, SyntaxNode,
    ast::{Apply, AttrpathValue, Expr, HasEntry, Ident, List, Select, Str, With},
};
use rowan::ast::AstNode;

pub use self::{
    derivation::{Derivation, list_items},
    names::{Bound, attr_name, bare, call, entry_path, last_name, literal, lookup, path, resolve, value_in},
    strings::{Text, texts},
};
use crate::lint::{Context, File};

/// A Nix file.
pub struct NixFile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// Whole calls: `f a b`, and not the `f a` in it.
    pub calls: Vec<Apply>,
    /// Definitions: `a.b = c`.
    pub bindings: Vec<AttrpathValue>,
    /// Strings.
    pub strings: Vec<Str>,
    /// Selections: `a.b`.
    pub selects: Vec<Select>,
    /// Names, where they are used as values.
    pub idents: Vec<Ident>,
    /// Lists.
    pub lists: Vec<List>,
    /// `with`.
    pub withs: Vec<With>,
    /// `<nixpkgs>`.
    pub search_paths: Vec<SyntaxNode>,
    root: SyntaxNode,
    derivations: OnceCell<Vec<Derivation>>,
}

impl<'a> NixFile<'a> {
    /// Returns the byte at which a text stops being Nix.
    pub(in crate::lint) fn first_error(text: &str) -> Option<usize> {
        depth::first_error(text)
    }

    /// Parses a file. Returns nothing if it is not Nix, or nests too deeply.
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Option<Self> {
        let root = depth::parse(file.text)?;
        let mut parsed = Self {
            context,
            file,
            calls: Vec::new(),
            bindings: Vec::new(),
            strings: Vec::new(),
            selects: Vec::new(),
            idents: Vec::new(),
            lists: Vec::new(),
            withs: Vec::new(),
            search_paths: Vec::new(),
            root,
            derivations: OnceCell::new(),
        };
        parsed.sort();
        Some(parsed)
    }

    fn sort(&mut self) {
        for node in self.root.clone().descendants() {
            match node.kind() {
                SyntaxKind::NODE_APPLY if !is_function(&node) => self.calls.extend(Apply::cast(node)),
                SyntaxKind::NODE_ATTRPATH_VALUE => self.bindings.extend(AttrpathValue::cast(node)),
                SyntaxKind::NODE_STRING => self.strings.extend(Str::cast(node)),
                SyntaxKind::NODE_SELECT => self.selects.extend(Select::cast(node)),
                SyntaxKind::NODE_IDENT if is_value(&node) => self.idents.extend(Ident::cast(node)),
                SyntaxKind::NODE_LIST => self.lists.extend(List::cast(node)),
                SyntaxKind::NODE_WITH => self.withs.extend(With::cast(node)),
                SyntaxKind::NODE_PATH_SEARCH => self.search_paths.push(node),
                _ => {}
            }
        }
    }

    /// Returns the outermost expression.
    pub fn expr(&self) -> Option<Expr> {
        rnix::Root::cast(self.root.clone())?.expr()
    }

    /// Returns the calls of functions that make derivations.
    pub fn derivations(&self) -> &[Derivation] {
        self.derivations.get_or_init(|| self.calls.iter().filter_map(Derivation::of).collect())
    }

    /// Returns the innermost derivation that holds a node.
    pub fn derivation_of(&self, node: &SyntaxNode) -> Option<&Derivation> {
        let range = node.text_range();
        let around = self.derivations().iter().filter(|found| found.call.syntax().text_range().contains_range(range));
        around.min_by_key(|found| found.call.syntax().text_range().len())
    }

    /// Returns the text of a node.
    pub fn text_of(&self, node: &SyntaxNode) -> &'a str {
        self.file.text.get(range(node)).unwrap_or_default()
    }

    /// Whether this is the flake of its folder.
    pub fn is_flake(&self) -> bool {
        self.file.name() == "flake.nix"
    }
}

/// Returns the bytes of a node.
pub fn range(node: &SyntaxNode) -> Range<usize> {
    node.text_range().start().into()..node.text_range().end().into()
}

/// Returns the bytes of an expression or a definition.
pub fn span(node: &impl AstNode<Language = rnix::NixLanguage>) -> Range<usize> {
    range(node.syntax())
}

/// Returns the bytes of the path of a definition.
pub fn key(binding: &AttrpathValue) -> Range<usize> {
    binding.attrpath().map_or_else(|| span(binding), |path| span(&path))
}

/// Whether a call is the function of another call.
fn is_function(node: &SyntaxNode) -> bool {
    let parent = node.parent().and_then(Apply::cast);
    parent.and_then(|call| call.lambda()).is_some_and(|function| function.syntax() == node)
}

/// Whether a name is used as a value, and not defined or part of a path.
fn is_value(node: &SyntaxNode) -> bool {
    use SyntaxKind::{NODE_ATTRPATH, NODE_IDENT_PARAM, NODE_INHERIT, NODE_PAT_BIND, NODE_PAT_ENTRY};
    let is_default = || node.prev_sibling().is_some();
    match node.parent().map(|parent| parent.kind()) {
        Some(NODE_ATTRPATH | NODE_IDENT_PARAM | NODE_INHERIT | NODE_PAT_BIND) => false,
        Some(NODE_PAT_ENTRY) => is_default(),
        _ => true,
    }
}

/// Returns the definitions of a set with their paths.
pub fn definitions(set: &impl HasEntry) -> impl Iterator<Item = (Vec<String>, AttrpathValue)> {
    set.attrpath_values().map(|entry| (entry_path(&entry), entry))
}
