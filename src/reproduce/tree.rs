//! Walks two folders, pairs their files, and compares those.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use fs_err as fs;
use regex::Regex;

use super::{
    cause::{self, Cause},
    content::compare_bytes,
    excerpt::Excerpt,
    found::{Detail, What},
};
use crate::reading;

/// The most files that are reported.
const MOST_FILES: usize = 500;
/// The bytes that are read at once.
const PIECE: usize = 1 << 16;
/// The shortest part of a name that looks like a hash.
const SHORTEST_HASH: usize = 6;

/// How two files differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Only the first build has it.
    OnlyFirst,
    /// Only the second build has it.
    OnlySecond,
    /// One is a file, the other a folder or a link.
    Type,
    /// The name differs, and nothing else.
    Name,
    /// The target of a symbolic link.
    Target,
    /// Whether it is executable.
    Executable,
    /// The content.
    Content,
}

impl Kind {
    /// Its name in JSON and in `causes.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnlyFirst => "onlyFirst",
            Self::OnlySecond => "onlySecond",
            Self::Type => "type",
            Self::Name => "name",
            Self::Target => "target",
            Self::Executable => "executable",
            Self::Content => "content",
        }
    }
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path in the output. Empty if the output is a file.
    pub path: String,
    /// How it differs.
    pub kind: Kind,
    /// Its path in the second build, if the name differs too.
    pub other: Option<String>,
    /// What differs inside of it.
    pub details: Vec<Detail>,
    /// The number of details that were left out.
    pub more: usize,
    /// The known cause, if there are no details.
    pub cause: Option<&'static Cause>,
}

/// The differences of two trees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trees {
    /// The files that differ, sorted by path.
    pub differences: Vec<Difference>,
    /// The number of files that were left out.
    pub more: usize,
    /// The number of files that were compared.
    pub files: usize,
}

/// Compares two files, folders or links.
pub fn compare(first: &Path, second: &Path) -> io::Result<Trees> {
    let mut walk = Walk::default();
    let root = Pair { first: first.to_owned(), second: second.to_owned(), path: String::new(), other: None };
    walk.left.push(root);
    while let Some(pair) = walk.left.pop() {
        walk.pair(&pair)?;
    }
    let mut trees = walk.trees;
    trees.differences.sort_by(|a, b| a.path.cmp(&b.path));
    cause::assign(&mut trees.differences);
    Ok(trees)
}

/// Two files, one of each build.
struct Pair {
    first: PathBuf,
    second: PathBuf,
    path: String,
    /// The path in the second build, if it differs.
    other: Option<String>,
}

#[derive(Default)]
struct Walk {
    trees: Trees,
    /// What is still to be compared. A list and no recursion, because folders can be deep.
    left: Vec<Pair>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    File { is_executable: bool },
    Folder,
    Link,
}

fn type_of(path: &Path) -> io::Result<Type> {
    let metadata = fs::symlink_metadata(path)?;
    Ok(if metadata.is_dir() {
        Type::Folder
    } else if metadata.is_symlink() {
        Type::Link
    } else {
        Type::File { is_executable: is_executable(&metadata) }
    })
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}

impl Walk {
    fn pair(&mut self, pair: &Pair) -> io::Result<()> {
        self.trees.files += 1;
        match (type_of(&pair.first)?, type_of(&pair.second)?) {
            (Type::Folder, Type::Folder) => {
                if !has_same_name(pair) {
                    self.add(pair, Kind::Name, Vec::new(), 0);
                }
                self.folders(pair)
            }
            (Type::Link, Type::Link) => self.links(pair),
            (Type::File { is_executable: one }, Type::File { is_executable: other }) => {
                if one != other {
                    self.add(pair, Kind::Executable, Vec::new(), 0);
                }
                self.files(pair)
            }
            _ => {
                self.add(pair, Kind::Type, Vec::new(), 0);
                Ok(())
            }
        }
    }

