//! Warns about globs in `splitter.json` that match no file.

use std::collections::BTreeMap;

use crate::{repo::SourceFile, split::Split};

/// Returns a warning for each glob of `include` and `exclude` that matches no file. A glob for several workspaces may match in one of
/// them alone.
pub(super) fn unmatched(split: &Split, files: &[SourceFile]) -> Vec<String> {
    let mut all: BTreeMap<(&str, &str), (Vec<String>, bool)> = BTreeMap::new();
    for (path, choice) in &split.config.workspaces {
        for (field, globs) in [("include", &choice.include), ("exclude", &choice.exclude)] {
            for glob in globs {
                let (places, is_matched) = all.entry((field, glob)).or_default();
                places.push(path.to_string());
                *is_matched |= split.matches_any(path, glob, files);
            }
        }
    }
    let unmatched = all.into_iter().filter(|(_, (_, is_matched))| !is_matched);
    unmatched
        .map(|((field, glob), (places, _))| {
            format!("`{field}` of {} in splitter.json: `{glob}` matches no file", places.join(", "))
        })
        .collect()
}
