//! The registries that `.npmrc` and `bunfig.toml` name.

use url::Url;

use super::bunfig::{BunRegistry, Bunfig};
use crate::{
    managers::registries::{ProjectRegistries, RcEntry, RegistryError, fixed_url},
    names::BUNFIG,
};

impl ProjectRegistries {
    /// Reads the texts of the repository's root `.npmrc` and `bunfig.toml`. Each may be missing.
    pub fn of_bun(npmrc: Option<&str>, bunfig: Option<&str>) -> Result<Self, RegistryError> {
        let bunfig = bunfig.map(|text| Bunfig::read(BUNFIG.into(), text)).transpose()?.unwrap_or_default();
        let mut registries = Self::from_npmrc(npmrc.unwrap_or_default())?;
        if let Some(url) = fixed_bun_url("install.registry", bunfig.registry.as_ref())? {
            registries.default = url;
            registries.names_default = true;
        }
        for (scope, registry) in &bunfig.scopes {
            if let Some(url) = fixed_bun_url(&format!("install.scopes.{scope}"), Some(registry))? {
                registries.scopes.insert(scope.clone(), url);
            }
        }
        Ok(registries)
    }
}

fn fixed_bun_url(key: &str, registry: Option<&BunRegistry>) -> Result<Option<Url>, RegistryError> {
    let Some(value) = registry.and_then(|registry| registry.url.clone()) else { return Ok(None) };
    fixed_url(BUNFIG.into(), &RcEntry { key: key.to_owned(), value, position: None }).map(Some)
}
