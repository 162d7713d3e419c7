//! `flake.nix` and `flake.lock`: can Nix read them at all?

use camino::Utf8Path;
use serde_json::Value;

use crate::{diagnostic::Position, lint, reading};

/// The name of the flake.
pub const FLAKE: &str = "flake.nix";
/// The name of its lockfile.
pub const LOCK: &str = "flake.lock";

/// The marks that git leaves in a file whose changes it could not merge.
const CONFLICT: [&str; 2] = ["<<<<<<< ", ">>>>>>> "];

/// A file that Nix cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: &'static str,
    /// Why, in words that follow its name.
    pub why: String,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What is wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// It is a folder, a link to nothing, or cannot be read.
    Unread,
    /// Its text has conflict markers of git.
    Conflict,
    /// Its text is not what it should be.
    Text,
}

/// Returns those of both files that Nix cannot read. A missing one is not broken.
pub fn broken(root: &Utf8Path) -> Vec<Broken> {
    [FLAKE, LOCK].into_iter().filter_map(|file| look(root, file)).collect()
}

fn look(root: &Utf8Path, file: &'static str) -> Option<Broken> {
    let path = root.join(file);
    let metadata = fs_err::symlink_metadata(&path).ok()?;
    let unread = |why: String| Some(Broken { file, why, damage: Damage::Unread });
    match reading::text(&path) {
        Ok(text) => of_text(file, &text),
        Err(_) if path.is_dir() => unread("is a folder".to_owned()),
        Err(_) if metadata.is_symlink() && !path.exists() => {
            unread("is a link to a file that does not exist".to_owned())
        }
        Err(error) => unread(format!("cannot be read: {}", reason(&error))),
    }
}

/// Returns the reason without the path, which the finding names.
fn reason(error: &std::io::Error) -> String {
    let text = error.kind().to_string();
    reading::refused(error).map_or(text, |refused| refused.to_string())
}

fn of_text(file: &'static str, text: &str) -> Option<Broken> {
    if let Some(line) = text.lines().position(|line| CONFLICT.iter().any(|mark| line.starts_with(mark))) {
        let why = format!("has conflict markers of git (line {})", line + 1);
        return Some(Broken { file, why, damage: Damage::Conflict });
    }
    let why = if file == LOCK { not_a_lock(text) } else { not_nix(text) };
    why.map(|why| Broken { file, why, damage: Damage::Text })
}

fn not_a_lock(text: &str) -> Option<String> {
    let lock: Value = match serde_json::from_str(text) {
        Ok(lock) => lock,
        Err(error) => return Some(format!("is not JSON (line {})", error.line())),
    };
    let root = lock.get("root").and_then(Value::as_str);
    let has_root = root.is_some_and(|root| lock.get("nodes").and_then(|nodes| nodes.get(root)).is_some());
    (!has_root).then(|| "does not name its root among its nodes".to_owned())
}

fn not_nix(text: &str) -> Option<String> {
    let line = Position::of_offset(text, lint::first_nix_error(text)?).line;
    Some(format!("is not Nix (line {line})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(file: &'static str, text: &str) -> Option<String> {
        of_text(file, text).map(|broken| broken.why)
    }

    #[test]
    fn texts_that_nix_cannot_read_are_named_with_their_line() {
        assert_eq!(why(FLAKE, "{ outputs = _: { }; }"), None);
        assert_eq!(why(FLAKE, "{\n  outputs = _: {\n").as_deref(), Some("is not Nix (line 3)"));
        assert_eq!(why(FLAKE, "{\n  a = ;\n}").as_deref(), Some("is not Nix (line 2)"));
        let lock = r#"{ "root": "root", "nodes": { "root": {} }, "version": 7 }"#;
        assert_eq!(why(LOCK, lock), None);
        assert_eq!(why(LOCK, "{\n").as_deref(), Some("is not JSON (line 2)"));
        assert_eq!(why(LOCK, "{}").as_deref(), Some("does not name its root among its nodes"));
        assert_eq!(why(LOCK, "[]").as_deref(), Some("does not name its root among its nodes"));
        let merged = format!("{{\n<<<<<<< HEAD\n{lock}");
        assert_eq!(why(LOCK, &merged).as_deref(), Some("has conflict markers of git (line 2)"));
    }

    #[test]
    fn folders_and_links_to_nothing_are_found_and_missing_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(broken(root), []);
        fs_err::create_dir(root.join(FLAKE)).unwrap();
        fs_err::write(root.join(LOCK), [0xff]).unwrap();
        let all: Vec<String> = broken(root).into_iter().map(|broken| broken.why).collect();
        assert_eq!(all[0], "is a folder");
        assert!(all[1].starts_with("cannot be read"), "{all:?}");
        #[cfg(unix)]
        {
            fs_err::remove_file(root.join(LOCK)).unwrap();
            fs_err::os::unix::fs::symlink("nowhere", root.join(LOCK)).unwrap();
            assert_eq!(broken(root)[1].why, "is a link to a file that does not exist");
        }
    }
}
