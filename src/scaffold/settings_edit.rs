//! Writes settings into the text of `splitter.json`. Comments and the user's layout stay.

use jsonc_parser::{
    ParseOptions,
    cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode},
};

use crate::{
    diagnostic::Position,
    lockfile::json::{Dialect, Document, JsonError},
    repo::RepoPath,
    split::{config, mending::Mending},
};

/// Returns the new text of `splitter.json`. `text` is the old one, if there is one. A setting that it has already changes
/// nothing.
///
/// # Errors
///
/// The old text is no JSON object, or has another type where a setting belongs.
pub fn with(text: Option<&str>, mendings: &[Mending]) -> Result<String, JsonError> {
    let text = text.map(|text| text.trim_start_matches('\u{feff}')).filter(|text| !text.trim().is_empty());
    let old = text.unwrap_or("{}\n");
    // Refuses, with a position, what the editor below would overwrite.
    Document::parse(config::FILE, old, Dialect::Jsonc)?.object()?;
    if text.is_some() {
        config::parse(old)?;
    }
    let root = CstRootNode::parse(old, &ParseOptions::default()).map_err(|error| JsonError::Syntax {
        file: config::FILE.to_owned(),
        position: Position::of_offset(old, error.range().start),
        message: error.kind().to_string(),
    })?;
    let workspaces = root.object_value_or_set().object_value_or_set("workspaces");
    for mending in mendings {
        add(&workspace(&workspaces, &mending.workspace), mending);
    }
    let mut text = root.to_string();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Returns the settings of a workspace, whichever way its folder is written: `apps/web`, `./apps/web/`.
fn workspace(workspaces: &CstObject, path: &RepoPath) -> CstObject {
    let is_its = |name: &str| name.parse::<RepoPath>().is_ok_and(|folder| folder == *path);
    let found = workspaces
        .properties()
        .into_iter()
        .find(|property| property.name().and_then(|name| name.decoded_value().ok()).is_some_and(|name| is_its(&name)));
    match found {
        Some(property) => property.object_value_or_set(),
        None => workspaces.object_value_or_set(&path.to_string()),
    }
}

fn add(workspace: &CstObject, Mending { setting, .. }: &Mending) {
    let value = CstInputValue::String(setting.text().to_owned());
    if setting.is_list() {
        let list = workspace.array_value_or_set(setting.key());
        if !holds(&list, setting.text()) {
            list.append(value);
        }
    } else if let Some(property) = workspace.get(setting.key()) {
        property.set_value(value);
    } else {
        workspace.append(setting.key(), value);
    }
}

fn holds(list: &CstArray, text: &str) -> bool {
    let is_it = |element: &CstNode| {
        element.as_string_lit().and_then(|literal| literal.decoded_value().ok()).is_some_and(|value| value == text)
    };
    list.elements().iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::split::mending::Setting;

    fn mending(workspace: &str, setting: Setting) -> Mending {
        Mending { workspace: workspace.parse().unwrap(), setting }
    }

    #[test]
    fn a_new_file_is_laid_out_as_a_person_would() {
        let mendings = [
            mending("apps/web", Setting::Include("README.md".to_owned())),
            mending("apps/web", Setting::Include("tests".to_owned())),
            mending("apps/web", Setting::CopyNodeModules),
            mending("", Setting::Uses("packages/ui".parse().unwrap())),
        ];
        let text = with(None, &mendings).unwrap();
        insta::assert_snapshot!(text, @r#"
        {
          "workspaces": {
            "apps/web": {
              "include": ["README.md", "tests"],
              "nodeModules": "copy"
            },
            ".": {
              "uses": ["packages/ui"]
            }
          }
        }
        "#);
        let config = config::parse(&text).unwrap();
        assert_eq!(config.workspaces["apps/web"].include, ["README.md", "tests"]);
        assert_eq!(with(Some(&text), &mendings).unwrap(), text);
    }

    #[test]
    fn comments_and_other_settings_stay() {
        let old = r#"{
  // mine
  "rootFiles": ["brand.json"], // all
  "workspaces": {
    "./apps/web/": { "include": [
      "docs", // for the site
    ], "nodeModules": "link" },
  },
}
"#;
        let mendings = [
            mending("apps/web", Setting::Include("README.md".to_owned())),
            mending("apps/web", Setting::CopyNodeModules),
            mending("apps/api", Setting::RootFiles("LICENSE".to_owned())),
        ];
        insta::assert_snapshot!(with(Some(old), &mendings).unwrap(), @r#"
        {
          // mine
          "rootFiles": ["brand.json"], // all
          "workspaces": {
            "./apps/web/": { "include": [
              "docs", // for the site
                "README.md",
            ], "nodeModules": "copy" },
            "apps/api": {
              "rootFiles": ["LICENSE"]
            },
          },
        }
        "#);
    }

    #[test]
    fn what_is_no_settings_file_is_refused() {
        let mendings = [mending("a", Setting::CopyNodeModules)];
        for text in ["[]", r#"{"workspaces": []}"#, r#"{"workspaces": {"a": 1}}"#] {
            let error = with(Some(text), &mendings).unwrap_err().to_string();
            assert!(error.starts_with("expected an object, found "), "{text}: {error}");
        }
        assert!(with(Some("{"), &mendings).is_err());
        assert!(with(Some(" \n"), &mendings).is_ok());
    }

    /// Texts that are nearly a `splitter.json`.
    fn texts() -> impl Strategy<Value = String> {
        let gap = || "( |\n|//\\PC{0,4}\n|/\\*\\PC{0,4}\\*/)?";
        let value = (gap(), "(\\[(\"[a-z*.]{1,4}\",?){0,2}\\]|\"[a-z]{0,4}\"|[0-9]|null)", gap(), ",?");
        let value = value.prop_map(|(before, value, after, comma)| format!("{before}{value}{after}{comma}"));
        let setting = ("\"(include|nodeModules|rootFiles)\":?", value).prop_map(|(key, value)| format!("{key}{value}"));
        let workspace = ("\"(\\./)?apps/web/?\"|\"\\*\"|\"\"", gap(), prop::collection::vec(setting, 0..3));
        let workspace = workspace.prop_map(|(key, gap, settings)| format!("{key}:{gap}{{{}}}", settings.concat()));
        (gap(), prop::collection::vec(workspace, 0..3), gap(), "\\}?").prop_map(|(before, workspaces, after, end)| {
            format!("{before}{{\"workspaces\":{{{}}}{after}{end}", workspaces.join(","))
        })
    }

    proptest! {
        #[test]
        fn an_edited_text_parses_and_has_the_settings(text in prop_oneof![texts(), "\\PC{0,40}"]) {
            let mendings = [
                mending("apps/web", Setting::Include("README.md".to_owned())),
                mending("apps/web", Setting::CopyNodeModules),
            ];
            if let Ok(new) = with(Some(&text), &mendings) {
                let config = config::parse(&new);
                prop_assert!(config.is_ok(), "{text:?} -> {new:?}: {config:?}");
                let workspaces = config.unwrap().workspaces;
                let found = &workspaces["apps/web"];
                prop_assert!(found.include.iter().any(|glob| glob == "README.md"), "{text:?} -> {new:?}");
                prop_assert_eq!(with(Some(&new), &mendings).unwrap(), new);
            }
        }
    }
}
