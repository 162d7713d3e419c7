//! An HTTPS proxy for hosts whose names are built into package managers: GitHub's archives, which come from the loopback
//! forge, and the Yarn 1 that later versions of Yarn download. The templates' own server does the encryption, in Node.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use camino::Utf8Path;

use super::{Forge, YARN_VERSIONS, yarn};

/// A running proxy. Dropping it ends the process.
pub(crate) struct SecureProxy {
    child: Child,
    url: String,
}

impl SecureProxy {
    /// Starts the proxy for a forge. If Yarn 1 is missing, records a skip and returns `None`.
    #[track_caller]
    pub(crate) fn start(forge: &Forge) -> Option<Self> {
        let classic = yarn(YARN_VERSIONS[0])?;
        let program = classic.parent().and_then(Utf8Path::parent).unwrap().join("lib/cli.js");
        let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new("node")
            .arg(root.join("tests/it/support/secure_proxy.mjs"))
            .args([forge.url().as_str(), program.as_str(), root.join("nix-templates/tools").as_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Some(Self { child, url: url.trim().to_owned() })
    }

    /// Returns the variables that make every Yarn use and trust the proxy.
    pub(crate) fn environment(&self, yarn: &str) -> Vec<(&'static str, String)> {
        let strict = if yarn.starts_with("1.") { "YARN_STRICT_SSL" } else { "YARN_ENABLE_STRICT_SSL" };
        vec![
            ("YARN_HTTPS_PROXY", self.url.clone()),
            (strict, "false".to_owned()),
            ("NODE_TLS_REJECT_UNAUTHORIZED", "0".to_owned()),
            ("NODE_NO_WARNINGS", "1".to_owned()),
        ]
    }
}

impl Drop for SecureProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
