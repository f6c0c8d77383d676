//! Tests of which parts of a request count, and what the upstream gets.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::stage::{
    self, client,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy,
    setup::Setup,
    upstream,
};

#[test]
fn a_route_never_depends_on_a_forged_identity() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let route = |cluster: &str, headers: Value| json!({ "match": { "prefix": "/", "headers": headers }, "route": { "cluster": cluster } });
    let subject =
        |name: &str| json!([{ "name": "x-auth-subject", "string_match": { "exact": name } }]);
    let setup = Setup::new(&policy::inline(&key), upstream::echo())
        .cluster("of-user-1", named("of user-1"))
        .cluster("of-admin", named("of admin"))
        .manage(|manager| {
            manager["route_config"]["virtual_hosts"][0]["routes"] = json!([
                route("of-admin", subject("admin")),
                route("of-user-1", subject("user-1")),
                route("upstream", json!([])),
            ]);
        });
    let envoy = Envoy::start(&binary, &setup);
    let claimed = ("x-auth-subject", b"admin".to_vec());
    let bearer = ("authorization", policy::bearer(&policy::token(&key)));

    let reply = envoy
        .send("GET", "/public/", std::slice::from_ref(&claimed))
        .unwrap();
    assert!(reply.body.starts_with("GET /public/ "), "{}", reply.body);
    let reply = envoy
        .send("GET", "/", &[claimed.clone(), claimed, bearer])
        .unwrap();
    assert_eq!(reply.body, "of user-1");
}

#[test]
fn rules_check_the_path_before_a_route_rewrites_it() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let setup = Setup::new(&policy::inline(&key), upstream::echo()).manage(|manager| {
        manager["route_config"]["virtual_hosts"][0]["routes"] = json!([
            { "match": { "prefix": "/public/" },
              "route": { "cluster": "upstream", "prefix_rewrite": "/private/" } },
            { "match": { "prefix": "/private/" },
              "route": { "cluster": "upstream", "prefix_rewrite": "/public/" } },
        ]);
    });
    let envoy = Envoy::start(&binary, &setup);
    let reply = envoy.get("/public/a", None);
    assert!(reply.body.starts_with("GET /private/a "), "{}", reply.body);
    let original = [("x-envoy-original-path", b"/public/a".to_vec())];
    let reply = envoy.send("GET", "/private/a", &original).unwrap();
    assert_eq!(
        reply.code(),
        "token_missing",
        "what the client says of the path counts"
    );
}

#[test]
fn behind_the_router_rules_check_the_rewritten_path() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    issuer.publish(JWKS, Document::keys(&[&key]));
    issuer.hold();
    let configuration = policy::by_cluster(&policy::fetched());
    let setup = stage::fetching(&issuer, &configuration)
        .manage(|manager| {
            let rewrite = |from: &str, to: &str| {
                json!({ "match": { "prefix": from },
                        "route": { "cluster": "upstream", "prefix_rewrite": to } })
            };
            manager["route_config"]["virtual_hosts"][0]["routes"] = json!([
                rewrite("/public/", "/private/"),
                rewrite("/private/", "/public/")
            ]);
        })
        .behind_the_router();
    let envoy = Envoy::start(&binary, &setup);
    assert_eq!(envoy.get("/public/a", None).code(), "token_missing");
    let reply = envoy.get("/private/a", None);
    assert!(reply.body.starts_with("GET /public/a "), "{}", reply.body);
    let bearer = [
        ("authorization", policy::bearer(&policy::token(&key))),
        ("x_auth_subject", b"admin".to_vec()),
    ];
    let waiting = envoy.begin("GET", "/public/a", &bearer).unwrap();
    eventually("it waits", || issuer.asked(JWKS) == 1);
    issuer.release();
    let reply = waiting.reply().unwrap();
    assert!(reply.body.starts_with("GET /private/a "), "{reply:?}");
    assert!(
        reply.body.contains("x-auth-subject: user-1\r\n"),
        "{reply:?}"
    );
    assert!(!reply.body.contains("admin"), "{reply:?}");
}

#[test]
fn rules_check_the_path_that_envoy_routes() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let as_it_is = Setup::new(&policy::inline(&key), upstream::echo());
    let envoy = Envoy::start(&binary, &as_it_is);
    assert_eq!(envoy.get("/public/../a", None).code(), "request_ambiguous");
    let normalised = as_it_is.manage(|manager| {
        manager["normalize_path"] = json!(true);
        manager["merge_slashes"] = json!(true);
    });
    let envoy = Envoy::start(&binary, &normalised);
    assert_eq!(envoy.get("/public/../a", None).code(), "token_missing");
    assert_eq!(envoy.get("/a/..//public//a", None).status, 200);
}

