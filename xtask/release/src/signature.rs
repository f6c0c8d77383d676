//! `SHA256SUMS` of all files, and its signature: so all of them are signed.

use std::{env, fs, io::Cursor, path::Path};

use anyhow::{Context, Result};
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use xtask::{archive, build::report, version::VERSION};

use crate::{files::put, source::Source};

const SUMS: &str = "SHA256SUMS";
const PASSWORD: &str = "COUNTERSIGN_KEY_PASSWORD";

/// A key of minisign.
pub(crate) struct Key {
    secret: SecretKey,
    public: PublicKey,
}

impl Key {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let boxed = SecretKeyBox::from_string(&text)?;
        let secret = match env::var(PASSWORD) {
            Ok(password) => boxed.into_secret_key(Some(password)),
            Err(_) => boxed.into_unencrypted_secret_key(),
        }
        .with_context(|| {
            format!(
                "cannot open the key: is its password in {PASSWORD}? (Keys that minisign makes \
                 without a password, by `-W`, cannot be read.)"
            )
        })?;
        let public = PublicKey::from_secret_key(&secret)?;
        Ok(Self { secret, public })
    }

    pub(crate) fn throw_away() -> Result<Self> {
        let KeyPair {
            pk: public,
            sk: secret,
        } = KeyPair::generate_unencrypted_keypair()?;
        Ok(Self { secret, public })
    }

    /// Returns the public key in base64.
    pub(crate) fn public(&self) -> String {
        self.public.to_base64()
    }
}

/// Writes `SHA256SUMS` and its signature.
pub(crate) fn write(release: &Path, source: &Source, key: &Key) -> Result<()> {
    let mut sums = String::new();
    for (name, sha256) in digests(release)? {
        sums += &format!("{sha256}  {name}\n");
    }
    put(&release.join(SUMS), &sums)?;
    let trusted = format!("countersign {VERSION} commit {}", source.commit);
    let signature = minisign::sign(
        Some(&key.public),
        &key.secret,
        Cursor::new(sums.as_bytes()),
        Some(&trusted),
        Some("countersign: minisign signature of SHA256SUMS"),
    )?;
    put(
        &release.join(format!("{SUMS}.minisig")),
        signature.to_string(),
    )
}

/// Returns the name and the SHA-256 of each file, sorted by name.
pub(crate) fn digests(release: &Path) -> Result<Vec<(String, String)>> {
    let digest = |path: std::path::PathBuf| {
        let name = path
            .strip_prefix(release)?
            .to_str()
            .context("a name in UTF-8")?;
        Ok((name.replace('\\', "/"), report::digest(&fs::read(&path)?)))
    };
    archive::files(release)?.into_iter().map(digest).collect()
}
