//! Evaluates the derivations with Nix.
//!
//! An evaluation spends most of its time on nixpkgs, and a `path:` flake would copy the whole repository to the store each
//! time. So splitter writes a small flake with the same inputs as the flake of the repository. Its one function (`wrapper.nix`)
//! evaluates any number of copies in place. Nothing is written to the store, because `--read-only` gives the same paths.

use std::{collections::BTreeMap, ffi::OsString};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::Value;

use super::{ProofError, scratch::Scratch};
use crate::{nix::command::Nix, split::System};

const WRAPPER: &str = include_str!("wrapper.nix");

/// The derivation of a package in Nix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Derived {
    /// The path of the derivation.
    Path(String),
    /// The flake has no such package.
    Absent,
    /// Nix cannot evaluate it.
    Failed,
}

/// The derivations of the packages in a copy, by name.
pub type Packages = BTreeMap<String, Derived>;

/// A flake that evaluates copies.
#[derive(Debug)]
pub struct Evaluator {
    nix: Nix,
    folder: Utf8PathBuf,
}

impl Evaluator {
    /// Writes the flake to a new folder inside the scratch folder. It can evaluate copies whose flakes have the same inputs as
    /// the one in `copy`. `options` are passed to `nix eval`, such as `--override-input nixpkgs FLAKE`.
    pub fn new(
        scratch: &Scratch,
        name: &str,
        copy: &Utf8Path,
        nix: &Nix,
        options: &[String],
    ) -> Result<Self, ProofError> {
        let flake = copy.join("flake.nix");
        if !flake.is_file() {
            return Err(ProofError::NoFlake);
        }
        let inputs = nix.eval_expression(&format!("(import (/. + {})).inputs or {{ }}", nix_text(flake.as_str())))?;
        let folder = scratch.folder(name)?;
        let text = format!(
            "{{ inputs = {}; outputs = inputs: {{ derivations = import ./wrapper.nix inputs; }}; }}\n",
            nix_value(&inputs)
        );
        fs::write(folder.join("flake.nix"), text)?;
        fs::write(folder.join("wrapper.nix"), WRAPPER)?;
        let lock = copy.join("flake.lock");
        if lock.is_file() {
            fs::copy(lock, folder.join("flake.lock"))?;
        }
        let always = ["--read-only", "--impure", "--no-write-lock-file"].map(OsString::from);
        let options = always.into_iter().chain(options.iter().map(OsString::from));
        Ok(Self { nix: nix.clone().with_options(options), folder })
    }

    /// Returns the derivations of the named packages in each copy.
    pub fn packages(
        &self,
        copies: &[&Utf8Path],
        names: &[String],
        system: System,
    ) -> Result<Vec<Packages>, ProofError> {
        let paths = Value::from(copies.iter().map(|copy| copy.as_str()).collect::<Vec<_>>());
        let apply = format!(
            "derivations: derivations {{ system = {}; copies = {}; names = {}; }}",
            nix_value(&system.name().into()),
            nix_value(&paths),
            nix_value(&names.into())
        );
        let answer = self.nix.eval_json_applied(&format!("path:{}#derivations", self.folder), &apply)?;
        let copies = answer.as_array().into_iter().flatten();
        Ok(copies.map(|packages| packages.as_object().into_iter().flatten().map(package).collect()).collect())
    }
}

fn package((name, value): (&String, &Value)) -> (String, Derived) {
    let derived = match value {
        Value::String(path) => Derived::Path(path.clone()),
        Value::Null => Derived::Absent,
        _ => Derived::Failed,
    };
    (name.clone(), derived)
}

/// Formats a JSON value as a Nix expression. Strings are escaped, so Nix reads nothing in them as code.
pub(crate) fn nix_value(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(nix_value).collect();
            format!("[ {} ]", items.join(" "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(key, value)| format!("{} = {};", nix_text(key), nix_value(value))).collect();
            format!("{{ {} }}", fields.join(" "))
        }
        Value::String(text) => nix_text(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn nix_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\${"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_data_in_nix_too() {
        let value = json!({ "a b": ["x\"y", "${z} \\", true, null, 1], "c": {} });
        assert_eq!(nix_value(&value), r#"{ "a b" = [ "x\"y" "\${z} \\" true null 1 ]; "c" = {  }; }"#);
    }
}
