//! Lines of `nix.conf`, which also stand in `extra-conf` of workflows and in `NIX_CONFIG`.

use std::ops::Range;

use crate::lint::{Context, File, settings};

/// A `nix.conf`.
#[derive(Debug)]
pub struct SettingsFile<'a> {
    /// The repository.
    pub context: &'a Context<'a>,
    /// The file.
    pub file: File<'a>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Lines at which Nix stops.
    pub broken: Vec<Broken>,
}

/// A line for a setting that exists, in a form that Nix refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The bytes of the line, without white space around it.
    pub range: Range<usize>,
    /// The line as Nix reads it, if it has a value.
    pub mended: Option<String>,
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
        Self { context, file, settings: settings_in(file.text), broken: broken_in(file.text) }
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

/// Returns the lines at which Nix stops with a syntax error: `max-jobs 3`, `max-jobs=3`. Nix wants `=` between spaces. Only lines that begin with
/// the name of a setting count, because other programs have files of this name.
pub fn broken_in(text: &str) -> Vec<Broken> {
    let mut offset = 0;
    let mut broken = Vec::new();
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let code = line.split('#').next().unwrap_or_default();
        let mut words = code.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name = first.split(|c: char| !is_name(c)).next().unwrap_or_default();
        if second == Some("=") || !settings::is_known(name) {
            continue;
        }
        let indent = code.len() - code.trim_start().len();
        let rest = code.trim().get(name.len()..).unwrap_or_default();
        let value = rest.trim_start_matches(['=', ':', ' ', '\t']).trim();
        let mended = (!value.is_empty()).then(|| format!("{name} = {value}"));
        broken.push(Broken { range: start + indent..start + code.trim_end().len(), mended });
    }
    broken
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

    /// Nix 2.34.8 stops at each of these lines, and at none of the others.
    #[test]
    fn lines_without_spaces_around_the_sign_are_broken() {
        let text = "max-jobs 3\n  cores=2 # x\nsandbox =true\ncores\nkeep-outputs: true\ncores = 1\ninclude a.conf\nd /nix 0755\nmax-jobs-x 3\n";
        let found = broken_in(text);
        let shown: Vec<_> = found.iter().map(|one| (&text[one.range.clone()], one.mended.as_deref())).collect();
        assert_eq!(
            shown,
            [
                ("max-jobs 3", Some("max-jobs = 3")),
                ("cores=2", Some("cores = 2")),
                ("sandbox =true", Some("sandbox = true")),
                ("cores", None),
                ("keep-outputs: true", Some("keep-outputs = true")),
            ]
        );
    }
}
