//! The results of failed checks: the codes, the refusal inside the gate, the
//! denial for the caller, and the trace for an explanation. Uses no other room.

mod code;
mod denial;
mod trace;

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

pub use code::{Code, Status};
pub use denial::Denial;
pub use trace::{Step, Verdict};
pub(crate) use trace::{Trace, quoted, quoted_or_none};

/// A failed check. It is one pointer, so that the results of all checks, most
/// of which pass, are small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(Box<Reason>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: Code,
    /// The claim that failed: a registered name, or a pointer of the policy.
    pub(crate) claim: Option<Box<str>>,
    /// The scopes that would satisfy the rule (RFC 6750 §3.1), for
    /// `scope_insufficient`.
    scope: Option<String>,
    /// The address of the resource's metadata (RFC 9728 §5.1).
    resource_metadata: Option<Box<str>>,
    /// Which sign-in would do (RFC 9470 §3), for
    /// `authentication_insufficient`.
    acr_values: Option<String>,
    max_age: Option<String>,
    /// The principal whose token it is about, if that is not the user.
    principal: Option<Box<str>>,
    /// Whether the rule reads passwords of the Basic scheme (RFC 7617).
    reads_basic: bool,
    /// Whether a proof of possession is at fault, and not the certificate.
    of_proof: bool,
    /// The algorithms of proofs, if the rule reads the scheme `DPoP` (RFC 9449).
    proofs: Option<String>,
    /// Whether the rule reads no other scheme.
    only_proofs: bool,
    /// The nonce for the next proof (RFC 9449 §8).
    pub(crate) nonce: Option<String>,
    pub(crate) retry_after_ms: u64,
}

impl core::ops::Deref for Refusal {
    type Target = Reason;

    fn deref(&self) -> &Reason {
        &self.0
    }
}

impl core::ops::DerefMut for Refusal {
    fn deref_mut(&mut self) -> &mut Reason {
        &mut self.0
    }
}

impl Refusal {
    pub(crate) fn claim(code: Code, claim: &str) -> Self {
        let mut refusal = Self::from(code);
        refusal.claim = Some(claim.into());
        refusal
    }

    pub(crate) fn scopes(wanted: &[Box<str>]) -> Self {
        let mut refusal = Self::from(Code::ScopeInsufficient);
        refusal.scope = Some(wanted.join(" "));
        refusal
    }

    /// A sign-in that is not as recent or as strong as the rule requires. `claim`
    /// is the one that says so.
    pub(crate) fn sign_in(claim: &str, acr_values: &[Box<str>], max_age_s: Option<u32>) -> Self {
        let mut refusal = Self::claim(Code::AuthenticationInsufficient, claim);
        refusal.acr_values = (!acr_values.is_empty()).then(|| acr_values.join(" "));
        refusal.max_age = max_age_s.map(|max_age_s| format!("{max_age_s}"));
        refusal
    }

    pub(crate) fn retry(code: Code, after_ms: u64) -> Self {
        let mut refusal = Self::from(code);
        refusal.retry_after_ms = after_ms;
        refusal
    }

    /// A proof that is not good because of its header member or claim.
    pub(crate) fn of_proof(claim: &str) -> Self {
        let mut refusal = Self::claim(Code::ProofInvalid, claim);
        refusal.of_proof = true;
        refusal
    }

    /// Adds a challenge of the scheme `DPoP` with these algorithms.
    pub(crate) fn ask_for_proof(&mut self, algorithms: String, only: bool) {
        self.proofs = Some(algorithms);
        self.only_proofs = only;
    }

    /// Returns whether the challenge has what the policy adds.
    pub(crate) fn has_challenge(&self) -> bool {
        self.code.status() == 401 || self.code == Code::ScopeInsufficient
    }

    /// Adds to the challenge what the policy says: the scopes of the rule,
    /// before those that one alternative of `any_of` lacks, and the address of
    /// the resource's metadata.
    pub(crate) fn challenge_with(&mut self, mut scopes: String, metadata: Option<&str>) {
        for scope in self.scope.iter().flat_map(|scope| scope.split(' ')) {
            add_word(&mut scopes, scope);
        }
        self.scope = (!scopes.is_empty()).then_some(scopes);
        self.resource_metadata = metadata.map(Box::from);
    }

    /// Makes the denial. The code determines status and challenge.
    pub(crate) fn into_denial(self, realm: &str) -> Denial {
        let retry_after_s = (self.code.status() == 503).then(|| {
            let seconds = self.retry_after_ms.div_ceil(1000).max(1);
            u32::try_from(seconds).unwrap_or(u32::MAX)
        });
        let challenge = self.challenge(realm);
        let reason = *self.0;
        Denial {
            challenge,
            code: reason.code,
            claim: reason.claim,
            principal: reason.principal,
            retry_after_s,
            nonce: reason.nonce,
        }
    }

