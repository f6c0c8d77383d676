//! Random requests with tokens that say what the policies ask for, or nearly so.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{NOW_S, Random, policy::SECRETS};

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) host: &'static str,
    pub(crate) target: String,
    /// The segments as they are sent.
    pub(crate) segments: Vec<String>,
    pub(crate) trailing_slash: bool,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The claims of its tokens.
    pub(crate) tokens: Vec<Value>,
}

impl Request {
    pub(crate) fn with<T>(&self, f: impl FnOnce(&countersign::Request<'_>) -> T) -> T {
        let headers = self.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        f(&countersign::Request {
            method: self.method.as_bytes(),
            authority: self.host.as_bytes(),
            target: self.target.as_bytes(),
            headers: &headers,
            connection: Default::default(),
        })
    }
}

pub(crate) fn random(random: &mut Random, policies: [&Value; 2]) -> Request {
    let segments = segments(random, policies);
    let trailing_slash = !segments.is_empty() && random.one_in(5);
    let mut target = format!("/{}", segments.join("/"));
    if trailing_slash {
        target += "/";
    }
    let mut headers = Vec::new();
    let mut tokens = Vec::new();
    for _ in 0..[0, 1, 1, 1, 1, 2][random.below(6)] {
        let claims = claims(random);
        let token = sign(&claims, SECRETS[usize::from(random.one_in(8))]);
        match random.below(12) {
            0 => headers.push(("cookie", format!("c={token}"))),
            1 => headers.push(("x-t", token)),
            2 => headers.push(("x-w", token)),
            3 => target += &format!("{}q={token}", if target.contains('?') { '&' } else { '?' }),
            _ => headers.push(("authorization", format!("Bearer {token}"))),
        }
        tokens.push(claims);
    }
    if random.one_in(3) {
        headers.push(("x-org", random.one(&["a", "b", "p", "a, b"]).to_owned()));
    }
    if random.one_in(6) {
        headers.push(("x-scope", "a".to_owned()));
    }
    if random.one_in(12) {
        headers.push((
            "connection",
            random.one(&["x-org", "x-sub", "close"]).to_owned(),
        ));
    }
    Request {
        method: random.one(&["GET", "GET", "HEAD", "POST", "PUT", "DELETE"]),
        host: random.one(&["a.test", "b.test", "a.test", "c.test", "other", "a.b.test"]),
        target,
        segments,
        trailing_slash,
        headers,
        tokens,
    }
}

/// A path of one of the policies, or another one; some in another spelling.
fn segments(random: &mut Random, policies: [&Value; 2]) -> Vec<String> {
    let mut paths = vec![
        json!("/a/b/**"),
        json!("/.well-known/oauth-protected-resource/a"),
    ];
    for rule in policies
        .iter()
        .filter_map(|policy| policy["rules"].as_array())
        .flatten()
    {
        match &rule["path"] {
            Value::Array(several) => paths.extend(several.iter().cloned()),
            one => paths.push(one.clone()),
        }
    }
    let path = random.one(&paths);
    let mut segments = Vec::new();
    for part in path
        .as_str()
        .unwrap()
        .split('/')
        .filter(|part| !part.is_empty())
    {
        match part {
            "**" => (0..random.below(3)).for_each(|_| segments.push(segment(random))),
            name if name.starts_with('{') => segments.push(segment(random)),
            literal => segments.push(respelled(random, literal)),
        }
    }
    if random.one_in(8) {
        segments.pop();
    }
    segments
}

fn segment(random: &mut Random) -> String {
    let texts = [
        "a", "b", "A", "s", "S", "%C5%BF", "u1", "d", "a%2Fb", "%61", "a%2fa",
    ];
    random.one(&texts).to_owned()
}

fn respelled(random: &mut Random, literal: &str) -> String {
    match (random.below(8), literal) {
        (0, "a" | "b" | "s") => literal.to_ascii_uppercase(),
        (1, "A") => "a".to_owned(),
        (2, "a" | "A" | "b" | "s") => format!("%{:02x}", literal.as_bytes()[0]),
        (3, "s") => "%C5%BF".to_owned(),
        (4, "%C5%BF") => "s".to_owned(),
        _ => literal.to_owned(),
    }
}

fn claims(random: &mut Random) -> Value {
    let mut claims = json!({
        "iss": format!("https://{}.example", random.one(&["a", "a", "b", "b", "c"])),
        "sub": random.one(&["u1", "a", "b"]),
        "aud": random.one(&[json!("x"), json!(["x", "y"]), json!(["x", "y"]), json!("z")]),
        "iat": NOW_S - random.one(&[0, 30, 100, 500, 700]),
        "exp": NOW_S + 1000 - random.one(&[0, 0, 0, 1020, 1100, 1500]),
    });
    for (name, values) in [
        (
            "roles",
            vec![
                json!(["r1"]),
                json!(["r1", "r2"]),
                json!(["r3", "r1"]),
                json!(["r2"]),
                json!("r1"),
            ],
        ),
        (
            "scope",
            vec![
                json!("s1"),
                json!("s1 s2"),
                json!(["s2"]),
                json!("s1 s2 s3"),
            ],
        ),
        (
            "tenant",
            vec![json!("a"), json!("b"), json!(""), json!("A")],
        ),
        ("org", vec![json!("a"), json!("b")]),
        ("typ", vec![json!("t1"), json!("t2"), json!("t1")]),
        (
            "k",
            vec![
                json!("p"),
                json!("q"),
                json!(7),
                json!(["p"]),
                json!("q,p"),
                json!("pq"),
                json!(null),
            ],
        ),
        ("l", vec![json!("p"), json!(["q", "z"]), json!("z")]),
    ] {
        if random.one_in(2) {
            claims[name] = random.one(&values);
        }
    }
    claims
}

fn sign(claims: &Value, secret: &str) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(&json!({ "alg": "HS256", "kid": "s" })),
        part(claims)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(secret).unwrap()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes()))
}
