//! Keys that the issuer's metadata names.

use super::prelude::*;
use crate::vector::Document;

pub(super) fn vectors() -> Topic {
    let drafts = [found(), refused(), moved()].concat();
    topic(
        "discovery",
        "Keys that are found through the issuer's metadata",
        drafts,
    )
}

fn discovering() -> Policy {
    policy().issuer("keys", json!({ "discovery": true }))
}

fn metadata(jwks_uri: &str) -> Value {
    json!({ "issuer": ISS, "jwks_uri": jwks_uri, "response_types_supported": ["code"] })
}

fn at(kind: &str, uri: &str) -> Document {
    Document {
        uri: Some(uri.into()),
        ..document("platform", kind)
    }
}

const METADATA_URI: &str = "https://auth.example.com/.well-known/openid-configuration";

fn found() -> Vec<Draft> {
    vec![
        vector("discovery", "metadata, then keys, then tokens", &["discovery.keys", "discovery.issuer"])
            .policy(discovering())
            .due_of([at("discovery", METADATA_URI)])
            .accept("discovery", ok(&metadata("https://keys.example.net/v1?x=1")))
            .due_of([at("jwks", "https://keys.example.net/v1?x=1")])
            .accept("jwks", ok(&jwks([A.public()])))
            .ask(token(), allow()),
        vector("discovery-wait", "a request waits for the one, then for the other", &["discovery.keys", "keys.first", "decision.wait"])
            .policy(discovering())
            .ask(token(), wait(&["discovery"]))
            .accept("discovery", ok(&metadata(JWKS_URI)))
            .ask(token(), wait(&["jwks"]))
            .accept("jwks", ok(&jwks([A.public()])))
            .ask(token(), allow()),
        vector("discovery-slash", "an issuer that ends in a slash", &["discovery.keys", "discovery.issuer"])
            .policy(discovering().issuer("issuer", "https://auth.example.com/"))
            .due_of([at("discovery", METADATA_URI)])
            .accept("discovery", ok(&json!({ "issuer": "https://auth.example.com/", "jwks_uri": JWKS_URI }))),
        vector("discovery-path", "an issuer with a path", &["discovery.keys"])
            .policy(discovering().issuer("issuer", "https://example.com/tenants/a"))
            .due_of([at("discovery", "https://example.com/tenants/a/.well-known/openid-configuration")]),
        vector("discovery-down", "no metadata, no keys", &["keys.unavailable"])
            .policy(discovering())
            .due(&["discovery"])
            .fail("discovery")
            .ask(token(), deny(Code::KeysUnavailable).retry_after(Some(1))),
        vector("discovery-insecure", "plain http, where the policy says so", &["discovery.keys"])
            .policy(policy().issuer("issuer", "http://auth.internal:8080").issuer("keys", json!({ "discovery": true, "insecure_http": true })))
            .due_of([at("discovery", "http://auth.internal:8080/.well-known/openid-configuration")])
            .accept("discovery", ok(&json!({ "issuer": "http://auth.internal:8080", "jwks_uri": "http://auth.internal:8080/keys" })))
            .due_of([at("jwks", "http://auth.internal:8080/keys")]),
    ]
}

