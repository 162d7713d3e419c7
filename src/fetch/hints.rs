//! Hints for requests that a registry or a proxy refuses. Each names the settings file of the package manager in use.

use super::credentials::Access;
use crate::{
    lockfile::Format,
    managers::{ManagerName, Remedies},
};

/// Returns the hint for a status that `host` answered, if any. `host` includes the port, because credentials are
/// bound to it. A package without a scope cannot have a registry of its own.
pub(super) fn for_answer(status: u16, access: &Access, format: Format, host: &str, is_scoped: bool) -> Option<String> {
    let Remedies { files, scope, token, .. } = remedies(format);
    match (status, access) {
        (401 | 403, Access::Credentials) => Some(format!(
            "check the credentials in {files}: `{host}` refused them; they may have expired, or may not read this \
             package"
        )),
        (401 | 403, Access::Unset(variable)) => {
            Some(format!("set `{variable}`: {files} reads the credentials for `{host}` from it"))
        }
        (401 | 403, Access::Anonymous) => Some(format!("add a token for `{host}` to {}", token(host))),
        (407, _) => Some(for_proxy()),
        (404, Access::Credentials) => Some(format!(
            "check that `{host}` has this package and this version, and that your credentials may read it; or lock another version"
        )),
        (404, _) if !is_scoped => Some(format!(
            "check that `{host}` has this package and this version, or lock another version; if the package is private, set \
             the registry in {files} and add a token"
        )),
        (404, _) => Some(format!(
            "check that `{host}` has this package; if it is private, set the registry of its scope ({scope}) and add a \
             token"
        )),
        _ => None,
    }
}

/// Returns the hint for a proxy that refuses the request.
pub(super) fn for_proxy() -> String {
    "set a valid user name and password for the proxy: HTTPS_PROXY=http://user:password@host:port".to_owned()
}

/// Returns the hint for a host that requires a client certificate.
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
        let hint =
            |status, access: &Access, format| for_answer(status, access, format, "r.example:8080", true).unwrap();
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
        assert_eq!(for_answer(500, &Access::Anonymous, Format::Bun(1), "r.example", true), None);
        let unscoped = for_answer(404, &Access::Anonymous, Format::Bun(1), "r.example", false).unwrap();
        assert!(unscoped.contains("or lock another version") && !unscoped.contains("scope"), "{unscoped}");
    }
}
