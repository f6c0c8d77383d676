//! API keys: where their document is, how a key is told from a typing error,
//! and what one entry of the document must be.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::fmt;

use countersign_kernel::bytes::base64url;

use crate::{
    jose::{hmac_sha256, sha256},
    json::{Object, Value},
};

/// Maximum bytes of an API key.
pub(crate) const KEY_BYTES: usize = 512;
/// Bytes of a digest.
pub(crate) const DIGEST: usize = 32;
/// Digits of the checksum at the end of a key: base62 of a CRC-32.
const CHECKSUM: usize = 6;
/// Members of an entry's `claims`.
const CLAIMS: usize = 64;
/// Members of `claims` that the other fields of an entry stand for.
const OWN_CLAIMS: [&str; 7] = ["iss", "sub", "jti", "exp", "tenant", "roles", "scopes"];

pub(crate) struct ApiKeys {
    /// `None` if the document stands in the policy.
    pub(crate) uri: Option<Arc<str>>,
    /// The document of the policy, until the gate has read it.
    pub(crate) inline: Vec<u8>,
    pub(crate) prefixes: Vec<Box<str>>,
    pub(crate) peppers: Vec<Pepper>,
    pub(crate) forms: Vec<HashForm>,
    pub(crate) checksum: bool,
    pub(crate) refresh_ms: u64,
    pub(crate) max_stale_ms: u64,
    /// The headers by which the document is fetched.
    pub(crate) headers: Arc<[(Box<str>, Box<str>)]>,
}

/// Shows no secret.
impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// A secret that is hashed with each key.
pub(crate) struct Pepper {
    pub(crate) version: Box<str>,
    pub(crate) secret: Vec<u8>,
}

/// How a key is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashForm {
    /// HMAC-SHA-256 of the key, by the pepper.
    Hmac,
    /// SHA-256 of the pepper, `:` and the key.
    Sha,
}

impl HashForm {
    pub(crate) const WORDS: [&str; 2] = ["hmac-sha256", "sha256"];

    pub(crate) fn of(is_second: bool) -> Self {
        match is_second {
            false => Self::Hmac,
            true => Self::Sha,
        }
    }
}

/// A digest of a presented key.
pub(crate) struct Digest {
    pub(crate) form: HashForm,
    /// Index into the peppers.
    pub(crate) pepper: u8,
    pub(crate) bytes: Vec<u8>,
}

/// What finds a key and says whether it is good.
pub(crate) struct Entry {
    pub(crate) digest: Vec<u8>,
    pub(crate) form: HashForm,
    /// Index into the peppers; `None` if any of them will do.
    pub(crate) pepper: Option<u8>,
    pub(crate) is_active: bool,
}

impl ApiKeys {
    /// Returns whether a text can be a key: its length, its characters, and its
    /// checksum.
    pub(crate) fn is_well_formed(&self, key: &[u8]) -> bool {
        if key.len() > KEY_BYTES || !key.iter().all(u8::is_ascii_graphic) {
            return false;
        }
        if !self.checksum {
            return true;
        }
        let body = key.len().saturating_sub(CHECKSUM);
        let (body, sum) = key.split_at_checked(body).unwrap_or_default();
        *sum == checksum(body)
    }

