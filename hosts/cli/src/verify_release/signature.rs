//! The signature of `SHA256SUMS`, made by minisign.

use std::{fs, path::Path};

use minisign_verify::{Error, PublicKey, Signature};

use super::sums::is_hex;
use crate::failure::Failure;

/// What the signature says, by its trusted comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) version: String,
    /// 40 hexadecimal digits.
    pub(super) commit: String,
}

/// The key itself, or a file of `minisign -G` with it.
pub(super) fn key(text: &str) -> Result<PublicKey, Failure> {
    if let Ok(key) = PublicKey::from_base64(text) {
        return Ok(key);
    }
    let failed = |why: String| Failure::Usage(format!("the public key `{text}`: {why}"));
    let file = fs::read_to_string(Path::new(text)).map_err(|error| failed(error.to_string()))?;
    // The comment above the key may be missing.
    let line = file.lines().map(str::trim).rfind(|line| !line.is_empty());
    let key = line.and_then(|line| PublicKey::from_base64(line).ok());
    key.ok_or_else(|| failed("is not a public key of minisign".to_owned()))
}

/// Verifies both signatures of the file: that of the sums, and that of the comment.
pub(super) fn verify(key: &PublicKey, signature: &[u8], sums: &[u8]) -> Result<Signed, String> {
    let text = str::from_utf8(signature).map_err(|_| "is not text")?;
    let signature = Signature::decode(text).map_err(|_| "is not a signature of minisign")?;
    // The older kind, which signs without a digest, is not accepted.
    key.verify(sums, &signature, false)
        .map_err(|error| match error {
            Error::UnexpectedKeyId => "another key signed",
            Error::UnsupportedLegacyMode | Error::UnexpectedAlgorithm => {
                "is of the older kind, which signs without a digest"
            }
            _ => "does not fit SHA256SUMS and the key",
        })?;
    let comment = signature.trusted_comment();
    parse(comment).ok_or_else(|| {
        format!("its comment `{comment}` is not `countersign VERSION commit COMMIT`")
    })
}

fn parse(comment: &str) -> Option<Signed> {
    let (version, commit) = comment
        .strip_prefix("countersign ")?
        .split_once(" commit ")?;
    let is_version = !version.is_empty() && !version.contains(char::is_whitespace);
    (is_version && is_hex(commit, 40)).then(|| Signed {
        version: version.to_owned(),
        commit: commit.to_owned(),
    })
}