    fn links(&mut self, pair: &Pair) -> io::Result<()> {
        let target = |path: &Path| Ok::<_, io::Error>(fs::read_link(path)?.to_string_lossy().into_owned());
        let (first, second) = (target(&pair.first)?, target(&pair.second)?);
        if first != second {
            let (first, second) = (Excerpt::whole(&first), Excerpt::whole(&second));
            let detail = Detail {
                inside: Vec::new(),
                what: What::Target,
                place: "target".to_owned(),
                first,
                second,
                cause: None,
            };
            self.add(pair, Kind::Target, vec![detail], 0);
        } else if !has_same_name(pair) {
            self.add(pair, Kind::Name, Vec::new(), 0);
        }
        Ok(())
    }

    fn files(&mut self, pair: &Pair) -> io::Result<()> {
        if is_same(&pair.first, &pair.second)? {
            if !has_same_name(pair) {
                self.add(pair, Kind::Name, Vec::new(), 0);
            }
            return Ok(());
        }
        if self.trees.differences.len() >= MOST_FILES {
            self.trees.more += 1;
            return Ok(());
        }
        let name = pair.first.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (details, more) = match (reading::bytes(&pair.first), reading::bytes(&pair.second)) {
            (Ok(first), Ok(second)) => compare_bytes(&name, &first, &second),
            (first, second) => match first.and(second) {
                Err(error) if reading::refused(&error).is_none() => return Err(error),
                _ => (vec![too_large(pair)?], 0),
            },
        };
        self.add(pair, Kind::Content, details, more);
        Ok(())
    }

    fn folders(&mut self, pair: &Pair) -> io::Result<()> {
        let names = |folder: &Path| -> io::Result<BTreeSet<std::ffi::OsString>> {
            fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
        };
        let (first, second) = (names(&pair.first)?, names(&pair.second)?);
        for name in first.intersection(&second) {
            self.left.push(pair.child(name, name));
        }
        let only_first: Vec<_> = first.difference(&second).collect();
        let only_second: Vec<_> = second.difference(&first).collect();
        let renamed = renamed(&only_first, &only_second, pair)?;
        for (one, other) in &renamed {
            self.left.push(pair.child(one, other));
        }
        for name in only_first.iter().filter(|name| renamed.iter().all(|(one, _)| one != **name)) {
            self.add(&pair.child(name, name), Kind::OnlyFirst, Vec::new(), 0);
        }
        for name in only_second.iter().filter(|name| renamed.iter().all(|(_, other)| other != **name)) {
            self.add(&pair.child(name, name), Kind::OnlySecond, Vec::new(), 0);
        }
        Ok(())
    }

    fn add(&mut self, pair: &Pair, kind: Kind, details: Vec<Detail>, more: usize) {
        if self.trees.differences.len() >= MOST_FILES {
            self.trees.more += 1;
            return;
        }
        let (path, other) = (pair.path.clone(), pair.other.clone());
        self.trees.differences.push(Difference { path, kind, other, details, more, cause: None });
    }
}

impl Pair {
    fn child(&self, first: &std::ffi::OsStr, second: &std::ffi::OsStr) -> Self {
        let join = |folder: &str, name: &std::ffi::OsStr| {
            let name = name.to_string_lossy();
            if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") }
        };
        let path = join(&self.path, first);
        let other = join(self.other.as_deref().unwrap_or(&self.path), second);
        let other = (other != path).then_some(other);
        Self { first: self.first.join(first), second: self.second.join(second), path, other }
    }
}

/// Whether the last part of both paths is the same. A folder whose name differs is reported itself, not each of its files.
fn has_same_name(pair: &Pair) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    pair.other.as_ref().is_none_or(|other| last(other) == last(&pair.path))
}

