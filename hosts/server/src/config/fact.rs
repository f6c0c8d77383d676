//! What can be said about a decision.

use std::str::FromStr;

/// A member of the dynamic metadata: the words of the Envoy filter's `filter_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// `iss` of the user's token.
    Issuer,
    /// The subject.
    Subject,
    /// The type of the token.
    Type,
    /// The tenant.
    Tenant,
    /// All tenants of the token.
    Tenants,
    /// The roles.
    Roles,
    /// The scopes.
    Scopes,
    /// `exp`, in seconds since 1970.
    Expiry,
    /// The claims: base64url of their JSON.
    Claims,
    /// The code of a denial.
    Code,
    /// The name of the rule, or `/rules/` and its index.
    Rule,
    /// The index of the rule.
    RuleIndex,
    /// The digest of the policy.
    PolicyDigest,
}

impl Fact {
    const ALL: [Self; 13] = [
        Self::Issuer,
        Self::Subject,
        Self::Type,
        Self::Tenant,
        Self::Tenants,
        Self::Roles,
        Self::Scopes,
        Self::Expiry,
        Self::Claims,
        Self::Code,
        Self::Rule,
        Self::RuleIndex,
        Self::PolicyDigest,
    ];

    /// Its name in the configuration and in the metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::Subject => "subject",
            Self::Type => "type",
            Self::Tenant => "tenant",
            Self::Tenants => "tenants",
            Self::Roles => "roles",
            Self::Scopes => "scopes",
            Self::Expiry => "expiry",
            Self::Claims => "claims",
            Self::Code => "code",
            Self::Rule => "rule",
            Self::RuleIndex => "rule_index",
            Self::PolicyDigest => "policy_digest",
        }
    }
}

impl FromStr for Fact {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|fact| fact.as_str() == name);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join("`, `");
            format!("expected one of `{names}`")
        })
    }
}
