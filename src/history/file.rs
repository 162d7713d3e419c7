//! The file of the history: where it is, and how runs are added and read.

use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;

use super::run::{Run, VERSION};
use crate::{fetch::Environment, reading};

/// The variable that names the file, or turns the history off.
const VARIABLE: &str = "SPLITTER_HISTORY";
const OFF: &str = "off";

/// How each line begins: `version` is the first field of [`Run`].
const START: &[u8] = b"{\"version\":";
/// The number of bytes in which a history has a line. The first line may be a part of one.
const LOOKED_AT: u64 = 4 << 20;

/// The size at which a file becomes the earlier half of the history, and the earlier half before it goes.
const FULL: u64 = 8 << 20;

/// The history of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    file: Utf8PathBuf,
}

/// What a history holds.
#[derive(Debug, Default)]
pub struct Read {
    /// The runs, as they were added.
    pub runs: Vec<Run>,
    /// The number of lines that this splitter cannot read.
    pub unreadable: usize,
}

impl History {
    /// Returns the history of the repository at `root`: the file that `SPLITTER_HISTORY` names, or one in the state folder of the
    /// user. Returns nothing if the variable is `off`, or if there is no such folder.
    pub fn of(root: &Utf8Path, environment: &Environment) -> Option<Self> {
        Self::named(environment).unwrap_or_else(|| {
            Some(Self::at(state_folder(environment)?.join("splitter/history").join(file_name(root))))
        })
    }

    /// Returns the history that `SPLITTER_HISTORY` names, if it is set: nothing inside if it is `off`.
    pub fn named(environment: &Environment) -> Option<Option<Self>> {
        let file = environment.get(VARIABLE)?;
        let absolute = || Utf8PathBuf::from_path_buf(std::path::absolute(file).ok()?).ok();
        Some(if file == OFF { None } else { absolute().map(Self::at) })
    }

    /// Returns the history in a file.
    pub fn at(file: impl Into<Utf8PathBuf>) -> Self {
        Self { file: file.into() }
    }

    /// Returns the file.
    pub fn file(&self) -> &Utf8Path {
        &self.file
    }

    /// Adds a run.
    pub fn add(&self, run: Run) -> io::Result<()> {
        let run = Run { version: VERSION, ..run.bounded() };
        let mut line = serde_json::to_vec(&run)?;
        line.push(b'\n');
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        self.refuse_foreign()?;
        let mut file = self.open()?;
        if file.metadata()?.len() >= FULL {
            fs::rename(&self.file, self.earlier())?;
            file = self.open()?;
        }
        if !ends_a_line(&mut file)? {
            line.insert(0, b'\n');
        }
        // One call, so that runs at the same time do not mix.
        file.write_all(&line)
    }

    /// Opens the file, and keeps others from adding until it is closed. Only the user may read it: it tells what they work on.
    fn open(&self) -> io::Result<fs::File> {
        let mut options = fs::File::options();
        options.create(true).append(true).read(true);
        options.mode(0o600);
        let file = options.open(&self.file)?;
        // On a file system without locks, two runs at the same moment may add a line that cannot be read.
        let _ = file.file().lock();
        Ok(file)
    }

    /// Refuses a file that is no history: somebody named it by mistake, and it must stay as it is.
    fn refuse_foreign(&self) -> io::Result<()> {
        match fs::metadata(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(metadata) if metadata.is_file() && (metadata.len() == 0 || has_a_run(&self.file)?) => Ok(()),
            Ok(_) => {
                Err(io::Error::new(ErrorKind::InvalidInput, "it is no history of builds, so nothing is added to it"))
            }
        }
    }

