//! Proxies, trusted certificates and client certificates of each host.
//!
//! Package managers set these for all hosts, for hosts that match a pattern (`networkSettings` of Yarn 2 and later), or
//! for URLs below a prefix (`certfile` of npm). So each URL has its own transport, but most are equal.

use std::{collections::BTreeMap, fmt};

use camino::Utf8PathBuf;
use globset::GlobMatcher;
use url::Url;

use crate::fetch::{credentials::keys_of, fields::Fields};

/// How to reach a host, in addition to the system's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::fetch) struct Transport {
    /// Files of trusted certificates, in addition to the system's.
    pub(in crate::fetch) cafiles: Vec<Utf8PathBuf>,
    /// Trusted certificates as PEM text.
    pub(in crate::fetch) authorities: Vec<String>,
    /// The client certificate.
    pub(in crate::fetch) identity: Option<ClientCertificate>,
    /// The proxy for `https:` URLs. Without one, the system's variables apply.
    pub(in crate::fetch) https_proxy: Option<Proxy>,
    /// The proxy for `http:` URLs.
    pub(in crate::fetch) http_proxy: Option<Proxy>,
    /// The hosts to reach without a proxy.
    pub(in crate::fetch) no_proxy: Option<String>,
}

impl Transport {
    fn describe(&self, fields: &mut Fields) {
        let Self { cafiles, authorities, identity, https_proxy, http_proxy, no_proxy } = self;
        for path in cafiles {
            fields.text("cafile");
            fields.file(path);
        }
        for text in authorities {
            fields.text("authority");
            fields.text(text);
        }
        if let Some(certificate) = identity {
            fields.text("identity");
            certificate.describe(fields);
        }
        describe_proxies(https_proxy.as_ref(), http_proxy.as_ref(), fields);
        if let Some(hosts) = no_proxy {
            fields.text("no proxy");
            fields.text(hosts);
        }
    }
}

fn describe_proxies(https: Option<&Proxy>, http: Option<&Proxy>, fields: &mut Fields) {
    for (kind, proxy) in [("https proxy", https), ("http proxy", http)] {
        if let Some(Proxy(url)) = proxy {
            fields.text(kind);
            fields.proxy(url);
        }
    }
}

/// The URL of a proxy. It may contain a password.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::fetch) struct Proxy(pub(in crate::fetch) String);

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A certificate and its private key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::fetch) enum ClientCertificate {
    /// Files in PEM.
    Files {
        /// The certificate, with its intermediate certificates.
        certificate: Utf8PathBuf,
        /// The private key.
        key: Utf8PathBuf,
    },
    /// The certificate and the key as one text.
    Pem(String),
}

impl ClientCertificate {
    fn describe(&self, fields: &mut Fields) {
        match self {
            Self::Files { certificate, key } => {
                fields.file(certificate);
                fields.text(key.as_str());
            }
            Self::Pem(text) => fields.text(text),
        }
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The transports of all hosts.
#[derive(Debug, Clone, Default)]
pub(in crate::fetch) struct Transports {
    /// The default.
    pub(super) base: Transport,
    /// Overrides by host name pattern, the longest first, as in Yarn 2 and later.
    pub(super) hosts: Vec<(GlobMatcher, Override)>,
    /// Client certificates by nerf dart, as in npm.
    pub(super) identities: BTreeMap<String, ClientCertificate>,
}

/// Settings of the hosts that match a pattern.
#[derive(Debug, Clone, Default)]
pub(super) struct Override {
    pub(super) cafile: Option<Utf8PathBuf>,
    pub(super) certificate: Option<Utf8PathBuf>,
    pub(super) key: Option<Utf8PathBuf>,
    pub(super) https_proxy: Option<Proxy>,
    pub(super) http_proxy: Option<Proxy>,
}

impl Override {
    fn describe(&self, fields: &mut Fields) {
        let Self { cafile, certificate, key, https_proxy, http_proxy } = self;
        for (kind, path) in [("cafile", cafile), ("certificate", certificate)] {
            if let Some(path) = path {
                fields.text(kind);
                fields.file(path);
            }
        }
        if let Some(path) = key {
            fields.text("key");
            fields.text(path.as_str());
        }
        describe_proxies(https_proxy.as_ref(), http_proxy.as_ref(), fields);
    }
}

impl Transports {
    /// Adds every setting to a digest. Equal digests mean the same proxies and the same trusted certificates.
    pub(in crate::fetch) fn describe(&self, fields: &mut Fields) {
        let Self { base, hosts, identities } = self;
        base.describe(fields);
        for (glob, settings) in hosts {
            fields.text("host");
            fields.text(glob.glob().glob());
            settings.describe(fields);
        }
        for (key, certificate) in identities {
            fields.text("identity");
            fields.text(key);
            certificate.describe(fields);
        }
    }

    /// Returns the transport of a URL.
    pub(in crate::fetch) fn for_url(&self, url: &Url) -> Transport {
        let mut transport = self.base.clone();
        let host = url.host_str().unwrap_or_default();
        let matching: Vec<_> = self.hosts.iter().filter(|(glob, _)| glob.is_match(host)).map(|(_, of)| of).collect();
        let first = |of: fn(&Override) -> Option<&Proxy>| matching.iter().find_map(|settings| of(settings)).cloned();
        transport.https_proxy = first(|of| of.https_proxy.as_ref()).or(transport.https_proxy);
        transport.http_proxy = first(|of| of.http_proxy.as_ref()).or(transport.http_proxy);
        transport.cafiles.extend(matching.iter().find_map(|of| of.cafile.clone()));
        let file =
            |of: fn(&Override) -> Option<&Utf8PathBuf>| matching.iter().find_map(|settings| of(settings)).cloned();
        if let (Some(certificate), Some(key)) = (file(|of| of.certificate.as_ref()), file(|of| of.key.as_ref())) {
            transport.identity = Some(ClientCertificate::Files { certificate, key });
        }
        if !self.identities.is_empty() {
            let own = keys_of(url).find_map(|key| self.identities.get(&key).cloned());
            transport.identity = own.or(transport.identity);
        }
        transport
    }
}
