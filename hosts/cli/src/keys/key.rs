//! The text of a new API key, and the hash that a document has of it.

use std::path::PathBuf;

use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::Args;

use crate::{failure::Failure, files::read_bytes};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Digits of an id: 71 bits, so that no two keys of a document get the same one.
const ID: usize = 12;
/// Digits of the secret part: 131 bits.
const SECRET: usize = 22;
/// Minimum bytes of a pepper, as for the gate.
const PEPPER_BYTES: usize = 16;

/// How keys are hashed. A pepper is never an argument: it would stay in the
/// shell's history and in the list of processes.
#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// What the key begins with: a `prefix` of the policy
    #[arg(long, value_name = "TEXT", value_parser = prefix)]
    prefix: String,
    /// A file with the pepper: its bytes without a newline at the end
    #[arg(long, value_name = "FILE", required_unless_present = "pepper_env")]
    pepper_file: Option<PathBuf>,
    /// An environment variable with the pepper
    #[arg(long, value_name = "NAME", conflicts_with = "pepper_file")]
    pepper_env: Option<String>,
    /// The `version` of this pepper in the policy
    #[arg(long, value_name = "VERSION")]
    pepper_version: Option<String>,
}

/// A new key. Its text is printed once and never stored.
pub(crate) struct NewKey {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) hash: String,
}

impl KeyArgs {
    pub(crate) fn version(&self) -> Option<&str> {
        self.pepper_version.as_deref()
    }

    pub(crate) fn make(&self) -> Result<NewKey, Failure> {
        let pepper = self.pepper()?;
        let id = random(ID)?;
        let body = format!("{}{id}_{}", self.prefix, random(SECRET)?);
        let text = format!("{body}{}", checksum(&body));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &pepper), text.as_bytes());
        let hash = BASE64_URL_SAFE_NO_PAD.encode(tag);
        Ok(NewKey { id, text, hash })
    }

    fn pepper(&self) -> Result<Vec<u8>, Failure> {
        let (pepper, place) = match (&self.pepper_file, &self.pepper_env) {
            (Some(file), _) => (read_bytes(file)?, format!("`{}`", file.display())),
            (None, name) => {
                let name = name.as_deref().unwrap_or_default();
                let value = std::env::var(name).map_err(|_| {
                    Failure::usage(format!("the environment has no text named `{name}`"))
                })?;
                (value.into_bytes(), format!("the variable `{name}`"))
            }
        };
        let pepper = pepper.strip_suffix(b"\n").unwrap_or(&pepper);
        let pepper = pepper.strip_suffix(b"\r").unwrap_or(pepper);
        if pepper.len() < PEPPER_BYTES {
            return Err(Failure::usage(format!(
                "the pepper in {place} has less than {PEPPER_BYTES} bytes: make it of 32 random ones"
            )));
        }
        Ok(pepper.to_vec())
    }
}

/// As the gate reads it: with it, no JWT begins so.
fn prefix(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(3..=32).contains(&text.len()) || !text.bytes().all(legal) {
        return Err("expected 3 to 32 letters, digits, `-` and `_`, such as sk_live_".to_owned());
    }
    Ok(text.to_owned())
}

/// Random digits. Bytes beyond a multiple of 62 are dropped, so that each digit
/// is as likely as any other.
fn random(length: usize) -> Result<String, Failure> {
    let mut digits = String::with_capacity(length);
    let mut bytes = [0; 32];
    while digits.len() < length {
        rand::fill(&mut bytes).map_err(|_| Failure::usage("the system has no random numbers"))?;
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
    use super::*;

    #[test]
    fn a_checksum_is_the_one_of_the_contract() {
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn random_digits_are_of_the_whole_alphabet() {
        let many = random(20_000).unwrap();
        for digit in DIGITS {
            let count = many.bytes().filter(|byte| byte == digit).count();
            // Each is expected 323 times; 9 standard deviations are 160.
            assert!((160..=490).contains(&count), "{digit}: {count}");
        }
    }
}
