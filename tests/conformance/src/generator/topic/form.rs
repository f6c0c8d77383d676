//! Size, shape, alphabet and base64url of a token.

use super::prelude::*;

pub(super) fn vectors() -> Topic {
    let drafts = [sizes(), shapes(), alphabet(), canonical()].concat();
    topic(
        "form",
        "Size, shape, alphabet and base64url of a token",
        drafts,
    )
}

/// A token, as any text.
pub(super) fn raw(token: impl AsRef<[u8]>) -> Request {
    get("/").header("authorization", [b"Bearer ", token.as_ref()].concat())
}

/// The three parts of a valid token.
fn parts() -> [String; 3] {
    let compact = token().compact();
    let parts: Vec<String> = compact.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

fn sizes() -> Vec<Draft> {
    // A claim is padded, so that the token has exactly this many bytes.
    let sized = |bytes: usize| {
        let mut pad = bytes.saturating_sub(token().compact().len()) * 3 / 4;
        loop {
            let token = token().claim("pad", "x".repeat(pad)).compact();
            match token.len().cmp(&bytes) {
                std::cmp::Ordering::Equal => return token,
                std::cmp::Ordering::Less => pad += 1,
                std::cmp::Ordering::Greater => pad -= 1,
            }
        }
    };
    let header = |bytes: usize| {
        let empty = json!({ "alg": "RS256", "kid": A.kid(), "pad": "" })
            .to_string()
            .len();
        token().header("pad", "x".repeat(bytes - empty))
    };
    vec![
        vector("form-largest", "16,384 bytes", &["token.size"]).ask(raw(sized(16_384)), allow()),
        vector("form-too-large", "16,385 bytes", &["token.size"])
            .attack("json-bombs")
            .ask(raw(sized(16_385)), Code::TokenTooLarge),
        vector("form-too-large-junk", "a million of dots", &["token.size"])
            .ask(raw(".".repeat(20_000)), Code::TokenTooLarge),
        vector(
            "form-largest-header",
            "a header of 4,096 bytes",
            &["token.header-size"],
        )
        .ask(header(4_096), allow()),
        vector(
            "form-too-large-header",
            "a header of 4,097 bytes",
            &["token.header-size"],
        )
        .ask(header(4_097), Code::TokenTooLarge),
    ]
}

fn shapes() -> Vec<Draft> {
    let [header, claims, signature] = parts();
    let bad = |id, title, class: &str, token: String| {
        let draft = vector(id, title, &["token.three-parts"]).ask(raw(token), Code::TokenMalformed);
        if class.is_empty() {
            draft
        } else {
            draft.attack(class)
        }
    };
    let flat = json!({ "protected": &header, "payload": &claims, "signature": &signature });
    let general = json!({
        "payload": &claims, "signatures": [{ "protected": &header, "signature": &signature }],
    });
    // A JSON text with commas cannot be in `Authorization`, so it is checked
    // without a request.
    let alone = |id, title, text: String| {
        vector(id, title, &["token.three-parts"])
            .attack("json-serialization")
            .token(text, None, Code::TokenMalformed)
    };
    vec![
        bad("form-no-dot", "no dot", "", header.clone()),
        bad(
            "form-two-parts",
            "no signature and no dot for it",
            "null-signature",
            format!("{header}.{claims}"),
        ),
        bad(
            "form-trailing-dot",
            "a trailing dot",
            "extra-parts",
            format!("{header}.{claims}.{signature}."),
        ),
        bad(
            "form-leading-dot",
            "a leading dot",
            "extra-parts",
            format!(".{header}.{claims}.{signature}"),
        ),
        bad(
            "form-double-dot",
            "two dots in a row",
            "extra-parts",
            format!("{header}..{claims}.{signature}"),
        ),
        bad(
            "form-four-parts",
            "four parts",
            "extra-parts",
            format!("{header}.{claims}.{signature}.{signature}"),
        ),
        bad(
            "form-five-parts",
            "five parts: a JWE",
            "jwe-vs-jws",
            format!("{header}.{claims}.{signature}.{claims}.{signature}"),
        ),
        bad(
            "form-jwe-dir",
            "a JWE without an encrypted key",
            "jwe-vs-jws",
            format!(
                "{}..{}.{}.{}",
                encode(r#"{"alg":"dir","enc":"A128GCM"}"#),
                encode([0; 12]),
                encode([1; 40]),
                encode([2; 16]),
            ),
        ),
        bad(
            "form-empty-header",
            "an empty header",
            "extra-parts",
            format!(".{claims}.{signature}"),
        ),
        bad(
            "form-dots-only",
            "nothing but dots",
            "extra-parts",
            "..".into(),
        ),
        alone(
            "form-flattened",
            "the flattened JSON serialisation",
            flat.to_string(),
        ),
        alone(
            "form-general",
            "the general JSON serialisation",
            general.to_string(),
        ),
        vector(
            "form-empty",
            "an empty token, checked alone",
            &["token-only.requirement"],
        )
        .token("", None, Code::TokenMissing),
        vector(
            "form-detached",
            "detached content: an empty payload",
            &["issuer.absent"],
        )
        .ask(raw(format!("{header}..{signature}")), Code::IssuerUnknown),
    ]
}

fn alphabet() -> Vec<Draft> {
    let [header, claims, signature] = parts();
    let bad = |id, title, token: String| {
        vector(id, title, &["token.alphabet"])
            .attack("base64-malleability")
            .ask(raw(token), Code::TokenMalformed)
    };
    vec![
        bad(
            "form-padded",
            "padding after the signature",
            format!("{header}.{claims}.{signature}=="),
        ),
        bad(
            "form-padded-header",
            "padding after the header",
            format!("{header}=.{claims}.{signature}"),
        ),
        bad(
            "form-plus",
            "`+` of the other alphabet",
            format!("{header}.{claims}.+{}", &signature[1..]),
        ),
        bad(
            "form-slash",
            "`/` of the other alphabet",
            format!("{header}.{claims}./{}", &signature[1..]),
        ),
        bad(
            "form-space",
            "a space inside",
            format!("{header}.{claims} .{signature}"),
        ),
        bad(
            "form-tab",
            "a tab inside",
            format!("{header}.{claims}.{}\t{}", &signature[..8], &signature[8..]),
        ),
        bad(
            "form-line-feed",
            "a line feed inside",
            format!("{header}.{claims}.{}\n{}", &signature[..8], &signature[8..]),
        ),
        bad(
            "form-question-mark",
            "a byte that some decoders skip",
            format!("{header}.{claims}?.{signature}"),
        ),
        bad(
            "form-percent",
            "a percent-encoded dot",
            format!("{header}%2e{claims}.{signature}"),
        ),
    ]
}

fn canonical() -> Vec<Draft> {
    let [header, claims, signature] = parts();
    // With 256 bytes, the last character has two significant bits: it is `g`,
    // for example.
    let (last, body) = (
        signature.as_bytes()[signature.len() - 1],
        &signature[..signature.len() - 1],
    );
    let stray = char::from(
        if last == b'A' || last == b'Q' || last == b'g' || last == b'w' {
            last + 1
        } else {
            b'B'
        },
    );
    let bad = |id, title, token: String| {
        vector(id, title, &["token.canonical"])
            .attack("base64-malleability")
            .ask(raw(token), Code::TokenMalformed)
    };
    vec![
        bad(
            "form-stray-bits",
            "bits left over in the signature",
            format!("{header}.{claims}.{body}{stray}"),
        ),
        bad(
            "form-impossible-length",
            "one character too many",
            format!("{header}.{claims}.{}A", encode([7; 255])),
        ),
        bad(
            "form-stray-bits-header",
            "bits left over in the header",
            format!("{}.{claims}.{signature}", "eyJhbGciOiJSUzI1NiJ9IB"),
        ),
    ]
}
