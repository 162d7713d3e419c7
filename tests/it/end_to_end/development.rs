//! `nix run .#dev` and `nix run .#link`: real databases, apps that use them, and packages for people. process-compose is in no
//! registry; `tests/nix-stand-in/nixpkgs/process-compose.mjs` runs its configuration.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::outputs::own_flake;
use crate::support::{
    BUN_VERSIONS, Container, Monorepo, NixMonorepo, Programs, Registry, TestContext, YARN_VERSIONS, YarnMonorepo, fail,
    monorepo::packages, stand_in::system, succeed, tools,
};

/// A user that is not root: `PostgreSQL` refuses root.
const NOBODY: u32 = 65534;

/// The distance between the ports of two runs.
const OFFSET: u16 = 7;

/// Ports that are free now, and with them those of a second run. They are below those that the system gives to connections.
fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 12_000 + u16::try_from(std::process::id() % 1_000).unwrap() * 16;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let next = || start + NEXT.fetch_add(2 * OFFSET, Ordering::Relaxed);
    std::array::from_fn(|_| {
        let mut tried = std::iter::repeat_with(next);
        tried.find(|port| is_free(*port) && is_free(port + OFFSET)).unwrap()
    })
}

/// `dev` of a checkout, run by a user.
struct Dev<'a> {
    context: &'a TestContext,
    program: Utf8PathBuf,
    is_nobody: bool,
}

impl<'a> Dev<'a> {
    /// Runs it as root, or as the user of the tests.
    fn new(context: &'a TestContext, built: &Utf8Path) -> Self {
        Self { context, program: built.join("bin/dev"), is_nobody: false }
    }

    /// Runs it as a user that is not root. It may write the folder of the state alone.
    fn as_nobody(context: &'a TestContext, built: &Utf8Path) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let is_root = rustix::process::getuid().is_root();
        if is_root {
            let state = context.repo().join(".splitter");
            fs::create_dir(&state).unwrap();
            std::os::unix::fs::chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
            let open = std::fs::Permissions::from_mode(0o755);
            fs::set_permissions(context.repo().parent().unwrap(), open).unwrap();
        }
        Self { is_nobody: is_root, ..Self::new(context, built) }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = if self.is_nobody {
            let mut command = self.context.command("setpriv");
            let user = NOBODY.to_string();
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups", self.program.as_str()]);
            command
        } else {
            self.context.command(&self.program)
        };
        command.args(args);
        command
    }

    /// Starts everything, and waits until all is ready.
    #[track_caller]
    fn up(&self, args: &[&str]) -> Running<'_> {
        let log = self.context.folder("dev.log");
        let file = fs::File::create(&log).unwrap();
        let (out, err) = (Stdio::from(file.file().try_clone().unwrap()), Stdio::from(file.into_file()));
        let child = self.command(args).stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
        let mut running = Running { dev: self, child };
        let start = Instant::now();
        loop {
            let states = self.states();
            if !states.is_empty() && states.iter().all(|(_, state)| ["Ready", "Completed"].contains(&state.as_str())) {
                return running;
            }
            let ended = running.child.try_wait().unwrap();
            let text = || fs::read_to_string(&log).unwrap();
            assert!(ended.is_none() && start.elapsed() < Duration::from_mins(2), "{ended:?} {states:?} {}", text());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The processes and their states.
    fn states(&self) -> Vec<(String, String)> {
        let output = self.command(&["status"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let pair = |line: &str| {
            let mut words = line.split('\t').map(str::to_owned);
            Some((words.next()?, words.next()?))
        };
        text.lines().filter_map(pair).collect()
    }

    /// Runs a command that refuses, and returns its message.
    #[track_caller]
    fn refuses(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    }
}

/// A run of `dev`, which ends with the test.
struct Running<'a> {
    dev: &'a Dev<'a>,
    child: Child,
}

impl Running<'_> {
    /// Ends it by `dev down`.
    #[track_caller]
    fn down(mut self) {
        succeed(&mut self.dev.command(&["down"]));
        assert!(self.child.wait().unwrap().success());
    }

    /// Ends it by a signal.
    fn interrupt(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.interrupt();
        }
    }
}

/// Asks a server by HTTP, and returns the body.
#[track_caller]
fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("localhost", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map_or(answer.clone(), |(_, body)| body.to_owned())
}

