//! Reads single values of `splitter.json`, and says what is expected where one is wrong.

use std::collections::BTreeSet;

use jsonc_parser::{
    ast::{Object, Value},
    common::Ranged,
};

use super::{BuildChoice, Exposes, Install, Kind, NodeModules, globs as patterns};
use crate::{
    lockfile::json::{Document, JsonError},
    repo::RepoPath,
    secrets,
    split::{
        System,
        budget::{self, BuildBudget},
        caches::{Address, AddressError, CacheChoice, KeyError, PublicKey},
        lock::downloads,
    },
};

pub(super) fn size(document: &Document<'_>, value: &Value<'_>) -> Result<u64, JsonError> {
    budget::bytes(document.as_str(value)?).ok_or_else(|| document.unexpected(value, "a size, such as `200 MB`"))
}

/// Reads `buildBudget`: `{ "time": 1.5, "closureSize": 1.1, "cacheHits": 0.8 }`.
pub(super) fn build_budget(document: &Document<'_>, object: &Object<'_>) -> Result<BuildBudget, JsonError> {
    let mut budget = BuildBudget::default();
    for property in &object.properties {
        let value = &property.value;
        let number = |most: f64, expected: &str| {
            let number = match value {
                Value::NumberLit(literal) => literal.value.parse::<f64>().ok(),
                _ => None,
            };
            let found = number.filter(|number| number.is_finite() && *number > 0.0 && *number <= most);
            found.map(Some).ok_or_else(|| document.unexpected(value, expected))
        };
        let ratio = || number(f64::MAX, "a number above 0, such as 1.5");
        match property.name.as_str() {
            "time" => budget.build_time = ratio()?,
            "closureSize" => budget.closure_size = ratio()?,
            "cacheHits" => budget.hit_rate = number(1.0, "a number from 0 to 1, such as 0.8")?,
            name => {
                let found = format!("the key \"{name}\"");
                let expected = "`time`, `closureSize` or `cacheHits`";
                return Err(document.unexpected_at(property.range.start, expected, &found));
            }
        }
    }
    Ok(budget)
}

