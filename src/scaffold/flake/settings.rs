//! Settings by which a flake says how Nix fetches its own repository.

use crate::{
    repo::{RepoPath, Tree, TreeError, read_text},
    split::Split,
};

/// A setting of `inputs.self`. Nix 2.27 and later read both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelfSetting {
    /// Copy the files of git submodules.
    Submodules,
    /// Copy the files that Git LFS keeps, and not the pointers to them.
    Lfs,
}

impl SelfSetting {
    const fn name(self) -> &'static str {
        match self {
            Self::Submodules => "submodules",
            Self::Lfs => "lfs",
        }
    }

    /// Returns the line for a flake.
    pub fn line(self) -> String {
        format!("inputs.self.{} = true;", self.name())
    }

    /// Returns what Nix does without the setting.
    const fn reason(self) -> &'static str {
        match self {
            Self::Submodules => "The sources of builds lie in git submodules, which Nix does not copy by default.",
            Self::Lfs => "Git LFS keeps files that builds read. By default Nix copies the pointers to them.",
        }
    }

    /// Returns the lines for a new flake.
    pub fn lines(self) -> String {
        format!("  # {} Needs Nix 2.27 or later.\n  {}\n", self.reason(), self.line())
    }
}

/// Returns the settings for a new flake. `with_lfs` says whether Git LFS keeps files that builds read.
pub fn of_new_flake(split: &Split, with_lfs: bool) -> Vec<SelfSetting> {
    let submodules = (!split.submodules.needed.is_empty()).then_some(SelfSetting::Submodules);
    submodules.into_iter().chain(with_lfs.then_some(SelfSetting::Lfs)).collect()
}

/// Returns the warning about submodules whose files Nix does not see, because the flake lacks the setting.
pub fn warning(tree: &dyn Tree, split: &Split) -> Result<Option<String>, TreeError> {
    if split.submodules.needed.is_empty() {
        return Ok(None);
    }
    let Some(text) = read_text(tree, &RepoPath::root().child("flake.nix"))? else { return Ok(None) };
    Ok((!has(&text, SelfSetting::Submodules)).then(|| submodule_warning(split)))
}

fn submodule_warning(split: &Split) -> String {
    let names: Vec<String> = split.submodules.needed.iter().map(|path| format!("`{path}`")).collect();
    let what = if names.len() == 1 { "the git submodule" } else { "the git submodules" };
    format!(
        "Nix does not see the files of {what} {}: add `{}` to flake.nix (Nix 2.27 or later), or build with `nix build \
         '.?submodules=1#NAME'`",
        names.join(", "),
        SelfSetting::Submodules.line()
    )
}

/// Returns the warning about files that builds read and Git LFS keeps, unless the flake has the setting.
pub fn lfs_warning(tree: &dyn Tree, files: &[RepoPath]) -> Result<Option<String>, TreeError> {
    let text = read_text(tree, &RepoPath::root().child("flake.nix"))?;
    let (Some(text), Some(first)) = (text, files.first()) else { return Ok(None) };
    let what = match files.len() {
        1 => format!("`{first}`, which builds read, and Nix sees only the pointer to it"),
        number => format!("{number} files that builds read, such as `{first}`, and Nix sees only the pointers to them"),
    };
    let warning = format!("Git LFS keeps {what}: add `{}` to flake.nix (Nix 2.27 or later)", SelfSetting::Lfs.line());
    Ok((!has(&text, SelfSetting::Lfs)).then_some(warning))
}

/// Whether a flake has a setting, in one of the ways to write it: `inputs.self.lfs = true`, `self = { lfs = true; }`.
pub fn has(text: &str, setting: SelfSetting) -> bool {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let code: String = code.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    let name = setting.name();
    let is_in_set = |at: usize| {
        let set = code[at..].split('}').next().unwrap_or_default();
        set.contains(&format!("{{{name}=true;")) || set.contains(&format!(";{name}=true;"))
    };
    code.contains(&format!("self.{name}=true;")) || code.match_indices("self={").any(|(at, _)| is_in_set(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_however_it_is_written() {
        let has = |text: &str| has(text, SelfSetting::Submodules);
        assert!(has("{ inputs.self.submodules = true; }"));
        assert!(has("{ inputs = {\n  self.submodules = true;\n}; }"));
        assert!(has("{ inputs.self = { lfs = true; submodules = true; }; }"));
        assert!(has("{ inputs = { self = { submodules = true; lfs = true; }; }; }"));
        assert!(!has("{ inputs.self.submodules = false; }"));
        assert!(!has("{ inputs.self.lfs = true; }"));
        assert!(!has("{\n  # inputs.self.submodules = true;\n}"));
        assert!(!has("{ inputs.x = { type = \"git\"; submodules = true; }; }"));
    }
}
