//! Responses of the gate itself.

use serde_json::{Value, json};

use super::{BOTH, Scene, binary};
use crate::stage::issuer::Tokens;

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

#[test]
fn the_metadata_of_a_resource_comes_from_the_gate_and_never_from_the_origin() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let policy = tokens.policy(json!({ "rules": [{
        "path": "/mcp/**",
        "require": {},
        "challenge": { "resource_metadata": {
            "resource": "https://app.example.com/mcp",
            "authorization_servers": ["https://id.example.com"],
        } },
    }] }));
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &policy);
        let reply = scene.get(PATH, None, "");
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{kind}"
        );
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!(
            document["resource"], "https://app.example.com/mcp",
            "{kind}"
        );
        // Another method, another host: the gate has no answer, and nobody else gives one.
        for head in [
            format!("POST {PATH} HTTP/1.1\r\nhost: app.example.com\r\n"),
            format!("GET {PATH} HTTP/1.1\r\nhost: other.example.com\r\n"),
            format!("GET {PATH}/x HTTP/1.1\r\nhost: app.example.com\r\n"),
        ] {
            let reply = scene.send(&head);
            assert_ne!(reply.status, 200, "{kind} {head}: {reply:?}");
        }
        let reply = scene.get("/mcp/a", None, "");
        let challenge = reply.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.contains("resource_metadata="),
            "{kind}: {reply:?}"
        );
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}