/// Pairs names that differ only in a hash or a random id.
fn renamed(
    first: &[&std::ffi::OsString],
    second: &[&std::ffi::OsString],
    pair: &Pair,
) -> io::Result<Vec<(std::ffi::OsString, std::ffi::OsString)>> {
    let by_pattern = |names: &[&std::ffi::OsString], folder: &Path| {
        let mut found: BTreeMap<(String, bool), Vec<std::ffi::OsString>> = BTreeMap::new();
        for name in names {
            let is_folder = type_of(&folder.join(name))? == Type::Folder;
            if let Some(pattern) = name.to_str().and_then(pattern) {
                found.entry((pattern, is_folder)).or_default().push((*name).clone());
            }
        }
        Ok::<_, io::Error>(found)
    };
    let (a, mut b) = (by_pattern(first, &pair.first)?, by_pattern(second, &pair.second)?);
    let mut pairs = Vec::new();
    for (pattern, mut names) in a {
        let Some(mut others) = b.remove(&pattern) else { continue };
        // Of several with one pattern, those of the same size belong together: often only the hash in them differs.
        if names.len() > 1 {
            let size = |folder: &Path, name: &std::ffi::OsString| {
                fs::symlink_metadata(folder.join(name)).map_or(0, |metadata| metadata.len())
            };
            names.sort_by_key(|name| size(&pair.first, name));
            others.sort_by_key(|name| size(&pair.second, name));
        }
        if names.len() == others.len() {
            pairs.extend(names.into_iter().zip(others));
        }
    }
    Ok(pairs)
}

/// A hash of eight letters before the ending, as Vite and Rollup write it. It may hold a `-`.
static SHORT_HASH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(.*[-.])([A-Za-z0-9_-]{8})((\.[A-Za-z0-9]+)+)$").ok());

