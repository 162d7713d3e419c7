//! The registries that `.npmrc` and `.yarnrc` name.

use super::rc::ClassicRc;
use crate::{
    managers::{
        registries::{ProjectRegistries, RcEntry, RegistryError, fixed_url},
        yarn::rc::Setting,
    },
    names::YARNRC,
};

impl ProjectRegistries {
    pub(super) fn of_classic(npmrc: Option<&str>, rc: &ClassicRc) -> Result<Self, RegistryError> {
        let mut registries = Self::from_npmrc(npmrc.unwrap_or_default())?;
        let url = |key: String, setting: &Setting| fixed_url(YARNRC.into(), &RcEntry::of(key, setting));
        if let Some(setting) = rc.get("registry").filter(|_| !registries.names_default) {
            registries.default = url("registry".to_owned(), setting)?;
            registries.names_default = true;
        }
        for (scope, setting) in rc.scopes() {
            let url = url(format!("{scope}:registry"), setting)?;
            registries.scopes.entry(scope.to_owned()).or_insert(url);
        }
        Ok(registries)
    }
}
