//! What an edit or a range of commits sends again. Both states are built, so the answer is exact.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::{
    ImagesError,
    plans::{Builder, Choice, Image, Source, plans},
};
use crate::{
    cli::{
        arguments::Global,
        failure::Failure,
        printer::Printer,
        repository::{path_in, state, work_tree},
    },
    image::{
        Store,
        compare::{ImageChange, compare, forecast, sent_together},
    },
    parallel::both,
    proof::{Place, State, StateError, scratch::Scratch, with_files},
    repo::{Git, RepoPath, Tree as _, WorkTree},
    split::plan::{Effect, Id, compare as compare_derivations},
};

/// Ends of the names of code that a bundler would strip of an added line, and a line that survives.
const LASTING: [(&[&str], &str); 2] = [
    (
        &[".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"],
        "\nReflect.set(globalThis, \"splitter\", \"edit\");\n",
    ),
    (&[".css", ".scss", ".less"], "\n:root { --splitter: edit; }\n"),
];

/// Images in two states.
pub(super) struct Compared {
    pub(super) from: Place,
    pub(super) to: Place,
    /// The edited file.
    pub(super) edit: Option<RepoPath>,
    /// Whether the layers are a forecast, because the edited state cannot be built.
    pub(super) is_forecast: bool,
    /// The images of the later state.
    pub(super) images: Vec<Image>,
    pub(super) changes: Vec<ImageChange>,
    /// The bytes that a push of all images sends.
    pub(super) together: u64,
    /// Images that are built again, with the same files.
    pub(super) same_files: Vec<String>,
}

/// Compares two commits. An empty name is `HEAD`.
pub(super) fn of_range(
    global: &Global,
    range: &str,
    choice: &Choice<'_>,
    store: &Store,
    printer: Printer,
) -> Result<Compared, Failure> {
    let builder = Builder::new(choice, store, printer)?;
    let tree = work_tree(global)?;
    let (from, to) = range.split_once("..").unwrap_or((range, ""));
    let (from, to) = both(|| commit(&tree, from), || commit(&tree, to));
    let (from, to) = (from?, to?);
    let scratch = Scratch::new()?;
    let before = Source::copied(&from, &scratch, "from", None)?;
    let after = Source::copied(&to, &scratch, "to", None)?;
    let names = builder.names(&[&before, &after])?;
    let (before, images) = (builder.build(&before, &names)?, builder.build(&after, &names)?);
    let (before, after) = (plans(&before), plans(&images));
    Ok(Compared {
        from: from.place,
        to: to.place,
        edit: None,
        is_forecast: false,
        changes: compare(&before, &after),
        together: sent_together(&before, &after),
        images,
        same_files: Vec::new(),
    })
}

fn commit(tree: &WorkTree, name: &str) -> Result<State, StateError> {
    let git = Git::at(tree.root());
    let place = Place::commit(&git, if name.is_empty() { "HEAD" } else { name })?;
    State::read(tree, &git, place)
}

/// Compares the working tree with itself after an edit of a file. A missing file counts as new.
pub(super) fn of_edit(
    global: &Global,
    path: &Utf8Path,
    choice: &Choice<'_>,
    store: &Store,
    printer: Printer,
) -> Result<Compared, Failure> {
    let builder = Builder::new(choice, store, printer)?;
    let tree = work_tree(global)?;
    let path = path_in(&tree, path).ok_or_else(|| ImagesError::Outside(path.to_owned()))?;
    let state = state(&tree)?;
    let scratch = Scratch::new()?;
    // Not the working tree itself: Nix leaves out untracked files there, which both copies have.
    let source = Source::copied(&state, &scratch, "before", Some((tree.root(), &state)))?;
    let names = builder.names(&[&source])?;
    let before = builder.build(&source, &names)?;
    let content = tree.read(&path).map_err(StateError::from)?;
    if content.is_none() {
        printer.note(format_args!("{path} does not exist, so the edit adds it"));
    }
    let content = edited(&path, content.unwrap_or_default());
    let edited = with_files(&state, &tree, &BTreeMap::from([(path.clone(), content)]))?;
    let mut compared = Compared {
        from: state.place.clone(),
        to: state.place.clone(),
        is_forecast: false,
        images: Vec::new(),
        changes: Vec::new(),
        together: 0,
        same_files: Vec::new(),
        edit: Some(path),
    };
    let is_lockfile = compared.edit == Some(RepoPath::root().child(state.split.lockfile.format.file()));
    if is_lockfile || !edited.is_recorded {
        // An added line locks no other version, and other hashes are not known before a download.
        compared.is_forecast = true;
        compared.changes = forecast(&plans(&before));
        compared.together = compared.changes.iter().map(ImageChange::sent).sum();
        compared.images = before;
        return Ok(compared);
    }
    let after = Source::copied(&edited, &scratch, "edited", Some((tree.root(), &state)))?;
    compared.images = builder.build(&after, &names)?;
    let (before, after) = (plans(&before), plans(&compared.images));
    compared.changes = compare(&before, &after);
    compared.together = sent_together(&before, &after);
    compared.same_files = same_files(&state, &edited, &compared);
    Ok(compared)
}

/// Returns the images whose app is built again without a change of a layer.
fn same_files(before: &State, after: &State, compared: &Compared) -> Vec<String> {
    let derivations = compare_derivations(&before.derivations, &after.derivations);
    let is_same = |image: &&Image| {
        let is_rebuilt = |name: &String| derivations.effect(&Id::App(name.clone())) == Effect::Rebuilt;
        let sent = compared.changes.iter().find(|change| change.is_of(&image.plan)).map_or(0, ImageChange::sent);
        sent == 0 && image.name.as_ref().is_some_and(is_rebuilt)
    };
    let mut names: Vec<String> = compared.images.iter().filter(is_same).map(|image| image.plan.name.clone()).collect();
    names.dedup();
    names
}

/// Adds a line to a file. In code it is a statement, because bundlers drop anything else.
fn edited(path: &RepoPath, content: Vec<u8>) -> Vec<u8> {
    let name = path.file_name();
    let is_code = |ends: &[&str]| !name.ends_with(".d.ts") && ends.iter().any(|end| name.ends_with(end));
    let line = LASTING.iter().find(|(ends, _)| is_code(ends)).map_or("\n", |(_, line)| line);
    let mut content = content;
    content.extend(line.as_bytes());
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_survives_a_bundler() {
        let edit = |path: &str| String::from_utf8(edited(&path.parse().unwrap(), b"x".to_vec())).unwrap();
        assert_eq!(edit("src/main.tsx"), "x\nReflect.set(globalThis, \"splitter\", \"edit\");\n");
        assert_eq!(edit("src/main.css"), "x\n:root { --splitter: edit; }\n");
        assert_eq!((edit("src/types.d.ts"), edit("data.json")), ("x\n".to_owned(), "x\n".to_owned()));
    }
}
