//! Tokens in cookies and in the query: they end at the proxy.

use serde_json::{Value, json};

use crate::seams::Seam;

/// A policy with a cookie that does not go on and is good from the same origin only, and
/// with a path that takes the token of a query.
pub(crate) fn policy() -> Value {
    json!({
        "credentials": [{ "cookie": "session", "same_origin": true }],
        "strip_credential": true,
        "rules": [
            { "path": "/socket", "credentials": [{ "query": "access_token" }], "require": {} },
            { "path": "/**", "require": {} },
        ],
    })
}

/// The same for a proxy that cannot remove a query.
pub(crate) fn policy_without_query() -> Value {
    let mut policy = policy();
    policy["rules"] = json!([{ "path": "/**", "require": {} }]);
    policy
}

/// The cookie with the token stays here, and all others go on.
pub(crate) fn a_cookie_does_not_go_on(seam: &Seam<'_>) {
    let token = seam.tokens.good();
    let cookie = format!("Cookie: a=1; session={token}; b=2");
    let reply = seam.get("/x", &[&cookie]);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(seam.origin.one().values("cookie"), [b"a=1; b=2"]);
    let only = format!("Cookie: session={token}");
    assert_eq!(seam.get("/x", &[&only]).status, 200);
    assert!(seam.origin.one().values("cookie").is_empty());
    // A WebSocket that another site opens has the cookie too.
    let foreign = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-Fetch-Site: cross-site",
        &cookie,
    ];
    let reply = seam.get("/x", &foreign);
    assert_eq!(reply.code(), "origin_denied", "{reply:?}");
    assert!(seam.origin.take().is_empty());
}

/// The parameter with the token stays here, and the others go on as they were sent.
pub(crate) fn a_query_does_not_go_on(seam: &Seam<'_>) {
    let token = seam.tokens.good();
    let target = format!("/socket?a=%20&access_token={token}&b");
    let reply = seam.get(&target, &["Cookie: a=1"]);
    assert_eq!(reply.status, 200, "{reply:?}");
    let received = seam.origin.one();
    assert_eq!(received.target(), "/socket?a=%20&b");
    assert_eq!(received.values("cookie"), [b"a=1"]);
}
