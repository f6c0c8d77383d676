//! The headers that carry a principal to the backend. No value of a token can
//! break them.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::Principal;
use crate::{
    base::Limits,
    json::Value,
    model::{Carry, Forward, Source, each_text},
};

/// Headers to set: lower-case names and values.
pub(crate) type Headers = Arc<[(Box<str>, Box<str>)]>;

/// Makes the headers for one principal. A value that it does not have sets no
/// header.
pub(super) fn headers(
    forward: &[(Box<str>, Carry)],
    principal: &Principal,
    claims: &Value<'_>,
    limits: &Limits,
) -> Headers {
    let mut headers = Vec::with_capacity(forward.len());
    for (name, carry) in forward {
        let value = match carry {
            Carry::Part(part) => principal.forwarded(*part),
            Carry::Claim(source, join) => plain(source, *join, claims, &principal.claims, limits),
            Carry::Json(source) => {
                let held = matches!(source.read(claims, limits), Ok(Some(_)));
                let signed = held.then(|| source.signed(&principal.claims)).flatten();
                signed.map(|text| base64url::encode(text.as_bytes()))
            }
        };
        if let Some(value) = value {
            headers.push((name.clone(), value.into_boxed_str()));
        }
    }
    headers.into()
}

/// Returns the headers with those of a tenant, which the others lack.
pub(super) fn with_tenant(
    headers: &Headers,
    forward: &[(Box<str>, Carry)],
    tenant: &str,
) -> Headers {
    let mut headers = headers.to_vec();
    for (name, carry) in forward {
        if let Carry::Part(Forward::Tenant) = carry {
            headers.push((name.clone(), visible(tenant, '%').into()));
        }
    }
    headers.into()
}

/// Returns a text, number, boolean, or array of texts. Of any other shape a
/// backend would have to guess.
fn plain(
    source: &Source,
    join: char,
    claims: &Value<'_>,
    text: &str,
    limits: &Limits,
) -> Option<String> {
    let value = source.read(claims, limits).ok()??;
    if let Value::Number(_) | Value::Bool(_) = &*value {
        return source.signed(text).map(|text| text.into_owned());
    }
    let mut whole = String::new();
    let readable = each_text(&value, false, &mut |item| push(&mut whole, item, join));
    (readable && !whole.is_empty()).then_some(whole)
}

fn push(whole: &mut String, item: &str, join: char) {
    if !whole.is_empty() {
        whole.push(join);
    }
    whole.push_str(&visible(item, join));
}

impl Principal {
    /// Returns the value of a `forward` header in visible ASCII, or `None` if
    /// the token has no such value.
    pub fn forwarded(&self, what: Forward) -> Option<String> {
        let one = |text: Option<&str>| text.map(|text| visible(text, '%'));
        let list = |words: &[Box<str>]| {
            let mut whole = String::new();
            words.iter().for_each(|word| push(&mut whole, word, ' '));
            (!whole.is_empty()).then_some(whole)
        };
        match what {
            Forward::Issuer => one(Some(&*self.iss).filter(|iss| !iss.is_empty())),
            Forward::Subject => one(self.subject.as_deref()),
            Forward::Type => one(self.token_type.as_deref()),
            Forward::Tenant => one(self.tenant.as_deref()),
            Forward::Tenants => list(&self.tenants),
            Forward::Roles => list(&self.roles),
            Forward::Scopes => list(&self.scopes),
            Forward::Expiry => self
                .expires_at_ms
                .map(|ms| format!("{}", ms.div_euclid(1000))),
            Forward::Claims => Some(base64url::encode(self.claims.as_bytes())),
        }
    }
}

/// Keeps visible ASCII (RFC 9110 §5.5) and percent-encodes `%`, the character
/// between items and every other byte. The encoding is reversible.
fn visible(text: &str, join: char) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' && char::from(byte) != join {
            value.push(char::from(byte));
        } else {
            value.push('%');
            for nibble in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(nibble), 16).unwrap_or('0');
                value.push(digit.to_ascii_uppercase());
            }
        }
    }
    value
}
