//! The places of a request where tokens can be.

use alloc::{boxed::Box, vec::Vec};

/// The places of the policy, or those of a rule in place of them.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    /// At most [`PLACES`](crate::base::limits::PLACES), so that a bit mask is a
    /// set of them.
    pub(crate) places: Vec<Credential>,
    /// Whether the first place that holds a token decides. Otherwise different
    /// tokens are refused.
    pub(crate) first: bool,
    /// The places with the scheme `DPoP`: one bit each.
    pub(crate) dpop: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) place: Place,
    /// Sorted indices of the issuers whose tokens are good from here. If empty, every
    /// issuer's that is not [kept](super::Policy::kept_issuers) for places that
    /// name it.
    pub(crate) issuers: Vec<usize>,
    /// Whose token this is; `None` for the user's.
    pub(crate) principal: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `name` is in lower case. `scheme` is compared without regard to case
    /// (RFC 9110 §11.1). Without a scheme, the whole value is the token.
    Header {
        name: Box<str>,
        scheme: Option<Box<str>>,
    },
    Cookie {
        name: Box<str>,
        same_origin: bool,
        /// Other origins that are let in as the same one is.
        trusted: Vec<Box<str>>,
    },
    /// A parameter of the query (RFC 6750 §2.3).
    Query(Box<str>),
    /// An element of `Sec-WebSocket-Protocol` (RFC 6455 §11.3.4).
    Protocol {
        /// The element before the token; if empty, `prefix` starts the token's
        /// element.
        after: Box<str>,
        prefix: Box<str>,
        base64url: bool,
    },
}

impl Credential {
    /// Whether the token is the password of HTTP's Basic scheme (RFC 7617).
    pub(crate) fn is_basic(&self) -> bool {
        self.has_scheme("basic")
    }

    pub(crate) fn has_scheme(&self, wanted: &str) -> bool {
        matches!(&self.place, Place::Header { scheme: Some(scheme), .. } if scheme.eq_ignore_ascii_case(wanted))
    }

    /// Returns whether two places are read together: two tokens in one header,
    /// query or list of protocols are refused.
    pub(crate) fn shares_field(&self, other: &Self) -> bool {
        let together = match (&self.place, &other.place) {
            (Place::Header { name: a, .. }, Place::Header { name: b, .. }) => a == b,
            (Place::Query(_), Place::Query(_)) => true,
            (Place::Protocol { .. }, Place::Protocol { .. }) => true,
            _ => false,
        };
        together && self.principal == other.principal
    }
}

impl Credentials {
    pub(crate) fn new(places: Vec<Credential>, first: bool) -> Self {
        let mut dpop: u32 = 0;
        for (index, place) in places.iter().enumerate() {
            if place.has_scheme("dpop") {
                dpop |= 1_u32.checked_shl(index as u32).unwrap_or(0);
            }
        }
        Self {
            places,
            first,
            dpop,
        }
    }

    /// Returns whether each of its places has the scheme `DPoP`.
    pub(crate) fn is_only_dpop(&self) -> bool {
        self.places.len() == self.dpop.count_ones() as usize
    }

    /// Returns whether this is true of one of its places.
    pub(crate) fn any(&self, is: &dyn Fn(&Place) -> bool) -> bool {
        self.places.iter().any(|credential| is(&credential.place))
    }

    /// Returns whether tokens are taken out that `strip_credential` does not
    /// remove.
    pub(crate) fn takes_out(&self) -> bool {
        self.first || self.any(&|place| matches!(place, Place::Query(_) | Place::Protocol { .. }))
    }

    /// Returns whether a token is read from a header.
    pub(crate) fn reads_header(&self, name: &str) -> bool {
        self.any(&|place| matches!(place, Place::Header { name: known, .. } if **known == *name))
    }
}
