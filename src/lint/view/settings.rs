//! Lines of `nix.conf`, which also stand in `extra-conf` of workflows and in `NIX_CONFIG`.

use std::ops::Range;

use crate::lint::{Context, File};

/// A `nix.conf`.
#[derive(Debug)]
pub struct SettingsFile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// Its settings.
    pub settings: Vec<Setting>,
}

/// A setting with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The name, with `extra-` if it is written.
    pub name: String,
    /// The value.
    pub value: String,
    /// The bytes of the name and the value.
    pub range: Range<usize>,
}

impl<'a> SettingsFile<'a> {
    pub(in crate::lint) fn parse(context: &'a Context<'a>, file: File<'a>) -> Self {
        Self { context, file, settings: settings_in(file.text) }
    }
}

/// Returns the settings in a text. Lines that are no setting, such as `include`, are left out.
pub fn settings_in(text: &str) -> Vec<Setting> {
    let mut offset = 0;
    let mut settings = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let code = line.split('#').next().unwrap_or_default();
        // Nix splits at white space: `a=b` is one word, and an error.
        let Some((name, value)) = code.split_once('=') else { continue };
        let (indent, name, value) = (name.len() - name.trim_start().len(), name.trim(), value.trim());
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if is_name {
            let range = start + indent..start + code.trim_end().len();
            settings.push(Setting { name: name.to_owned(), value: value.to_owned(), range });
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_names_and_values() {
        let text = "# a = b\n  cores = 4 # all\ninclude x.conf\nextra-substituters = a  b\nx=1\n";
        let found = settings_in(text);
        let shown: Vec<_> = found.iter().map(|one| (&*one.name, &*one.value, &text[one.range.clone()])).collect();
        assert_eq!(
            shown,
            [
                ("cores", "4", "cores = 4"),
                ("extra-substituters", "a  b", "extra-substituters = a  b"),
                ("x", "1", "x=1")
            ]
        );
    }
}
