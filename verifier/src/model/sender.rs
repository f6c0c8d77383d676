//! Tokens that are bound to their sender: proofs of a key (DPoP, RFC 9449), and
//! certificates of clients (RFC 8705).

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::jose::{Algorithm, Nonces};

/// How the policy checks senders.
#[derive(Debug, Default)]
pub(crate) struct Sender {
    pub(crate) dpop: Dpop,
    pub(crate) certificate: Option<ClientCertificate>,
}

/// The proofs of a key that are accepted.
#[derive(Debug)]
pub(crate) struct Dpop {
    /// Scheme and authority as clients see them, in normal form. If empty, those
    /// of the request.
    pub(crate) origins: Vec<Box<[u8]>>,
    /// None of them is symmetric.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) max_age_ms: i64,
    pub(crate) nonces: Option<Nonces>,
}

impl Default for Dpop {
    fn default() -> Self {
        use Algorithm::{ES256, EdDSA, PS256, RS256};
        Self {
            origins: Vec::new(),
            algorithms: Vec::from([ES256, EdDSA, PS256, RS256]),
            max_age_ms: 60_000,
            nonces: None,
        }
    }
}

impl Dpop {
    /// Returns the names of the algorithms for a challenge (RFC 9449 §7.1).
    pub(crate) fn names(&self) -> String {
        let mut names = String::new();
        for algorithm in &self.algorithms {
            if !names.is_empty() {
                names.push(' ');
            }
            names.push_str(algorithm.as_str());
        }
        names
    }
}

/// The header by which a proxy hands over the certificate of its client.
#[derive(Debug)]
pub(crate) struct ClientCertificate {
    /// In lower case.
    pub(crate) header: Box<str>,
    pub(crate) format: CertificateFormat,
    /// `None` for every peer.
    pub(crate) trusted: Option<Vec<Network>>,
}

/// What the header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateFormat {
    /// `x-forwarded-client-cert` of Envoy.
    Xfcc,
    /// `Client-Cert` (RFC 9440 §2.2).
    Rfc9440,
    /// The SHA-256 of the certificate, as hex or base64.
    Sha256,
    /// A PEM with percent escapes, as nginx makes it.
    Pem,
}

/// The addresses with this prefix (RFC 4632 §3.1).
#[derive(Debug)]
pub(crate) struct Network {
    /// 4 or 16 bytes.
    pub(crate) address: Vec<u8>,
    /// Bits.
    pub(crate) prefix: u8,
}

/// What an issuer says about the senders of its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum OfIssuer {
    /// Tokens that are bound need their proof.
    #[default]
    Optional,
    /// All its tokens are bound to a key.
    Required,
    /// Nobody looks at `cnf`.
    Ignored,
}

/// Which proof of its sender a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProofKind {
    Any,
    Mtls,
    Dpop,
}

impl ClientCertificate {
    /// Returns whether the header of a request from this peer counts.
    pub(crate) fn trusts(&self, peer: &[u8]) -> bool {
        // An IPv4 address, as a socket for IPv6 shows it (RFC 4291 §2.5.5.2).
        const MAPPED: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        let peer = match peer.strip_prefix(MAPPED) {
            Some(mapped) if peer.len() == 16 => mapped,
            _ => peer,
        };
        match &self.trusted {
            None => true,
            Some(networks) => networks.iter().any(|network| network.has(peer)),
        }
    }
}

impl Network {
    fn has(&self, peer: &[u8]) -> bool {
        if peer.len() != self.address.len() {
            return false;
        }
        let mut left = u32::from(self.prefix);
        for (byte, wanted) in peer.iter().zip(&self.address) {
            let bits = left.min(8);
            // The low bits of this byte that may differ.
            let differing = u32::from(byte ^ wanted) >> 8_u32.saturating_sub(bits);
            if differing != 0 {
                return false;
            }
            left = left.saturating_sub(bits);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_compared_with_the_bits_of_the_prefix() {
        let certificate = |address: &[u8], prefix| ClientCertificate {
            header: "x".into(),
            format: CertificateFormat::Xfcc,
            trusted: Some(Vec::from([Network {
                address: address.to_vec(),
                prefix,
            }])),
        };
        let ten = certificate(&[10, 0, 0, 0], 8);
        assert!(ten.trusts(&[10, 255, 1, 2]));
        assert!(!ten.trusts(&[11, 0, 0, 0]));
        assert!(!ten.trusts(&[]));
        assert!(ten.trusts(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3]));
        assert!(!ten.trusts(&[10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        let odd = certificate(&[192, 168, 16, 0], 20);
        assert!(odd.trusts(&[192, 168, 31, 255]));
        assert!(!odd.trusts(&[192, 168, 32, 0]));
        let one = certificate(&[192, 0, 2, 1], 32);
        assert!(one.trusts(&[192, 0, 2, 1]));
        assert!(!one.trusts(&[192, 0, 2, 0]));
        assert!(certificate(&[0; 4], 0).trusts(&[1, 2, 3, 4]));
        assert!(!certificate(&[0; 4], 0).trusts(&[0; 16]));
    }
}
