//! A real nginx as a binary cache: it serves a folder, takes PUT, and has folders with faults.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{TestContext, tools};

/// An nginx on a loopback port.
pub(crate) struct WebCache {
    process: Child,
    port: u16,
    folder: Utf8PathBuf,
}

impl WebCache {
    /// Starts nginx on an empty cache for `/nix/store`, or records a skip. `/STATUS/` is the same cache, but it answers each
    /// narinfo with that status.
    #[track_caller]
    pub(crate) fn start(context: &TestContext) -> Option<Self> {
        let nginx = tools::oci("nginx")?;
        let folder = context.folder("web-cache");
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        for sub in ["files", "temp"] {
            fs::create_dir_all(folder.join(sub)).unwrap();
        }
        let faults: Vec<String> = [401, 429, 500]
            .iter()
            .map(|status| {
                format!(
                    "location = /{status}/nix-cache-info {{ alias {folder}/files/nix-cache-info; }}\n\
                     location /{status}/ {{ add_header Retry-After 0 always; return {status}; }}\n"
                )
            })
            .collect();
        let temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temp: String = temp.iter().map(|kind| format!("{kind}_temp_path {folder}/temp/{kind};\n")).collect();
        let config = format!(
            "daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; user root;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log {folder}/access.log; {temp} client_max_body_size 0;\n\
             server {{ listen 127.0.0.1:{port}; root {folder}/files;\n\
             location / {{ dav_methods PUT; create_full_put_path on; }}\n{} }} }}\n",
            faults.concat()
        );
        fs::write(folder.join("nginx.conf"), config).unwrap();
        fs::write(folder.join("files/nix-cache-info"), "StoreDir: /nix/store\n").unwrap();
        let mut serve = context.command(&nginx);
        serve.args(["-c", folder.join("nginx.conf").as_str(), "-e", folder.join("error.log").as_str()]);
        let process = serve.stdin(Stdio::null()).spawn().unwrap();
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "nginx does not start");
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, port, folder })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns the folder that it serves.
    pub(crate) fn files(&self) -> Utf8PathBuf {
        self.folder.join("files")
    }

    /// Returns the methods and paths of the requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        let log = self.folder.join("access.log");
        let text = fs::read_to_string(&log).unwrap_or_default();
        fs::write(&log, "").unwrap();
        text.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
    }

    /// Returns the narinfo of the path with this name.
    pub(crate) fn narinfo(&self, name: &str) -> Utf8PathBuf {
        let is_it = |path: &Utf8PathBuf| {
            let text = fs::read_to_string(path).unwrap();
            text.lines().next().is_some_and(|line| line.contains(name))
        };
        let narinfos = self.files().read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
        let mut narinfos = narinfos.filter(|path| path.extension() == Some("narinfo"));
        narinfos.find(is_it).unwrap_or_else(|| panic!("no narinfo of {name}"))
    }

    /// Edits a file of the cache.
    pub(crate) fn edit(path: &Utf8Path, edit: impl FnOnce(&str) -> String) {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, edit(&text)).unwrap();
    }
}

impl Drop for WebCache {
    fn drop(&mut self) {
        // The master process ends its worker only when it is asked to.
        let _ = std::process::Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}