    /// Returns the part of a key by which it is found: what stands between its
    /// prefix and the next `_`.
    pub(crate) fn id_of<'k>(&self, key: &'k [u8]) -> Option<&'k [u8]> {
        for prefix in &self.prefixes {
            if let Some(rest) = key.strip_prefix(prefix.as_bytes()) {
                let end = rest.iter().position(|byte| *byte == b'_')?;
                return rest.get(..end).filter(|id| !id.is_empty());
            }
        }
        None
    }

    /// Returns the digest of a key in each form by each pepper. Whatever the key
    /// is, the work is the same.
    pub(crate) fn digests(&self, key: &[u8]) -> Vec<Digest> {
        let mut digests = Vec::new();
        for (pepper, Pepper { secret, .. }) in (0..).zip(&self.peppers) {
            for form in &self.forms {
                let bytes = match form {
                    HashForm::Hmac => hmac_sha256(secret, key),
                    HashForm::Sha => sha256(&[secret, b":", key]).into(),
                };
                digests.push(Digest {
                    form: *form,
                    pepper,
                    bytes,
                });
            }
        }
        digests
    }

    /// Reads one entry of the document without its id. An error says what is wrong with it.
    pub(crate) fn entry(&self, entry: &Object<'_>) -> Result<Entry, &'static str> {
        let mut read = Entry {
            digest: Vec::new(),
            form: HashForm::Hmac,
            pepper: None,
            is_active: true,
        };
        let mut has_subject = false;
        for (name, value) in entry.iter() {
            let text = value.as_str();
            let wrong = match (name, text) {
                ("id", _) => None,
                ("hash", Some(hash)) => {
                    read.digest = digest(hash);
                    (read.digest.len() != DIGEST)
                        .then_some("its `hash` is not 32 bytes in base64url or hex")
                }
                ("form", Some(word)) => {
                    let known = HashForm::WORDS.iter().position(|known| *known == word);
                    read.form = HashForm::of(known == Some(1));
                    known.is_none().then_some("its `form` is unknown")
                }
                ("pepper", Some(version)) => {
                    let known = (0..).zip(&self.peppers);
                    let mut known = known.filter(|(_, known)| *known.version == *version);
                    read.pepper = known.next().map(|(index, _)| index);
                    read.pepper
                        .is_none()
                        .then_some("the policy has no pepper of its version")
                }
                ("subject", Some(text)) => {
                    has_subject = true;
                    text.is_empty().then_some("its `subject` is empty")
                }
                ("tenant", Some(text)) => text.is_empty().then_some("its `tenant` is empty"),
                ("status", Some(word)) => {
                    read.is_active = word == "active";
                    let is_known = matches!(word, "active" | "disabled" | "revoked");
                    (!is_known).then_some("its `status` is unknown")
                }
                ("roles" | "scopes", _) => {
                    let items = value.as_array();
                    let is_list =
                        items.is_some_and(|items| items.iter().all(|item| item.as_str().is_some()));
                    (!is_list).then_some("its `roles` or `scopes` is not an array of texts")
                }
                ("expires_at", _) => {
                    let is_time = value.as_milliseconds().is_some();
                    (!is_time).then_some("its `expires_at` is not a time in seconds")
                }
                ("claims", _) => claims_fault(value),
                ("hash" | "form" | "pepper" | "subject" | "tenant" | "status", None) => {
                    Some("one of its fields is not a text")
                }
                _ => Some("it has a field that this gate does not know"),
            };
            wrong.map_or(Ok(()), Err)?;
        }
        if read.digest.is_empty() || !has_subject {
            return Err("it has no `hash` or no `subject`");
        }
        if !self.forms.contains(&read.form) {
            return Err("its `form` is not one of the policy's `forms`");
        }
        Ok(read)
    }
}

/// Returns the id of an entry: what explanations and logs may show.
pub(crate) fn entry_id<'e>(entry: &'e Object<'_>) -> Option<&'e str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let id = entry.get("id").and_then(Value::as_str)?;
    let is_id = !id.is_empty() && id.len() <= 128 && id.bytes().all(legal);
    is_id.then_some(id)
}

fn claims_fault(claims: &Value<'_>) -> Option<&'static str> {
    let Some(claims) = claims.as_object() else {
        return Some("its `claims` is not an object");
    };
    if claims.iter().len() > CLAIMS {
        return Some("its `claims` has more than 64 members");
    }
    let mut names = claims.iter().map(|(name, _)| name);
    names
        .any(|name| OWN_CLAIMS.contains(&name))
        .then_some("its `claims` has a claim that comes from another field")
}

/// Reads a digest in base64url or hex; empty if it is neither.
fn digest(text: &str) -> Vec<u8> {
    if text.len() != 2 * DIGEST {
        return base64url::decode(text.as_bytes()).unwrap_or_default();
    }
    let mut bytes = Vec::new();
    for pair in text.as_bytes().chunks(2) {
        let digits = core::str::from_utf8(pair).unwrap_or_default();
        // A sign is no digit.
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if !digits.starts_with('+') => bytes.push(byte),
            _ => return Vec::new(),
        }
    }
    bytes
}

/// The CRC-32 (IEEE 802.3) of a text as six digits of base62.
fn checksum(text: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = u32::MAX;
    for byte in text {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let mut rest = !crc;
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        // Below 62.
        let value = (rest % 62) as u8;
        *digit = match value {
            0..10 => value.wrapping_add(b'0'),
            10..36 => value.wrapping_add(b'A' - 10),
            _ => value.wrapping_add(b'a' - 36),
        };
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_is_the_crc_of_ieee_in_base62() {
        // 0xcbf43926, the check value of CRC-32, and 0.
        assert_eq!(&checksum(b"123456789"), b"3jZRME");
        assert_eq!(&checksum(b""), b"000000");
    }

    #[test]
    fn a_digest_is_32_bytes_in_one_of_two_encodings() {
        let hex = "00ff".repeat(16);
        let text = base64url::encode(&[0, 255].repeat(16));
        assert_eq!(digest(&hex), digest(&text));
        assert_eq!(digest(&hex.to_uppercase()).len(), DIGEST);
        for wrong in ["+f".repeat(32), "zz".repeat(32), text + "=", "é".repeat(32)] {
            assert_ne!(digest(&wrong).len(), DIGEST, "{wrong}");
        }
    }
}
