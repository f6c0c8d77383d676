//! The metadata document of a resource (RFC 9728), which the gate itself answers.

use serde_json::{Value, json};

use crate::seams::Seam;

/// Where it is.
pub(crate) const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// A policy with one.
pub(crate) fn policy() -> Value {
    json!({ "challenge": { "resource_metadata": {
        "resource": "https://a.example/mcp", "authorization_servers": ["https://id.example.com"],
    } } })
}

/// It is served, and challenges name it. The result is its text.
pub(crate) fn comes_from_the_gate(seam: &Seam<'_>) -> String {
    let reply = seam.get(PATH, &[]);
    assert_eq!(reply.status, 200, "{reply:?}");
    let served: Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(served, policy()["challenge"]["resource_metadata"]);
    let denied = seam.get("/mcp", &[]);
    let challenge = denied.header("www-authenticate").unwrap();
    assert!(
        challenge.contains(&format!("resource_metadata=\"https://a.example{PATH}\"")),
        "{challenge}"
    );
    assert!(seam.origin.take().is_empty());
    reply.body
}
