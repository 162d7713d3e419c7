//! A container of a real runc: an image from a registry or a file, pulled by skopeo and unpacked by umoci. Its root is
//! read-only, its network is the machine's, and the stand-in's programs are shown as Nix's sandbox shows them.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use serde_json::{Value, json};

use super::{TestContext, succeed, tools};

/// The address that is asked. A server that listens on 127.0.0.1 alone, out of reach in a real container, is out of reach
/// here too.
const ADDRESS: &str = "127.0.0.2";

/// The programs that take and run images.
pub(crate) struct Programs {
    pub(crate) skopeo: Utf8PathBuf,
    umoci: Utf8PathBuf,
    runc: Utf8PathBuf,
}

impl Programs {
    /// Returns the programs, or records a skip.
    #[track_caller]
    pub(crate) fn find() -> Option<Self> {
        Some(Self { skopeo: tools::oci("skopeo")?, umoci: tools::oci("umoci")?, runc: tools::oci("runc")? })
    }

    /// Returns a skopeo command that trusts all images.
    pub(crate) fn skopeo(&self, context: &TestContext, args: &[&str]) -> Command {
        let mut command = context.command(&self.skopeo);
        command.arg("--insecure-policy").args(args);
        command
    }
}

/// A running container.
pub(crate) struct Container<'a> {
    process: Child,
    name: String,
    state: Utf8PathBuf,
    runc: &'a Utf8Path,
    context: &'a TestContext,
    pub(crate) port: u16,
    /// The configuration of the process, as umoci reads it from the image.
    pub(crate) settings: Value,
    log: Utf8PathBuf,
}

impl<'a> Container<'a> {
    /// Runs an image, such as `docker://127.0.0.1:5000/web:v1`, on a free port, with a read-only root.
    pub(crate) fn run(context: &'a TestContext, programs: &'a Programs, source: &str) -> Self {
        Self::run_with(context, programs, source, None)
    }

    /// Runs a command in an image, whose root can be written.
    pub(crate) fn run_command(
        context: &'a TestContext,
        programs: &'a Programs,
        source: &str,
        command: &[&str],
    ) -> Self {
        Self::run_with(context, programs, source, Some(command))
    }

    fn run_with(context: &'a TestContext, programs: &'a Programs, source: &str, command: Option<&[&str]>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let layout = context.folder(&format!("layout-{number}"));
        let bundle = context.folder(&format!("bundle-{number}"));
        let (target, image) = (format!("oci:{layout}:v1"), format!("{layout}:v1"));
        succeed(&mut programs.skopeo(context, &["copy", "--quiet", "--src-tls-verify=false", source, &target]));
        succeed(context.command(&programs.umoci).args(["unpack", "--image", &image, bundle.as_str()]));
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let settings = write_settings(&bundle, port, command);
        let (name, state) = (format!("splitter-{}-{number}", std::process::id()), context.folder("runc"));
        let mut command = context.command(&programs.runc);
        command.args(["--root", state.as_str(), "run", "--bundle", bundle.as_str(), &name]);
        let log_file = context.folder(&format!("container-{number}.log"));
        let log = fs::File::create(&log_file).unwrap().into_parts().0;
        let process = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Self { process, name, state, runc: &programs.runc, context, port, settings, log: log_file }
    }

    /// Asks for a path until the server answers, and returns the answer with its head.
    #[track_caller]
    pub(crate) fn ask(&mut self, path: &str) -> String {
        let start = Instant::now();
        loop {
            if let Ok(mut stream) = TcpStream::connect((ADDRESS, self.port)) {
                write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                return answer;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < Duration::from_mins(1), "no server: {ended:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Returns what the program printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends SIGTERM, and returns how long the server still listened.
    pub(crate) fn stop(mut self) -> Duration {
        succeed(&mut self.kill("TERM"));
        let start = Instant::now();
        while TcpStream::connect((ADDRESS, self.port)).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(10), "the server ignores SIGTERM");
            thread::sleep(Duration::from_millis(10));
        }
        let elapsed = start.elapsed();
        self.process.wait().unwrap();
        elapsed
    }

    fn kill(&self, signal: &str) -> Command {
        let mut command = self.context.command(self.runc);
        command.args(["--root", self.state.as_str(), "kill", &self.name, signal]);
        command
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = self.kill("KILL").output();
            let _ = self.process.wait();
        }
    }
}

/// Makes the network the machine's, and shows the programs that the stand-in links to. A command takes the place of the one
/// that the image starts, behind `tini --`; without one the root is read-only.
fn write_settings(bundle: &Utf8Path, port: u16, command: Option<&[&str]>) -> Value {
    let path = bundle.join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let settings = config["process"].clone();
    config["root"]["readonly"] = command.is_none().into();
    if let Some(command) = command {
        let args = config["process"]["args"].as_array_mut().unwrap();
        args.truncate(2);
        args.extend(command.iter().map(|word| Value::from(*word)));
    }
    config["process"]["terminal"] = false.into();
    config["process"]["rlimits"] = json!([]);
    let env = config["process"]["env"].as_array_mut().unwrap();
    env.retain(|variable| !variable.as_str().unwrap().starts_with("PORT="));
    env.push(format!("PORT={port}").into());
    config["linux"]["namespaces"].as_array_mut().unwrap().retain(|namespace| namespace["type"] != "network");
    let shown = tools::folders_of_programs();
    for folder in ["/usr", "/lib", "/lib64", "/bin", "/etc/ssl"].into_iter().chain(shown.split_whitespace()) {
        if Utf8Path::new(folder).exists() {
            let mount = json!({ "destination": folder, "source": folder, "type": "bind", "options": ["rbind", "ro"] });
            config["mounts"].as_array_mut().unwrap().push(mount);
        }
    }
    fs::write(&path, config.to_string()).unwrap();
    settings
}
