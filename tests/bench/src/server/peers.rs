//! What one would run instead: OPA behind its HTTP API, and the auth endpoint of
//! oauth2-proxy. Each decides in its own way, with keys that it has in advance or
//! fetches once.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    load::To,
    process::{Process, accepts, free_address},
};
use crate::{
    policy,
    token::{AUDIENCE, ISSUER, Signer},
};

/// The variables that name their programs, which `cargo xtask bench` sets.
pub(super) const OPA: &str = "COUNTERSIGN_OPA";
pub(super) const OAUTH2_PROXY: &str = "COUNTERSIGN_OAUTH2_PROXY";

/// A peer that was started.
pub(super) struct Peer {
    pub(super) _process: Process,
    pub(super) to: To,
}

/// Whether a peer is installed.
pub(super) fn is_here(variable: &str) -> bool {
    env::var_os(variable).is_some()
}

/// OPA with what our policy asks for in this bench: signature, issuer, audience, times,
/// type, scope, tenant, method and path.
pub(super) fn opa(folder: &Path, signer: &Signer) -> Result<Peer> {
    let keys = policy::jwks(signer)?.to_string();
    let rego = format!(
        r#"package bench

keys := `{keys}`

default allow := false

allow if {{
	[valid, _, claims] := io.jwt.decode_verify(input.token, {{
		"cert": keys, "alg": "{algorithm}", "iss": "{ISSUER}", "aud": "{AUDIENCE}",
	}})
	valid
	input.method == "GET"
	startswith(input.path, "/assets/")
	claims.typ == "pat"
	"api:assets:read" in split(claims.scope, " ")
	claims.tenant_id != ""
}}
"#,
        algorithm = signer.algorithm,
    );
    // Off by default: with it, a token that was verified is not verified again.
    let cache = json!({ "caching": { "inter_query_builtin_value_cache": {
        "named": { "io_jwt": { "max_num_entries": 1000 } },
    } } });
    let [file, config, log] = ["bench.rego", "opa.json", "opa.log"].map(|name| folder.join(name));
    fs::write(&file, rego)?;
    fs::write(&config, cache.to_string())?;
    let address = free_address()?;
    let mut command = Command::new(program(OPA)?);
    command.args([
        "run",
        "--server",
        "--skip-version-check",
        "--log-level",
        "error",
    ]);
    command.arg("--addr").arg(address.to_string());
    command.arg("--config-file").arg(config).arg(file);
    let mut process = Process::start(&mut command, &log)?;
    process.wait(&log, || accepts(address))?;
    Ok(Peer {
        _process: process,
        to: To::Tcp(address),
    })
}

pub(super) fn opa_question(target: &str, token: &str) -> Vec<u8> {
    let input = json!({ "input": { "token": token, "method": "GET", "path": target } }).to_string();
    let length = input.len();
    format!(
        "POST /v1/data/bench/allow HTTP/1.1\r\nHost: opa\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{input}"
    )
    .into()
}

pub(super) fn opa_allows(status: u16, body: &[u8]) -> bool {
    status == 200 && body.starts_with(b"{\"result\":true}")
}

/// oauth2-proxy, which checks signature, issuer, audience and times, and nothing of the
/// request.
pub(super) fn oauth2_proxy(folder: &Path, jwks_uri: &str) -> Result<Peer> {
    let log = folder.join("oauth2-proxy.log");
    let address = free_address()?;
    let mut command = Command::new(program(OAUTH2_PROXY)?);
    command.args([
        "--provider=oidc",
        "--skip-oidc-discovery=true",
        "--skip-jwt-bearer-tokens=true",
        "--email-domain=*",
        "--oidc-email-claim=sub",
        "--client-secret=unused",
        "--cookie-secret=0123456789abcdef0123456789abcdef",
        "--login-url=http://127.0.0.1:9/login",
        "--redeem-url=http://127.0.0.1:9/token",
        "--upstream=static://200",
        "--request-logging=false",
        "--auth-logging=false",
        "--standard-logging=false",
    ]);
    command.arg(format!("--oidc-issuer-url={ISSUER}"));
    command.arg(format!("--oidc-jwks-url={jwks_uri}"));
    command.arg(format!("--client-id={AUDIENCE}"));
    command.arg(format!("--http-address={address}"));
    let mut process = Process::start(&mut command, &log)?;
    process.wait(&log, || accepts(address))?;
    Ok(Peer {
        _process: process,
        to: To::Tcp(address),
    })
}

pub(super) fn oauth2_proxy_question(token: &str) -> Vec<u8> {
    format!(
        "GET /oauth2/auth HTTP/1.1\r\nHost: api.example.com\r\nAccept: application/json\r\n\
         User-Agent: bench\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into()
}

pub(super) fn oauth2_proxy_allows(status: u16, _: &[u8]) -> bool {
    status == 202
}

/// The version in the name of the folder in which it was installed: a program that
/// `go install` has made does not always know its own.
fn version(variable: &str) -> Option<String> {
    let program = PathBuf::from(env::var_os(variable)?);
    let folder = program.parent()?.file_name()?.to_str()?;
    folder.rsplit_once("-v").map(|(_, version)| version.into())
}

pub(super) fn versions() -> impl Iterator<Item = (String, String)> {
    let programs = [("opa", OPA), ("oauth2-proxy", OAUTH2_PROXY)];
    programs
        .into_iter()
        .filter_map(|(name, variable)| Some((name.to_owned(), version(variable)?)))
}

fn program(variable: &str) -> Result<PathBuf> {
    let program = env::var_os(variable);
    program
        .map(Into::into)
        .with_context(|| format!("{variable} names no program: `cargo xtask bench server` does"))
}
