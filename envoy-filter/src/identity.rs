//! The filter state, from which RBAC, CEL and the access log read the
//! principal. Each property costs one call to the host, so only configured
//! properties are set. Values are encoded like those of the policy's `forward`,
//! so that no value of a token can break a line of the log.

use countersign::{Code, Principal};

use crate::{
    config::{Property, PropertyValue},
    host::request,
};

/// Sets the properties of an admitted principal.
pub(crate) fn admitted(properties: &[Property], principal: &Principal) -> Option<()> {
    for property in properties {
        if let PropertyValue::Caller(part) = property.value
            && let Some(value) = principal.forwarded(part)
        {
            request::set_property(&property.name, value.as_bytes())?;
        }
    }
    Some(())
}

/// Sets the properties of a denied request.
pub(crate) fn denied(properties: &[Property], code: Code) {
    for property in properties {
        if property.value == PropertyValue::Code {
            request::set_property(&property.name, code.as_str().as_bytes());
        }
    }
}
