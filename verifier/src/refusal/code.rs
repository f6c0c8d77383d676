//! Why a request was denied: the closed list of codes and what each answers.

/// HTTP status of an answer (RFC 9110 §15).
pub type Status = u16;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:literal, $sentence:literal;)+) => {
        /// Why a request was denied. Append-only: a code is never reused and
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

            /// The HTTP status that answers it.
            pub const fn status(self) -> Status {
                match self { $(Code::$name => $status,)+ }
            }

            /// One sentence for the caller: it names no value of the token.
            pub const fn sentence(self) -> &'static str {
                match self { $(Code::$name => $sentence,)+ }
            }
        }
    };
}

codes! {
    /// No credential where the policy looks for one.
    TokenMissing = "token_missing", 401, "a token is required";
    /// Two different credentials in one request.
    TokenMultiple = "token_multiple", 400, "the request carries more than one token";
    /// A target that a backend might read differently than the gate.
    RequestAmbiguous = "request_ambiguous", 400, "the request target can be read in more than one way";
    /// The token, its header or its signature is over the limit.
    TokenTooLarge = "token_too_large", 401, "the token is too large";
    /// Not three canonical base64url parts (RFC 7515 §3.1, §2).
    TokenMalformed = "token_malformed", 401, "the token is not a compact JWS";
    /// The JOSE header is not strict JSON or has members of the wrong type.
    HeaderInvalid = "header_invalid", 401, "the token header is invalid";
    /// `crit` is present: no extension is supported (RFC 7515 §4.1.11).
    CritUnsupported = "crit_unsupported", 401, "the token requires an unsupported extension";
    /// `alg` is unknown, `none`, or not among the issuer's.
    AlgorithmNotAllowed = "algorithm_not_allowed", 401, "the token algorithm is not allowed";
    /// No issuer of the policy has this `iss`.
    IssuerUnknown = "issuer_unknown", 401, "the token issuer is unknown";
    /// The issuer publishes no key that the token names.
    KeyUnknown = "key_unknown", 401, "the token key is unknown";
    /// The named key cannot verify this algorithm.
    KeyUnsuitable = "key_unsuitable", 401, "the token key does not fit its algorithm";
    /// The signature does not verify.
    SignatureInvalid = "signature_invalid", 401, "the token signature is invalid";
    /// The claims are not strict JSON or have members of the wrong type.
    ClaimsInvalid = "claims_invalid", 401, "the token claims are invalid";
    /// `aud` names none of the issuer's audiences.
    AudienceMismatch = "audience_mismatch", 401, "the token is for another audience";
    /// `exp` is now or past.
    TokenExpired = "token_expired", 401, "the token has expired";
    /// `nbf` or `iat` is in the future.
    TokenNotYetValid = "token_not_yet_valid", 401, "the token is not valid yet";
    /// `iat` is longer ago than is allowed.
    TokenTooOld = "token_too_old", 401, "the token was issued too long ago";
    /// The token is exactly one of the issuer's types, or it is this.
    TypeMismatch = "type_mismatch", 401, "the token is of another type";
    /// A required claim is absent.
    ClaimMissing = "claim_missing", 401, "the token lacks a required claim";
    /// A required claim has another value.
    ClaimMismatch = "claim_mismatch", 401, "a token claim has a value that is not accepted";
    /// The issuer's revocation document lists it.
    TokenRevoked = "token_revoked", 401, "the token has been revoked";
    /// A cookie on a cross-origin request.
    OriginDenied = "origin_denied", 403, "the request comes from another origin";
    /// The rule does not admit this issuer.
    IssuerDenied = "issuer_denied", 403, "the token issuer is not admitted here";
    /// The rule does not admit this audience.
    AudienceDenied = "audience_denied", 403, "the token audience is not admitted here";
    /// The rule does not admit this token type.
    TypeDenied = "type_denied", 403, "the token type is not admitted here";
    /// The tenant is absent or not the one of the rule.
    TenantDenied = "tenant_denied", 403, "the token tenant is not admitted here";
    /// The scopes do not suffice (RFC 6750 §3.1).
    ScopeInsufficient = "scope_insufficient", 403, "the token scopes do not suffice";
    /// The roles do not suffice.
    RoleDenied = "role_denied", 403, "the token roles do not suffice";
    /// A claim that the rule asks for is absent or different.
    ClaimDenied = "claim_denied", 403, "a token claim is not admitted here";
    /// No rule admits the request.
    RuleDenied = "rule_denied", 403, "no rule admits the request";
    /// The issuer's keys were never had, or are too old.
    KeysUnavailable = "keys_unavailable", 503, "the keys of the issuer are unavailable";
    /// A required revocation document was never had.
    RevocationsUnavailable = "revocations_unavailable", 503, "the revocations of the issuer are unavailable";
    /// A fault of the gate or its host; never a reason to admit.
    InternalError = "internal_error", 503, "the gate failed";
}

impl core::fmt::Display for Code {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
