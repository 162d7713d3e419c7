//! Fuzzes the editor of `splitter.json`. People write the file by hand: no text may panic, and the new text must parse and
//! have the setting.

use splitter::{
    scaffold::settings_edit,
    split::{
        config,
        mending::{Mending, Setting},
    },
};

pub(crate) fn check(text: &str) {
    let workspace = "apps/web".parse().expect("it is a path");
    let mendings = [Mending { workspace, setting: Setting::Include("README.md".to_owned()) }];
    let Ok(new) = settings_edit::with(Some(text), &mendings) else { return };
    let config = config::parse(&new).expect("the edited text parses");
    assert!(config.workspaces.values().any(|workspace| workspace.include.iter().any(|glob| glob == "README.md")));
    assert_eq!(settings_edit::with(Some(&new), &mendings).expect("the edited text can be edited"), new);
}
