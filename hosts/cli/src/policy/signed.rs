//! Policies that travel: their digest, and policies that are signed
//! (`docs/signed-policies.md`).

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::{
    digest::{SHA256, digest as hash},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use clap::Args;
use countersign_host::{open_signed, policy_digest};
use countersign_policy_source::Source;
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::json;

use crate::{
    failure::Failure,
    files::{read_bytes, read_source},
    moment,
    output::{Exit, Output},
    style::{BAD, GOOD},
};

#[derive(Args, Debug)]
pub(crate) struct DigestArgs {
    /// YAML, TOML or JSON; `-` for the standard input
    file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// The file for the private key (PEM, PKCS #8), which must not be there yet
    file: PathBuf,
    /// Its name; by default its thumbprint (RFC 7638)
    #[arg(long, value_name = "NAME")]
    kid: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SignArgs {
    /// The policy: YAML or JSON. Its bytes are signed as they are
    file: PathBuf,
    /// The private key of Ed25519: PEM, PKCS #8
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The key's name; by default its thumbprint (RFC 7638)
    #[arg(long, value_name = "NAME")]
    kid: Option<String>,
    /// The name of the policy, as in each host's trust
    #[arg(long, value_name = "NAME")]
    name: String,
    /// For which hosts: production, staging
    #[arg(long, value_name = "NAME")]
    audience: String,
    /// A whole number that is higher than that of the last one
    #[arg(long, value_name = "NUMBER")]
    version: u32,
    /// From then on no host puts it in force: 30days
    #[arg(long, value_name = "TIME", value_parser = moment::parse_duration)]
    expires: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The signed policy; `-` for the standard input
    file: PathBuf,
    /// The trust: keys, the name of the policy, the audience, the lowest version
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
    /// Print the policy itself
    #[arg(long)]
    print: bool,
}

pub(super) fn digest(args: &DigestArgs, output: Output) -> Result<Exit, Failure> {
    let source = read_source(&args.file)?;
    let digest = policy_digest(&source.json).map_err(|error| match error.problems() {
        [] => Failure::usage(error.to_string()),
        problems => Failure::Problems(source.locate(problems.to_vec())),
    })?;
    match output.json {
        true => anstream::println!("{}", json!({ "digest": digest })),
        false => anstream::println!("{digest}  {}", args.file.display()),
    }
    Ok(Exit::Good)
}

/// Makes a key, and prints its public part for the trusts.
pub(super) fn key(args: &KeyArgs) -> Result<Exit, Failure> {
    let failed = |_| Failure::usage("the system has no randomness");
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let der = pair.to_pkcs8v1().map_err(failed)?;
    let text = STANDARD.encode(der.as_ref());
    write_private(
        &args.file,
        &format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
    )
    .map_err(|error| Failure::usage(format!("cannot write the key: {error}")))?;
    let key = Key::new(pair, args.kid.as_deref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": key.kid, "x": key.x });
    anstream::println!("{jwk}");
    Ok(Exit::Good)
}

pub(super) fn sign(args: &SignArgs) -> Result<Exit, Failure> {
    let policy = read_bytes(&args.file)?;
    refuse_unfit(&args.file, policy.clone())?;
    let key = Key::read(&args.key, args.kid.as_deref())?;
    if args.name.is_empty() || args.audience.is_empty() {
        return Err(Failure::usage("a name and an audience are not empty"));
    }
    let expires_s = moment::now_ms() / 1000 + args.expires.as_secs();
    let header = json!({
        "alg": "EdDSA",
        "typ": "countersign-policy+jws",
        "kid": key.kid,
        "policy": args.name,
        "aud": args.audience,
        "version": args.version,
        "exp": expires_s,
    });
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let input = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(&policy)
    );
    let signature = key.pair.sign(input.as_bytes());
    anstream::println!("{input}.{}", encode(signature.as_ref()));
    Ok(Exit::Good)
}

/// Hosts would refuse a policy with errors, and one with secrets must not travel.
fn refuse_unfit(file: &Path, policy: Vec<u8>) -> Result<(), Failure> {
    let source = Source::parse(&file.display().to_string(), policy)?;
    let mut problems = source.lint();
    let is_secret = |code: &str| code == "inline_secret";
    problems.retain(|problem| problem.is_error || is_secret(&problem.code));
    for problem in &mut problems {
        if is_secret(&problem.code) {
            problem.is_error = true;
            problem.message =
                "a secret would travel with the signed policy: use `secret_from`".into();
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure::Problems(problems)),
    }
}

pub(super) fn verify(args: &VerifyArgs, output: Output) -> Result<Exit, Failure> {
    let (signed, trust) = (read_bytes(&args.file)?, read_bytes(&args.trust)?);
    let opened = match open_signed(&signed, &trust, moment::now_ms()) {
        Ok(opened) => opened,
        Err(problem) => {
            match output.json {
                true => anstream::println!(
                    "{}",
                    json!({ "verified": false, "code": problem.code, "message": problem.message, "pointer": problem.pointer })
                ),
                false => anstream::println!("{BAD}refused{BAD:#} {problem}"),
            }
            return Ok(Exit::Bad);
        }
    };
    if args.print {
        std::io::stdout()
            .write_all(&opened.policy)
            .map_err(|error| Failure::usage(format!("cannot print the policy: {error}")))?;
        return Ok(Exit::Good);
    }
    let expires_ms = i64::try_from(opened.expires_ms).unwrap_or(i64::MAX);
    let expires = moment::rfc3339(expires_ms);
    match output.json {
        true => anstream::println!(
            "{}",
            json!({ "verified": true, "version": opened.version, "expires": expires, "kid": opened.kid })
        ),
        false => anstream::println!(
            "{GOOD}verified{GOOD:#} version {}, signed by `{}`, expires {}",
            opened.version,
            opened.kid,
            moment::relative(expires_ms, moment::now_ms()),
        ),
    }
    Ok(Exit::Good)
}

struct Key {
    pair: Ed25519KeyPair,
    kid: String,
    /// The public key, in base64url.
    x: String,
}

impl Key {
    fn new(pair: Ed25519KeyPair, kid: Option<&str>) -> Self {
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let thumbprint = || {
            // RFC 7638 §3, with the members of RFC 8037 §2.
            let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
            URL_SAFE_NO_PAD.encode(hash(&SHA256, members.as_bytes()))
        };
        let kid = kid.map_or_else(thumbprint, str::to_owned);
        Self { pair, kid, x }
    }

    fn read(path: &Path, kid: Option<&str>) -> Result<Self, Failure> {
        let unfit = || {
            let message = "is no private key of Ed25519 (PEM, PKCS #8): `policy key` makes one";
            Failure::Usage(format!("`{}` {message}", path.display()))
        };
        let der = PrivatePkcs8KeyDer::from_pem_slice(&read_bytes(path)?).map_err(|_| unfit())?;
        let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unfit())?;
        Ok(Self::new(pair, kid))
    }
}

/// Only its owner can read it, and nothing is overwritten.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
