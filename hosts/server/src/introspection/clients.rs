//! Callers and their credentials.

use std::collections::{BTreeMap, HashMap};

use countersign_host::Requirement;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::config::ClientConfig;

/// A SHA-256: of a secret, or of a certificate. Nobody keeps the secret itself.
pub(super) type Hash = [u8; 32];

/// The secret is random, so that nobody guesses it: its length is all that is checked.
const SHORTEST_SECRET: usize = 16;
const LONGEST_SECRET: usize = 256;
const LONGEST_NAME: usize = 128;

/// Secrets or certificates of one client, so that each can be replaced.
const MOST_CREDENTIALS: usize = 4;

/// What a caller presents.
pub(super) enum Presented {
    Secret(Hash),
    Certificate(Hash),
}

impl Presented {
    pub(super) fn secret(secret: &[u8]) -> Self {
        Self::Secret(Sha256::digest(secret).into())
    }
}

/// All callers.
pub(super) struct Clients {
    by_name: HashMap<String, Client>,
    /// Is compared with where a name is unknown, so that this takes as long.
    nobody: Client,
}

/// One caller.
pub(super) struct Client {
    secrets: Vec<Hash>,
    certificates: Vec<Hash>,
    /// What it may see, by the names of policies.
    pub(super) sees: BTreeMap<String, Requirement>,
}

impl Clients {
    pub(super) fn new(by_name: HashMap<String, Client>) -> Self {
        let nobody = Client {
            secrets: vec![[0; 32]],
            certificates: vec![[0; 32]],
            sees: BTreeMap::new(),
        };
        Self { by_name, nobody }
    }

    /// The caller with this name, if it presents what it must.
    pub(super) fn authenticate(&self, name: &str, presented: &Presented) -> Option<&Client> {
        let found = self.by_name.get(name);
        let is_it = found.unwrap_or(&self.nobody).has(presented);
        found.filter(|_| is_it)
    }
}

impl Client {
    /// Reads the credentials of a client.
    ///
    /// # Errors
    /// Every problem, without any part of a secret.
    pub(super) fn read(name: &str, config: &ClientConfig) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        if !is_plain(name.as_bytes()) || name.len() > LONGEST_NAME {
            problems.push("the name must be 1 to 128 letters, digits, `-`, `.` and `_`".to_owned());
        }
        match (config.secrets.len(), config.certificates.len()) {
            (1..=MOST_CREDENTIALS, 0) | (0, 1..=MOST_CREDENTIALS) => {}
            _ => problems.push("needs 1 to 4 `secrets`, or 1 to 4 `certificates`".to_owned()),
        }
        if config.policies.is_empty() {
            problems.push("`policies` names no policy".to_owned());
        }
        let mut secrets = Vec::new();
        for source in &config.secrets {
            match source.read().and_then(|secret| {
                good_secret(&secret).map_err(|problem| format!("{source}: {problem}"))?;
                Ok(Sha256::digest(secret).into())
            }) {
                Ok(hash) => secrets.push(hash),
                Err(problem) => problems.push(problem),
            }
        }
        let mut certificates = Vec::new();
        for text in &config.certificates {
            match from_hex(text) {
                Some(hash) => certificates.push(hash),
                None => problems.push(format!("`{text}` is not 64 hex digits: a SHA-256")),
            }
        }
        match problems.is_empty() {
            true => Ok(Self { secrets, certificates, sees: BTreeMap::new() }),
            false => Err(problems),
        }
    }

    /// Compares with each, in constant time.
    fn has(&self, presented: &Presented) -> bool {
        let (known, presented) = match presented {
            Presented::Secret(hash) => (&self.secrets, hash),
            Presented::Certificate(hash) => (&self.certificates, hash),
        };
        let equal = known.iter().map(|known| known.ct_eq(presented));
        equal.fold(Choice::from(0), |any, equal| any | equal).into()
    }
}

/// Names and secrets have only characters that form encoding leaves as they are. Some
/// clients encode them (RFC 6749 §2.3.1) and some do not: here both are the same.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    !text.is_empty() && text.iter().all(plain)
}

fn good_secret(secret: &[u8]) -> Result<(), &'static str> {
    if !is_plain(secret) {
        return Err("a secret has only letters, digits, `-`, `.` and `_`: `openssl rand -hex 32`");
    }
    match secret.len() {
        SHORTEST_SECRET..=LONGEST_SECRET => Ok(()),
        _ => Err("a secret has 16 to 256 characters"),
    }
}

fn from_hex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
