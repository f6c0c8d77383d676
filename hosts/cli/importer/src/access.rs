//! Who may make a request, and with which token.

use crate::formula::Required;

/// The token that a request needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Authn {
    /// No token is read.
    Ignored,
    /// A token that is present must meet the requirements.
    Verified { optional: bool, required: Required },
}

/// Who may make a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    Public,
    Token { optional: bool, required: Required },
}

impl Access {
    pub(crate) const NOBODY: Self = Self::Token {
        optional: false,
        required: Required::Never,
    };

    /// The access that both allow.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Public, access) | (access, Self::Public) => access,
            (
                Self::Token { optional, required },
                Self::Token {
                    optional: too,
                    required: more,
                },
            ) => Self::Token {
                optional: optional && too,
                required: Required::all(vec![required, more]),
            },
        }
    }
}