#[test]
fn a_websocket_needs_a_token_like_any_request() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let setup = Setup::new(&policy::inline(&key), upstream::switching()).manage(|manager| {
        manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    });
    let envoy = Envoy::start(&binary, &setup);
    let upgrade = |authorization: &str| {
        let request = format!(
            "GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             {authorization}\r\n"
        );
        client::write(envoy.address, request.as_bytes())
            .unwrap()
            .reply()
            .unwrap()
    };
    assert_eq!(upgrade("").code(), "token_missing");
    let token = policy::token(&key);
    let reply = upgrade(&format!("authorization: Bearer {token}\r\n"));
    assert_eq!(reply.status, 101);
}

#[test]
fn a_cors_preflight_passes_only_if_configured() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let policy = policy::inline(&Key::read("rsa-2048-a"));
    let preflight = [
        ("origin", b"https://app.example.com".to_vec()),
        ("access-control-request-method", b"PUT".to_vec()),
        ("x-auth-subject", b"admin".to_vec()),
    ];
    let envoy = Envoy::start(&binary, &Setup::new(&policy, upstream::echo()));
    let reply = envoy.send("OPTIONS", "/", &preflight).unwrap();
    assert_eq!(reply.code(), "token_missing");

    let configuration = policy::with(&policy, json!({ "bypass_cors_preflight": true }));
    let envoy = Envoy::start(&binary, &Setup::new(&configuration, upstream::echo()));
    let reply = envoy.send("OPTIONS", "/", &preflight).unwrap();
    assert_eq!(reply.status, 200);
    assert!(!reply.body.contains("x-auth-subject"), "{}", reply.body);
    let plain = envoy.send("OPTIONS", "/", &preflight[..1]).unwrap();
    assert_eq!(
        plain.code(),
        "token_missing",
        "no preflight without the method"
    );
    let get = envoy.send("GET", "/", &preflight).unwrap();
    assert_eq!(get.code(), "token_missing", "no preflight but OPTIONS");
}

#[test]
fn behind_envoys_cors_filter_preflights_are_answered_and_denials_can_be_read() {
    let Some(binary) = stage::binary() else {
        return;
    };
    const CORS: &str = "envoy.filters.http.cors";
    const TYPES: &str = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.";
    let policy = policy::inline(&Key::read("rsa-2048-a"));
    let setup = Setup::new(&policy, upstream::echo()).manage(|manager| {
        let filter = json!({ "name": CORS, "typed_config": { "@type": format!("{TYPES}Cors") } });
        manager["http_filters"]
            .as_array_mut()
            .unwrap()
            .insert(0, filter);
        let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0];
        route["typed_per_filter_config"][CORS] = json!({
            "@type": format!("{TYPES}CorsPolicy"),
            "allow_origin_string_match": [{ "exact": "https://app.example.com" }],
            "allow_methods": "PUT",
        });
    });
    let envoy = Envoy::start(&binary, &setup);
    let cross = [
        ("origin", b"https://app.example.com".to_vec()),
        ("access-control-request-method", b"PUT".to_vec()),
    ];
    let allowed = Some("https://app.example.com");
    let reply = envoy.send("OPTIONS", "/", &cross).unwrap();
    assert_eq!(
        (reply.status, &*reply.body),
        (200, ""),
        "the upstream was asked"
    );
    assert_eq!(reply.header("access-control-allow-origin"), allowed);
    let reply = envoy.send("PUT", "/", &cross).unwrap();
    assert_eq!(reply.code(), "token_missing");
    assert_eq!(reply.header("access-control-allow-origin"), allowed);
}

#[test]
fn a_stripped_credential_does_not_reach_the_upstream() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let mut policy = policy::inline(&key);
    policy["strip_credential"] = json!(true);
    policy["credentials"] = json!([
        { "header": "authorization", "scheme": "Bearer" }, { "cookie": "session" },
    ]);
    let envoy = Envoy::start(&binary, &Setup::new(&policy, upstream::echo()));
    let token = policy::token(&key);
    let headers = [
        ("authorization", policy::bearer(&token)),
        ("cookie", format!("a=1; session={token}; b=2").into_bytes()),
    ];
    let reply = envoy.send("GET", "/", &headers).unwrap();
    assert_eq!(reply.status, 200);
    assert!(!reply.body.contains(&token), "{}", reply.body);
    assert!(
        reply.body.contains("cookie: a=1; b=2\r\n"),
        "{}",
        reply.body
    );
}

/// An upstream that says its name.
fn named(name: &'static str) -> std::net::SocketAddr {
    upstream::serve(move |stream| {
        upstream::head(&stream)?;
        upstream::answer(stream, "200 OK", &[], name.as_bytes())
    })
}