fn add_shop(context: &TestContext, ports: [u16; 4]) {
    let [postgres, redis, shop, admin] = ports;
    let scripts = json!({ "start": "bun src/main.ts", "dev": "bun --watch src/main.ts" });
    let manifest = json!({ "name": "shop", "version": "1.0.0", "scripts": scripts });
    context.write("apps/shop/package.json", manifest.to_string());
    context.write("apps/shop/src/main.ts", include_str!("development/shop.ts"));
    context.write("db/goods.sql", "CREATE TABLE goods (name text);\nINSERT INTO goods VALUES ('lamp');\n");
    let environment = json!({
        "DATABASE_URL": "postgres://postgres@127.0.0.1:{port:postgres}/shop",
        "REDIS_URL": "redis://127.0.0.1:{port:redis}",
    });
    let settings = json!({
        "services": { "postgres": { "port": postgres, "databases": { "shop": "db/goods.sql" } }, "redis": { "port": redis } },
        "processes": {
            "shop": { "port": shop, "ready": "/health", "environment": environment },
            "admin": { "command": "exec bun apps/shop/src/main.ts", "port": admin, "dependsOn": ["shop"] },
        },
    });
    context.write("splitter.json", settings.to_string());
}

#[test]
fn e2e_an_app_uses_its_database_in_development_and_in_its_image() {
    let (Some(programs), Some(_), Some(_)) = (Programs::find(), tools::services(), tools::oci("redis-server")) else {
        return;
    };
    let ports = free_ports();
    let [postgres, redis, shop, _] = ports;
    let registry = Registry::start(packages());
    let monorepo = Monorepo::with_registry(BUN_VERSIONS[2], registry, |monorepo| add_shop(&monorepo.context, ports));
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    let env = format!(
        "splitter.apps.shop.image.env = {{ DATABASE_URL = \"postgres://postgres@127.0.0.1:{postgres}/shop\"; REDIS_URL = \"redis://127.0.0.1:{redis}\"; }};"
    );
    context.write("flake.nix", own_flake(&env));
    context.commit_all("choices");
    fs::create_dir(context.repo().join("node_modules")).unwrap();
    let dev = Dev::as_nobody(context, &nix.build("dev"));

    let running = dev.up(&[]);
    let answer = ask(shop, "/");
    let shell = format!(".#devShells.{}.default.nativeBuildInputs", system());
    let apply = "inputs: \"${builtins.head inputs}/bin/bun\"";
    let bun = succeed(&mut nix.nix(&["eval", "--raw", &shell, "--apply", apply]));
    assert_eq!(answer, format!("lamp 1 {bun}"));
    nix.build(&format!("checks.{}.dev-shell", system()));
    let again = dev.refuses(&[]);
    assert!(again.starts_with("error: it runs in this checkout already\nhint: "), "{again}");
    assert!(succeed(&mut dev.command(&["logs", "postgres"])).contains("ready to accept connections"));

    // The image has the same program, and another layer of files.
    let archive = context.folder("shop.tar");
    let script = nix.build("images.shop");
    let made = context.command(&script).stdout(fs::File::create(&archive).unwrap().into_file()).status();
    assert!(made.unwrap().success());
    let mut container = Container::run(context, &programs, &format!("docker-archive:{archive}"));
    let answer = container.ask("/");
    assert!(answer.ends_with(&format!("lamp 2 {bun}")), "{answer}");
    container.stop();
    running.down();
    assert!(TcpStream::connect(("127.0.0.1", postgres)).is_err(), "PostgreSQL still listens");

    // The data stays. A taken port is named, and an offset is a way out.
    let taken = TcpListener::bind(("127.0.0.1", shop)).unwrap();
    let refusal = dev.refuses(&["shop"]);
    assert!(refusal.starts_with(&format!("error: port {shop} of shop is taken")), "{refusal}");
    let running = dev.up(&["shop", "--port-offset", &OFFSET.to_string()]);
    assert_eq!(ask(shop + OFFSET, "/"), format!("lamp 3 {bun}"));
    let names: Vec<String> = dev.states().into_iter().map(|(name, _)| name).collect();
    assert!(!names.contains(&"admin".to_owned()) && names.len() == 5, "{names:?}");
    drop(taken);
    running.down();
    assert_eq!(context.git(&["status", "--porcelain"]), "");

    // Nix starts what the record says, so an edit without `update-hash` is refused. A comment is no edit.
    let settings = context.read("splitter.json");
    context.write("splitter.json", format!("// ports\n{}", settings.replace(&postgres.to_string(), "5999")));
    let refusal = dev.refuses(&[]);
    assert!(refusal.starts_with("error: `services` or `processes` in splitter.json changed"), "{refusal}");
    let refusal = fail(&mut context.splitter(&["dev", "up"]));
    assert!(refusal.contains("changed since nix/splitter/splitter.lock.json was written"), "{refusal}");
    context.write("splitter.json", format!("// ports\n{settings}"));
    let running = dev.up(&["redis"]);
    running.down();
}

