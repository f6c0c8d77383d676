//! A proof of possession (RFC 9449 §4.3). The key's thumbprint and all that it
//! says about the request come before its signature, so that no stranger's key
//! reaches the arithmetic.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::Checks;
use crate::{
    jose::{Proof, sha256},
    refusal::{Code, Refusal},
    request::{Request, htu},
    token::Shown,
};

/// Why a proof is not good, and a clause for an explanation.
type Fault = (Refusal, &'static str);

impl Checks<'_> {
    /// Checks a proof, all but its first use. `second` is another `dpop` field.
    pub(super) fn check_proof(
        &self,
        token: &[u8],
        jkt: &[u8; 32],
        (text, second): (&[u8], Option<&[u8]>),
        request: &Request<'_>,
    ) -> Result<Shown, Fault> {
        let dpop = &self.policy.sender.dpop;
        if second.is_some() {
            return Err(fault("dpop", "there are two headers `dpop`"));
        }
        let parsed = Proof::parse(text, &dpop.algorithms, &self.policy.limits);
        let (proof, carried) = parsed.map_err(|why| fault("dpop", why))?;
        if carried.thumbprint != *jkt {
            return Err(fault("jwk", "its key is not that of `cnf.jkt`"));
        }
        let is = |claim: &Option<Box<str>>, wanted: &[u8]| {
            claim
                .as_ref()
                .is_some_and(|claim| claim.as_bytes() == wanted)
        };
        if !is(&proof.htm, request.method) {
            return Err(fault("htm", "its `htm` is not the method"));
        }
        if !self.is_here(proof.htu.as_deref().unwrap_or_default(), request) {
            return Err(fault("htu", "its `htu` is not the address of the request"));
        }
        let ath = base64url::encode(&sha256(&[token]));
        if !is(&proof.ath, ath.as_bytes()) {
            return Err(fault("ath", "its `ath` is not the hash of the token"));
        }
        let now = i64::try_from(self.now_ms).unwrap_or(i64::MAX);
        let leeway_ms = self.policy.leeway_ms;
        let longest = dpop.max_age_ms.saturating_add(leeway_ms);
        let iat = proof.iat_ms.filter(|iat| {
            let age = now.saturating_sub(*iat);
            age >= leeway_ms.saturating_neg() && age <= longest
        });
        let iat =
            iat.ok_or_else(|| fault("iat", "its `iat` is missing, too old or in the future"))?;
        if let Some(nonces) = &dpop.nonces
            && !nonces.admits(proof.nonce.as_deref().unwrap_or_default(), self.now_ms)
        {
            let refusal = Refusal::claim(Code::NonceRequired, "nonce");
            return Err((refusal, "its `nonce` is missing, old or another's"));
        }
        let digest = sha256(&[text]);
        let mut key = None;
        // The check before this one has verified a proof about which the host is
        // asked.
        if !self.proofs.is_signed(&digest, self.now_ms) {
            let known = self.proofs.key(jkt, carried.algorithm);
            let prepared = match known {
                Some(known) => Arc::clone(known),
                None => Arc::new(carried.prepare().map_err(|why| fault("jwk", why))?),
            };
            if !proof.is_signed_by(&prepared) {
                return Err(fault("dpop", "its signature is not of its key"));
            }
            key = Some(prepared);
        }
        let expires_ms = iat.saturating_add(longest).saturating_add(1);
        Ok(Shown {
            id: sha256(&[jkt, proof.jti.as_bytes()]),
            owner: *jkt,
            expires_ms: u64::try_from(expires_ms).unwrap_or(0),
            digest,
            key,
        })
    }

    /// Returns whether a URI is the address of a request, as its client sees it.
    fn is_here(&self, uri: &str, request: &Request<'_>) -> bool {
        let scheme = match request.connection.scheme {
            b"" => b"https",
            scheme => scheme,
        };
        let Some((origin, path)) = htu::split(uri.as_bytes()) else {
            return false;
        };
        let own = |scheme| htu::origin(scheme, request.authority);
        let origins = &self.policy.sender.dpop.origins;
        let is_listed = |origin: &Vec<u8>| origins.iter().any(|known| **known == **origin);
        let is_right = if origins.is_empty() {
            own(scheme).as_ref() == Some(&origin)
        } else {
            // A request with an authority of the list is for that one: its proof is
            // good for no other.
            let own = [own(b"https"), own(b"http")];
            let pinned = own.iter().flatten().any(is_listed);
            is_listed(&origin) && (!pinned || own.contains(&Some(origin)))
        };
        is_right && path == htu::path(request.target)
    }
}

fn fault(claim: &str, why: &'static str) -> Fault {
    (Refusal::of_proof(claim), why)
}
