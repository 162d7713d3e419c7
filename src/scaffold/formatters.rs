//! Formatters that would rewrite the generated files, and the lines that stop them.
//!
//! `splitter check` compares the generated files byte for byte, so a formatter that edits them makes every commit fail.
//! Each formatter has its own way to leave a folder out.

use super::templates::FOLDER;
use crate::lockfile::json;
use crate::repo::{RepoPath, Tree, TreeError, read_text};

/// A formatter as its files show it.
struct Formatter {
    name: &'static str,
    /// Its settings files at the root. The first that exists is the place of the line.
    files: &'static [&'static str],
    /// Where it reads ignore lines, if that is not its settings file.
    ignore_file: Option<&'static str>,
    /// The line.
    line: &'static str,
}

/// All formatters, in the order of the hints. The lines follow the documentation of each.
const FORMATTERS: [Formatter; 7] = [
    Formatter {
        name: "Prettier",
        files: &[
            ".prettierrc",
            ".prettierrc.json",
            ".prettierrc.json5",
            ".prettierrc.yaml",
            ".prettierrc.yml",
            ".prettierrc.toml",
            ".prettierrc.js",
            ".prettierrc.cjs",
            ".prettierrc.mjs",
            ".prettierrc.ts",
            "prettier.config.js",
            "prettier.config.cjs",
            "prettier.config.mjs",
            "prettier.config.ts",
        ],
        ignore_file: Some(".prettierignore"),
        line: "nix/splitter/",
    },
    Formatter {
        name: "Biome",
        files: &["biome.json", "biome.jsonc", ".biome.json", ".biome.jsonc"],
        ignore_file: None,
        line: r#""files": { "includes": ["**", "!nix/splitter/**"] }"#,
    },
    Formatter {
        name: "oxfmt",
        files: &[".oxfmtrc.json", ".oxfmtrc.jsonc"],
        ignore_file: None,
        line: r#""ignorePatterns": ["nix/splitter/"]"#,
    },
    Formatter {
        name: "dprint",
        files: &["dprint.json", "dprint.jsonc", ".dprint.json", ".dprint.jsonc"],
        ignore_file: None,
        line: r#""excludes": ["nix/splitter/**"]"#,
    },
    Formatter {
        name: "Deno",
        files: &["deno.json", "deno.jsonc"],
        ignore_file: None,
        line: r#""fmt": { "exclude": ["nix/splitter/"] }"#,
    },
    Formatter {
        name: "treefmt",
        files: &["treefmt.toml", ".treefmt.toml"],
        ignore_file: None,
        line: r#"excludes = ["nix/splitter/*"]"#,
    },
    Formatter {
        name: "pre-commit",
        files: &[".pre-commit-config.yaml"],
        ignore_file: None,
        line: "exclude: ^nix/splitter/",
    },
];

/// The option of treefmt-nix, for flakes that use it.
const TREEFMT_NIX: &str = r#"settings.global.excludes = [ "nix/splitter/*" ];"#;

/// A formatter that may edit the generated files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meddler {
    /// The name of the formatter.
    pub name: &'static str,
    /// The file that needs the line, relative to the root.
    pub file: &'static str,
    /// The line.
    pub line: &'static str,
}

/// Returns the formatters whose files at the root do not name the folder of the generated files.
///
/// # Errors
///
/// Returns an error if a file cannot be read.
pub fn find(tree: &dyn Tree) -> Result<Vec<Meddler>, TreeError> {
    let mut found = Vec::new();
    for formatter in &FORMATTERS {
        if let Some(file) = formatter.needs_line(tree)? {
            found.push(Meddler { name: formatter.name, file, line: formatter.line(tree, file)? });
        }
    }
    for file in ["treefmt.nix", "flake.nix"] {
        let text = root_text(tree, file)?.unwrap_or_default();
        let is_set = text.contains("treefmt") && (file == "treefmt.nix" || text.contains("treefmt-nix"));
        if is_set && !names_folder(&text) && !found.iter().any(|meddler| meddler.name == "treefmt") {
            found.push(Meddler { name: "treefmt", file, line: TREEFMT_NIX });
        }
    }
    Ok(found)
}

