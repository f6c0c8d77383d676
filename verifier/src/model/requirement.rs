//! The requirement of a rule, or of a caller of `check_token`.

use alloc::{boxed::Box, vec::Vec};

use super::{ClaimCondition, ProofKind, RequestValue};

/// Requirements for a verified token. All parts must hold; an absent part
/// always holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirement {
    /// Names of issuers in the policy. If empty, any issuer is admitted.
    pub(crate) issuers: Vec<Box<str>>,
    /// The token's `aud` contains one of them. If empty, any audience is
    /// admitted.
    pub(crate) audiences: Vec<Box<str>>,
    /// Names of token types. If empty, any type is admitted.
    pub(crate) types: Vec<Box<str>>,
    pub(crate) subject: Option<Named>,
    pub(crate) tenant: Option<Named>,
    pub(crate) scopes: Words,
    pub(crate) roles: Words,
    pub(crate) claims: Vec<ClaimCondition>,
    /// Maximum time since `iat`.
    pub(crate) max_token_age_ms: Option<i64>,
    pub(crate) all_of: Vec<Requirement>,
    /// If empty, it always holds.
    pub(crate) any_of: Vec<Requirement>,
    pub(crate) sign_in: SignIn,
    pub(crate) proof: Option<ProofKind>,
}

/// How recently and how well the user must have signed in (RFC 9470).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SignIn {
    /// Maximum time since `auth_time`.
    pub(crate) max_age_s: Option<u32>,
    /// `acr` is one of them. If empty, any `acr` is admitted.
    pub(crate) acr_values: Vec<Box<str>>,
}

/// Requires all of `all`, and one of `any` unless it is empty. The words are
/// exact: only a scope in a token can be a wildcard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) all: Vec<Box<str>>,
    pub(crate) any: Vec<Box<str>>,
}

/// Which subject or tenant is required.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    /// Any.
    Present,
    Fixed(Box<str>),
    /// The one that the request names.
    Asked(RequestValue),
}

impl Requirement {
    /// Returns whether this is true of the requirement or of one inside it.
    pub(crate) fn any(&self, is: &dyn Fn(&Self) -> bool) -> bool {
        is(self)
            || self
                .all_of
                .iter()
                .chain(&self.any_of)
                .any(|part| part.any(is))
    }

    /// Visits the conditions of this requirement and of those inside it.
    pub(crate) fn each_condition(&mut self, visit: &mut dyn FnMut(&mut ClaimCondition)) {
        self.claims.iter_mut().for_each(&mut *visit);
        for inner in self.all_of.iter_mut().chain(&mut self.any_of) {
            inner.each_condition(visit);
        }
    }
}
