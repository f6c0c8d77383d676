//! The certificate of a client.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::{failure::Failure, files::read_bytes};

/// The SHA-256 of a certificate (RFC 8705 §3.1): of the first one of a PEM file, or
/// of DER.
pub(crate) fn sha256(path: &Path) -> Result<[u8; 32], Failure> {
    let bytes = read_bytes(path)?;
    let der = match CertificateDer::from_pem_slice(&bytes) {
        Ok(certificate) => certificate.to_vec(),
        // A SEQUENCE.
        Err(_) if bytes.first() == Some(&0x30) => bytes,
        Err(_) => {
            let path = path.display();
            return Err(Failure::Usage(format!("`{path}` holds no certificate")));
        }
    };
    let hash = digest(&SHA256, &der);
    hash.as_ref()
        .try_into()
        .map_err(|_| Failure::usage("the certificate could not be hashed"))
}