impl Formatter {
    /// Returns the file that needs the line, or `None` if the formatter is not in use or has it.
    fn needs_line(&self, tree: &dyn Tree) -> Result<Option<&'static str>, TreeError> {
        let mut settings = None;
        for file in self.files {
            if let Some(text) = root_text(tree, file)? {
                settings = Some((*file, text));
                break;
            }
        }
        let Some(ignore_file) = self.ignore_file else {
            return Ok(settings.filter(|(_, text)| !names_folder(text)).map(|(file, _)| file));
        };
        let ignored = root_text(tree, ignore_file)?;
        let is_used = settings.is_some() || ignored.is_some() || manifest_has(tree, "prettier")?;
        Ok((is_used && !ignored.is_some_and(|text| names_folder(&text))).then_some(ignore_file))
    }

    /// Returns the line. Biome 1 has another one than Biome 2.
    fn line(&self, tree: &dyn Tree, file: &str) -> Result<&'static str, TreeError> {
        let is_biome_1 =
            self.name == "Biome" && root_text(tree, file)?.is_some_and(|text| text.contains("/schemas/1."));
        Ok(if is_biome_1 { r#""files": { "ignore": ["nix/splitter/**"] }"# } else { self.line })
    }
}

/// Whether a text of settings leaves out the folder, or all of `nix`.
fn names_folder(text: &str) -> bool {
    text.contains(FOLDER)
        || text.split(|sign: char| sign.is_whitespace() || "\"'[],".contains(sign)).any(|word| {
            let word = word.trim_start_matches(['!', '/', '^']).trim_start_matches("**/").trim_start_matches("./");
            ["nix", "nix/", "nix/*", "nix/**"].contains(&word)
        })
}

/// Whether the root's package.json has settings under a key, or depends on a package of that name.
fn manifest_has(tree: &dyn Tree, name: &str) -> Result<bool, TreeError> {
    let Some(text) = root_text(tree, "package.json")? else { return Ok(false) };
    let manifest = json::lenient(&text);
    let groups = ["dependencies", "devDependencies"];
    Ok(manifest.get(name).is_some()
        || groups.iter().any(|group| manifest.get(group).is_some_and(|all| all.get(name).is_some())))
}

fn root_text(tree: &dyn Tree, name: &str) -> Result<Option<String>, TreeError> {
    read_text(tree, &RepoPath::root().child(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::MemoryTree;

    fn found(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let all = find(&MemoryTree::new(files.iter().copied())).unwrap();
        all.iter().map(|meddler| format!("{} {}: {}", meddler.name, meddler.file, meddler.line)).collect()
    }

    #[test]
    fn a_formatter_in_use_needs_its_line() {
        let cases = [
            (("package.json", r#"{"devDependencies": {"prettier": "3"}}"#), "Prettier .prettierignore: nix/splitter/"),
            (("package.json", r#"{"prettier": {"semi": false}}"#), "Prettier .prettierignore: nix/splitter/"),
            (("biome.jsonc", "{}"), r#"Biome biome.jsonc: "files": { "includes": ["**", "!nix/splitter/**"] }"#),
            (
                ("biome.json", r#"{"$schema": "https://biomejs.dev/schemas/1.9.4/schema.json"}"#),
                r#"Biome biome.json: "files": { "ignore": ["nix/splitter/**"] }"#,
            ),
            (("dprint.json", "{}"), r#"dprint dprint.json: "excludes": ["nix/splitter/**"]"#),
            (
                ("treefmt.nix", "{ }: { programs.treefmt = 1; }"),
                "treefmt treefmt.nix: settings.global.excludes = [ \"nix/splitter/*\" ];",
            ),
        ];
        for (file, line) in cases {
            assert_eq!(found(&[file]), [line]);
        }
    }

    #[test]
    fn a_formatter_that_leaves_the_folder_out_needs_nothing() {
        assert_eq!(found(&[("package.json", "{}")]), [""; 0]);
        assert_eq!(found(&[(".prettierrc", ""), (".prettierignore", "dist\nnix/splitter/\n")]), [""; 0]);
        assert_eq!(found(&[("biome.json", r#"{"files": {"includes": ["**", "!**/nix/**"]}}"#)]), [""; 0]);
        assert_eq!(found(&[("treefmt.toml", "[global]\nexcludes = [\"nix/splitter/*\"]")]), [""; 0]);
        assert_eq!(found(&[("flake.nix", "{ inputs.nixpkgs.url = \"x\"; }")]), [""; 0]);
    }
}