/// Reads `caches`: addresses, or objects with an address.
pub(super) fn caches(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<CacheChoice>, JsonError> {
    let mut caches: Vec<CacheChoice> = Vec::new();
    for element in &document.as_array(value)?.elements {
        let choice = match element {
            Value::Object(object) => cache(document, object)?,
            text => CacheChoice::of(address(document, text)?),
        };
        if caches.iter().any(|other| other.address == choice.address) {
            return Err(document.unexpected(element, "each cache once"));
        }
        caches.push(choice);
    }
    Ok(caches)
}

/// Reads `{ "cache": "cachix:acme", "publicKeys": ["acme.cachix.org-1:…"], "push": false }`.
fn cache(document: &Document<'_>, object: &Object<'_>) -> Result<CacheChoice, JsonError> {
    let (mut found, mut public_keys, mut push) = (None, Vec::new(), true);
    for property in &object.properties {
        let (name, value) = (property.name.as_str(), &property.value);
        match name {
            "cache" => found = Some(address(document, value)?),
            "publicKeys" => public_keys = keys(document, value)?,
            "push" => push = boolean(document, value)?,
            _ => {
                let found = format!("the key \"{name}\"");
                return Err(document.unexpected_at(property.range.start, "`cache`, `publicKeys` or `push`", &found));
            }
        }
    }
    let missing = || document.unexpected_at(object.range.start, "the key `cache`", "an object without it");
    Ok(CacheChoice { address: found.ok_or_else(missing)?, public_keys, push })
}

/// No message repeats an address or a key, since either may hold a secret.
fn address(document: &Document<'_>, value: &Value<'_>) -> Result<Address, JsonError> {
    let text = document.as_str(value)?;
    if text.parse().is_ok_and(|address: Address| !address.is_plain()) {
        return Err(document.unexpected(value, "a machine without parameters; give them with `--cache` or `--to`"));
    }
    text.parse().map_err(|error: AddressError| {
        let found = match error {
            AddressError::Password(_) | AddressError::Parameter { .. } => "an address with a secret".to_owned(),
            _ => format!("`{}`", secrets::masked(text)),
        };
        let expected =
            "the address of a cache: `cachix:NAME`, `attic:SERVER/NAME`, or a URL of https, http, s3, file or ssh-ng";
        document.unexpected_at(value.range().start, expected, &found)
    })
}

fn keys(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<PublicKey>, JsonError> {
    let key = |element: &Value<'_>| {
        let key = document.as_str(element)?.parse();
        let expected = "a public key, such as `cache.example-1:…=`";
        key.map_err(|error: KeyError| {
            let found = if error == KeyError::Secret { "a secret key" } else { "another text" };
            document.unexpected_at(element.range().start, expected, found)
        })
    };
    document.as_array(value)?.elements.iter().map(key).collect()
}

pub(super) fn systems(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<System>, JsonError> {
    let mut systems = Vec::new();
    for element in &document.as_array(value)?.elements {
        let expected = "aarch64-darwin, aarch64-linux, x86_64-darwin or x86_64-linux";
        systems.push(document.as_str(element)?.parse().map_err(|_| document.unexpected(element, expected))?);
    }
    systems.sort_unstable();
    systems.dedup();
    Ok(systems)
}

pub(super) fn texts(document: &Document<'_>, value: &Value<'_>) -> Result<BTreeSet<String>, JsonError> {
    let elements = &document.as_array(value)?.elements;
    elements.iter().map(|element| document.as_str(element).map(str::to_owned)).collect()
}

/// Reads names of scripts. Keeps their order and drops duplicates.
pub(super) fn script_names(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    let mut names: Vec<String> = Vec::new();
    for element in &document.as_array(value)?.elements {
        let name = document.as_str(element)?;
        if !is_script(name) {
            return Err(document.unexpected(element, "the name of a script, such as `test` or `lint:css`"));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// Whether a text can be the name of a script. The name becomes one word of a command.
fn is_script(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b":._-".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(is_letter)
}

/// Reads names of packages, with or without a version.
pub(super) fn packages(document: &Document<'_>, value: &Value<'_>) -> Result<BTreeSet<String>, JsonError> {
    let mut names = BTreeSet::new();
    for element in &document.as_array(value)?.elements {
        let text = document.as_str(element)?;
        if !downloads::may_be_package(text) {
            return Err(document.unexpected(element, "the name of a package, such as `sharp` or `sharp@0.32.6`"));
        }
        names.insert(text.to_owned());
    }
    Ok(names)
}

/// A text that is not blank.
pub(super) fn command(document: &Document<'_>, value: &Value<'_>, expected: &str) -> Result<String, JsonError> {
    match document.as_str(value)? {
        text if text.trim().is_empty() => Err(document.unexpected(value, expected)),
        text => Ok(text.to_owned()),
    }
}

/// A path, or a list of paths.
pub(super) fn outputs(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    let Value::Array(array) = value else { return Ok(vec![inner_path(document, value)?]) };
    if array.elements.is_empty() {
        return Err(document.unexpected(value, "a folder, or a list of folders"));
    }
    array.elements.iter().map(|element| inner_path(document, element)).collect()
}

pub(super) fn boolean(document: &Document<'_>, value: &Value<'_>) -> Result<bool, JsonError> {
    match value {
        Value::BooleanLit(choice) => Ok(choice.value),
        other => Err(document.unexpected(other, "true or false")),
    }
}

/// Whether a text can be the URL of a flake, in quotes in a `flake.nix` without a change.
pub fn is_flake_url(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'\\`{}<>".contains(&byte);
    text.contains(':') && !text.contains('$') && text.bytes().all(is_plain)
}

pub(super) fn input(document: &Document<'_>, value: &Value<'_>) -> Result<String, JsonError> {
    let text = document.as_str(value)?;
    if is_flake_url(text) {
        return Ok(text.to_owned());
    }
    Err(document.unexpected(value, "a flake URL, such as `github:owner/splitter`"))
}

/// Reads the name of an app: one that Nix accepts as an attribute without quotes.
pub(super) fn app_name(document: &Document<'_>, value: &Value<'_>) -> Result<String, JsonError> {
    let text = document.as_str(value)?;
    let letters = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if letters && text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(text.to_owned());
    }
    Err(document.unexpected(value, "a name of letters, digits, `-` and `_` that starts with a letter"))
}

pub(super) fn inner_path(document: &Document<'_>, value: &Value<'_>) -> Result<String, JsonError> {
    path(document, document.as_str(value)?, value.range().start).map(|path| path.as_str().to_owned())
}

/// Reads `uses`: folders of workspaces, and globs of them. `!` before one turns off what was found.
pub(super) fn uses(document: &Document<'_>, value: &Value<'_>) -> Result<(BTreeSet<RepoPath>, Vec<String>), JsonError> {
    let (mut plain, mut for_globs) = (BTreeSet::new(), Vec::new());
    for element in &document.as_array(value)?.elements {
        let (text, offset) = (document.as_str(element)?, element.range().start);
        if let Some(negated) = text.strip_prefix('!').filter(|rest| !rest.starts_with('(')) {
            written_out(document, negated, offset)?;
            for_globs.push(text.to_owned());
        } else if patterns::is_written_glob(text) {
            written_out(document, text, offset)?;
            for_globs.push(text.to_owned());
        } else {
            plain.insert(path(document, text, offset)?);
        }
    }
    Ok((plain, for_globs))
}

/// Reads files and folders, or globs of them.
pub(super) fn paths_or_globs(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<RepoPath>, JsonError> {
    let mut paths = Vec::new();
    for element in &document.as_array(value)?.elements {
        let (text, offset) = (document.as_str(element)?, element.range().start);
        if patterns::is_written_glob(text) {
            for glob in written_out(document, text, offset)? {
                paths.push(path(document, &glob, offset)?);
            }
        } else {
            paths.push(path(document, text, offset)?);
        }
    }
    Ok(paths)
}

/// Writes a glob out, as [`patterns::written_out`] does.
pub(super) fn written_out(document: &Document<'_>, text: &str, offset: usize) -> Result<Vec<String>, JsonError> {
    path(document, text, offset)?;
    patterns::written_out(text)
        .map_err(|reason| document.unexpected_at(offset, "a glob", &format!("\"{text}\" ({reason})")))
}

pub(super) fn path(document: &Document<'_>, text: &str, offset: usize) -> Result<RepoPath, JsonError> {
    text.parse().map_err(|reason| {
        document.unexpected_at(offset, "a path inside the repository", &format!("\"{text}\" ({reason})"))
    })
}

/// Reads globs, and writes them out.
pub(super) fn globs(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    let mut globs = Vec::new();
    for element in &document.as_array(value)?.elements {
        globs.extend(written_out(document, document.as_str(element)?, element.range().start)?);
    }
    Ok(globs)
}

/// Reads globs of files in the output of a build. They may name what is inside of an archive after a `!`.
pub(super) fn globs_of_outputs(document: &Document<'_>, value: &Value<'_>) -> Result<Vec<String>, JsonError> {
    let mut globs = Vec::new();
    for element in &document.as_array(value)?.elements {
        let text = document.as_str(element)?;
        let is_relative = !text.is_empty() && !text.starts_with('/') && !text.split('/').any(|part| part == "..");
        if !is_relative || globset::Glob::new(text).is_err() {
            return Err(
                document.unexpected(element, "a glob of files in the output, such as `.next/BUILD_ID` or `**/*.map`")
            );
        }
        globs.push(text.to_owned());
    }
    Ok(globs)
}

pub(super) fn kind(document: &Document<'_>, value: &Value<'_>) -> Result<Kind, JsonError> {
    match document.as_str(value)? {
        "app" => Ok(Kind::App),
        "library" => Ok(Kind::Library),
        _ => Err(document.unexpected(value, "\"app\" or \"library\"")),
    }
}

pub(super) fn node_modules(document: &Document<'_>, value: &Value<'_>) -> Result<NodeModules, JsonError> {
    match document.as_str(value)? {
        "link" => Ok(NodeModules::Link),
        "copy" => Ok(NodeModules::Copy),
        _ => Err(document.unexpected(value, "\"link\" or \"copy\"")),
    }
}

pub(super) fn install(document: &Document<'_>, value: &Value<'_>) -> Result<Install, JsonError> {
    match document.as_str(value)? {
        "shared" => Ok(Install::Shared),
        "own" => Ok(Install::Own),
        "production" => Ok(Install::Production),
        _ => Err(document.unexpected(value, "\"shared\", \"own\" or \"production\"")),
    }
}

pub(super) fn runtime_install(document: &Document<'_>, value: &Value<'_>) -> Result<Option<Install>, JsonError> {
    match document.as_str(value)? {
        "none" => Ok(None),
        "production" => Ok(Some(Install::Production)),
        "own" => Ok(Some(Install::Own)),
        "shared" => Ok(Some(Install::Shared)),
        _ => Err(document.unexpected(value, "\"production\", \"own\", \"shared\" or \"none\"")),
    }
}

pub(super) fn exposes(document: &Document<'_>, value: &Value<'_>) -> Result<Exposes, JsonError> {
    match document.as_str(value)? {
        "sources" => Ok(Exposes::Sources),
        "output" => Ok(Exposes::Output),
        _ => Err(document.unexpected(value, "\"sources\" or \"output\"")),
    }
}

pub(super) fn build(document: &Document<'_>, value: &Value<'_>) -> Result<BuildChoice, JsonError> {
    match value {
        Value::NullKeyword(_) => Ok(BuildChoice::None),
        _ => command(document, value, "a command, or null for a workspace that is not built").map(BuildChoice::Command),
    }
}
