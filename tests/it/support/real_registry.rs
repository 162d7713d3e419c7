//! The registry of the Docker project, from Debian's package `docker-registry`.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::TestContext;

/// A real registry on a loopback port, with a log of its requests.
pub(crate) struct RealRegistry {
    process: Child,
    port: u16,
    log: Utf8PathBuf,
}

impl RealRegistry {
    pub(crate) fn start(context: &TestContext, program: &Utf8Path) -> Self {
        Self::start_with(context, program, "", "")
    }

    /// Starts a registry with more settings: of `http`, and at the top.
    pub(crate) fn start_with(context: &TestContext, program: &Utf8Path, http: &str, more: &str) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let folder = context.folder("registry");
        fs::create_dir(&folder).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage: {{ filesystem: {{ rootdirectory: {folder}/data }} }}\n\
             http: {{ addr: \"127.0.0.1:{port}\"{http} }}\n{more}"
        );
        fs::write(folder.join("config.yml"), config).unwrap();
        let log = folder.join("log");
        let out = fs::File::create(&log).unwrap().into_parts().0;
        let mut serve = context.command(program);
        serve.args(["serve", folder.join("config.yml").as_str()]).stdin(Stdio::null());
        let process = serve.stderr(out.try_clone().unwrap()).stdout(out).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the registry does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Self { process, port, log }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn name(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Counts the uploads in the log so far.
    pub(crate) fn uploads(&self) -> usize {
        // The log is written after the answer.
        thread::sleep(Duration::from_millis(200));
        fs::read_to_string(&self.log).unwrap().matches("\"PUT /v2/").count()
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
