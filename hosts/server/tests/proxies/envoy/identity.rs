//! What the origin is told about a caller comes from the gate only.

use serde_json::json;

use super::{BOTH, Scene, binary, careless, replaced};
use crate::stage::issuer::Tokens;

/// Every spelling in which a backend could read the name.
const FORGED: &str = "X-Auth-Subject: root\r\nx-auth-subject: root\r\nX_Auth_Subject: root\r\n\
                      x-auth_subject: root\r\nx_auth-SUBJECT: root\r\nx_auth_tenant: root\r\n";

#[test]
fn the_origin_gets_the_identity_of_the_gate_and_no_other() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::with(&binary, kind, &tokens.policy(json!({})), careless);
        let reply = scene.get("/orgs/acme/a", Some(&tokens.good()), FORGED);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert_eq!(
            seen.values_like("x-auth-subject"),
            ["ada"],
            "{kind}: {}",
            seen.text()
        );
        assert_eq!(
            seen.values_like("x-auth-tenant"),
            ["acme"],
            "{kind}: {}",
            seen.text()
        );

        // Nobody is known: nothing is said.
        let reply = scene.get("/public/a", None, FORGED);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert!(!seen.text().contains("root"), "{kind}: {}", seen.text());
    }
}

#[test]
fn the_generated_configuration_removes_them_before_routes_are_chosen() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        // A route of an operator without the gate, chosen by a client's own header.
        let open = "- match: { prefix: /open }\n                          \
                    route: { cluster: origin }\n                          \
                    typed_per_filter_config:\n                            \
                    envoy.filters.http.ext_authz:\n                              \
                    \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute\n                              \
                    disabled: true\n                        ";
        let rule = "- match: { prefix: / }";
        let policy = tokens.policy(json!({}));
        let scene = Scene::with(&binary, kind, &policy, |text| {
            let text = replaced(text, "REJECT_REQUEST }", "ALLOW }");
            replaced(text, rule, &format!("{open}{rule}"))
        });
        let reply = scene.get("/open", None, FORGED);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert!(!seen.text().contains("root"), "{kind}: {}", seen.text());
    }
}

#[test]
fn a_name_with_an_underscore_is_refused_as_generated() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let reply = scene.get("/public/a", None, "x_auth_subject: root\r\n");
        assert_eq!(reply.status, 400, "{kind}: {reply:?}");
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn trailers_say_no_identity() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let trailers = "http_protocol_options: { enable_trailers: true }\n                \
                        upgrade_configs:";
        let scene = Scene::with(&binary, kind, &tokens.policy(json!({})), |text| {
            replaced(careless(text), "upgrade_configs:", trailers)
        });
        let head = "POST /public/a HTTP/1.1\r\nhost: app.example.com\r\ntransfer-encoding: chunked\r\n\r\n\
                    2\r\nhi\r\n0\r\nx-auth-subject: root\r\nX_Auth_Subject: root\r\nauthorization: root\r\n";
        let reply = scene.send(head);
        assert_eq!(reply.status, 200, "{kind}: {reply:?}");
        let seen = scene.origin.one();
        assert!(!seen.text().contains("root"), "{kind}: {}", seen.text());
    }
}

#[test]
fn a_header_that_the_proxy_does_not_take_denies_over_http() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let old = tokens.policy(json!({ "forward": { "x-auth-subject": "subject" } }));
    // The configuration is older than the policy.
    let new = tokens.policy(json!({}));
    let kind = countersign_proxy_config::Kind::EnvoyHttp;
    let server = crate::stage::server::DecisionServer::start(&new, kind.as_str());
    let origin = crate::stage::origin::Origin::start();
    let text = super::configuration(kind, &old, &server.address.to_string(), &origin);
    let scene = Scene {
        envoy: countersign_artefact_tests::stage::envoy::Envoy::start_yaml(&binary, &text),
        server,
        origin,
    };
    let reply = scene.get(
        "/orgs/acme/a",
        Some(&tokens.good()),
        "x-auth-tenant: root\r\n",
    );
    assert_eq!(
        (reply.status, &*reply.code()),
        (503, "internal_error"),
        "{reply:?}"
    );
    assert!(scene.origin.take().is_empty());
    // Where nobody is known, the server removes the client's header, which Envoy was not
    // told to allow.
    let reply = scene.get("/public/a", None, "x-auth-tenant: root\r\n");
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(scene.origin.take().is_empty());
}
