//! The text of a new API key (`CONTRACT.md`, API keys): prefix, id, `_`, chance, checksum.

use aws_lc_rs::rand;

use crate::seal::SealError;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Digits of an id: 71 bits, so that no two keys get the same one.
const ID: usize = 12;

/// Digits of the secret part: 131 bits.
const SECRET: usize = 22;

/// A new key: its id, and the whole text, which nobody keeps.
pub(super) fn new(prefix: &str) -> Result<(String, String), SealError> {
    let id = random(ID)?;
    let body = format!("{prefix}{id}_{}", random(SECRET)?);
    let text = format!("{body}{}", checksum(&body));
    Ok((id, text))
}

/// Random digits. Bytes beyond a multiple of 62 are dropped, so that each digit is as
/// likely as any other.
fn random(length: usize) -> Result<String, SealError> {
    let mut digits = String::with_capacity(length);
    let mut bytes = [0; 32];
    while digits.len() < length {
        rand::fill(&mut bytes).map_err(|_| SealError)?;
        let fair = bytes.iter().filter(|byte| **byte < 4 * 62);
        digits.extend(fair.map(|byte| char::from(DIGITS[usize::from(*byte) % 62])));
    }
    digits.truncate(length);
    Ok(digits)
}

/// The CRC-32 of a text as six digits.
fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = ['0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = char::from(DIGITS[(rest % 62) as usize]);
        rest /= 62;
    }
    digits.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{checksum, new};

    #[test]
    fn a_checksum_is_the_one_of_the_contract() {
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn a_key_has_its_id_between_the_prefix_and_the_next_underscore() {
        let (id, text) = new("sk_live_").unwrap();
        let (named, rest) = text
            .strip_prefix("sk_live_")
            .unwrap()
            .split_once('_')
            .unwrap();
        assert_eq!((named, rest.len()), (&*id, 22 + 6));
        assert_ne!(new("sk_live_").unwrap().1, text);
    }
}
