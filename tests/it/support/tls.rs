//! Certificates of a company: its own authority, which no system trusts, and certificates that it signed. They are files
//! that are valid for a hundred years, so tests do not have to make them. The authority's key was thrown away.

use std::sync::Arc;

use camino::Utf8PathBuf;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

/// The clients that a server accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clients {
    Anyone,
    WithCertificate,
}

/// Returns the path of a file: `company-ca.pem`, `client.pem` or `client-key.pem`.
pub(crate) fn file(name: &str) -> Utf8PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/support/tls", name].iter().collect()
}

/// Returns the settings of a server with a certificate for `localhost` and 127.0.0.1.
pub(super) fn server(clients: Clients) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        Clients::Anyone => builder.with_no_client_auth(),
        Clients::WithCertificate => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate("company-ca.pem")).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(file("server-key.pem")).unwrap();
    Arc::new(builder.with_single_cert(vec![certificate("server.pem")], key).unwrap())
}

fn certificate(name: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file(name)).unwrap()
}
