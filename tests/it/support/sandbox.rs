//! [`TestContext`]: a folder and an environment of its own for one test, so that nothing of the machine, its user or another
//! test shows in what a program does; and snapshots that read the same everywhere.

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

/// The folders and the environment of one test. All is removed when it is dropped.
pub(crate) struct TestContext {
    root: Utf8PathBuf,
    env: Vec<(String, String)>,
    filters: Vec<(String, String)>,
    _folder: TempDir,
}

/// The real Nix with a store and a state of its own, below the test's folder.
#[derive(Debug, Clone)]
pub(crate) struct Nix {
    /// The program.
    pub(crate) program: Utf8PathBuf,
    /// Whether builds run in a sandbox on this machine: without one, a build could reach the network.
    pub(crate) sandbox: bool,
    /// Whether its store lies at /nix/store within a folder of the test's. Paths in it are those of every machine, but
    /// what is built in it runs nowhere else.
    pub(crate) in_chroot: bool,
}

impl TestContext {
    /// An empty repository folder, without git.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(fs::canonicalize(folder.path()).unwrap()).unwrap();
        let mut context = Self { env: environment(&root), filters: filters(&root), root, _folder: folder };
        for folder in ["repo", "home", "tmp"] {
            fs::create_dir(context.root.join(folder)).unwrap();
        }
        // A command that takes no `--repo` must not find a repository above the test's.
        context.set_env("GIT_CEILING_DIRECTORIES", context.root.as_str().to_owned());
        context
    }

    /// The repository under test.
    pub(crate) fn repo(&self) -> Utf8PathBuf {
        self.root.join("repo")
    }

    /// `HOME` of all programs.
    pub(crate) fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// A folder of the test's, beside the repository.
    pub(crate) fn folder(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// Sets a variable for all programs run from here on.
    pub(crate) fn set_env(&mut self, name: &str, value: impl Into<String>) {
        self.env.push((name.to_owned(), value.into()));
    }

    /// Makes `registry` the npm registry of splitter, npm, Bun and Yarn, as a user's environment would.
    pub(crate) fn use_registry(&mut self, registry: &Registry) {
        for name in ["npm_config_registry", "YARN_REGISTRY", "YARN_NPM_REGISTRY_SERVER"] {
            self.set_env(name, registry.url());
        }
        self.set_env("YARN_UNSAFE_HTTP_WHITELIST", "127.0.0.1");
    }

    /// Replaces what matches `regex` in snapshots, beside the usual filters.
    pub(crate) fn add_filter(&mut self, regex: &str, replacement: &str) {
        self.filters.push((regex.to_owned(), replacement.to_owned()));
    }

    /// The filters for [`splitter_snapshot!`]: folders, ports, times and digests.
    pub(crate) fn filters(&self) -> Vec<(&str, &str)> {
        self.filters.iter().map(|(regex, replacement)| (regex.as_str(), replacement.as_str())).collect()
    }

    /// Writes a file of the repository, and the folders above it.
    pub(crate) fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        let file = self.repo().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, contents).unwrap();
    }

    /// Edits a manifest, or another file of JSON.
    pub(crate) fn edit_manifest(&self, path: &str, edit: impl FnOnce(&mut serde_json::Value)) {
        let mut manifest = serde_json::from_str(&self.read(path)).unwrap();
        edit(&mut manifest);
        self.write(path, format!("{manifest:#}\n"));
    }

    /// Gives a file of the repository the executable bit.
    pub(crate) fn make_executable(&self, path: &str) {
        fs::set_permissions(self.repo().join(path), Permissions::from_mode(0o755)).unwrap();
    }

    /// The text of a file of the repository.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo().join(path)).unwrap()
    }

    /// Removes a file or a folder of the repository.
    pub(crate) fn remove(&self, path: &str) {
        let path = self.repo().join(path);
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// A program in the repository, with the test's environment and nothing else of the machine's but `PATH`.
    pub(crate) fn command(&self, program: impl AsRef<Utf8Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.repo()).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The `splitter` under test.
    pub(crate) fn splitter(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_splitter"));
        command.args(args);
        command
    }

    /// Yarn: the script that [`super::yarn`] gives, run by Node.
    pub(crate) fn yarn(&self, script: &Utf8Path, args: &[&str]) -> Command {
        let mut command = self.command("node");
        command.arg(script).args(args);
        command
    }

    /// The real Nix, or a recorded skip.
    #[track_caller]
    pub(crate) fn nix(&self) -> Option<Nix> {
        let tools::NixProgram { program, sandbox } = tools::nix()?;
        let shown = tools::folders_of_programs();
        let conf = self.root.join("nix/conf");
        fs::create_dir_all(&conf).unwrap();
        // The host's programs are let into the sandbox, for stand-ins of nixpkgs; builds run as the test's own user.
        let settings = format!(
            "experimental-features = nix-command flakes\nsandbox = {sandbox}\nsandbox-fallback = false\n\
             sandbox-paths = /bin /usr /lib /lib64? {shown}\nbuild-users-group =\nsubstituters =\nflake-registry =\n\
             warn-dirty = false\nmax-jobs = 2\ntimeout = 120\n"
        );
        fs::write(conf.join("nix.conf"), settings).unwrap();
        Some(Nix { program, sandbox, in_chroot: false })
    }

    /// Runs git, which must succeed; its output without the last line break.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = self.command("git");
        succeed(git.args(args))
    }

    /// Makes the repository folder a git repository without commits.
    pub(crate) fn git_init(&self) {
        self.git(&["init", "--quiet", "--initial-branch=main"]);
    }

    /// Commits all that git does not ignore.
    pub(crate) fn commit_all(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--no-verify", "--message", message]);
    }
}

impl Nix {
    /// `nix` in the context's repository, with its environment and a store of its own.
    pub(crate) fn command(&self, context: &TestContext, args: &[&str]) -> Command {
        let mut command = context.command(&self.program);
        command.envs(self.environment(context)).args(args);
        command
    }

    /// The variables that tell it where its store and its settings are.
    pub(crate) fn environment(&self, context: &TestContext) -> Vec<(&'static str, String)> {
        let folder = |name: &str| context.root.join("nix").join(name).into_string();
        if self.in_chroot {
            return vec![("NIX_CONF_DIR", folder("conf")), ("NIX_REMOTE", format!("local?root={}", folder("chroot")))];
        }
        NIX_FOLDERS.map(|(name, path)| (name, folder(path))).into()
    }
}

/// Nix's folders, moved below the test's: so builds start from nothing, run at once, and leave nothing.
const NIX_FOLDERS: [(&str, &str); 4] =
    [("NIX_STORE_DIR", "store"), ("NIX_STATE_DIR", "state"), ("NIX_LOG_DIR", "log"), ("NIX_CONF_DIR", "conf")];

/// Runs a program that must succeed; its standard output without white space at the end.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", line(command), render(&output));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Runs a program that must fail; all its output.
#[track_caller]
pub(crate) fn fail(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}\n{}", line(command), render(&output));
    render(&output)
}

/// Copies what is in a folder, which holds no links, into another one, which is made.
#[track_caller]
pub(crate) fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    fs_extra::dir::copy(from, to, &fs_extra::dir::CopyOptions::new().content_only(true)).unwrap();
}

/// How a program ended and all that it said.
pub(crate) fn run(command: &mut Command) -> String {
    render(&command.output().unwrap())
}

/// The program and its arguments, without the environment.
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
    ]
    .map(|(regex, replacement)| (regex, replacement.to_owned()))
    .into()
}

/// Runs a command and compares exit code, stdout and stderr with an inline snapshot:
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
