//! TLS of the listener: rustls with AWS-LC.

use std::{
    fmt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::{ConfigError, Tls},
    files,
};

/// The listener's certificate and key, and whose certificates proxies need.
pub(crate) struct TlsFiles {
    files: Tls,
    in_force: RwLock<InForce>,
}

struct InForce {
    read: Read,
    config: Arc<ServerConfig>,
}

/// What the files contain.
#[derive(PartialEq, Eq)]
struct Read {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl TlsFiles {
    pub(crate) fn open(files: &Tls) -> Result<Self, ConfigError> {
        let read = Read::of(files)?;
        let config = read.config(files)?.into();
        Ok(Self {
            files: files.clone(),
            in_force: RwLock::new(InForce { read, config }),
        })
    }

    /// Reads the files again. Whether they contain anything else; then that is in force
    /// for new connections.
    pub(crate) fn reload(&self) -> Result<bool, ConfigError> {
        let read = Read::of(&self.files)?;
        if self
            .in_force
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read
            == read
        {
            return Ok(false);
        }
        let config = read.config(&self.files)?.into();
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *in_force = InForce { read, config };
        Ok(true)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        in_force.config.clone().into()
    }
}

impl Read {
    fn of(files: &Tls) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut read = |path: &Path| {
            let bytes = files::read(path);
            bytes
                .map_err(|error| problems.extend(error.0))
                .unwrap_or_default()
        };
        let read = Self {
            certificate: read(&files.certificate),
            key: read(&files.key),
            client_ca: files.client_ca.as_deref().map(read),
        };
        match problems.is_empty() {
            true => Ok(read),
            false => Err(ConfigError(problems)),
        }
    }

    fn config(&self, files: &Tls) -> Result<ServerConfig, ConfigError> {
        let chain = certificates(&files.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| unusable(&files.key, "it has no private key in PEM"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&files.certificate, error))?;
        let builder = match (&files.client_ca, &self.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path, pem)? {
                    roots
                        .add(certificate)
                        .map_err(|error| unusable(path, error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                let verifier = verifier.build().map_err(|error| unusable(path, error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| unusable(&files.certificate, error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(unusable(path, "it has no certificate in PEM")),
    }
}

/// rustls names no bytes of a key in its errors.
fn unusable(path: &Path, reason: impl fmt::Display) -> ConfigError {
    ConfigError::of_file(
        path.display().to_string(),
        "tls_unusable",
        reason.to_string(),
    )
}

impl fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}
