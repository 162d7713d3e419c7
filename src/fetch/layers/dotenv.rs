//! `.env.yarn` and the other files of `injectEnvironmentFiles`. Yarn 2 and later prefer their variables to those of the
//! process.
//!
//! Only texts in `.yarnrc.yml` can use these variables. A setting such as `YARN_NPM_AUTH_TOKEN` in these files has no
//! effect (tested with Yarn 4.18). The format is that of the package `dotenv`: one variable a line, with or without
//! quotes and `export`.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::read_if_there;
use crate::{
    fetch::environment::{Environment, recorded},
    managers::registries::RegistryError,
    managers::yarn::rc::variables::expand,
};

/// The file to read if no `.yarnrc.yml` names any.
pub(super) const DEFAULT: &str = ".env.yarn?";

/// For each variable of the files, the variables of the process in its value.
pub(super) type Origins = BTreeMap<String, Vec<String>>;

/// Returns the variables of a run, overridden by those of the files in `folder`; for each of the latter, the variables in
/// its value; and the texts of these files. Skips
/// missing files. Yarn itself reports a missing file whose name does not end with `?`.
pub(super) fn with_files(
    environment: &Environment,
    folder: &Utf8Path,
    names: &[String],
) -> Result<(Environment, Origins, Vec<String>), RegistryError> {
    let (mut all, mut origins, mut texts) = (environment.clone(), BTreeMap::new(), Vec::new());
    for path in names.iter().map(|name| folder.join(name.trim_end_matches('?'))).collect::<Vec<Utf8PathBuf>>() {
        let Some(text) = read_if_there(&path)? else { continue };
        for (name, text) in pairs(&text) {
            let lookup = |name: &str| environment.get_even_empty(name).map(str::to_owned);
            if let Ok(value) = expand(&text, &lookup) {
                origins.insert(name.clone(), recorded(&|lookup| expand(&text, lookup).is_ok(), &lookup));
                all.set(name, value);
            }
        }
        texts.push(text);
    }
    Ok((all, origins, texts))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(pair).collect()
}

fn pair(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"_.-".contains(c)).filter(|end| *end > 0)?;
    let value = line[end..].trim_start().strip_prefix('=')?.trim();
    Some((line[..end].to_owned(), unquoted(value)))
}

fn unquoted(value: &str) -> String {
    for quote in ['"', '\'', '`'] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.rsplit_once(quote)) {
            return if quote == '"' { inner.replace("\\n", "\n") } else { inner.to_owned() };
        }
    }
    value.split('#').next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_a_value() {
        let text = "# note\nA=1\nexport B_C = \"a b#c\" # why\n D='x\"y'\nE=a # b\nF=\n=x\nno\nG: x\n";
        let pairs = pairs(text);
        let expected = [("A", "1"), ("B_C", "a b#c"), ("D", "x\"y"), ("E", "a"), ("F", "")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
