//! Credential helpers: programs that hold credentials, by Docker's protocol.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{Credential, CredentialsError};
use crate::{
    ending::{Child, read_all},
    fetch::Environment,
};

/// How long a helper may take. It may ask a person, but not forever.
const TIME: Duration = Duration::from_mins(1);
/// The user name that marks the secret of a helper as a token.
const TOKEN_USER: &str = "<token>";

/// Asks a helper by Docker's protocol: the key on stdin, JSON on stdout.
pub(super) fn ask(name: &str, key: &str, environment: &Environment) -> Result<Option<Credential>, CredentialsError> {
    let program = format!("docker-credential-{name}");
    let failed = |why: &str| CredentialsError::Helper { program: program.clone(), why: why.to_owned() };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if !name.chars().all(is_plain) {
        return Err(failed("expected a name of letters, digits, `.`, `_` and `-`"));
    }
    let found = which::which_in(&program, environment.get("PATH"), std::env::current_dir().unwrap_or_default());
    let found = found.map_err(|_| failed("not found"))?;
    let mut command = Command::new(found);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Child::spawn(&mut command).map_err(|error| failed(&error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input still answers, or fails.
        let _ = writeln!(stdin, "{key}");
    }
    let (sender, answer) = mpsc::channel();
    let stdout = child.stdout.take();
    let reader = thread::Builder::new().spawn(move || sender.send(read_all(stdout)));
    reader.map_err(|error| failed(&error.to_string()))?;
    let Ok(Ok(stdout)) = answer.recv_timeout(TIME) else {
        child.kill();
        let _ = child.wait();
        return Err(failed("it did not answer within a minute"));
    };
    let status = child.wait().map_err(|error| failed(&error.to_string()))?;
    if !status.success() {
        let is_unknown = String::from_utf8_lossy(&stdout).to_lowercase().contains("credentials not found");
        return if is_unknown { Ok(None) } else { Err(failed(&status.to_string())) };
    }
    of_helper(&stdout).map(Some).ok_or_else(|| failed("expected JSON with `Username` and `Secret`"))
}

fn of_helper(stdout: &[u8]) -> Option<Credential> {
    let answer: Value = serde_json::from_slice(stdout).ok()?;
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    let (user, secret) = (text("Username")?, text("Secret")?);
    Some(if user == TOKEN_USER { Credential::Identity(secret) } else { Credential::Basic { user, password: secret } })
}

#[cfg(test)]
mod tests {
    use fs_err as fs;
    use proptest::prelude::*;

    use super::*;

    fn basic(user: &str, password: &str) -> Credential {
        Credential::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[test]
    fn a_helper_is_a_program_that_answers_in_json() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let helper = |name: &str, script: &str| {
            let path = folder.path().join(format!("docker-credential-{name}"));
            fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        helper("good", r#"read key; echo "{\"ServerURL\":\"$key\",\"Username\":\"$1\",\"Secret\":\"$key\"}""#);
        helper("token", r#"echo '{"Username":"<token>","Secret":"t"}'"#);
        helper("none", "echo 'credentials not found in native keychain'; exit 1");
        helper("bad", "echo hunter2; echo hunter2 >&2; exit 3");
        helper("odd", "echo hunter2");
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let environment = Environment::from_pairs([("PATH", path.as_str())]);
        let asked = |name: &str| ask(name, "r.example", &environment).map_err(|error| error.to_string());
        assert_eq!(asked("good"), Ok(Some(basic("get", "r.example"))));
        assert_eq!(asked("token"), Ok(Some(Credential::Identity("t".to_owned()))));
        assert_eq!(asked("none"), Ok(None));
        for (name, why) in
            [("bad", "exit status: 3"), ("odd", "expected JSON"), ("missing", "not found"), ("../x", "a name")]
        {
            let error = asked(name).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = of_helper(text.as_bytes());
        }
    }
}
