//! Nonces for proofs of possession (RFC 9449 §8). They are bound to a time and
//! kept by nobody: everyone who has the secret finds the same ones.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use countersign_kernel::bytes::base64url;

use super::key::{hmac_sha256, is_equal};

/// How nonces are made and which are good.
pub(crate) struct Nonces {
    /// The first one makes new nonces. Those of the others are good too, so that
    /// a secret can be replaced.
    pub(crate) secrets: Vec<Box<[u8]>>,
    /// A nonce is good in the period in which it is made, and in the next one.
    pub(crate) lifetime_ms: u64,
}

/// Does not show the secrets.
impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

impl Nonces {
    /// Returns the nonce for the next proof.
    pub(crate) fn fresh(&self, now_ms: u64) -> Option<String> {
        let period = now_ms.checked_div(self.lifetime_ms)?;
        Some(nonce(self.secrets.first()?, period))
    }

    /// Returns whether a nonce is good now.
    pub(crate) fn admits(&self, shown: &str, now_ms: u64) -> bool {
        let Some(period) = now_ms.checked_div(self.lifetime_ms) else {
            return false;
        };
        let mut is_good = false;
        for secret in &self.secrets {
            for period in [period, period.wrapping_sub(1)] {
                is_good |= is_equal(nonce(secret, period).as_bytes(), shown.as_bytes());
            }
        }
        is_good
    }
}

/// The secret can also be for something else, so the message says what it is for.
fn nonce(secret: &[u8], period: u64) -> String {
    let message = [&b"countersign dpop nonce\0"[..], &period.to_be_bytes()].concat();
    base64url::encode(&hmac_sha256(secret, &message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_in_its_period_and_the_next_one() {
        let nonces = |secrets: &[&[u8]]| Nonces {
            secrets: secrets.iter().map(|secret| Box::from(*secret)).collect(),
            lifetime_ms: 300_000,
        };
        let (old, new) = (nonces(&[&[1; 32]]), nonces(&[&[2; 32], &[1; 32]]));
        let nonce = old.fresh(600_000).unwrap();
        assert_eq!(nonce.len(), 43);
        assert_eq!(old.fresh(899_999).unwrap(), nonce);
        for good in [600_000, 899_999, 900_000, 1_199_999] {
            assert!(old.admits(&nonce, good), "{good}");
            // A replica that has the new secret too.
            assert!(new.admits(&nonce, good), "{good}");
        }
        for bad in [0, 599_999, 1_200_000] {
            assert!(!old.admits(&nonce, bad), "{bad}");
        }
        assert!(!old.admits("", 600_000));
        assert!(!old.admits(&nonce[..42], 600_000));
        assert!(!old.admits(&new.fresh(600_000).unwrap(), 600_000));
        assert!(!nonces(&[]).admits(&nonce, 600_000));
    }
}
