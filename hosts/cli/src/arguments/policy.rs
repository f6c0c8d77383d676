//! The policy of a decision.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_policy_source::Source;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    files::{read_bytes, read_source},
};

/// A policy from a file, or a quick policy from options.
#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    /// The policy: YAML, TOML or JSON, `-` for the standard input
    #[arg(long, short, value_name = "FILE", required_unless_present = "issuer")]
    policy: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Quick policy")]
    quick: QuickArgs,
}

/// A policy with one issuer and one rule, which lets every valid token pass.
#[derive(Args, Debug)]
struct QuickArgs {
    /// Without a policy file: trust this issuer (`iss`)
    #[arg(long, value_name = "ISS", conflicts_with = "policy")]
    issuer: Option<String>,
    /// The token must be for one of these, repeatable; `any` for every audience
    #[arg(long, value_name = "AUD", requires = "issuer")]
    audience: Vec<String>,
    /// Signed with one of these, repeatable
    #[arg(long, value_name = "ALG", requires = "issuer")]
    algorithm: Vec<String>,
    /// Its keys: a JWK Set, as a file or a URL
    #[arg(long, value_name = "FILE|URL", requires = "issuer")]
    jwks: Option<String>,
    /// Its keys: found through `/.well-known/openid-configuration`
    #[arg(long, requires = "issuer", conflicts_with = "jwks")]
    discovery: bool,
    /// Allow plain http for its keys, in a network that you trust
    #[arg(long, requires = "issuer")]
    insecure_http: bool,
    /// Print the quick policy and stop
    #[arg(long, requires = "issuer")]
    print_policy: bool,
}

impl PolicyArgs {
    pub(crate) fn read(&self) -> Result<Source, Failure> {
        match (&self.policy, &self.quick.issuer) {
            (Some(path), _) => read_source(path),
            (None, Some(issuer)) => Ok(Source::from_json(
                "quick policy",
                self.quick.policy(issuer)?.to_string().into_bytes(),
            )),
            (None, None) => Err(Failure::usage(
                "no policy: use `--policy FILE` or `--issuer`",
            )),
        }
    }

    /// Whether the policy is to be printed and nothing else.
    pub(crate) fn is_printed(&self) -> bool {
        self.quick.print_policy
    }
}

impl QuickArgs {
    /// The policy that the options describe. Audiences and algorithms have no
    /// default: the gate reports what is missing.
    fn policy(&self, issuer: &str) -> Result<Value, Failure> {
        let mut keys = match (&self.jwks, self.discovery) {
            (Some(uri), _) if uri.starts_with("https://") || uri.starts_with("http://") => {
                json!({ "jwks_uri": uri })
            }
            (Some(file), _) => json!({ "jwks": read_json(Path::new(file))? }),
            (None, true) => json!({ "discovery": true }),
            (None, false) => {
                return Err(Failure::usage("no keys: use `--jwks` or `--discovery`"));
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
