//! Tests with real git and repositories in folders.

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{archive::Content as _, *};

/// A repository in a folder.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main"], b"");
        repository
    }

    fn at(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.folder.path()).unwrap().to_owned()
    }

    fn url(&self) -> Url {
        Url::from_file_path(self.folder.path()).unwrap()
    }

    fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        use std::io::Write as _;
        let mut child = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=e", "-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(self.folder.path())
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) -> String {
        self.git(&["add", "."], b"");
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "x"], b"");
        self.git(&["rev-parse", "HEAD"], b"")
    }

    /// Commits a tree that today's git would not write, with an odd mode and an empty folder.
    fn commit_oddly(&self) -> String {
        let blob = self.git(&["hash-object", "-w", "--stdin"], b"text");
        let empty = self.git(&["hash-object", "-w", "-t", "tree", "--stdin"], b"");
        let raw = |id: &str| data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap();
        let tree = [b"40000 empty\0".as_slice(), &raw(&empty), b"100664 file\0", &raw(&blob)].concat();
        let tree = self.git(&["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], &tree);
        let commit = self.git(&["commit-tree", &tree, "-m", "odd"], b"");
        self.git(&["update-ref", "refs/heads/odd", &commit], b"");
        commit
    }
}

/// Longer than any fetch of these tests.
const STALL: Duration = Duration::from_mins(1);

fn packed(commit: &Commit) -> Vec<u8> {
    let mut bytes = Vec::new();
    commit.pack(&mut bytes).unwrap();
    bytes
}

async fn fetch(url: &Url, id: &str) -> Result<Commit, FetchGitError> {
    let tmp = tempfile::tempdir().unwrap();
    let at = Utf8Path::from_path(tmp.path()).unwrap();
    let outcome = Fetcher::default().fetch(url, id, at, STALL).await;
    assert_eq!(fs::read_dir(at).unwrap().count(), 0, "the temporary repository is removed");
    outcome
}

/// Creates a repository with files that are easy to read wrongly. Returns it and the second of its three commits.
fn sample() -> (Repository, String) {
    let repository = Repository::new();
    repository.write("package.json", "{}\n");
    repository.commit();
    repository.write(".gitattributes", "secret.txt export-ignore\n*.txt text eol=crlf\n*.md ident filter=no\n");
    for (path, text) in
        [("secret.txt", "a\r\nb\n"), ("a.md", "$Id$\n"), ("a/b", "1"), ("a-b", "2"), ("ü", "3"), ("empty", "")]
    {
        repository.write(path, text);
    }
    repository.write(&"l".repeat(150), "long name");
    repository.write(&format!("{}x", "folder/".repeat(30)), "deep");
    repository.write("run", "#!/bin/sh\n");
    repository.git(&["update-index", "--add", "--chmod=+x", "run"], b"");
    let gitlink = format!("160000,{},modules/sub", "1".repeat(40));
    repository.git(&["update-index", "--add", "--cacheinfo", &gitlink], b"");
    std::os::unix::fs::symlink("a/b", repository.at().join("link")).unwrap();
    repository.git(&["add", "."], b"");
    repository.git(&["update-index", "--chmod=+x", "run"], b"");
    repository.git(&["update-index", "--add", "--cacheinfo", &gitlink], b"");
    repository.git(&["commit", "--quiet", "-m", "second"], b"");
    let id = repository.git(&["rev-parse", "HEAD"], b"");
    repository.write("package.json", "{\"later\": 1}\n");
    repository.commit();
    (repository, id)
}

#[tokio::test]
async fn files_are_as_the_commit_has_them_whatever_attributes_say() {
    let (repository, id) = sample();
    let commit = fetch(&repository.url(), &id).await.unwrap();
    let file = |path: &str| match &commit.files[path.as_bytes()] {
        archive::ArchiveEntry::File(content, is_executable) => {
            let mut bytes = Vec::new();
            content.copy_to(&mut bytes).unwrap();
            (String::from_utf8(bytes).unwrap(), *is_executable)
        }
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(file("secret.txt"), ("a\nb\n".to_owned(), false));
    assert_eq!(file("a.md"), ("$Id$\n".to_owned(), false));
    assert_eq!(file("run"), ("#!/bin/sh\n".to_owned(), true));
    assert!(matches!(&commit.files[b"link".as_slice()], archive::ArchiveEntry::Link(target) if target == b"a/b"));
    assert_eq!(file("package.json"), ("{}\n".to_owned(), false));
    let names: Vec<_> = commit.members.keys().map(String::as_str).collect();
    assert_eq!(names, ["commit", "gitlinks"]);
    assert_eq!(commit.members["gitlinks"], format!("{} modules/sub\n", "1".repeat(40)).into_bytes());
}

/// Runs a Node.js program that imports the templates' tools. Returns its output.
fn node(folder: &Utf8Path, program: &str) -> String {
    let tools = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("nix-templates/tools");
    let imports = format!(
        "import {{ readFileSync, writeFileSync }} from 'node:fs';\nimport {{ makeRepository }} from '{tools}/git-repository.mjs';\n\
         import {{ packCommit }} from '{tools}/fetch-git.mjs';\nconst here = '{folder}';\n"
    );
    fs::write(folder.join("program.mjs"), imports + program).unwrap();
    let output = Command::new("node").arg(folder.join("program.mjs")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_build_packs_the_same_bytes_and_makes_the_same_commit_of_them() {
    let (repository, id) = sample();
    let odd = repository.commit_oddly();
    repository.git(&["tag", "--annotate", "--message", "the first", "v1", &id], b"");
    let tag = repository.git(&["rev-parse", "v1"], b"");
    for id in [&id, &odd, &tag] {
        let commit = fetch(&repository.url(), id).await.unwrap();
        assert_eq!(commit.members.keys().any(|name| name.starts_with("trees/")), *id == odd);
        assert_eq!(commit.members.contains_key("tag"), *id == tag);
        let folder = tempfile::tempdir().unwrap();
        let at = Utf8Path::from_path(folder.path()).unwrap();
        let archive = packed(&commit);
        fs::write(at.join("archive"), &archive).unwrap();
        let program = format!(
            "writeFileSync(here + '/packed', packCommit('{}/.git', '{id}'));\n\
             console.log(makeRepository(here + '/made.git', [readFileSync(here + '/archive')])[0]);",
            repository.at()
        );
        assert_eq!(node(at, &program), repository.git(&["rev-parse", &format!("{id}^{{commit}}")], b""));
        assert!(fs::read(at.join("packed")).unwrap() == archive);
        // A clone of the made repository has the commit and no history.
        let made = Url::from_file_path(at.join("made.git")).unwrap();
        assert!(packed(&fetch(&made, id).await.unwrap()) == archive);
        repository.git(&["clone", "--quiet", "--bare", made.as_str(), at.join("clone.git").as_str()], b"");
        let count = ["--git-dir", at.join("clone.git").as_str(), "rev-list", "--count", id].map(str::to_owned);
        assert_eq!(repository.git(&count.each_ref().map(String::as_str), b""), "1");
    }
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let (repository, id) = sample();
    let gone = "0123456789".repeat(4);
    assert!(matches!(fetch(&repository.url(), &gone).await, Err(FetchGitError::Vanished { id }) if id == gone));
    let nowhere = Url::parse("file:///no/such/repository").unwrap();
    assert!(matches!(fetch(&nowhere, &id).await, Err(FetchGitError::NoRepository { .. })));
    let refused = Url::parse("http://127.0.0.1:9/r").unwrap();
    let error = fetch(&refused, &id).await.err().unwrap();
    assert!(matches!(error, FetchGitError::Unreachable { .. }) && error.is_transient(), "{error}");
    let fetcher = Fetcher { program: "no-such-git".into() };
    assert!(matches!(
        fetcher.fetch(&repository.url(), &id, "/tmp".into(), STALL).await,
        Err(FetchGitError::NotInstalled)
    ));
    let tree = repository.git(&["rev-parse", &format!("{id}^{{tree}}")], b"");
    assert!(fetch(&repository.url(), &tree).await.is_err());
}

#[test]
fn what_git_says_is_told_without_secrets() {
    let url = Url::parse("https://us:s3cr3t@host.example/r").unwrap();
    for (said, expected) in [
        ("fatal: unable to access 'https://us:s3cr3t@host.example/r/': Could not resolve host: x", "unreachable"),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", "denied"),
        ("fatal: Authentication failed for 'https://s3cr3t@other.example/r/'", "denied"),
        ("fatal: could not read Password for 'https://s3cr3t@h.example': terminal prompts disabled", "denied"),
        ("fatal: unable to access 'https://h.example/r?private_token=s3cr3t': error: 500", "other"),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.", "denied"),
        ("remote: Repository not found.\nfatal: repository 'https://h/' not found", "none"),
        ("fatal: couldn't find remote ref 0123\nfatal: remote ref not found", "other"),
        ("fatal: remote error: upload-pack: not our ref 0123", "other"),
    ] {
        let error = FetchGitError::of_fetch(said, &url);
        let kind = match &error {
            FetchGitError::Unreachable { .. } => "unreachable",
            FetchGitError::Denied { .. } => "denied",
            FetchGitError::NoRepository { .. } => "none",
            _ => "other",
        };
        assert_eq!(kind, expected, "{said}");
        assert!(!error.to_string().contains("s3cr3t") && !error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_repository_of_ssh_is_asked_for_as_everybody_may_first() {
    let public = |text: &str| public_url(&Url::parse(text).unwrap()).map(String::from);
    assert_eq!(public("ssh://git@host.example:2222/o/r.git").as_deref(), Some("https://host.example/o/r.git"));
    assert_eq!(public("https://host.example/r"), None);
}

#[tokio::test]
async fn who_waits_no_longer_ends_git() {
    let folder = tempfile::tempdir().unwrap();
    let at = Utf8Path::from_path(folder.path()).unwrap();
    let program = at.join("git");
    fs::write(&program, format!("#!/bin/sh\necho $$ > '{at}/pid'\nexec sleep 600\n")).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, executable).unwrap();
    let fetcher = Fetcher { program: program.into() };
    let (url, id) = (Url::parse("https://host.example/r").unwrap(), "0123456789".repeat(4));
    let pid = async {
        loop {
            match fs::read_to_string(at.join("pid")).map(|text| text.trim().parse::<u32>()) {
                Ok(Ok(pid)) => return pid,
                _ => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            }
        }
    };
    let pid = tokio::select! {
        pid = pid => pid,
        _ = fetcher.fetch(&url, &id, at, STALL) => panic!("git ended by itself"),
    };
    // The process is gone, or briefly a zombie.
    let state = || fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    while Utf8Path::new("/proc/self").exists() && !(state().is_empty() || state().contains(") Z ")) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// Writes an object as git would not, and returns its id.
fn object(repository: &Repository, kind: &str, content: &[u8]) -> String {
    repository.git(&["hash-object", "-w", "-t", kind, "--literally", "--stdin"], content)
}

#[tokio::test]
async fn a_tree_of_ten_billion_entries_is_refused() {
    let repository = Repository::new();
    let raw = |id: &str| data_encoding::HEXLOWER.decode(id.as_bytes()).unwrap();
    let entry = |mode: &str, number: u32, id: &str| {
        [mode.as_bytes(), b" ", number.to_string().as_bytes(), b"\0", &raw(id)].concat()
    };
    let mut id = object(&repository, "blob", b"content");
    for level in 0..10 {
        let mode = if level == 0 { "100644" } else { "40000" };
        let tree: Vec<u8> = (0..10).flat_map(|number| entry(mode, number, &id)).collect();
        id = object(&repository, "tree", &tree);
    }
    let commit = repository.git(&["commit-tree", &id, "-m", "bomb"], b"");
    repository.git(&["update-ref", "refs/heads/main", &commit], b"");
    let start = std::time::Instant::now();
    let error = fetch(&repository.url(), &commit).await.err().unwrap();
    assert!(matches!(error, FetchGitError::Content(archive::ArchiveError::TooMany)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_large_content_under_many_names_is_refused() {
    let repository = Repository::new();
    let blob = object(&repository, "blob", &vec![0; 32 << 20]);
    let raw = data_encoding::HEXLOWER.decode(blob.as_bytes()).unwrap();
    let tree: Vec<u8> =
        (100..200).flat_map(|number| [format!("100644 {number}\0").as_bytes(), &raw].concat()).collect();
    let tree = object(&repository, "tree", &tree);
    let commit = repository.git(&["commit-tree", &tree, "-m", "bomb"], b"");
    repository.git(&["update-ref", "refs/heads/main", &commit], b"");
    let error = fetch(&repository.url(), &commit).await.err().unwrap();
    assert!(matches!(error, FetchGitError::Content(archive::ArchiveError::TooLarge)), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_so_is_one_that_sends_a_byte_now_and_then() {
    use std::{io::Write as _, net::TcpListener};
    for sends in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("git://{}/r", listener.local_addr().unwrap())).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    // The start of a packet of the longest length.
                    let _ = stream.write_all(b"fff0");
                    while !sends || stream.write_all(b"x").is_ok() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                });
            }
        });
        let tmp = tempfile::tempdir().unwrap();
        let at = Utf8Path::from_path(tmp.path()).unwrap();
        let start = std::time::Instant::now();
        let stall = Duration::from_secs(1);
        let error = Fetcher::default().fetch(&url, &"01234567".repeat(5), at, stall).await.err().unwrap();
        assert!(matches!(error, FetchGitError::Stalled { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        assert_eq!(fs::read_dir(at).unwrap().count(), 0);
    }
}

#[test]
fn progress_is_no_message() {
    let said = "remote: Counting objects:  50% (1/2)\rremote: Counting objects: 100% (2/2), done.\nfatal: bad object";
    assert_eq!(FetchGitError::failed(said).to_string(), "git failed: fatal: bad object");
}
