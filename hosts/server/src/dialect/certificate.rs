//! A client's certificate, as proxies hand it over.

use percent_encoding::percent_decode;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256};

/// As much as the gate reads of such a header.
const BYTES: usize = 16_384;

/// The SHA-256 of the only certificate in PEM with percent escapes.
pub(super) fn of_escaped_pem(escaped: &[u8]) -> Option<[u8; 32]> {
    if escaped.len() > BYTES {
        return None;
    }
    let pem: Vec<u8> = percent_decode(escaped).collect();
    let mut all = CertificateDer::pem_slice_iter(&pem);
    let der = all.next()?.ok()?;
    match all.next() {
        None => Some(Sha256::digest(&der).into()),
        Some(_) => None,
    }
}

/// A SHA-256 in hexadecimal.
pub(super) fn of_hex(hex: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| {
        (byte as char)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut hash = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(hex.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::{of_escaped_pem, of_hex};

    #[test]
    fn there_must_be_exactly_one_certificate() {
        let one = "-----BEGIN%20CERTIFICATE-----%0AMAA=%0A-----END%20CERTIFICATE-----%0A";
        let hash = of_escaped_pem(one.as_bytes()).unwrap();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        // The SHA-256 of the bytes 30 00.
        assert_eq!(
            hex,
            "e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95"
        );
        assert_eq!(of_hex(hex.as_bytes()), Some(hash));
        assert_eq!(of_escaped_pem(format!("{one}{one}").as_bytes()), None);
        assert_eq!(of_escaped_pem(b"MAA="), None);
        assert_eq!(of_hex(b"6b"), None);
    }
}
