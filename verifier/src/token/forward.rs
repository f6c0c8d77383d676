//! The headers that carry a principal to the backend. No value of a token can
//! break them.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};

use countersign_kernel::bytes::base64url;

use super::Principal;
use crate::model::Forward;

/// Headers to set: lower-case names and values.
pub(crate) type Headers = Arc<[(Box<str>, Box<str>)]>;

/// Makes the headers for one principal. A value that it does not have sets no
/// header.
pub(crate) fn headers(forward: &[(Box<str>, Forward)], principal: &Principal) -> Headers {
    let mut headers = Vec::with_capacity(forward.len());
    for (name, what) in forward {
        if let Some(value) = principal.forwarded(*what) {
            headers.push((name.clone(), value.into_boxed_str()));
        }
    }
    headers.into()
}

impl Principal {
    /// Returns the value of a `forward` header in visible ASCII, or `None` if
    /// the token has no such value.
    pub fn forwarded(&self, what: Forward) -> Option<String> {
        let one = |text: &Option<Box<str>>| text.as_deref().map(visible);
        let list = |words: &[Box<str>]| {
            let words: Vec<String> = words.iter().map(|word| visible(word)).collect();
            (!words.is_empty()).then(|| words.join(" "))
        };
        match what {
            Forward::Issuer => Some(visible(&self.iss)),
            Forward::Subject => one(&self.subject),
            Forward::Type => one(&self.token_type),
            Forward::Tenant => one(&self.tenant),
            Forward::Roles => list(&self.roles),
            Forward::Scopes => list(&self.scopes),
            Forward::Expiry => self
                .expires_at_ms
                .map(|ms| format!("{}", ms.div_euclid(1000))),
            Forward::Claims => Some(base64url::encode(self.claims.as_bytes())),
        }
    }
}

/// Keeps visible ASCII (RFC 9110 §5.5) and percent-encodes `%` and every other
/// byte. The encoding is reversible.
fn visible(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
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
