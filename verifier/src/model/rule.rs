//! A rule: the requests that it is for, and who may make them.

use alloc::{boxed::Box, vec::Vec};

use super::Requirement;

#[derive(Debug)]
pub(crate) struct Rule {
    /// Empty: any host.
    pub(crate) hosts: Vec<Host>,
    /// At least one.
    pub(crate) paths: Vec<Pattern>,
    /// Empty: any method. `GET` covers `HEAD` (the router sees to that).
    pub(crate) methods: Vec<Box<str>>,
    pub(crate) access: Access,
}

#[derive(Debug)]
pub(crate) enum Access {
    Public,
    /// Without a token admitted; with one it must be good.
    Optional(Requirement),
    Required(Requirement),
}

/// Lower case, no port, no trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Exact(Box<str>),
    /// `*.example.com`, kept as `example.com`: exactly one label before it.
    Wildcard(Box<str>),
}

/// `/a/{name}/**`: matched segment by segment after decoding; a trailing slash
/// does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) segments: Vec<Segment>,
    /// Ends in `**`: any number of further segments, none included.
    pub(crate) rest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Percent-decoded bytes.
    Literal(Box<[u8]>),
    /// `{name}`.
    Name(Box<str>),
}
