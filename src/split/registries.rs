//! placeholder
use std::collections::BTreeMap;
use url::Url;
/// r
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRegistries {
    default: Url,
    scopes: BTreeMap<String, Url>,
}
impl ProjectRegistries {
    /// n
    pub fn new(mut url: Url) -> Self {
        if !url.path().ends_with('/') {
            let p = format!("{}/", url.path());
            url.set_path(&p);
        }
        Self { default: url, scopes: BTreeMap::new() }
    }
    /// d
    pub fn default_registry(&self) -> &Url {
        &self.default
    }
    /// r
    pub fn registry_for(&self, package: &str) -> &Url {
        package.split_once('/').and_then(|(scope, _)| self.scopes.get(scope)).unwrap_or(&self.default)
    }
    /// The tarball of a version.
    pub fn tarball(&self, name: &str, version: &str) -> Url {
        let mut url = self.registry_for(name).clone();
        let path = format!("{}{name}/-/{}-{version}.tgz", url.path(), super::dependencies::base_name(name));
        url.set_path(&path);
        url
    }
}
/// read
pub fn read(_tree: &dyn crate::repo::Tree) -> Result<ProjectRegistries, super::SplitError> {
    Ok(ProjectRegistries::new(
        Url::parse(npmrc_config_rs::registry::DEFAULT_REGISTRY).map_err(|_| super::SplitError::NoLockfile)?,
    ))
}
