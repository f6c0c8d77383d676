//! A development issuer on disk: one private file, and the key set that it
//! publishes.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{failure::Failure, signing::Signer};

/// The private part: readable by its owner alone.
const PRIVATE: &str = "issuer.json";
/// What the issuer publishes, for `--keys` and for static servers.
const PUBLIC: &str = "jwks.json";

const JWKS_PATH: &str = "/.well-known/jwks.json";

/// A development issuer: its name and its keys.
pub(crate) struct Issuer {
    /// `iss` of its tokens, and where `dev serve` publishes.
    pub(crate) url: String,
    /// `aud` of its tokens.
    pub(crate) audience: String,
    /// All published; the last one signs.
    pub(crate) keys: Vec<Signer>,
}

impl Issuer {
    /// A new issuer with one fresh key.
    pub(crate) fn new(url: &str, audience: &str, algorithm: &str) -> Result<Self, Failure> {
        let url = url.trim_end_matches('/').to_owned();
        let key = Signer::generate(algorithm).map_err(Failure::Usage)?;
        Ok(Self {
            url,
            audience: audience.to_owned(),
            keys: vec![key],
        })
    }

    pub(crate) fn exists(directory: &Path) -> bool {
        directory.join(PRIVATE).exists()
    }

    pub(crate) fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(PRIVATE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let (path, directory) = (path.display(), directory.display());
            Failure::Usage(format!(
                "cannot read `{path}`: {error}; `countersign dev keys --dir {directory}` makes it"
            ))
        })?;
        parse(&text).map_err(|reason| Failure::Usage(format!("`{}`: {reason}", path.display())))
    }

    /// Writes both files. The directory ignores itself in git, so that the
    /// private keys stay out of repositories.
    pub(crate) fn write(&self, directory: &Path) -> Result<PathBuf, Failure> {
        let failed = |error: std::io::Error| {
            Failure::Usage(format!(
                "cannot write to `{}`: {error}",
                directory.display()
            ))
        };
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
    pub(crate) fn signer(&self) -> Result<&Signer, Failure> {
        self.keys
            .last()
            .ok_or_else(|| Failure::usage("the development issuer has no keys"))
    }

    /// A new key that signs from now on; the old ones stay published, unless
    /// they are withdrawn.
    pub(crate) fn rotate(&mut self, algorithm: &str, withdraw: bool) -> Result<(), Failure> {
        let key = Signer::generate(algorithm).map_err(Failure::Usage)?;
        if withdraw {
            self.keys.clear();
        }
        self.keys.push(key);
        Ok(())
    }

    /// The JWK Set that it publishes (RFC 7517 §5).
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.keys.iter().filter_map(Signer::to_public_jwk).collect::<Vec<_>>() })
    }

    /// Where the key set is published.
    pub(crate) fn jwks_uri(&self) -> String {
        format!("{}{JWKS_PATH}", self.url)
    }

    /// What it publishes at a path.
    pub(crate) fn document(&self, path: &str) -> Option<Value> {
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
            .collect::<Result<_, _>>()?,
    })
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
