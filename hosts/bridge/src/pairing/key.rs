//! The key of a node, as it names it at the beginning. That it has the key is proven when
//! it joins, and each time that it renews: before that, nobody gets a token for the key.

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Map, Value, json};

use crate::{form::Form, refusal::Refusal};

/// `cnf` (RFC 7800) of the tokens of a node that names its key: by `dpop_jkt`, its
/// thumbprint (RFC 9449 §10), or by `jwk`, the public key itself.
pub(super) fn cnf(form: &Form) -> Result<Option<Value>, Refusal> {
    let jkt = match (form.get("dpop_jkt"), form.get("jwk")) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => Err(Refusal::request("say one of `dpop_jkt` and `jwk`")),
        (Some(jkt), None) => match is_sha256(jkt) {
            true => Ok(jkt.to_owned()),
            false => Err(Refusal::request("`dpop_jkt` is no SHA-256 in base64url")),
        },
        (None, Some(jwk)) => thumbprint(jwk).ok_or(Refusal::request(
            "`jwk` is no public key: EC, OKP or RSA, without private members",
        )),
    };
    Ok(Some(json!({ "jkt": jkt? })))
}

/// In its one spelling.
fn is_sha256(text: &str) -> bool {
    let bytes = BASE64.decode(text);
    bytes.is_ok_and(|bytes| bytes.len() == 32 && BASE64.encode(bytes) == text)
}

/// RFC 7638 §3.
fn thumbprint(jwk: &str) -> Option<String> {
    let jwk: Map<String, Value> = serde_json::from_str(jwk).ok()?;
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if private.iter().any(|name| jwk.contains_key(*name)) {
        return None;
    }
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    // In the order of their names, without white space.
    let members = names.iter().map(|name| {
        let value = jwk.get(*name)?.as_str().filter(|value| is_plain(value))?;
        Some(format!("\"{name}\":\"{value}\""))
    });
    let members: Option<Vec<_>> = members.collect();
    let text = format!("{{{}}}", members?.join(","));
    Some(BASE64.encode(digest::digest(&digest::SHA256, text.as_bytes())))
}

/// Nothing that JSON would escape.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=1024).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::thumbprint;

    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        // RFC 7638 §3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk =
            format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","alg":"RS256","kid":"2011-04-29"}}"#);
        let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(thumbprint(&jwk).as_deref(), Some(expected));
        for wrong in [
            jwk.replace("\"e\"", "\"d\""),
            jwk.replace("\"kty\"", "\"d\":\"x\",\"kty\""),
            jwk.replace("RSA", "oct"),
            jwk.replace("AQAB", "AQ\\u0041B"),
            "[]".to_owned(),
            String::new(),
        ] {
            // An escape that means the same letter is the same key.
            let is_same = wrong.contains("\\u0041");
            assert_eq!(thumbprint(&wrong).is_some(), is_same, "{wrong}");
        }
    }
}
