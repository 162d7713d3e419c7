//! Environment variables as a value: [`Environment`].
//!
//! The crate reads variables through this type. So tests need not change the process, and a signature shows which code
//! depends on variables.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use camino::{Utf8Path, Utf8PathBuf};

/// Environment variables. They may hold secrets, so [`fmt::Debug`] shows none of them.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Returns the variables of this process. Skips those that are not UTF-8.
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Creates an environment of exactly these variables.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// Returns the value of a variable. An empty value counts as unset, as in most tools.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable, even an empty one, since Yarn distinguishes `${NAME-x}` and `${NAME:-x}`.
    pub(super) fn get_even_empty(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the variables without the paths that lead into `folder`, since files there do not belong to the user.
    pub(super) fn without_paths_into(&self, folder: &Utf8Path) -> Self {
        let leads_into = |path: &Path| {
            if path.is_absolute() { path.starts_with(folder) } else { folder.as_std_path().join(path).exists() }
        };
        let kept = self.0.iter().filter_map(|(name, value)| {
            let (inside, outside): (Vec<PathBuf>, Vec<PathBuf>) =
                std::env::split_paths(value).partition(|path| !path.as_os_str().is_empty() && leads_into(path));
            if inside.is_empty() {
                return Some((name.clone(), value.clone()));
            }
            let rest = std::env::join_paths(outside).ok()?.into_string().ok()?;
            Some((name.clone(), rest)).filter(|(_, rest)| !rest.is_empty())
        });
        Self(kept.collect())
    }

    /// Sets a variable.
    pub(super) fn set(&mut self, name: String, value: String) {
        self.0.insert(name, value);
    }

    /// Returns the value of the first of these variables that is set.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Returns the home folder.
    pub(super) fn home(&self) -> Option<Utf8PathBuf> {
        self.get("HOME").map(Utf8PathBuf::from)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self::from_pairs(pairs)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(***)")
    }
}

/// A text with its variables replaced, or the first variable that is not set.
pub(super) type Expanded = Result<String, UnsetVariable>;

/// A variable that a text uses but that is not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnsetVariable(pub(super) String);

/// Replaces the variables that Bun and npm replace: `${NAME}` anywhere, `${NAME?}` (empty if unset), and a text that is
/// only `$NAME`, as Bun does. Any other `$` stays, since passwords may contain one.
pub(super) fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Expanded {
    if let Some(name) = whole_variable(text) {
        return lookup(name).ok_or_else(|| UnsetVariable(name.to_owned()));
    }
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        expanded.push_str(before);
        match (lookup(name.trim_end_matches('?')), name.strip_suffix('?')) {
            (Some(value), _) => expanded.push_str(&value),
            (None, Some(_)) => {}
            (None, None) => return Err(UnsetVariable(name.to_owned())),
        }
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Returns the variables whose values [`expand`] puts into a text. Empty if one is not set.
pub(super) fn variables_of(text: &str, environment: &Environment) -> Vec<String> {
    recorded(&|lookup| expand(text, lookup).is_ok(), &|name| environment.get(name).map(str::to_owned))
}

/// Returns the value of a variable.
type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Returns the variables that `expand` looks up and `lookup` finds. Empty if `expand` fails.
pub(super) fn recorded(expand: &dyn Fn(&Lookup<'_>) -> bool, lookup: &Lookup<'_>) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::new());
    let is_whole = expand(&|name| {
        let value = lookup(name)?;
        if !value.is_empty() {
            found.borrow_mut().push(name.to_owned());
        }
        Some(value)
    });
    if is_whole { found.into_inner() } else { Vec::new() }
}

/// Returns `NAME` if the text is exactly `$NAME`, or `$NAME/`, which Bun allows for a registry.
fn whole_variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?.trim_end_matches('/');
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_with_a(text: &str) -> Expanded {
        expand(text, &|name| (name == "A").then(|| "1".to_owned()))
    }

    #[test]
    fn variables_are_replaced_as_bun_and_npm_do() {
        assert_eq!(expand_with_a("$A").unwrap(), "1");
        assert_eq!(expand_with_a("$A/").unwrap(), "1");
        assert_eq!(expand_with_a("x${A}y${B?}${A}").unwrap(), "x1y1");
        assert_eq!(expand_with_a("pa$A $$ ${").unwrap(), "pa$A $$ ${");
        assert_eq!(expand_with_a("https://${B}/"), Err(UnsetVariable("B".to_owned())));
        assert_eq!(expand_with_a("$B"), Err(UnsetVariable("B".to_owned())));
    }

    #[test]
    fn debug_shows_no_value() {
        assert!(!format!("{:?}", Environment::from([("T", "secret")])).contains("secret"));
    }
}
