//! `cnf`: the key or certificate to which a token is bound (RFC 7800 §3.1).

use alloc::boxed::Box;

use countersign_kernel::bytes::base64url;

use crate::{
    json::{Object, Value},
    model::OfIssuer,
};

/// What a token says about its sender. A token without it is good for whoever
/// holds it.
pub(crate) enum Confirmation {
    /// No object, empty, or with a member that the gate does not know.
    Unusable,
    /// The token is not bound to a key, and its issuer's tokens must be.
    Missing,
    /// At least one of them; the request must prove both.
    Keys {
        /// The thumbprint of the key of its proofs (RFC 9449 §6.1).
        jkt: Option<[u8; 32]>,
        /// The SHA-256 of its client's certificate (RFC 8705 §3.1).
        x5t: Option<[u8; 32]>,
    },
}

impl Confirmation {
    /// Reads `cnf`. `None` if the gate need not look at the sender.
    pub(crate) fn read(claims: &Object<'_>, issuer: OfIssuer) -> Option<Box<Self>> {
        let cnf = claims.get("cnf");
        if (cnf.is_none() && issuer != OfIssuer::Required) || issuer == OfIssuer::Ignored {
            return None;
        }
        let read = match cnf {
            None => Self::Missing,
            Some(cnf) => match (members(cnf), issuer) {
                (None, _) => Self::Unusable,
                (Some((None, _)), OfIssuer::Required) => Self::Missing,
                (Some((jkt, x5t)), _) => Self::Keys { jkt, x5t },
            },
        };
        Some(Box::new(read))
    }

    /// Returns both, if the token is bound.
    pub(crate) fn keys(&self) -> (Option<&[u8; 32]>, Option<&[u8; 32]>) {
        match self {
            Self::Keys { jkt, x5t } => (jkt.as_ref(), x5t.as_ref()),
            Self::Unusable | Self::Missing => (None, None),
        }
    }
}

type Members = (Option<[u8; 32]>, Option<[u8; 32]>);

fn members(cnf: &Value<'_>) -> Option<Members> {
    let (mut jkt, mut x5t) = (None, None);
    for (name, value) in cnf.as_object()?.iter() {
        let bytes = base64url::decode(value.as_str()?.as_bytes())?;
        let bytes = <[u8; 32]>::try_from(&*bytes).ok()?;
        match name {
            "jkt" => jkt = Some(bytes),
            "x5t#S256" => x5t = Some(bytes),
            _ => return None,
        }
    }
    (jkt.is_some() || x5t.is_some()).then_some((jkt, x5t))
}
