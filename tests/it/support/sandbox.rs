//! [`TestContext`]: a folder and an environment for one test, and snapshots that are the same everywhere. The machine, its
//! user and other tests have no influence on the programs that a test runs.

use std::{
    ffi::OsStr,
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use tempfile::TempDir;

use super::{Registry, tools};

/// The folders and the environment of one test. Dropping it removes the folders.
pub(crate) struct TestContext {
    root: Utf8PathBuf,
    env: Vec<(String, String)>,
    filters: Vec<(String, String)>,
    _folder: TempDir,
}

/// The real Nix, with its store and state below the test's folder.
#[derive(Debug, Clone)]
pub(crate) struct Nix {
    /// The program.
    pub(crate) program: Utf8PathBuf,
    /// Whether builds run in a sandbox on this machine. Without a sandbox, a build can reach the network.
    pub(crate) sandbox: bool,
    /// Whether the store is a chroot store, with `/nix/store` inside the test's folder. Store paths are then the same on every
    /// machine, but built programs only run inside the store.
    pub(crate) in_chroot: bool,
}

impl TestContext {
    /// Creates a context with an empty repository folder, without git.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(fs::canonicalize(folder.path()).unwrap()).unwrap();
        let mut context = Self { env: environment(&root), filters: filters(&root), root, _folder: folder };
        for folder in ["repo", "home", "tmp"] {
            fs::create_dir(context.root.join(folder)).unwrap();
        }
        // Commands without `--repo` must not find a repository above the test's folder.
        context.set_env("GIT_CEILING_DIRECTORIES", context.root.as_str().to_owned());
        context
    }

    /// Returns the repository under test.
    pub(crate) fn repo(&self) -> Utf8PathBuf {
        self.root.join("repo")
    }

    /// Returns the `HOME` of all programs.
    pub(crate) fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// Returns a folder beside the repository.
    pub(crate) fn folder(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// Sets a variable for all programs from now on.
    pub(crate) fn set_env(&mut self, name: &str, value: impl Into<String>) {
        self.env.push((name.to_owned(), value.into()));
    }

    /// Makes `registry` the npm registry of splitter, npm, Bun and Yarn, through the environment.
    pub(crate) fn use_registry(&mut self, registry: &Registry) {
        for name in ["npm_config_registry", "YARN_REGISTRY", "YARN_NPM_REGISTRY_SERVER"] {
            self.set_env(name, registry.url());
        }
        self.set_env("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1");
    }

    /// Replaces matches of `regex` in snapshots, in addition to the usual filters.
    pub(crate) fn add_filter(&mut self, regex: &str, replacement: &str) {
        self.filters.push((regex.to_owned(), replacement.to_owned()));
    }

    /// Returns the filters for [`splitter_snapshot!`]: folders, ports, times and digests.
    pub(crate) fn filters(&self) -> Vec<(&str, &str)> {
        self.filters.iter().map(|(regex, replacement)| (regex.as_str(), replacement.as_str())).collect()
    }

    /// Writes a file of the repository, and creates its folders.
    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        let file = self.repo().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, contents).unwrap();
    }

    /// Edits a JSON file, such as a manifest.
    pub(crate) fn edit_manifest(&self, path: &str, edit: impl FnOnce(&mut serde_json::Value)) {
        let mut manifest = serde_json::from_str(&self.read(path)).unwrap();
        edit(&mut manifest);
        self.write(path, format!("{manifest:#}\n"));
    }

    /// Sets the executable bit of a file in the repository.
    pub(crate) fn make_executable(&self, path: &str) {
        fs::set_permissions(self.repo().join(path), Permissions::from_mode(0o755)).unwrap();
    }

    /// Returns the text of a file in the repository.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo().join(path)).unwrap()
    }

    /// Removes a file or a folder in the repository.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.repo().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Returns a command in the repository. Its environment is the test's own and the machine's `PATH`.
    pub(crate) fn command(&self, program: impl AsRef<Utf8Path>) -> Command {
        let mut command = Command::new(self.find(program.as_ref()));
        command.current_dir(self.repo()).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Returns the path of a program on the `PATH` of the test, or its name if there is none.
    ///
    /// If a command has a `PATH` and its program has no path, the standard library forks this process instead of spawning. A
    /// fork copies the page tables of all tests, which have gigabytes.
    fn find(&self, program: &Utf8Path) -> Utf8PathBuf {
        let path = self.env.iter().rfind(|(name, _)| name == "PATH").map(|(_, path)| path);
        let found = which::which_in(program, path, self.repo());
        found.ok().and_then(|found| Utf8PathBuf::from_path_buf(found).ok()).unwrap_or_else(|| program.to_owned())
    }

    /// Returns the `splitter` under test.
    pub(crate) fn splitter(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_splitter"));
        command.args(args);
        command
    }

    /// Returns a Yarn command: Node with the script from [`super::yarn`].
    pub(crate) fn yarn(&self, script: &Utf8Path, args: &[&str]) -> Command {
        let mut command = self.command("node");
        command.arg(script).args(args);
        command
    }

    /// Returns the real Nix, or records a skip.
    #[track_caller]
    pub(crate) fn nix(&self) -> Option<Nix> {
        let tools::NixProgram { program, sandbox } = tools::nix()?;
        let shown = tools::folders_of_programs();
        let conf = self.root.join("nix/conf");
        fs::create_dir_all(&conf).unwrap();
        // The sandbox shows the host's programs, which replace nixpkgs. Builds run as the test's own user.
        let settings = format!(
            "experimental-features = nix-command flakes\nsandbox = {sandbox}\nsandbox-fallback = false\n\
             sandbox-paths = /bin /usr /lib /lib64? {shown}\nbuild-users-group =\nsubstituters =\nflake-registry =\n\
             warn-dirty = false\nmax-jobs = 2\ntimeout = 120\n"
        );
        fs::write(conf.join("nix.conf"), settings).unwrap();
        Some(Nix { program, sandbox, in_chroot: false })
    }

    /// Runs git, which must succeed, and returns its output without the last line break.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = self.command("git");
        succeed(git.args(args))
    }

    /// Runs `git init` in the repository folder.
    pub(crate) fn git_init(&self) {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
    }

    /// Commits all files that git does not ignore.
    pub(crate) fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "--message", message]);
    }
}

