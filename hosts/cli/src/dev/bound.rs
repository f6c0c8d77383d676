//! Tokens that are bound to their sender.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_dev_issuer::{Issuer, ProofKey, Proven};
use serde_json::{Map, Value, json};

use super::token::TokenArgs;
use crate::{certificate, failure::Failure};

/// A token, and the proof that its client sends with it.
pub(super) fn mint(
    args: TokenArgs,
    issuer: &Issuer,
    now_ms: u64,
) -> Result<(String, Option<String>), Failure> {
    let mut confirmation = Map::new();
    if let Some(file) = &args.client_cert {
        let hash = URL_SAFE_NO_PAD.encode(certificate::sha256(file)?);
        confirmation.insert("x5t#S256".to_owned(), json!(hash));
    }
    let bound = match (&args.dpop, &args.dpop_key) {
        (None, _) => None,
        (Some(request), None) => Some((request.clone(), ProofKey::generate()?)),
        (Some(request), Some(file)) => Some((request.clone(), ProofKey::read_or_generate(file)?)),
    };
    if let Some((_, key)) = &bound {
        confirmation.insert("jkt".to_owned(), json!(key.thumbprint()));
    }
    let nonce = args.dpop_nonce.clone();
    let mut spec = args.into_spec();
    if !confirmation.is_empty() {
        let confirmation = Value::Object(confirmation);
        spec.claim.insert(0, ("cnf".to_owned(), confirmation));
    }
    let token = spec.mint(issuer, now_ms)?;
    let Some(((method, url), key)) = bound else {
        return Ok((token, None));
    };
    let proven = Proven {
        method: &method,
        url: &url,
        token: &token,
        nonce: nonce.as_deref(),
    };
    let proof = key.prove(&proven, now_ms)?;
    Ok((token, Some(proof)))
}
