//! Arguments that several commands share.

use std::{
    collections::HashMap,
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    documents::Documents,
    failure::Failure,
    moment,
    source::{Source, read_bytes},
};

/// Where the token comes from.
#[derive(Args, Debug)]
pub(crate) struct TokenArgs {
    /// File that holds the token, `-` for the standard input, which is also read
    /// when nothing is said and something is piped in
    #[arg(long = "token", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The token itself: for throw-away tokens only, for it stays in the shell's history
    #[arg(value_name = "TOKEN", conflicts_with = "file")]
    literal: Option<String>,
}

impl TokenArgs {
    /// The token, required.
    pub(crate) fn read(&self) -> Result<Vec<u8>, Failure> {
        match self.read_if_said()? {
            Some(token) => Ok(token),
            None if std::io::stdin().is_terminal() => Err(Failure::usage(
                "no token: pipe it in, or say `--token FILE`",
            )),
            None => read_trimmed(Path::new("-")),
        }
    }

    /// The token, where the arguments name one.
    pub(crate) fn read_if_said(&self) -> Result<Option<Vec<u8>>, Failure> {
        match (&self.literal, &self.file) {
            (Some(literal), _) => Ok(Some(literal.clone().into_bytes())),
            (None, Some(file)) if is_no_file(file) => Err(Failure::usage(
                "`--token` takes the name of a file, not a token: pipe it in, or leave out `--token`",
            )),
            (None, Some(file)) => read_trimmed(file).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// A token where a file was meant must not be repeated in the error.
fn is_no_file(path: &Path) -> bool {
    path.to_str().is_some_and(looks_like_a_token) && !path.exists()
}

/// Whether this may be one: `ey…` is how the JSON of every header begins.
pub(crate) fn looks_like_a_token(text: &str) -> bool {
    text.contains("ey") && text.contains('.') && text.len() > 20
}

/// Editors and `echo` end a file with a newline that is not the token's.
fn read_trimmed(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read_bytes(path)?;
    Ok(bytes.trim_ascii().to_vec())
}

/// The moment of the decision.
#[derive(Args, Debug)]
pub(crate) struct Now {
    /// Decide as of this moment: 2026-11-21T09:30:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    now: Option<u64>,
}

impl Now {
    /// The moment that was said, or this one.
    pub(crate) fn ms(&self) -> u64 {
        self.now.unwrap_or_else(moment::now_ms)
    }
}

/// A policy from a file, or a quick one out of a few options.
#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// The policy: YAML, TOML or JSON, `-` for the standard input
    #[arg(long, short, value_name = "FILE", required_unless_present = "issuer")]
    policy: Option<PathBuf>,
    /// Without a policy file: trust this issuer (`iss`)
    #[arg(
        long,
        value_name = "ISS",
        help_heading = "Quick policy",
        conflicts_with = "policy"
    )]
    issuer: Option<String>,
    /// The token must be for one of these, repeatable; `any` for whatever it says
    #[arg(
        long,
        value_name = "AUD",
        help_heading = "Quick policy",
        requires = "issuer"
    )]
    audience: Vec<String>,
    /// Signed with one of these, repeatable
    #[arg(
        long,
        value_name = "ALG",
        help_heading = "Quick policy",
        requires = "issuer"
    )]
    algorithm: Vec<String>,
    /// Its keys: a JWK Set, as a file or a URL
    #[arg(
        long,
        value_name = "FILE|URL",
        help_heading = "Quick policy",
        requires = "issuer"
    )]
    jwks: Option<String>,
    /// Its keys: found through `/.well-known/openid-configuration`
    #[arg(
        long,
        help_heading = "Quick policy",
        requires = "issuer",
        conflicts_with = "jwks"
    )]
    discovery: bool,
    /// Allow plain http for its keys, in a network that you trust
    #[arg(long, help_heading = "Quick policy", requires = "issuer")]
    insecure_http: bool,
    /// Print the quick policy and stop
    #[arg(long, help_heading = "Quick policy", requires = "issuer")]
    pub(crate) print_policy: bool,
}

impl PolicyArgs {
    pub(crate) fn read(&self) -> Result<Source, Failure> {
        match (&self.policy, &self.issuer) {
            (Some(path), _) => Source::read(path),
            (None, Some(issuer)) => Ok(Source::from_json(
                "quick policy",
                self.quick(issuer)?.to_string().into_bytes(),
            )),
            (None, None) => Err(Failure::usage(
                "no policy: say `--policy FILE` or `--issuer`",
            )),
        }
    }

    /// The policy that the options amount to. Nothing is assumed about
    /// audiences and algorithms: the gate says what is missing.
    fn quick(&self, issuer: &str) -> Result<Value, Failure> {
        let mut keys = match (&self.jwks, self.discovery) {
            (Some(uri), _) if uri.starts_with("https://") || uri.starts_with("http://") => {
                json!({ "jwks_uri": uri })
            }
            (Some(file), _) => json!({ "jwks": read_json(Path::new(file))? }),
            (None, true) => json!({ "discovery": true }),
            (None, false) => {
                return Err(Failure::usage(
                    "where are the keys? say `--jwks` or `--discovery`",
                ));
            }
        };
        if self.insecure_http {
            keys["insecure_http"] = json!(true);
        }
        let audiences = match self.audience.as_slice() {
            [any] if any == "any" => json!("any"),
            several => json!(several),
        };
        Ok(json!({
            "contract": "1",
            "issuers": [{
                "name": "issuer",
                "issuer": issuer,
                "audiences": audiences,
                "algorithms": self.algorithm,
                "keys": keys,
            }],
            "rules": [{ "path": "/**", "require": {} }],
        }))
    }
}

fn read_json(path: &Path) -> Result<Value, Failure> {
    serde_json::from_slice(&read_bytes(path)?)
        .map_err(|error| Failure::usage(format!("`{}` is not JSON: {error}", path.display())))
}

/// Documents that are not fetched.
#[derive(Args, Debug)]
pub(crate) struct DocumentArgs {
    /// Use this JWK Set as what the issuer of that name publishes, repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named_file)]
    keys: Vec<(String, PathBuf)>,
    /// Use this revocation document in the same way
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named_file)]
    revocations: Vec<(String, PathBuf)>,
    /// Fetch nothing: what is not given here counts as unreachable
    #[arg(long)]
    offline: bool,
}

impl DocumentArgs {
    /// Reads them, for a policy that must have those issuers.
    pub(crate) fn read(&self, policy: &Source) -> Result<Documents, Failure> {
        let read = |files: &[(String, PathBuf)]| {
            let read = |(name, path): &(String, PathBuf)| Ok((name.clone(), read_bytes(path)?));
            files
                .iter()
                .map(read)
                .collect::<Result<HashMap<_, _>, Failure>>()
        };
        let mut documents = Documents::new(policy, read(&self.keys)?, read(&self.revocations)?)?;
        documents.offline = self.offline;
        Ok(documents)
    }
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected ISSUER=FILE")?;
    Ok((name.to_owned(), file.into()))
}
