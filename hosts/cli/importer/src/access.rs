//! Who may make a request, and with which token.

use crate::{place::Reads, required::Required};

/// The token that a request needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Authn {
    /// No token is read.
    Ignored,
    /// A token that is present must meet the requirements.
    Verified(Verified),
}

/// A request with a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verified {
    pub(crate) optional: Optional,
    pub(crate) required: Required,
    /// Where the token is read from.
    pub(crate) reads: Reads,
    /// Further tokens that the request needs.
    pub(crate) further: Vec<Further>,
}

/// What passes without a good token, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Optional {
    Nothing,
    /// A request without a token.
    Missing,
    /// That, and one whose token is bad.
    Bad,
}

/// A second token, of the principal of this name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Further {
    pub(crate) name: String,
    pub(crate) required: Required,
    pub(crate) reads: Reads,
}

/// Who may make a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    Public,
    Token(Verified),
}

impl Verified {
    pub(crate) const NEVER: Self = Self {
        optional: Optional::Nothing,
        required: Required::Never,
        reads: Reads(Vec::new()),
        further: Vec::new(),
    };

    /// What meets both, with one token; [`Self::NEVER`] where nothing does.
    pub(crate) fn and(self, other: Self) -> Self {
        let is_optional = |one: &Self| one.optional != Optional::Nothing;
        let reads = self
            .reads
            .and(&other.reads, is_optional(&self), is_optional(&other));
        match reads {
            Some(reads) if self.further == other.further => Self {
                optional: self.optional.min(other.optional),
                required: Required::all(vec![self.required, other.required]),
                reads,
                further: self.further,
            }
            .simplified(),
            _ => Self::NEVER,
        }
    }

    /// What meets one of both. A request that needs further tokens is no
    /// alternative.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self.further.is_empty(), other.further.is_empty()) {
            (true, true) => Self {
                optional: self.optional.max(other.optional),
                required: Required::any(vec![self.required, other.required]),
                reads: self.reads.or(&other.reads),
                further: Vec::new(),
            },
            (false, true) if other == Self::NEVER => self,
            (true, false) if self != Self::NEVER => self,
            (true, false) => other,
            _ => Self::NEVER,
        }
    }

    /// Where no token will do, none is read.
    pub(crate) fn simplified(self) -> Self {
        match (self.optional, &self.required) {
            (Optional::Nothing, Required::Never) => Self::NEVER,
            _ => self,
        }
    }
}

impl Access {
    pub(crate) const NOBODY: Self = Self::Token(Verified::NEVER);

    /// The access that both allow.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Public, access) | (access, Self::Public) => access,
            (Self::Token(one), Self::Token(other)) => Self::Token(one.and(other)),
        }
    }
}
