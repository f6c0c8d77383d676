//! The closed list of codes that say why a request is denied, with the HTTP
//! status and the sentence of each. The rows are in the order of checks, and
//! `any_of` compares codes by it: a new code goes to its place, not to the end.
//! `README.md` lists the other files that a new code changes.

/// HTTP status of an answer (RFC 9110 §15).
pub type Status = u16;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:literal, $sentence:literal;)+) => {
        /// Why a request is denied. A code is never removed or reused, and
        /// never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable name, as it appears in logs, headers and vectors.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// The HTTP status of the response.
            pub const fn status(self) -> Status {
                match self { $(Code::$name => $status,)+ }
            }

            /// One sentence for the caller. It contains no value of the token.
            pub const fn sentence(self) -> &'static str {
                match self { $(Code::$name => $sentence,)+ }
            }
        }
    };
}

codes! {
    /// The request has no token in the places of the policy.
    TokenMissing = "token_missing", 401, "a token is required";
    /// The request has two different tokens.
    TokenMultiple = "token_multiple", 400, "the request carries more than one token";
    /// A backend could read the request target differently than the gate.
    RequestAmbiguous = "request_ambiguous", 400, "the request target can be read in more than one way";
    /// The token or its header is larger than the limit.
    TokenTooLarge = "token_too_large", 401, "the token is too large";
    /// No key of the issuer, or one that is expired or switched off.
    ApiKeyInvalid = "api_key_invalid", 401, "the API key is not valid";
    /// The authorization server says that the token is not active (RFC 7662 §2.2).
    TokenInactive = "token_inactive", 401, "the token is not active";
    /// Not three canonical base64url parts (RFC 7515 §3.1, §2).
    TokenMalformed = "token_malformed", 401, "the token is not a compact JWS";
    /// The JOSE header is not strict JSON or has members of the wrong type.
    HeaderInvalid = "header_invalid", 401, "the token header is invalid";
    /// `crit` is present: no extension is supported (RFC 7515 §4.1.11).
    CritUnsupported = "crit_unsupported", 401, "the token requires an unsupported extension";
    /// `alg` is unknown, is `none`, or is not an algorithm of the issuer.
    AlgorithmNotAllowed = "algorithm_not_allowed", 401, "the token algorithm is not allowed";
    /// No issuer of the policy has this `iss`.
    IssuerUnknown = "issuer_unknown", 401, "the token issuer is unknown";
    /// The issuer has no key for the token, or so many that not all are tried.
    KeyUnknown = "key_unknown", 401, "the token key is unknown";
    /// The named key cannot verify this algorithm.
    KeyUnsuitable = "key_unsuitable", 401, "the token key does not fit its algorithm";
    /// The signature does not verify.
    SignatureInvalid = "signature_invalid", 401, "the token signature is invalid";
    /// The claims are not strict JSON or have members of the wrong type.
    ClaimsInvalid = "claims_invalid", 401, "the token claims are invalid";
    /// `aud` does not match the issuer's audiences.
    AudienceMismatch = "audience_mismatch", 401, "the token is for another audience";
    /// `exp` is now or past.
    TokenExpired = "token_expired", 401, "the token has expired";
    /// `nbf` or `iat` is in the future.
    TokenNotYetValid = "token_not_yet_valid", 401, "the token is not valid yet";
    /// `iat` is older than the maximum age.
    TokenTooOld = "token_too_old", 401, "the token was issued too long ago";
    /// The token does not match exactly one of the issuer's token types.
    TypeMismatch = "type_mismatch", 401, "the token is of another type";
    /// A required claim is absent.
    ClaimMissing = "claim_missing", 401, "the token lacks a required claim";
    /// A required claim has a value that is not accepted.
    ClaimMismatch = "claim_mismatch", 401, "a token claim has a value that is not accepted";
    /// The issuer's revocation document lists the token.
    TokenRevoked = "token_revoked", 401, "the token has been revoked";
    /// The token is bound to its sender, or the rule asks for such a token, and
    /// the request has no proof of possession.
    ProofMissing = "proof_missing", 401, "a proof of possession is required";
    /// The proof is not one of this request, this token and its sender.
    ProofInvalid = "proof_invalid", 401, "the proof of possession is invalid";
    /// The proof has no nonce of the gate, or an old one (RFC 9449 §8).
    NonceRequired = "nonce_required", 401, "the proof of possession needs a new nonce";
    /// A cross-origin request presents a cookie that is only for the same
    /// origin.
    OriginDenied = "origin_denied", 403, "the request comes from another origin";
    /// The rule does not admit this issuer.
    IssuerDenied = "issuer_denied", 403, "the token issuer is not admitted here";
    /// The rule does not admit this audience.
    AudienceDenied = "audience_denied", 403, "the token audience is not admitted here";
    /// The rule does not admit this token type.
    TypeDenied = "type_denied", 403, "the token type is not admitted here";
    /// The subject is absent, or it is not the one that the rule requires.
    SubjectDenied = "subject_denied", 403, "the token subject is not admitted here";
    /// The tenant is absent, or it is not the one that the rule requires.
    TenantDenied = "tenant_denied", 403, "the token tenant is not admitted here";
    /// The token lacks a scope that the rule requires (RFC 6750 §3.1).
    ScopeInsufficient = "scope_insufficient", 403, "the token scopes do not suffice";
    /// The token lacks a role that the rule requires.
    RoleDenied = "role_denied", 403, "the token roles do not suffice";
    /// A claim that the rule requires is absent or has another value.
    ClaimDenied = "claim_denied", 403, "a token claim is not admitted here";
    /// The user must sign in again, or better (RFC 9470).
    AuthenticationInsufficient = "authentication_insufficient", 401, "a recent or stronger sign-in is required";
    /// The proof was used before (RFC 9449 §11.1).
    ProofReplayed = "proof_replayed", 401, "the proof of possession was used before";
    /// No rule admits the request.
    RuleDenied = "rule_denied", 403, "no rule admits the request";
    /// The issuer's keys were never loaded, or they are too old.
    KeysUnavailable = "keys_unavailable", 503, "the keys of the issuer are unavailable";
    /// A required revocation document was never loaded, or it is too old.
    RevocationsUnavailable = "revocations_unavailable", 503, "the revocations of the issuer are unavailable";
    /// The issuer's API keys were never loaded, or they are too old.
    ApiKeysUnavailable = "api_keys_unavailable", 503, "the API keys of the issuer are unavailable";
    /// The authorization server did not say whether the token is active.
    IntrospectionUnavailable = "introspection_unavailable", 503, "the token cannot be looked up";
    /// The host cannot say whether the proof was used before.
    ProofsUnavailable = "proofs_unavailable", 503, "the use of the proof cannot be recorded";
    /// The gate or its host has a fault. Such a request is always denied.
    InternalError = "internal_error", 503, "the gate failed";
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
