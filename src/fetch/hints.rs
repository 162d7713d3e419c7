//! What to do about a registry that refuses or lacks something: in which file of the package manager in use.

use super::credentials::Access;
use crate::{
    lockfile::Format,
    managers::{ManagerName, Remedies},
};

/// The hint for an answer of `host` (with its port: no other port gets the credentials), where there is one.
pub(super) fn for_answer(status: u16, access: &Access, format: Format, host: &str) -> Option<String> {
    let Remedies { files, scope, token, .. } = remedies(format);
    match (status, access) {
        (401 | 403, Access::Credentials) => Some(format!(
            "the credentials for `{host}` were refused: check the token in {files} (has it expired, may it read this \
             package?)"
        )),
        (401 | 403, Access::Unset(variable)) => {
            Some(format!("set `{variable}`: {files} takes the credentials for `{host}` from it"))
        }
        (401 | 403, Access::Anonymous) => Some(format!("add the token of `{host}` to {}", token(host))),
        (407, _) => Some(for_proxy()),
        (404, Access::Credentials) => Some(format!("`{host}` does not have it, or hides it from this token")),
        (404, _) => Some(format!(
            "`{host}` does not have it, or it is private: set the registry of its scope ({scope}) and a token"
        )),
        _ => None,
    }
}

/// What to do about a proxy that refuses us.
pub(super) fn for_proxy() -> String {
    "the proxy wants a user name and a password, or others: HTTPS_PROXY=http://user:password@host:port".to_owned()
}

/// What to do about a host that wants a client certificate.
pub(super) fn for_client_certificate(format: Format, host: &str) -> String {
    (remedies(format).certificate)(host)
}

fn remedies(format: Format) -> Remedies {
    ManagerName::from(format).manager().remedies()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_manager_has_files_of_its_own() {
        let hint = |status, access: &Access, format| for_answer(status, access, format, "r.example:8080").unwrap();
        for format in [Format::Bun(1), Format::YarnClassic] {
            let text = hint(401, &Access::Anonymous, format);
            assert!(text.contains("//r.example:8080/:_authToken=${NPM_TOKEN}"), "{text}");
        }
        for (status, access) in [
            (401, Access::Anonymous),
            (403, Access::Credentials),
            (401, Access::Unset("TOKEN".to_owned())),
            (404, Access::Anonymous),
        ] {
            let text = hint(status, &access, Format::YarnBerry(8));
            assert!(text.contains(".yarnrc.yml") && !text.contains("npmrc "), "{text}");
            assert!(!hint(status, &access, Format::YarnClassic).contains("bunfig"));
        }
        assert_eq!(for_answer(500, &Access::Anonymous, Format::Bun(1), "r.example"), None);
    }
}
