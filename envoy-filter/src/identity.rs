//! The filter state, from which RBAC, CEL and the access log read the
//! principal. Each property costs one call to the host, so only configured
//! properties are set. Values are encoded like those of the policy's `forward`,
//! so that no value of a token can break a line of the log.

use countersign::{Code, MatchedRule, Principal};

use crate::{
    config::{Property, PropertyValue},
    host::request,
    label,
};

/// Returns whether one of the properties is about the rule or the policy.
pub(crate) fn names_rule(properties: &[Property]) -> bool {
    let mut values = properties.iter().map(|property| property.value);
    values.any(|value| !matches!(value, PropertyValue::Caller(_) | PropertyValue::Code))
}

/// Sets the properties of every decided request.
pub(crate) fn decided(
    properties: &[Property],
    rule: Option<&MatchedRule>,
    digest: &str,
) -> Option<()> {
    for property in properties {
        let value = match property.value {
            PropertyValue::Rule => rule.map(|rule| label::encoded(&label::of(rule))),
            PropertyValue::RuleIndex => rule.map(|rule| rule.index.to_string()),
            PropertyValue::PolicyDigest => Some(digest.to_owned()),
            PropertyValue::Caller(_) | PropertyValue::Code => None,
        };
        if let Some(value) = value {
            request::set_property(&property.name, value.as_bytes())?;
        }
    }
    Some(())
}

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
