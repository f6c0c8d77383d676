//! A development issuer in a directory: one private file, and the key set that
//! it publishes.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{error::Error, signer::Signer};

/// The private part: readable by its owner alone.
const PRIVATE: &str = "issuer.json";
/// What the issuer publishes, for `--keys` and for static servers.
const PUBLIC: &str = "jwks.json";

const JWKS_PATH: &str = "/.well-known/jwks.json";

/// A development issuer: its names and its keys.
pub struct Issuer {
    /// `iss` of its tokens, and the base URL of what it publishes.
    pub url: String,
    /// `aud` of its tokens.
    pub audience: String,
    /// All published; the last one signs.
    pub keys: Vec<Signer>,
}

impl Issuer {
    /// An issuer with one new key for `algorithm`, one of [`crate::PUBLISHABLE`].
    ///
    /// # Errors
    /// As [`Signer::generate`].
    pub fn new(url: &str, audience: &str, algorithm: &str) -> Result<Self, Error> {
        let url = url.trim_end_matches('/').to_owned();
        let key = Signer::generate(algorithm)?;
        Ok(Self {
            url,
            audience: audience.to_owned(),
            keys: vec![key],
        })
    }

    /// Whether the directory holds an issuer.
    pub fn exists(directory: &Path) -> bool {
        directory.join(PRIVATE).exists()
    }

    /// Reads what [`Self::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Damaged`].
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(PRIVATE);
        match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).map_err(|reason| Error::Damaged(path, reason)),
            Err(error) => Err(Error::Read(path, error)),
        }
    }

    /// Writes `issuer.json`, which has the private keys and is readable by its
    /// owner alone, and `jwks.json`; the result is the path of the first. A
    /// `.gitignore` beside them keeps the private keys out of repositories.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, directory: &Path) -> Result<PathBuf, Error> {
        let failed = |error| Error::Write(directory.to_owned(), error);
        std::fs::create_dir_all(directory).map_err(failed)?;
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n").map_err(failed)?;
        }
        let private = json!({
            "development_only": true,
            "issuer": self.url,
            "audience": self.audience,
            "keys": self.keys.iter().filter_map(Signer::to_private).collect::<Vec<_>>(),
        });
        let path = directory.join(PRIVATE);
        write_private(&path, &format!("{private:#}\n")).map_err(failed)?;
        let public = format!("{:#}\n", self.jwks());
        std::fs::write(directory.join(PUBLIC), public).map_err(failed)?;
        Ok(path)
    }

    /// The key that signs.
    ///
    /// # Errors
    /// There is none.
    pub fn signer(&self) -> Result<&Signer, Error> {
        self.keys
            .last()
            .ok_or_else(|| Error::key("the development issuer has no keys"))
    }

    /// Adds a new key for `algorithm`, which signs from now on. The old keys stay
    /// published, unless `withdraw` removes them.
    ///
    /// # Errors
    /// As [`Signer::generate`].
    pub fn rotate(&mut self, algorithm: &str, withdraw: bool) -> Result<(), Error> {
        let key = Signer::generate(algorithm)?;
        if withdraw {
            self.keys.clear();
        }
        self.keys.push(key);
        Ok(())
    }

    /// The JWK Set that it publishes (RFC 7517 §5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().filter_map(Signer::to_public_jwk).collect::<Vec<_>>() })
    }

    /// The URL of the key set.
    pub fn jwks_uri(&self) -> String {
        format!("{}{JWKS_PATH}", self.url)
    }

    /// The document that it publishes at a path: the key set, or its metadata.
    pub fn document(&self, path: &str) -> Option<Value> {
        match path {
            JWKS_PATH => Some(self.jwks()),
            // OpenID Provider metadata, as far as a verifier reads it
            // (OpenID Connect Discovery 1.0 §3).
            "/.well-known/openid-configuration" => {
                Some(json!({ "issuer": self.url, "jwks_uri": self.jwks_uri() }))
            }
            _ => None,
        }
    }
}

/// The error is the reason.
fn parse(text: &str) -> Result<Issuer, String> {
    let file: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let word = |name: &str| {
        let word = file.get(name).and_then(Value::as_str).map(str::to_owned);
        word.ok_or_else(|| format!("it has no `{name}`"))
    };
    let keys = file
        .get("keys")
        .and_then(Value::as_array)
        .ok_or("it has no `keys`")?;
    Ok(Issuer {
        url: word("issuer")?,
        audience: word("audience")?,
        keys: keys
            .iter()
            .map(Signer::from_private)
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?,
    })
}

pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