    /// Returns `WWW-Authenticate` (RFC 6750 §3). No value contains `"` or `\`,
    /// so none needs an escape.
    fn challenge(&self, realm: &str) -> Option<String> {
        let error = match (self.code, self.code.status()) {
            (Code::TokenMissing, _) => None,
            (_, 400) => Some("invalid_request"),
            (Code::AuthenticationInsufficient, _) => Some("insufficient_user_authentication"),
            (_, 401) => Some("invalid_token"),
            (Code::ScopeInsufficient, _) => Some("insufficient_scope"),
            _ => return None,
        };
        // RFC 9449 §7.1 and §9: what is wrong is no matter of a bearer token.
        let of_proof = match self.code {
            Code::NonceRequired => Some("use_dpop_nonce"),
            Code::ProofReplayed => Some("invalid_dpop_proof"),
            Code::ProofInvalid if self.of_proof => Some("invalid_dpop_proof"),
            _ => None,
        };
        let mut challenge = String::new();
        if !self.only_proofs {
            let error = if of_proof.is_some() { None } else { error };
            self.add_challenge(&mut challenge, "Bearer", realm, error, None);
        }
        if let Some(algorithms) = &self.proofs {
            if !challenge.is_empty() {
                challenge.push_str(", ");
            }
            let error = of_proof.or(error);
            self.add_challenge(&mut challenge, "DPoP", realm, error, Some(algorithms));
        }
        if self.reads_basic && self.code.status() == 401 {
            // One field can have several challenges (RFC 9110 §11.6.1).
            challenge.push_str(", Basic realm=\"");
            challenge.push_str(realm);
            challenge.push_str("\", charset=\"UTF-8\"");
        }
        Some(challenge)
    }

    fn add_challenge(
        &self,
        challenge: &mut String,
        scheme: &str,
        realm: &str,
        error: Option<&str>,
        algorithms: Option<&str>,
    ) {
        let sentence = error.map(|_| self.code.sentence());
        challenge.push_str(scheme);
        for (name, value) in [
            (" realm=\"", Some(realm)),
            (", error=\"", error),
            (", error_description=\"", sentence),
            (", algs=\"", algorithms),
            (", scope=\"", self.scope.as_deref()),
            (", acr_values=\"", self.acr_values.as_deref()),
            (", max_age=\"", self.max_age.as_deref()),
            (", resource_metadata=\"", self.resource_metadata.as_deref()),
        ] {
            if let Some(value) = value {
                for part in [name, value, "\""] {
                    challenge.push_str(part);
                }
            }
        }
    }
}

/// Adds a word to words with spaces between, if it is new.
pub(crate) fn add_word(words: &mut String, word: &str) {
    if words.split(' ').any(|known| known == word) {
        return;
    }
    if !words.is_empty() {
        words.push(' ');
    }
    words.push_str(word);
}

impl From<Code> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(code: Code) -> Self {
        Self(Box::new(Reason {
            code,
            claim: None,
            scope: None,
            resource_metadata: None,
            acr_values: None,
            max_age: None,
            principal: None,
            reads_basic: false,
            of_proof: false,
            proofs: None,
            only_proofs: false,
            nonce: None,
            retry_after_ms: 0,
        }))
    }
}

/// Why a check ended without a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Deny(Refusal),
    /// These documents could change the answer.
    Wait(Vec<Wanted>),
    /// The host is asked first: see `Checks::question`.
    Ask,
}

/// A document to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) source: u32,
    /// Its address, if the source has a document for each `kid`.
    pub(crate) uri: Option<Arc<str>>,
}

impl Wanted {
    /// The document of a source that has one.
    pub(crate) fn of(source: u32) -> Self {
        Self { source, uri: None }
    }
}

impl Halt {
    /// Names the principal whose token it is about.
    pub(crate) fn of(mut self, principal: &str) -> Self {
        if let Self::Deny(refusal) = &mut self {
            refusal.principal = Some(principal.into());
        }
        self
    }

    /// Adds a challenge for a password, which the rule reads too.
    pub(crate) fn asking_for_password(mut self) -> Self {
        if let Self::Deny(refusal) = &mut self {
            refusal.reads_basic = true;
        }
        self
    }

    /// Returns whether a token's own checks end so because the token is bad.
    pub(crate) fn is_bad_token(&self) -> bool {
        matches!(self, Self::Deny(refusal) if refusal.code.status() == 401
            // The token is good, and its client knows how to go on.
            && refusal.code != Code::NonceRequired)
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Deny(refusal)
    }
}

impl From<Code> for Halt {
    fn from(code: Code) -> Self {
        Self::Deny(code.into())
    }
}