/// Replaces what looks like a hash in a name, or returns nothing if there is none.
fn pattern(name: &str) -> Option<String> {
    if let Some(parts) = SHORT_HASH.as_ref().and_then(|hash| hash.captures(name)).filter(|parts| is_hash(&parts[2])) {
        return Some(format!("{}*{}", &parts[1], &parts[3]));
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut pattern = String::new();
    let mut is_any = false;
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        if end == 0 {
            pattern.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (part, after) = rest.split_at(end);
        if is_hash(part) {
            is_any = true;
            // A hash may hold a `-`, so parts of one beside each other are one.
            if !pattern.ends_with("*-") && !pattern.ends_with('*') {
                pattern.push('*');
            } else if pattern.ends_with('-') {
                pattern.pop();
            }
        } else {
            pattern.push_str(part);
        }
        rest = after;
    }
    is_any.then_some(pattern)
}

fn is_hash(part: &str) -> bool {
    let has = |is: fn(&u8) -> bool| part.bytes().any(|byte| is(&byte));
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    part.len() >= SHORTEST_HASH && (has(u8::is_ascii_digit) || is_mixed)
}

fn is_same(first: &Path, second: &Path) -> io::Result<bool> {
    let (mut first, mut second) = (fs::File::open(first)?, fs::File::open(second)?);
    if first.metadata()?.len() != second.metadata()?.len() {
        return Ok(false);
    }
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let (read, other) = (fill(&mut first, &mut a)?, fill(&mut second, &mut b)?);
        if a[..read] != b[..other] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn too_large(pair: &Pair) -> io::Result<Detail> {
    let size =
        |path: &Path| Ok::<_, io::Error>(format!("{} bytes, too large to look inside", fs::metadata(path)?.len()));
    let (first, second) = (Excerpt::whole(&size(&pair.first)?), Excerpt::whole(&size(&pair.second)?));
    Ok(Detail { inside: Vec::new(), what: What::Skipped, place: String::new(), first, second, cause: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two(tempfile::TempDir);

    impl Two {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, side: &str, path: &str, content: &str) {
            let path = self.0.path().join(side).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn both(&self, path: &str, first: &str, second: &str) {
            self.write("a", path, first);
            self.write("b", path, second);
        }

        fn lines(&self) -> Vec<String> {
            let trees = compare(&self.0.path().join("a"), &self.0.path().join("b")).unwrap();
            let line = |difference: &Difference| {
                let other = difference.other.as_ref().map(|other| format!(" -> {other}")).unwrap_or_default();
                let causes = difference.details.iter().filter_map(|detail| detail.cause).chain(difference.cause);
                let causes: Vec<&str> = causes.map(|cause| cause.id.as_str()).collect();
                format!("{} {}{other} {}", difference.kind.name(), difference.path, causes.join(","))
            };
            trees.differences.iter().map(line).collect()
        }
    }

    #[test]
    fn files_are_paired_by_path_and_by_names_with_hashes() {
        let two = Two::new();
        two.both("same", "x", "x");
        two.both("folder/text", "built 2026-11-30T10:00:00Z", "built 2026-11-30T10:00:05Z");
        two.write("a", "only-a", "");
        two.write("b", "only-b", "");
        two.write("a", "assets/index-AbC12xY9.js", "one()");
        two.write("b", "assets/index-Zz81_-k0.js", "two()");
        two.both("index.html", "src=index-AbC12xY9.js", "src=index-Zz81_-k0.js");
        two.write("a", "static/Xk2nQ8v1aPZz/x.js", "");
        two.write("b", "static/9kLmN2b4rTyu/x.js", "");
        assert_eq!(
            two.lines(),
            [
                "content assets/index-AbC12xY9.js -> assets/index-Zz81_-k0.js ",
                "content folder/text date",
                "content index.html renamed",
                "onlyFirst only-a ",
                "onlySecond only-b ",
                "name static/Xk2nQ8v1aPZz -> static/9kLmN2b4rTyu renamed",
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_modes_and_kinds_are_compared() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let two = Two::new();
        two.both("program", "", "");
        two.both("kind", "", "");
        fs::set_permissions(two.0.path().join("b/program"), std::fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_file(two.0.path().join("b/kind")).unwrap();
        symlink("/nowhere", two.0.path().join("b/kind")).unwrap();
        symlink("/build/x", two.0.path().join("a/link")).unwrap();
        symlink("/second/deeper/build/x", two.0.path().join("b/link")).unwrap();
        assert_eq!(two.lines(), ["type kind ", "target link build-path", "executable program "]);
        let trees = compare(&two.0.path().join("a/program"), &two.0.path().join("b/program")).unwrap();
        assert_eq!((trees.differences.len(), trees.differences[0].path.as_str()), (1, ""));
    }

    #[test]
    fn a_deep_folder_and_a_huge_file_are_no_problem() {
        let two = Two::new();
        let deep = "d/".repeat(300) + "x";
        two.both(&deep, "1", "2");
        for side in ["a", "b"] {
            fs::File::create(two.0.path().join(side).join("huge")).unwrap().set_len(3 << 30).unwrap();
        }
        assert_eq!(two.lines().len(), 1);
        fs::File::options().write(true).open(two.0.path().join("b/huge")).unwrap().set_len(2 << 30).unwrap();
        assert_eq!(two.lines().len(), 2);
    }

    #[test]
    fn many_files_are_counted() {
        let two = Two::new();
        (0..MOST_FILES + 3).for_each(|number| two.both(&format!("f{number}"), "1", "2"));
        let trees = compare(&two.0.path().join("a"), &two.0.path().join("b")).unwrap();
        assert_eq!((trees.differences.len(), trees.more, trees.files), (MOST_FILES, 3, MOST_FILES + 4));
    }

    #[test]
    fn hashes_in_names_are_replaced() {
        for (name, expected) in [
            ("index-AbC12xY9.js", Some("index-*.js")),
            ("index-AbC12xY9-k0kJ8a.js", Some("index-*.js")),
            ("12345678.chunk.js", Some("*.chunk.js")),
            ("index.js", None),
            ("README", None),
            ("é.js", None),
        ] {
            assert_eq!(pattern(name).as_deref(), expected, "{name}");
        }
    }
}
