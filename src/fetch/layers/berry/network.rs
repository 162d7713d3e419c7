//! Proxies and certificates of `.yarnrc.yml`: its network settings, at the top level and by pattern of hosts.

use std::{cmp::Reverse, collections::BTreeMap};

use camino::{Utf8Path, Utf8PathBuf};
use globset::{Glob, GlobMatcher};

use super::expanded;
use crate::{
    fetch::{
        environment::Environment,
        layers::{
            file_path,
            transport::{ClientCertificate, Override, Proxy, Transport, Transports},
        },
    },
    managers::yarn::rc::{NetworkSettings, NpmSettings},
};

/// Merges proxies and certificates by priority. `networkSettings` come before the top level, longer patterns before
/// shorter ones.
pub(super) fn transports(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    environment: &Environment,
    variables: &Environment,
) -> Transports {
    let all: Vec<&NetworkSettings> = files.iter().map(|(_, npm)| &npm.network).collect();
    let text = |variable: &str, of: Of| {
        environment.get(variable).map(str::to_owned).or_else(|| strongest(&all, of, variables))
    };
    let file = |variable: &str, of: Of| text(variable, of).map(|file| file_path(root, &file, variables));
    let extra = environment.get("NODE_EXTRA_CA_CERTS").map(|path| file_path(root, path, environment));
    let identity = file("YARN_HTTPS_CERT_FILE_PATH", |of| &of.cert_file)
        .zip(file("YARN_HTTPS_KEY_FILE_PATH", |of| &of.key_file))
        .map(|(certificate, key)| ClientCertificate::Files { certificate, key });
    let base = Transport {
        cafiles: file("YARN_HTTPS_CA_FILE_PATH", |of| &of.ca_file).into_iter().chain(extra).collect(),
        identity,
        https_proxy: text("YARN_HTTPS_PROXY", |of| &of.https_proxy).map(Proxy),
        http_proxy: text("YARN_HTTP_PROXY", |of| &of.http_proxy).map(Proxy),
        ..Transport::default()
    };
    Transports { base, hosts: hosts(root, files, variables), identities: BTreeMap::new() }
}

type Of = fn(&NetworkSettings) -> &Option<String>;

fn strongest(all: &[&NetworkSettings], of: Of, variables: &Environment) -> Option<String> {
    let text = all.iter().find_map(|settings| of(settings).as_ref())?;
    expanded(text, variables).ok().filter(|text| !text.is_empty())
}

fn hosts(
    root: &Utf8Path,
    files: &[(Utf8PathBuf, NpmSettings)],
    variables: &Environment,
) -> Vec<(GlobMatcher, Override)> {
    let mut patterns: BTreeMap<&str, Vec<&NetworkSettings>> = BTreeMap::new();
    for (pattern, settings) in files.iter().flat_map(|(_, npm)| &npm.hosts) {
        patterns.entry(pattern).or_default().push(settings);
    }
    let mut patterns: Vec<_> = patterns.into_iter().collect();
    patterns.sort_by_key(|(pattern, _)| Reverse(pattern.len()));
    let settings_of = |(pattern, all): (&str, Vec<&NetworkSettings>)| {
        // Yarn also ignores an invalid pattern.
        let glob = Glob::new(pattern).ok()?.compile_matcher();
        let file = |of: Of| strongest(&all, of, variables).map(|file| file_path(root, &file, variables));
        let settings = Override {
            cafile: file(|of| &of.ca_file),
            certificate: file(|of| &of.cert_file),
            key: file(|of| &of.key_file),
            https_proxy: strongest(&all, |of| &of.https_proxy, variables).map(Proxy),
            http_proxy: strongest(&all, |of| &of.http_proxy, variables).map(Proxy),
        };
        Some((glob, settings))
    };
    patterns.into_iter().filter_map(settings_of).collect()
}
