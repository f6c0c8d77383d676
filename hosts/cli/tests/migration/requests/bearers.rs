//! Tokens in many forms.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use super::{Request, bearer, formed, good, good_claims, headed, header, orders, saying};

pub(super) fn all<'k>(key: &'k Key, stranger: &'k Key) -> Vec<Request<'k>> {
    vec![
        orders("good token", good(key)),
        orders("no token", Box::new(|_| Vec::new())),
        orders("trailing dot", formed(key, |token| token + ".")),
        orders(
            "two parts",
            formed(key, |token| token.rsplit_once('.').unwrap().0.to_owned()),
        ),
        orders("padded base64url", formed(key, |token| token + "==")),
        orders(
            "no signature",
            formed(key, |token| {
                token.rsplit_once('.').unwrap().0.to_owned() + "."
            }),
        ),
        orders(
            "signature cut off",
            formed(key, |token| token[..token.len() - 8].to_owned()),
        ),
        orders(
            "signed by a stranger",
            Box::new(move |now| {
                bearer(&stranger.sign_text(&header().to_string(), &good_claims(now).to_string()))
            }),
        ),
        orders(
            "crit",
            headed(key, |header| header["crit"] = json!(["exp"])),
        ),
        orders(
            "b64 false",
            headed(key, |header| header["b64"] = json!(false)),
        ),
        orders(
            "typ of something else",
            headed(key, |header| header["typ"] = json!("logout+jwt")),
        ),
        orders(
            "alg none",
            headed(key, |header| header["alg"] = json!("none")),
        ),
        orders(
            "alg of another family",
            headed(key, |header| header["alg"] = json!("ES256")),
        ),
        orders(
            "alg HS256",
            headed(key, |header| header["alg"] = json!("HS256")),
        ),
        orders(
            "kid unknown",
            headed(key, |header| header["kid"] = json!("other")),
        ),
        orders(
            "no kid",
            headed(key, |header| {
                header.as_object_mut().unwrap().remove("kid");
            }),
        ),
        orders(
            "kid is a number",
            headed(key, |header| header["kid"] = json!(1)),
        ),
        orders(
            "alg twice",
            Box::new(move |now| {
                let header = r#"{"alg":"none","alg":"RS256","kid":"rsa-2048-a"}"#;
                bearer(&key.sign_text(header, &good_claims(now).to_string()))
            }),
        ),
        orders(
            "claims are no JSON",
            Box::new(move |_| bearer(&key.sign_text(&header().to_string(), "{"))),
        ),
        orders(
            "iss twice",
            Box::new(move |now| {
                let twice = good_claims(now).to_string().replacen(
                    '{',
                    r#"{"iss":"https://evil.example","#,
                    1,
                );
                bearer(&key.sign_text(&header().to_string(), &twice))
            }),
        ),
        orders(
            "token of 17 KiB",
            saying(key, |_, claims| claims["pad"] = json!("x".repeat(13_000))),
        ),
    ]
}
