//! A rule: the requests that it matches, and who may send them.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use super::{Challenge, Credentials, Requirement};

#[derive(Debug)]
pub(crate) struct Rule {
    /// For events. It decides nothing.
    pub(crate) name: Option<Box<str>>,
    /// If empty, the rule matches any host.
    pub(crate) hosts: Vec<Host>,
    /// At least one.
    pub(crate) paths: Vec<Pattern>,
    /// If empty, the rule matches any method. `GET` covers `HEAD`; the router
    /// implements this.
    pub(crate) methods: Vec<Box<str>>,
    pub(crate) access: Access,
    /// The headers that the requirement compares with claims, in lower case.
    pub(crate) compared: Vec<Box<str>>,
    /// Whether `%2f` is a byte of its segment. Otherwise it is refused.
    pub(crate) keeps_slash: bool,
    /// In place of the policy's.
    pub(crate) challenge: Option<Challenge>,
    pub(crate) tokens: Tokens,
}

/// How a rule takes tokens, where that differs from other rules.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// In place of the policy's.
    pub(crate) credentials: Option<Credentials>,
    /// Whether a bad token of an optional rule counts as not sent.
    pub(crate) ignores_bad: bool,
    /// Added to the leeway of the user's `exp`.
    pub(crate) accept_expired_ms: i64,
    /// The principals beside the user, and what each must have.
    pub(crate) principals: Vec<(Box<str>, Requirement)>,
}

#[derive(Debug)]
pub(crate) enum Access {
    Public,
    /// A request without a token is admitted. A token, if present, must be
    /// valid and satisfy the requirement.
    Optional(Requirement),
    Required(Requirement),
}

/// A host in lower case, without port and trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Exact(Box<str>),
    /// `*.example.com` or `{name}.example.com`, stored as `example.com`. It
    /// matches exactly one label before that name.
    Wildcard(Box<str>),
}

/// A path pattern such as `/a/{name}/**`. The router compares it segment by
/// segment after decoding, and ignores a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// Whether the pattern ends in `**`, which matches zero or more further
    /// segments.
    pub(crate) rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Percent-decoded bytes.
    Literal(Box<[u8]>),
    /// `{name}`.
    Name(Box<str>),
}

/// As in the policy, with every byte escaped that is not visible ASCII. An
/// event has it in place of the path of the request.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            f.write_str("/")?;
            match segment {
                Segment::Name(name) => write!(f, "{{{name}}}")?,
                Segment::Literal(bytes) => write!(f, "{}", bytes.escape_ascii())?,
            }
        }
        match (self.rest, self.segments.is_empty()) {
            (true, _) => f.write_str("/**"),
            (false, true) => f.write_str("/"),
            (false, false) => Ok(()),
        }
    }
}