fn refused() -> Vec<Draft> {
    let case = |id, title, rule, document: Value| {
        vector(id, title, &[rule])
            .policy(discovering())
            .due(&["discovery"])
            .refuse("discovery", ok(&document))
            .due(&[])
            .ask(token(), Code::KeysUnavailable)
    };
    let issuer = |value: Value| json!({ "issuer": value, "jwks_uri": JWKS_URI });
    let keys = |value: Value| json!({ "issuer": ISS, "jwks_uri": value });
    vec![
        case("discovery-other-issuer", "another issuer's metadata", "discovery.issuer", issuer(json!("https://evil.example"))),
        case("discovery-issuer-slash", "a slash more", "discovery.issuer", issuer(json!("https://auth.example.com/"))),
        case("discovery-issuer-case", "another case", "discovery.issuer", issuer(json!("https://Auth.example.com"))),
        case("discovery-no-issuer", "no issuer", "discovery.issuer", json!({ "jwks_uri": JWKS_URI })),
        case("discovery-issuer-array", "an array", "discovery.issuer", issuer(json!([ISS]))),
        case("discovery-no-keys", "no `jwks_uri`", "discovery.keys", json!({ "issuer": ISS })),
        case("discovery-keys-http", "a `jwks_uri` of plain http", "discovery.keys", keys(json!("http://auth.example.com/jwks.json"))),
        case("discovery-keys-relative", "a relative one", "discovery.keys", keys(json!("/jwks.json"))),
        case("discovery-keys-file", "a file", "discovery.keys", keys(json!("file:///etc/passwd"))),
        case("discovery-keys-user", "one with a user", "discovery.keys", keys(json!("https://user@auth.example.com/jwks.json"))),
        case("discovery-keys-array", "an array of one", "discovery.keys", keys(json!([JWKS_URI]))),
        vector("discovery-html", "HTML", &["discovery.keys", "keys.failed"])
            .policy(discovering())
            .due(&["discovery"])
            .refuse("discovery", response(200, "", "<html>"))
            .ask(token(), Code::KeysUnavailable),
        vector("discovery-duplicate", "`issuer` twice", &["discovery.issuer"])
            .attack("duplicate-members")
            .policy(discovering())
            .due(&["discovery"])
            .refuse("discovery", response(200, "", format!(r#"{{"issuer":"https://evil.example","issuer":"{ISS}","jwks_uri":"{JWKS_URI}"}}"#))),
    ]
}

fn moved() -> Vec<Draft> {
    vec![
        vector("discovery-moved", "another place: due at once, and the old keys stay until then", &["discovery.keys"])
            .policy(discovering())
            .due(&["discovery"])
            .accept("discovery", ok(&metadata(JWKS_URI)))
            .due_of([at("jwks", JWKS_URI)])
            .accept("jwks", ok(&jwks([A.public()])))
            .at(480_000)
            .due(&["discovery", "jwks"])
            .accept("jwks", ok(&jwks([A.public()])))
            .accept("discovery", ok(&metadata("https://auth.example.com/new.json")))
            .next_due(Some(0))
            .ask(token(), allow())
            .due_of([at("jwks", "https://auth.example.com/new.json")])
            .accept("jwks", ok(&jwks([B.public()])))
            .ask(token(), Code::KeyUnknown)
            .ask(token().key(&B), allow()),
        vector("discovery-moved-flight", "keys that were asked of the old place come after the move", &["discovery.moved"])
            .policy(discovering())
            .due(&["discovery"])
            .accept("discovery", ok(&metadata(JWKS_URI)))
            .due_of([at("jwks", JWKS_URI)])
            .accept("jwks", response(200, "max-age=86400", jwks([A.public()]).to_string()))
            .at(480_000)
            .due(&["discovery"])
            .ask(token().header("kid", "x"), wait(&["jwks"]))
            .accept("discovery", ok(&metadata("https://auth.example.com/new.json")))
            .due_of([at("jwks", "https://auth.example.com/new.json")])
            .outdated("jwks", JWKS_URI, Some(response(200, "max-age=86400", jwks([A.public()]).to_string())))
            .outdated("jwks", JWKS_URI, None)
            .ask(token(), allow())
            .accept("jwks", ok(&jwks([B.public()])))
            .ask(token(), Code::KeyUnknown)
            .ask(token().key(&B), allow())
            .next_due(Some(480_000)),
        vector("discovery-moved-early", "keys of a place that the metadata has not named here", &["discovery.moved"])
            .policy(discovering())
            .due(&["discovery"])
            .accept("discovery", ok(&metadata(JWKS_URI)))
            .due(&["jwks"])
            .outdated("jwks", "https://auth.example.com/new.json", Some(ok(&jwks([B.public()]))))
            .ask(token(), wait(&["jwks"]))
            .accept("discovery", ok(&metadata("https://auth.example.com/new.json")))
            .due_of([at("jwks", "https://auth.example.com/new.json")])
            .accept("jwks", ok(&jwks([B.public()])))
            .ask(token().key(&B), allow()),
        vector("discovery-failing-later", "metadata that is refused later changes nothing", &["discovery.issuer", "keys.stale"])
            .policy(discovering())
            .due(&["discovery"])
            .accept("discovery", ok(&metadata(JWKS_URI)))
            .due(&["jwks"])
            .accept("jwks", ok(&jwks([A.public()])))
            .at(480_000)
            .due(&["discovery", "jwks"])
            .refuse("discovery", ok(&json!({ "issuer": "https://evil.example", "jwks_uri": "https://evil.example/jwks.json" })))
            .accept("jwks", ok(&jwks([A.public()])))
            .ask(token(), allow()),
    ]
}
