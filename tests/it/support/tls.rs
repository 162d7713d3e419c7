//! Certificates as a company has them: an authority of its own, which no system trusts, and what it signed. They are files,
//! valid for a hundred years, so that no test makes any; the authority's key was thrown away.

use std::sync::Arc;

use camino::Utf8PathBuf;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

/// Who a server talks to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clients {
    Anyone,
    WithCertificate,
}

/// One of the files: `company-ca.pem`, `client.pem`, `client-key.pem`.
pub(crate) fn file(name: &str) -> Utf8PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/it/support/tls", name].iter().collect()
}

/// A server with a certificate for `localhost` and 127.0.0.1.
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