impl Nix {
    /// Returns a `nix` command in the repository, with the test's environment and store.
    pub(crate) fn command(&self, context: &TestContext, args: &[&str]) -> Command {
        let mut command = context.command(&self.program);
        command.envs(self.environment(context)).args(args);
        command
    }

    /// Returns the variables for its store and its settings.
    pub(crate) fn environment(&self, context: &TestContext) -> Vec<(&'static str, String)> {
        let folder = |name: &str| context.root.join("nix").join(name).into_string();
        if self.in_chroot {
            return vec![("NIX_CONF_DIR", folder("conf")), ("NIX_REMOTE", format!("local?root={}", folder("chroot")))];
        }
        NIX_FOLDERS.map(|(name, path)| (name, folder(path))).into()
    }
}

/// Nix's folders, below the test's folder. Builds start with an empty store, can run at once, and leave nothing behind.
const NIX_FOLDERS: [(&str, &str); 4] =
    [("NIX_STORE_DIR", "store"), ("NIX_STATE_DIR", "state"), ("NIX_LOG_DIR", "log"), ("NIX_CONF_DIR", "conf")];

/// Runs a program that must succeed, and returns its stdout without trailing white space.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", line(command), render(&output));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Runs a program that must fail, and returns its output.
#[track_caller]
pub(crate) fn fail(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}\n{}", line(command), render(&output));
    render(&output)
}

/// Copies the contents of a folder without symbolic links into a new one.
#[track_caller]
pub(crate) fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    fs_extra::dir::copy(from, to, &fs_extra::dir::CopyOptions::new().content_only(true)).unwrap();
}

/// Returns the exit code and the output of a program.
pub(crate) fn run(command: &mut Command) -> String {
    render(&command.output().unwrap())
}

/// Returns the program and its arguments, without the environment.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn render(output: &Output) -> String {
    let code = output.status.code().map_or_else(|| output.status.to_string(), |code| code.to_string());
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("exit: {code}\n----- stdout\n{stdout}----- stderr\n{stderr}")
}

fn environment(root: &Utf8Path) -> Vec<(String, String)> {
    let home = root.join("home");
    let fixed = [
        ("PATH", tools::search_path()),
        ("HOME", home.to_string()),
        ("TMPDIR", root.join("tmp").to_string()),
        ("XDG_CACHE_HOME", home.join(".cache").to_string()),
        ("XDG_CONFIG_HOME", home.join(".config").to_string()),
        ("XDG_DATA_HOME", home.join(".local/share").to_string()),
        ("XDG_STATE_HOME", home.join(".local/state").to_string()),
        ("TZ", "UTC".to_owned()),
        ("LC_ALL", "C.UTF-8".to_owned()),
        ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
        ("GIT_AUTHOR_NAME", "Test".to_owned()),
        ("GIT_AUTHOR_EMAIL", "test@example.org".to_owned()),
        ("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z".to_owned()),
        ("GIT_COMMITTER_NAME", "Test".to_owned()),
        ("GIT_COMMITTER_EMAIL", "test@example.org".to_owned()),
        ("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z".to_owned()),
        ("BUN_INSTALL_CACHE_DIR", home.join(".bun/cache").to_string()),
        ("DO_NOT_TRACK", "1".to_owned()),
        ("YARN_ENABLE_TELEMETRY", "0".to_owned()),
        ("YARN_ENABLE_GLOBAL_CACHE", "false".to_owned()),
    ];
    fixed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn filters(root: &Utf8Path) -> Vec<(String, String)> {
    let root: String =
        root.as_str().chars().flat_map(|char| if char == '.' { vec!['\\', char] } else { vec![char] }).collect();
    [
        (format!("{root}/repo"), "[REPO]"),
        (format!("{root}/home"), "[HOME]"),
        (root, "[ROOT]"),
        (r"127\.0\.0\.1:\d+".to_owned(), "127.0.0.1:[PORT]"),
        (r"\b\d+(\.\d+)? ?(ms|µs|s)\b".to_owned(), "[TIME]"),
        (r"\b(sha1|sha256|sha384|sha512)-[A-Za-z0-9+/]{20,}=*".to_owned(), "$1-[HASH]"),
        (r"\bblake3-[0-9a-f]{64}\b".to_owned(), "blake3-[HASH]"),
        (r"/store/[0-9a-z]{32}-".to_owned(), "/store/[HASH]-"),
        // A release changes no snapshot.
        (format!(r"\bsplitter {}\b", env!("CARGO_PKG_VERSION").replace('.', r"\.")), "splitter [VERSION]"),
    ]
    .map(|(regex, replacement)| (regex, replacement.to_owned()))
    .into()
}

/// Runs a command, and compares exit code, stdout and stderr with an inline snapshot:
/// `splitter_snapshot!(context, context.splitter(&["check"]), @"…")`.
macro_rules! splitter_snapshot {
    ($context:expr, $command:expr, @$snapshot:literal) => {{
        let output = $crate::support::sandbox::run(&mut $command);
        ::insta::with_settings!({ filters => $context.filters() }, {
            ::insta::assert_snapshot!(output, @$snapshot);
        });
    }};
}
pub(crate) use splitter_snapshot;
