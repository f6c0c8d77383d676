//! The keys that a token is tried with.

use alloc::sync::Arc;

use super::Key;
use crate::{jose::Algorithm, refusal::Code};

/// What a token asks of the keys of its issuer.
pub(crate) struct Asked<'t> {
    pub(crate) kid: Option<&'t str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) iss: &'t str,
    /// The names in the issuer's template and the texts captured for them.
    /// Empty if the policy names the issuer exactly.
    pub(crate) captures: &'t [(&'t str, &'t str)],
}

impl Asked<'_> {
    pub(super) fn fits(&self, key: &Key) -> bool {
        key.algorithm == self.algorithm
            && match &key.issuer {
                Some(issuer) if !self.captures.is_empty() => self.is_issuer(issuer),
                _ => true,
            }
    }

    /// Returns whether an issuer of a key is the token's. `{name}` in it is the
    /// text captured for that name. If only one text was captured, it can have
    /// another name in the document.
    fn is_issuer(&self, issuer: &str) -> bool {
        let mut rest = self.iss;
        for (index, part) in issuer.split('{').enumerate() {
            let mut literal = part;
            if index > 0 {
                let Some((name, after)) = part.split_once('}') else {
                    return false;
                };
                let captured = match self.captures {
                    [(_, only)] => Some(*only),
                    several => several
                        .iter()
                        .find(|(n, _)| *n == name)
                        .map(|(_, text)| *text),
                };
                match captured.and_then(|text| rest.strip_prefix(text)) {
                    Some(after_text) => rest = after_text,
                    None => return false,
                }
                literal = after;
            }
            match rest.strip_prefix(literal) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

/// Maximum number of keys that one token is tried with.
const TRIED: usize = 4;

/// The keys that could verify a token.
#[derive(Default)]
pub(crate) struct Candidates<'k> {
    /// The first ones, in the order of sources and documents.
    tried: [Option<&'k Arc<Key>>; TRIED],
    /// Number of keys that fit; the search ends after one too many.
    pub(crate) fitting: usize,
    /// Number of keys with the token's `kid`, whether they fit or not.
    pub(crate) named: usize,
}

impl<'k> Candidates<'k> {
    pub(super) fn add(&mut self, key: &'k Arc<Key>) {
        if let Some(place) = self.tried.get_mut(self.fitting) {
            *place = Some(key);
        }
        self.fitting = self.fitting.saturating_add(1);
    }

    /// Returns whether there are more keys than are tried.
    pub(crate) fn too_many(&self) -> bool {
        self.fitting > TRIED
    }

    /// Returns the first key that verifies this signature.
    pub(crate) fn verifying(&self, message: &[u8], signature: &[u8]) -> Option<&'k Arc<Key>> {
        let mut tried = self.tried.iter().flatten().copied();
        tried.find(|key| key.verify(message, signature))
    }

    /// Returns whether a token that this key verified would reach it again: no
    /// equal key stands before it.
    pub(crate) fn reach(&self, key: &Arc<Key>) -> bool {
        let mut tried = self.tried.iter().flatten();
        let first = tried.find(|other| other.material == key.material);
        first.is_some_and(|first| Arc::ptr_eq(first, key))
    }

    /// Returns the code if none of the keys verifies the token.
    pub(crate) fn code(&self) -> Code {
        match self.fitting {
            0 if self.named > 0 => Code::KeyUnsuitable,
            1..=TRIED => Code::SignatureInvalid,
            _ => Code::KeyUnknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_issuer(issuer: &str, iss: &str, captures: &[(&str, &str)]) -> bool {
        let asked = Asked {
            kid: None,
            algorithm: Algorithm::RS256,
            iss,
            captures,
        };
        asked.is_issuer(issuer)
    }

    #[test]
    fn braces_in_the_issuer_of_a_key_are_the_captured_text() {
        let iss = "https://login.example/acme/v2.0";
        let one = [("tid", "acme")];
        assert!(is_issuer("https://login.example/{tid}/v2.0", iss, &one));
        assert!(is_issuer(
            "https://login.example/{tenantid}/v2.0",
            iss,
            &one
        ));
        assert!(is_issuer(iss, iss, &one));
        for other in [
            "",
            "{tid}",
            "https://login.example/{tid}/v2.0/",
            "https://login.example/{tid/v2.0",
            "https://login.example/{tid}/v1.0",
            "https://login.example/other/v2.0",
            "https://login.example/{tid}",
        ] {
            assert!(!is_issuer(other, iss, &one), "{other}");
        }
        let two = [("a", "login"), ("b", "acme")];
        assert!(is_issuer("https://{a}.example/{b}/v2.0", iss, &two));
        assert!(!is_issuer("https://{b}.example/{a}/v2.0", iss, &two));
        assert!(!is_issuer("https://{a}.example/{c}/v2.0", iss, &two));
    }
}
