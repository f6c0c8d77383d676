//! The subject of a decision: a token alone, or a whole request.

use std::path::PathBuf;

use clap::Args;
use countersign_policy_source::Source;
use serde_json::Value;

use super::token::TokenArgs;
use crate::{
    certificate,
    failure::Failure,
    request::{Request, Subject, parse_line},
};

#[derive(Args, Debug)]
pub(crate) struct SubjectArgs {
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten, next_help_heading = "Request")]
    request: RequestArgs,
    /// For a token alone: the requirements on it, as in `require` of a rule
    #[arg(long, value_name = "JSON", value_parser = requirement, help_heading = None)]
    #[arg(conflicts_with_all = ["request", "path"])]
    require: Option<Value>,
}

#[derive(Args, Debug)]
struct RequestArgs {
    /// A request: `GET /assets/1`, or with the host `GET https://api.example.com/assets/1`
    #[arg(long, short, value_name = "METHOD TARGET")]
    request: Option<String>,
    /// The request in parts: the method; GET by default
    #[arg(long, value_name = "METHOD", conflicts_with = "request")]
    method: Option<String>,
    /// The request in parts: the path, with a query if there is one
    #[arg(long, value_name = "TARGET", conflicts_with = "request")]
    path: Option<String>,
    /// The host that the request is for
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// A header, repeatable
    #[arg(long, short = 'H', value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// A proof of possession (DPoP, RFC 9449): the token goes where the policy reads the
    /// scheme `DPoP`
    #[arg(long, value_name = "PROOF")]
    dpop_proof: Option<String>,
    /// The certificate with which the client has authenticated in TLS: PEM or DER
    #[arg(long, value_name = "FILE")]
    client_cert: Option<PathBuf>,
}

impl SubjectArgs {
    /// Reads the token and puts it where `policy` reads tokens from.
    pub(crate) fn read(&self, policy: &Source) -> Result<Subject, Failure> {
        let Some(mut request) = self.request.read()? else {
            return Ok(Subject::Token(self.token.read()?, self.require.clone()));
        };
        if let Some(token) = self.token.read_if_given()? {
            let policy = serde_json::from_slice(&policy.json).unwrap_or_default();
            request.add_token(&token, &policy);
        }
        Ok(Subject::Request(request))
    }
}

impl RequestArgs {
    /// The request without its token, if there is one.
    fn read(&self) -> Result<Option<Request>, Failure> {
        let (method, target) = match (&self.request, &self.path) {
            (Some(line), _) => parse_line(line).map_err(Failure::Usage)?,
            (None, Some(path)) => {
                let method = self.method.clone().unwrap_or_else(|| "GET".to_owned());
                (method, path.clone())
            }
            (None, None) if self.is_empty() => return Ok(None),
            (None, None) => return Err(Failure::usage("a request needs `--path`")),
        };
        let mut request = Request::new(method, target, self.host.clone());
        for (name, value) in &self.header {
            request.push(name, value.as_bytes());
        }
        if let Some(proof) = &self.dpop_proof {
            request.push("dpop", proof.as_bytes());
        }
        if let Some(file) = &self.client_cert {
            request.connection.certificate = Some(certificate::sha256(file)?);
        }
        Ok(Some(request))
    }

    fn is_empty(&self) -> bool {
        let Self {
            request,
            method,
            path,
            host,
            header,
            dpop_proof,
            client_cert,
        } = self;
        let words = [request, method, path, host, dpop_proof];
        words.iter().all(|word| word.is_none()) && header.is_empty() && client_cert.is_none()
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected `NAME: VALUE`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn requirement(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}
