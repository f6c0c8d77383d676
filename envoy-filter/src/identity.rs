//! The filter state: what RBAC, CEL and the access log may know of the
//! caller. Each property is one call of the host, so only what was asked for
//! is set. Values are encoded as those of the policy's `forward`: nothing in
//! a token can break a log's line.

use countersign::{Code, Principal};

use crate::{
    config::{Held, Property},
    host::request,
};

/// Of a caller that may pass.
pub(crate) fn admitted(properties: &[Property], principal: &Principal) -> Option<()> {
    for property in properties {
        if let Held::Caller(what) = property.held
            && let Some(value) = principal.forwarded(what)
        {
            request::set_property(&property.name, value.as_bytes())?;
        }
    }
    Some(())
}

/// Of a request that may not.
pub(crate) fn denied(properties: &[Property], code: Code) {
    for property in properties {
        if property.held == Held::Code {
            request::set_property(&property.name, code.as_str().as_bytes());
        }
    }
}
