//! Where a request carries a token: a place as `credentials` of a policy has it.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

/// Puts `token` into `place`; an object without a place is `Authorization: Bearer`.
pub(crate) fn put(
    place: &Value,
    token: &[u8],
    target: &mut String,
    headers: &mut Vec<(String, Vec<u8>)>,
) {
    let word = |name: &str| place.get(name).and_then(Value::as_str);
    if let Some(name) = word("query") {
        let mark = if target.contains('?') { '&' } else { '?' };
        let token = String::from_utf8_lossy(token);
        *target = format!("{target}{mark}{name}={token}");
        return;
    }
    let (name, value) = match (place.get("websocket_protocol"), word("cookie")) {
        (Some(protocol), _) => ("sec-websocket-protocol", offered(protocol, token)),
        (None, Some(cookie)) => ("cookie", [cookie.as_bytes(), b"=", token].concat()),
        (None, None) => match (word("header"), word("scheme")) {
            (Some(header), None) => (header, token.to_vec()),
            (header, scheme) => {
                let scheme = scheme.unwrap_or("Bearer");
                let value = match scheme.eq_ignore_ascii_case("basic") {
                    // The password is the token; nobody reads the user's name.
                    true => STANDARD.encode([b"token:", token].concat()).into_bytes(),
                    false => token.to_vec(),
                };
                let value = [scheme.as_bytes(), b" ", &value].concat();
                (header.unwrap_or("authorization"), value)
            }
        },
    };
    headers.push((name.to_ascii_lowercase(), value));
}

/// The protocols that a browser offers with the token among them.
fn offered(protocol: &Value, token: &[u8]) -> Vec<u8> {
    let word = |name: &str| protocol.get(name).and_then(Value::as_str);
    let token = match protocol.get("base64url").and_then(Value::as_bool) {
        Some(true) => URL_SAFE_NO_PAD.encode(token).into_bytes(),
        _ => token.to_vec(),
    };
    match (word("after"), word("prefix")) {
        (Some(before), _) => [before.as_bytes(), b", ", &token].concat(),
        (None, prefix) => [prefix.unwrap_or_default().as_bytes(), &token].concat(),
    }
}
