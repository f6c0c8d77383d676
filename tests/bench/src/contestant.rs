//! The contestants in this process: the gate in its hosts, and the peer.

use std::ops::Range;

use anyhow::{Context, Result, bail};
use countersign::Gate;
use countersign_host::{Answer, Decision, Instance, Signatures};
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, jwk::Jwk};
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::{
    policy,
    race::Contestant,
    token::{self, AUDIENCE, ISSUER, Signer},
};

const METHOD: &str = "GET";
const AUTHORITY: &str = "api.example.com";

/// A policy and the requests to check.
pub(crate) struct Case {
    pub(crate) policy: Vec<u8>,
    target: String,
    tokens: Vec<String>,
    /// The values of `Authorization`.
    credentials: Vec<String>,
}

impl Case {
    pub(crate) fn new(policy: Vec<u8>, target: &str, tokens: Vec<String>) -> Self {
        let credentials = tokens
            .iter()
            .map(|token| format!("Bearer {token}"))
            .collect();
        Self {
            policy,
            target: target.into(),
            tokens,
            credentials,
        }
    }

    /// The typical policy, and tokens of one algorithm.
    pub(crate) fn typical(signer: &Signer, tokens: usize) -> Result<Self> {
        Ok(Self::new(
            policy::typical(signer)?,
            policy::TARGET,
            signer.tokens(tokens)?,
        ))
    }

    fn headers(&self, tokens: Range<usize>) -> Result<impl Iterator<Item = [(&[u8], &[u8]); 1]>> {
        let credentials = self
            .credentials
            .get(tokens)
            .context("too few tokens were made")?;
        Ok(credentials
            .iter()
            .map(|value| [(&b"authorization"[..], value.as_bytes())]))
    }
}

/// The crate `countersign` as native code.
pub(crate) struct Native<'c> {
    pub(crate) name: &'static str,
    pub(crate) case: &'c Case,
    pub(crate) gate: Option<Gate>,
}

impl Contestant for Native<'_> {
    fn name(&self) -> String {
        self.name.into()
    }

    fn open(&mut self) -> Result<()> {
        let opened = Gate::open(&self.case.policy, 1);
        self.gate = Some(opened.map_err(|problems| anyhow::anyhow!("{problems:?}"))?);
        Ok(())
    }

    fn check(&mut self, tokens: Range<usize>) -> Result<()> {
        let gate = self.gate.as_mut().context("not open")?;
        for headers in self.case.headers(tokens)? {
            let request = countersign::Request {
                method: METHOD.as_bytes(),
                authority: AUTHORITY.as_bytes(),
                target: self.case.target.as_bytes(),
                headers: &headers,
                connection: Default::default(),
            };
            match gate.check(&request, token::now_ms()) {
                countersign::Decision::Allow(_) => {}
                other => bail!("not admitted: {other:?}"),
            }
        }
        Ok(())
    }
}

/// The sealed module in wasmtime, by the lowest-level API: a single instance.
pub(crate) struct Sealed<'c> {
    pub(crate) name: &'static str,
    pub(crate) case: &'c Case,
    pub(crate) signatures: Signatures,
    pub(crate) instance: Option<Instance>,
}

impl Contestant for Sealed<'_> {
    fn name(&self) -> String {
        self.name.into()
    }

    fn open(&mut self) -> Result<()> {
        self.instance = Some(Instance::open_with(
            &self.case.policy,
            self.signatures,
            &[],
        )?);
        Ok(())
    }

    fn check(&mut self, tokens: Range<usize>) -> Result<()> {
        let instance = self.instance.as_mut().context("not open")?;
        for headers in self.case.headers(tokens)? {
            let request = countersign_host::Request {
                method: METHOD.as_bytes(),
                authority: AUTHORITY.as_bytes(),
                target: self.case.target.as_bytes(),
                headers: &headers,
                connection: Default::default(),
            };
            match instance.check(request, token::now_ms())? {
                Answer::Decided(Decision::Allow(_)) => {}
                other => bail!("not admitted: {other:?}"),
            }
        }
        Ok(())
    }
}

/// The sealed module in wasmtime, by the API that a service calls.
pub(crate) struct Service {
    policy: Vec<u8>,
    signatures: Signatures,
    requests: Vec<http::Request<()>>,
    runtime: Runtime,
    gate: Option<countersign_host::Gate>,
}

impl Service {
    pub(crate) fn new(case: &Case, signatures: Signatures) -> Result<Self> {
        let requests = case.credentials.iter().map(|value| {
            http::Request::builder()
                .method(METHOD)
                .uri(&case.target)
                .header("host", AUTHORITY)
                .header("user-agent", "bench")
                .header("accept", "application/json")
                .header("authorization", value)
                .body(())
        });
        Ok(Self {
            policy: case.policy.clone(),
            signatures,
            requests: requests.collect::<Result<_, _>>()?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            gate: None,
        })
    }
}

impl Contestant for Service {
    fn name(&self) -> String {
        "sealed, Gate::check".into()
    }

    fn open(&mut self) -> Result<()> {
        let builder = countersign_host::Gate::builder()
            .policy(&self.policy[..])
            .signatures(self.signatures)
            .instances(1);
        self.gate = Some(self.runtime.block_on(builder.build())?);
        Ok(())
    }

    fn check(&mut self, tokens: Range<usize>) -> Result<()> {
        let gate = self.gate.as_ref().context("not open")?;
        let requests = self
            .requests
            .get(tokens)
            .context("too few tokens were made")?;
        self.runtime.block_on(async {
            for request in requests {
                if let Decision::Deny(denial) = gate.check(request).await {
                    bail!("not admitted: {denial:?}");
                }
            }
            Ok(())
        })
    }
}

/// `jsonwebtoken` with aws-lc, which verifies the signature at each call. It has
/// its key in advance, and checks issuer, audience and times as strictly as the
/// gate, but not token types, scopes and tenants.
pub(crate) struct JsonWebToken<'c> {
    tokens: &'c [String],
    key: DecodingKey,
    validation: Validation,
}

/// The claims that a service usually reads.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read by nobody here, but by a service")]
struct Claims {
    sub: String,
    tenant_id: String,
    scope: String,
    exp: u64,
}

impl<'c> JsonWebToken<'c> {
    pub(crate) fn new(case: &'c Case, signer: &Signer) -> Result<Self> {
        let algorithm: Algorithm = signer.algorithm.parse()?;
        let key = DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(signer.public_jwk())?)?;
        let mut validation = Validation::new(algorithm);
        validation.leeway = 30;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Ok(Self {
            tokens: &case.tokens,
            key,
            validation,
        })
    }
}

impl Contestant for JsonWebToken<'_> {
    fn name(&self) -> String {
        "jsonwebtoken".into()
    }

    fn open(&mut self) -> Result<()> {
        Ok(())
    }

    fn check(&mut self, tokens: Range<usize>) -> Result<()> {
        for token in self
            .tokens
            .get(tokens)
            .context("too few tokens were made")?
        {
            let decoded: TokenData<Claims> =
                jsonwebtoken::decode(token, &self.key, &self.validation)?;
            std::hint::black_box(decoded.claims);
        }
        Ok(())
    }
}