fn add_office(context: &TestContext, ports: [u16; 5]) {
    let [mysql, redis, smtp, server, admin] = ports;
    let manifest = |path: &str, name: &str, dependencies: serde_json::Value| {
        let scripts = json!({ "start": "node main.mjs", "dev": "node --watch main.mjs" });
        let manifest = json!({ "name": name, "version": "1.0.0", "scripts": scripts, "dependencies": dependencies });
        context.write(path, manifest.to_string());
    };
    manifest("apps/server/package.json", "server", json!({ "@acme/shared-ui": "1.0.0" }));
    manifest("apps/admin/package.json", "admin", json!({ "@acme/shared-ui": "1.0.0" }));
    let shared = json!({ "name": "@acme/shared-ui", "version": "1.0.0", "exports": "./index.mjs", "type": "module" });
    context.write("apps/shared-ui/package.json", shared.to_string());
    context.write("apps/shared-ui/index.mjs", "export const title = 'office';\n");
    context.write("apps/server/main.mjs", include_str!("development/server.mjs"));
    context.write("apps/admin/main.mjs", include_str!("development/admin.mjs"));
    context.write("tools/smtp.mjs", include_str!("development/smtp.mjs"));
    context.write("nx.json", "{}\n");
    context.write("db/office.sql", "CREATE TABLE staff (name varchar(9));\nINSERT INTO staff VALUES ('Ada');\n");
    let environment = json!({ "MYSQL_PORT": "{port:mysql}", "REDIS_PORT": "{port:redis}", "SMTP_PORT": "{port:smtp}" });
    let settings = json!({
        "services": {
            "mysql": { "port": mysql, "databases": { "office": "db/office.sql" } },
            "redis": { "port": redis },
            "smtp": { "command": "exec node tools/smtp.mjs", "port": smtp },
        },
        "processes": {
            "server": { "port": server, "environment": environment },
            "admin": { "port": admin, "dependsOn": ["server"] },
        },
    });
    context.write("splitter.json", settings.to_string());
}

#[test]
fn e2e_a_fresh_clone_of_a_yarn_1_monorepo_runs_with_one_command() {
    let (Some(_), Some(_)) = (tools::oci("mariadbd"), tools::oci("redis-server")) else { return };
    let ports = free_ports();
    let [_, _, _, server, admin] = ports;
    let registry = Registry::start(packages());
    let edit = |monorepo: &mut YarnMonorepo| add_office(&monorepo.context, ports);
    let monorepo = YarnMonorepo::with_registry(YARN_VERSIONS[0], "node-modules", registry, edit);
    let Some(nix) = monorepo.and_then(NixMonorepo::of) else { return };
    let context = nix.context();
    assert!(!context.repo().join("node_modules").exists());
    let mut dev = Dev::new(context, &nix.build("dev"));
    // `dev` runs `nix run .#link`.
    let wrapper = context.folder("bin/nix");
    fs::create_dir(wrapper.parent().unwrap()).unwrap();
    fs::write(&wrapper, script_of(&nix.nix(&["run"]))).unwrap();
    succeed(context.command("chmod").args(["+x", wrapper.as_str()]));
    let start = context.folder("start");
    let path = format!("{}:{}", wrapper.parent().unwrap(), tools::search_path());
    fs::write(&start, format!("#!/bin/sh\nPATH={path}\nexport PATH\nexec {} \"$@\"\n", dev.program)).unwrap();
    succeed(context.command("chmod").args(["+x", start.as_str()]));
    dev.program = start;

    let mut running = dev.up(&[]);
    assert_eq!(ask(server, "/"), "office Ada 1 220 mail");
    assert_eq!(ask(admin, "/"), "office of admin");
    // Packages come from the store, and the workspace from the checkout.
    let linked = |path: &str| fs::read_link(context.repo().join(path)).unwrap().to_string_lossy().into_owned();
    assert!(linked("node_modules/bundler").contains("-node-modules/node_modules/bundler"));
    assert_eq!(linked("node_modules/@acme/shared-ui"), "../../apps/shared-ui");
    // A signal ends all of it, too.
    running.interrupt();
    assert!(TcpStream::connect(("127.0.0.1", server)).is_err(), "the server still listens");
    assert_eq!(context.git(&["status", "--porcelain"]), "");

    succeed(context.command(&wrapper).args(["run", ".#link", "--", "--undo"]));
    assert!(!context.repo().join("node_modules").exists());
}

/// A shell script that runs a `nix run` command with its variables, for other arguments.
fn script_of(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| splitter::shell::word(text.to_str().unwrap());
    let export = |(name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>)| {
        Some(format!("export {}={}", name.to_str().unwrap(), quoted(value?)))
    };
    let exports: Vec<_> = command.get_envs().filter_map(export).collect();
    let args: Vec<_> = command.get_args().map(quoted).collect();
    let program = quoted(command.get_program());
    format!("#!/bin/sh\n{}\nshift\nexec {program} {} \"$@\"\n", exports.join("\n"), args.join(" "))
}
