//! The places where the commands of a page run: a repository, a registry and programs. A page is a story: its commands run one
//! after the other in the same place.

use std::{
    os::unix::fs::symlink,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::sample;
use crate::support::{
    BUN_VERSIONS, Monorepo, NixMonorepo, OciRegistry, Registry, TestContext, bun, copy_folder,
    monorepo::packages,
    stand_in::{INPUTS, system},
    succeed, tools,
    web_cache::WebCache,
};

/// The scenes: `empty` is a folder without files, `sample` is the repository of `splitter demo DIR`, `acme` is a repository
/// after `splitter init` with a real Nix.
pub(super) const NAMES: [&str; 3] = ["empty", "sample", "acme"];

/// What a command may take.
const LIMIT: Duration = Duration::from_mins(3);

/// The output of a command, with its exit code if it ended.
pub(super) struct Answer {
    pub(super) code: Option<i32>,
    pub(super) lines: Vec<String>,
}

/// A place for the commands of a page.
pub(super) struct Scene {
    owner: Owner,
    /// More variables than those of the context.
    env: Vec<(&'static str, String)>,
    /// Where the next command runs.
    folder: Utf8PathBuf,
    /// What a page says, and what it is in this test: services and folders.
    names: Vec<(String, String)>,
}

enum Owner {
    Empty(TestContext),
    Sample(TestContext, Registry),
    Acme(Box<Acme>),
}

/// A repository after `splitter init`, a Nix with a store of its own, and the services of a team.
struct Acme {
    nix: NixMonorepo,
    /// `https://cache.example.org` in pages.
    cache: WebCache,
    /// `registry.example` in pages.
    images: OciRegistry,
}

impl Scene {
    /// Sets up a scene. If a tool is missing, records a skip and returns `None`.
    #[track_caller]
    pub(super) fn of(name: &str) -> Option<Self> {
        let bun = bun(BUN_VERSIONS[2])?;
        let (owner, env) = match name {
            "sample" => sample_repository(),
            "acme" => {
                let (acme, env) = Acme::start()?;
                (Owner::Acme(Box::new(acme)), env)
            }
            _ => (Owner::Empty(TestContext::new()), Vec::new()),
        };
        let mut scene = Self { folder: Utf8PathBuf::new(), owner, env, names: Vec::new() };
        scene.folder = scene.context().repo();
        scene.names = scene.names();
        scene.install(&bun);
        Some(scene)
    }

    pub(super) fn context(&self) -> &TestContext {
        match &self.owner {
            Owner::Empty(context) | Owner::Sample(context, _) => context,
            Owner::Acme(acme) => acme.nix.context(),
        }
    }

    /// Puts the programs that pages name in front of the `PATH`.
    fn install(&mut self, bun: &Utf8Path) {
        let bin = self.context().folder("bin");
        fs::create_dir_all(&bin).unwrap();
        let link = |program: &Utf8Path, name: &str| symlink(program, bin.join(name)).unwrap();
        link(Utf8Path::new(env!("CARGO_BIN_EXE_splitter")), "splitter");
        match &self.owner {
            Owner::Empty(_) => link(bun, "bun"),
            Owner::Sample(_, registry) => self.write(&bin, "bun", &bun_of_the_default_registry(bun, registry)),
            Owner::Acme(acme) => {
                let nix = &acme.nix;
                link(bun, "bun");
                self.write(&bin, "nix", &nix_with_stand_ins(nix));
                for name in ["nix-store", "nix-build"] {
                    link(&nix.nix.program.with_file_name(name), name);
                }
            }
        }
        self.env.push(("PATH", format!("{bin}:{}", crate::support::tools::search_path())));
    }

    /// Writes a program. The shell does it, because a file that this process has open for writing cannot be executed.
    fn write(&self, bin: &Utf8Path, name: &str, script: &str) {
        fs::write(bin.join("script"), script).unwrap();
        let line = format!("cat script > {name} && chmod 755 {name} && rm script");
        succeed(self.context().command("sh").args(["-c", &line]).current_dir(bin));
    }

    /// Lets programs print colours from now on.
    pub(super) fn show_colours(&mut self) {
        self.env.push(("CLICOLOR_FORCE", "1".to_owned()));
    }

    /// Starts again for the next page: the repository, the settings and the cache as they were, and a home folder without state.
    /// The store keeps its builds.
    pub(super) fn reset(&mut self) {
        let context = self.context();
        context.git(&["reset", "--quiet", "--hard", "start"]);
        context.git(&["clean", "-fdxq"]);
        context.git(&["checkout", "--quiet", "-B", "main"]);
        let _ = fs::remove_dir_all(context.home().join(".local"));
        if let Owner::Acme(acme) = &self.owner {
            acme.reset();
        }
        self.folder = self.context().repo();
    }

    /// Returns what pages say for the services and folders of the test. The first that matches counts.
    fn names(&self) -> Vec<(String, String)> {
        let context = self.context();
        let pair = |page: &str, test: String| (page.to_owned(), test);
        let mut names =
            vec![pair("/home/me/acme", context.repo().into_string()), pair("/home/me", context.home().into_string())];
        if let Owner::Sample(_, registry) = &self.owner {
            names.push(pair("https://npm.acme.example/", registry.url()));
        }
        if let Owner::Acme(acme) = &self.owner {
            names.push(pair("/nix/store", context.folder("nix/store").into_string()));
            names.push(pair("/etc/nix", context.folder("nix/conf").into_string()));
            names.push(pair("https://cache.example.org", acme.cache.url()));
            names.push(pair("registry.example", acme.images.name()));
            names.push(pair("x86_64-linux", system()));
            names.push(pair(
                "linux/amd64",
                system().replace("x86_64-linux", "linux/amd64").replace("aarch64-linux", "linux/arm64"),
            ));
        }
        names
    }

    /// Runs a command in Bash, as a reader does in one shell.
    pub(super) fn run(&mut self, command: &str) -> Answer {
        let (output, state) = (self.context().folder("output"), self.context().folder("folder"));
        let file = fs::File::create(&output).unwrap().into_parts().0;
        let command = self.names.iter().fold(command.to_owned(), |line, (page, test)| line.replace(page, test));
        let script = format!("{command}\ncode=$?\npwd -P > '{state}'\nexit $code");
        let mut bash = self.context().command("bash");
        bash.args(["--noprofile", "--norc", "-c", &script]).current_dir(&self.folder);
        bash.envs(self.env.iter().map(|(name, value)| (*name, value)));
        bash.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = bash.spawn().unwrap();
        let start = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.code();
            }
            if start.elapsed() > LIMIT {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            thread::sleep(Duration::from_millis(5));
        };
        if let Ok(folder) = fs::read_to_string(state) {
            self.folder = folder.trim_end().into();
        }
        let text = String::from_utf8_lossy(&fs::read(output).unwrap()).into_owned();
        Answer { code, lines: self.as_readers_see(&text) }
    }

    /// Replaces the folders and services of the test by those of a reader.
    fn as_readers_see(&self, text: &str) -> Vec<String> {
        let text = self.names.iter().fold(text.to_owned(), |text, (page, test)| text.replace(test, page));
        text.lines().map(str::to_owned).collect()
    }
}

impl Acme {
    #[track_caller]
    fn start() -> Option<(Self, Vec<(&'static str, String)>)> {
        tools::oci("tini-static")?;
        let registry = Registry::start(packages());
        let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| {
            for app in ["api", "web"] {
                monorepo.context.edit_manifest(&format!("apps/{app}/package.json"), |manifest| {
                    manifest["scripts"]["start"] = "node dist/index.js".into();
                });
            }
        });
        let nix = NixMonorepo::of(monorepo?)?;
        let context = nix.context();
        context.git(&["tag", "start"]);
        fs::copy(context.folder("nix/conf/nix.conf"), context.folder("nix.conf")).unwrap();
        let mut env = nix.nix.environment(context);
        env.push(("NIX_PATH", format!("nixpkgs={}", context.folder("stand-in/nixpkgs"))));
        env.push(("SPLITTER_CACHE_KEY_FILE", context.home().join("cache-key").into_string()));
        let acme = Self { cache: WebCache::start(context)?, images: OciRegistry::start(), nix };
        acme.reset();
        Some((acme, env))
    }

    /// Empties the binary cache, and restores the settings of Nix.
    fn reset(&self) {
        let context = self.nix.context();
        let files = context.folder("web-cache/files");
        fs::remove_dir_all(&files).unwrap();
        fs::create_dir(&files).unwrap();
        fs::write(files.join("nix-cache-info"), format!("StoreDir: {}\n", context.folder("nix/store"))).unwrap();
        fs::copy(context.folder("nix.conf"), context.folder("nix/conf/nix.conf")).unwrap();
        // Nix remembers what the cache lacked.
        let remembered = context.home().join(".cache/nix");
        for entry in remembered.read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
            if entry.file_name().starts_with("binary-cache") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

/// Returns the repository of `splitter demo DIR` with a lockfile for packages of a loopback registry.
fn sample_repository() -> (Owner, Vec<(&'static str, String)>) {
    let mut context = TestContext::new();
    let registry = Registry::start(sample::packages());
    context.use_registry(&registry);
    let fixtures = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    for layer in ["common", "bun"] {
        copy_folder(&fixtures.join(layer), &context.repo());
    }
    sample::lock(&context.repo());
    context.git_init();
    context.commit_all("the sample");
    context.git(&["tag", "start"]);
    (Owner::Sample(context, registry), Vec::new())
}

/// Returns a program that is Bun. It writes no URLs of the loopback registry into the lockfile, as for the default registry.
fn bun_of_the_default_registry(bun: &Utf8Path, registry: &Registry) -> String {
    let url = registry.url();
    format!(
        "#!/bin/sh\n'{bun}' \"$@\"\ncode=$?\nlock=$(git rev-parse --show-toplevel)/bun.lock\n\
         sed 's|\"{url}[^\"]*\"|\"\"|' \"$lock\" > \"$lock.new\" && mv \"$lock.new\" \"$lock\"\nexit $code\n"
    )
}

/// Returns a program that is Nix, with the stand-ins as inputs of the flake.
fn nix_with_stand_ins(nix: &NixMonorepo) -> String {
    let context = nix.context();
    let (program, flake) = (&nix.nix.program, context.repo().join("flake.nix"));
    let input = |input: &str| {
        let folder = context.folder("stand-in").join(input);
        format!("grep -q {input} '{flake}' 2>/dev/null && inputs=\"$inputs --override-input {input} path:{folder}\"\n")
    };
    let inputs = INPUTS.map(input).concat();
    format!(
        "#!/bin/sh\ninputs=--no-write-lock-file\n{inputs}\
         [ \"$1\" = --extra-experimental-features ] && shift 2\n\
         case \"$1 $2\" in\n\
         'flake archive' | 'flake metadata' | 'derivation show') verb=\"$1 $2\" && shift 2 ;;\n\
         build* | run* | develop* | eval* | log* | path-info*) verb=$1 && shift ;;\n\
         *) exec '{program}' \"$@\" ;;\n\
         esac\n\
         exec '{program}' $verb $inputs \"$@\"\n"
    )
}
