//! The registries that `.yarnrc.yml` names.

use std::collections::BTreeMap;

use super::rc::BerryRc;
use crate::{
    managers::{
        registries::{ProjectRegistries, RcEntry, RegistryError, ReplaceHost, fixed_url, npm_default},
        yarn::rc::Setting,
    },
    names::YARNRC_YML,
};

impl ProjectRegistries {
    pub(super) fn of_berry(rc: &BerryRc) -> Result<Self, RegistryError> {
        let url = |key: String, setting: &Setting| fixed_url(YARNRC_YML.into(), &RcEntry::of(key, setting));
        let named = rc.npm.server.as_ref().map(|setting| url("npmRegistryServer".to_owned(), setting)).transpose()?;
        let mut scopes = BTreeMap::new();
        for (scope, settings) in &rc.npm.scopes {
            let key = format!("npmScopes.{}.npmRegistryServer", &scope[1..]);
            // Without `npmRegistryServer`, Yarn uses its own default for the scope, whatever the top level says (tested
            // with 3.8 and 4.18).
            let server = settings.server.as_ref().map_or_else(npm_default, |setting| url(key, setting))?;
            scopes.insert(scope.clone(), server);
        }
        let names_default = named.is_some();
        let default = named.map_or_else(npm_default, Ok)?;
        Ok(Self { default, scopes, names_default, replace_host: ReplaceHost::default() })
    }
}