    /// The file with the earlier half.
    fn earlier(&self) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.earlier", self.file))
    }

    /// Reads all runs, in the order of their times. A file that is not there has none.
    pub fn read(&self) -> io::Result<Read> {
        let mut read = Read::default();
        for file in [&self.earlier(), &self.file] {
            match reading::bytes(file) {
                Ok(bytes) => read.add(&bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        read.runs.sort_by_key(|run| run.at);
        Ok(read)
    }
}

impl Read {
    fn add(&mut self, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            match serde_json::from_slice::<Run>(line) {
                Ok(run) if run.version == VERSION => self.runs.push(run),
                Ok(_) | Err(_) => self.unreadable += 1,
            }
        }
    }
}

/// Whether one of the first lines of a file is a run, of any version.
fn has_a_run(file: &Utf8Path) -> io::Result<bool> {
    let mut start = Vec::new();
    fs::File::open(file)?.take(LOOKED_AT).read_to_end(&mut start)?;
    Ok(start.split(|byte| *byte == b'\n').any(|line| line.starts_with(START)))
}

/// Whether a file is empty or ends with a whole line. A run that was killed while it wrote leaves a part of one.
fn ends_a_line(file: &mut fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

/// Returns the state folder of the user by the XDG specification, which requires that a relative path is ignored.
fn state_folder(environment: &Environment) -> Option<Utf8PathBuf> {
    let absolute = |name: &str| environment.get(name).map(Utf8PathBuf::from).filter(|folder| folder.is_absolute());
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

/// Two checkouts with the same folder name have histories of their own.
fn file_name(root: &Utf8Path) -> String {
    let hash = blake3::hash(root.as_str().as_bytes()).to_hex();
    format!("{}-{}.jsonl", root.file_name().unwrap_or("root"), &hash[..16])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn history() -> (tempfile::TempDir, History) {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8PathBuf::from_path_buf(folder.path().join("deep/history.jsonl")).unwrap();
        (folder, History::at(file))
    }

    fn run(at: u64) -> Run {
        Run { at, command: "build".to_owned(), ..Run::default() }
    }

    #[test]
    fn the_variable_or_the_state_folder_names_the_file() {
        let of = |pairs: &[(&str, &str)]| {
            History::of("/src/shop".into(), &Environment::from_pairs(pairs.iter().copied())).map(|found| found.file)
        };
        let name = file_name("/src/shop".into());
        assert!(name.starts_with("shop-"), "{name}");
        assert_ne!(name, file_name("/other/shop".into()));
        assert_eq!(of(&[("HOME", "/home/a")]), Some(format!("/home/a/.local/state/splitter/history/{name}").into()));
        assert_eq!(
            of(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s")]),
            Some(format!("/s/splitter/history/{name}").into())
        );
        assert_eq!(of(&[("SPLITTER_HISTORY", "/x/h.jsonl")]), Some("/x/h.jsonl".into()));
        assert_eq!(of(&[("SPLITTER_HISTORY", "off"), ("HOME", "/home/a")]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_is_added_is_read_in_the_order_of_time() {
        let (_folder, history) = history();
        assert!(history.read().unwrap().runs.is_empty());
        history.add(run(2)).unwrap();
        history.add(run(1)).unwrap();
        let read = history.read().unwrap();
        assert_eq!((read.runs.iter().map(|run| run.at).collect::<Vec<_>>(), read.unreadable), (vec![1, 2], 0));
    }

    #[test]
    fn a_line_that_was_cut_harms_no_other() {
        let (_folder, history) = history();
        history.add(run(1)).unwrap();
        let mut text = fs::read(&history.file).unwrap();
        text.truncate(text.len() - 9);
        text.splice(0..0, b"{\"version\":2}\nnonsense\n".iter().copied());
        fs::write(&history.file, &text).unwrap();
        history.add(run(3)).unwrap();
        let read = history.read().unwrap();
        assert_eq!((read.runs.len(), read.runs[0].at, read.unreadable), (1, 3, 3));
    }

    #[test]
    fn a_file_that_is_no_history_stays_as_it_is() {
        let (_folder, history) = history();
        fs::create_dir_all(history.file.parent().unwrap()).unwrap();
        for text in ["{\n  \"name\": \"acme\"\n}\n", "root:x:0:0\n", "\n"] {
            fs::write(&history.file, text).unwrap();
            let error = history.add(run(1)).unwrap_err();
            assert!(error.to_string().contains("it is no history of builds"), "{error}");
            assert_eq!(fs::read_to_string(&history.file).unwrap(), text);
        }
        let folder = History::at(history.file.parent().unwrap());
        assert!(folder.add(run(1)).is_err());
    }

    #[test]
    fn a_full_file_becomes_the_earlier_half() {
        let (_folder, history) = history();
        history.add(run(1)).unwrap();
        let room = usize::try_from(FULL).unwrap();
        let mut text = fs::read(&history.file).unwrap();
        text.resize(room, b'\n');
        fs::write(&history.file, &text).unwrap();
        history.add(run(2)).unwrap();
        assert!(fs::metadata(&history.file).unwrap().len() < 2000);
        assert_eq!(history.read().unwrap().runs.len(), 2);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let build =
            super::super::Build { name: "é".repeat(999), causes: vec![String::new(); 99], ..Default::default() };
        let bounded = Run { builds: vec![build; 5001], ..Run::default() }.bounded();
        assert_eq!((bounded.builds.len(), bounded.builds[0].causes.len()), (5000, 20));
        assert_eq!(bounded.builds[0].name.chars().count(), 300);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[{}\":,a-z0-9\\[\\]\n]{0,80}") {
            let mut read = Read::default();
            read.add(&bytes);
            read.add(text.as_bytes());
        }
    }
}
