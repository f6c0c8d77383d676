//! Tests of the filter together with other software: the upstream serves the
//! request that the filter checked, and gets the identity only from the filter.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use crate::stage::{
    self,
    client::{self, Reply},
    envoy::Envoy,
    http2::{self, Connection},
    policy,
    setup::Setup,
    upstream,
};

#[test]
fn a_client_cannot_forge_the_identity_for_the_upstream() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let setup = Setup::new(&policy::inline(&key), upstream::whole()).with_trailers();
    let envoy = Envoy::start(&binary, &setup);
    let bearer = format!("authorization: Bearer {}\r\n", policy::token(&key));
    let claims = "X-Auth-Subject: admin\r\nX_Auth_Subject: admin\r\nx-auth_subject: admin\r\n\
                  x_Auth-SUBJECT: admin\r\n";

    let upstream_sees = |request: &str| {
        let reply = raw(&envoy, request);
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!reply.body.contains("admin"), "{}", reply.body);
        reply.body
    };
    let named = |seen: &str| seen.matches("x-auth-subject: user-1\r\n").count();
    let seen = upstream_sees(&format!(
        "GET / HTTP/1.1\r\nhost: a\r\n{bearer}{claims}\r\n"
    ));
    assert_eq!(named(&seen), 1, "{seen}");
    upstream_sees(&format!("GET /public/ HTTP/1.1\r\nhost: a\r\n{claims}\r\n"));

    // It would make the next hop, or this one, drop the header.
    for connection in ["x-auth-subject", "close, x-auth-subject", "X_Auth_Subject"] {
        let seen = upstream_sees(&format!(
            "GET / HTTP/1.1\r\nhost: a\r\n{bearer}{claims}Connection: {connection}\r\n\r\n"
        ));
        assert_eq!(named(&seen), 1, "{connection}: {seen}");
        assert!(
            !seen.to_lowercase().contains("connection:"),
            "{connection}: {seen}"
        );
    }

    let chunked = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\n{more}transfer-encoding: chunked\r\n\r\n\
             2\r\nhi\r\n0\r\n{claims}authorization: Bearer admin\r\nx-other: 1\r\n\r\n"
        )
    };
    for seen in [
        upstream_sees(&chunked("/", &bearer)),
        upstream_sees(&chunked("/public/", "")),
    ] {
        assert!(seen.ends_with("0\r\nx-other: 1\r\n\r\n"), "{seen}");
    }

    let authorization = format!("Bearer {}", policy::token(&key));
    let fields: [(&str, &[u8]); 3] = [
        ("authorization", authorization.as_bytes()),
        ("x-auth-subject", b"admin"),
        ("x_auth_subject", b"admin"),
    ];
    let mut connection = Connection::open(envoy.address).unwrap();
    let id = connection.send(&http2::get("/", &fields), false).unwrap();
    let claims: [(&str, &[u8]); 2] = [("x-auth-subject", b"admin"), ("x_auth_subject", b"admin")];
    connection.trailers(id, &claims).unwrap();
    let reply = connection.reply(id).unwrap();
    assert_eq!((reply.status(), named(&reply.body)), (200, 1), "{reply:?}");
    assert!(!reply.body.contains("admin"), "{reply:?}");
}

#[test]
fn the_checked_request_is_the_served_one() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let mut policy = policy::inline(&key);
    let open = json!({ "hosts": ["open.example.com"], "path": "/**", "public": true });
    policy["rules"] = json!([open, { "path": "/**", "require": {} }]);
    let setup = Setup::new(&policy, upstream::echo()).manage(|manager| {
        manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
        manager["http2_protocol_options"] = json!({ "allow_connect": true });
    });
    let envoy = Envoy::start(&binary, &setup);

    let get = |target: &str, hosts: &[&str]| {
        let hosts: String = hosts
            .iter()
            .map(|host| format!("host: {host}\r\n"))
            .collect();
        raw(&envoy, &format!("GET {target} HTTP/1.1\r\n{hosts}\r\n"))
    };
    let reply = get("http://open.example.com/a?b", &["admin.example.com"]);
    assert!(
        reply
            .body
            .starts_with("GET /a?b HTTP/1.1\r\nhost: open.example.com\r\n"),
        "{reply:?}"
    );
    let reply = get("http://admin.example.com/a", &["open.example.com"]);
    assert_eq!(reply.code(), "token_missing", "{reply:?}");
    for hosts in [
        ["open.example.com", "admin.example.com"],
        ["admin.example.com", "open.example.com"],
    ] {
        assert_eq!(get("/", &hosts).status, 400);
    }
    for target in [
        "x:y://z/a",
        "x:http://admin.example.com/a",
        "open.example.com:80",
        "/a#b",
        "ws://open.example.com/a",
    ] {
        let reply = get(target, &["open.example.com"]);
        assert_eq!(
            (reply.status, &*reply.body.replace("Bad Request", "")),
            (400, ""),
            "{target}"
        );
    }

    let h2 = |method: &'static [u8], authority: &'static [u8], more: &[(&str, &[u8])]| {
        let mut fields: Vec<(&str, &[u8])> = vec![
            (":method", method),
            (":scheme", b"http"),
            (":authority", authority),
            (":path", b"/a"),
        ];
        fields.extend(more);
        let mut connection = Connection::open(envoy.address).unwrap();
        let id = connection.send(&fields, true).unwrap();
        connection.reply(id).unwrap_or_default()
    };
    let reply = h2(b"GET", b"open.example.com", &[]);
    assert!(
        reply.body.contains("host: open.example.com\r\n"),
        "{reply:?}"
    );
    for (authority, host) in [
        (&b"open.example.com"[..], &b"admin.example.com"[..]),
        (b"admin.example.com", b"open.example.com"),
    ] {
        let reply = h2(b"GET", authority, &[("host", host)]);
        let open = reply.body.contains("host: open.example.com\r\n");
        let admin = reply.body.contains("host: admin.example.com\r\n");
        assert!(!admin && (open || reply.status() != 200), "{reply:?}");
    }
    // A WebSocket over HTTP/2 (RFC 8441), and a tunnel.
    let websocket: [(&str, &[u8]); 2] = [
        (":protocol", b"websocket"),
        ("sec-websocket-version", b"13"),
    ];
    let reply = h2(b"CONNECT", b"admin.example.com", &websocket);
    assert_eq!(reply.status(), 401, "{reply:?}");
    let reply = h2(b"CONNECT", b"open.example.com", &[]);
    assert_ne!(reply.status(), 200, "{reply:?}");
}

#[test]
fn a_cookie_opens_no_websocket_for_another_site() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let mut policy = policy::inline(&key);
    policy["credentials"] = json!([{ "cookie": "session", "same_origin": true }]);
    let setup = Setup::new(&policy, upstream::switching()).manage(|manager| {
        manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
        manager["http2_protocol_options"] = json!({ "allow_connect": true });
    });
    let envoy = Envoy::start(&binary, &setup);
    let cookie = format!("session={}", policy::token(&key));
    let (own, other) = ("https://app.example.com", "https://evil.example");

    // RFC 8441 §4. What is switched goes on: its end is not waited for.
    let two = |more: &[(&str, &str)]| {
        let mut fields: Vec<(&str, &[u8])> = vec![
            (":method", b"CONNECT"),
            (":protocol", b"websocket"),
            (":scheme", b"https"),
            (":authority", b"app.example.com"),
            (":path", b"/socket"),
            ("sec-websocket-version", b"13"),
            ("cookie", cookie.as_bytes()),
        ];
        fields.extend(more.iter().map(|(name, value)| (*name, value.as_bytes())));
        let mut connection = Connection::open(envoy.address).unwrap();
        let id = connection.send(&fields, false).unwrap();
        match connection.status(id).unwrap() {
            200 => (200, String::new()),
            status => (status, connection.reply(id).unwrap().body),
        }
    };
    let one = |more: &[(&str, &str)]| {
        let more: String = more
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "GET /socket HTTP/1.1\r\nhost: app.example.com\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\ncookie: {cookie}\r\n{more}\r\n"
        );
        let reply = raw(&envoy, &request);
        (reply.status, reply.body)
    };
    for fields in [
        &[("origin", own)][..],
        &[("origin", other), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin"), ("origin", own)],
    ] {
        assert_eq!(two(fields), (200, String::new()), "{fields:?}");
        assert_eq!(one(fields).0, 101, "{fields:?}");
    }
    for fields in [
        &[("origin", other)][..],
        &[("origin", own), ("sec-fetch-site", "cross-site")],
        &[("origin", other), ("sec-fetch-mode", "cors")],
        &[],
    ] {
        for (status, body) in [two(fields), one(fields)] {
            assert_eq!(status, 403, "{fields:?}: {body}");
            assert!(
                body.contains(r#""code":"origin_denied""#),
                "{fields:?}: {body}"
            );
        }
    }
}

#[test]
fn methods_are_checked_and_forwarded_unchanged() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let key = Key::read("rsa-2048-a");
    let envoy = Envoy::start(
        &binary,
        &Setup::new(&policy::inline(&key), upstream::echo()),
    );
    let bearer = [(
        "authorization",
        format!("Bearer {}", policy::token(&key)).into_bytes(),
    )];
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        let reply = envoy.send(method, "/", &bearer).unwrap();
        assert!(reply.body.starts_with(&format!("{method} / ")), "{reply:?}");
        let reply = envoy.send(method, "/", &[]).unwrap();
        assert_eq!(reply.code(), "token_missing", "{method}");
    }
    let reply = raw(
        &envoy,
        "HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    assert_eq!((reply.status, &*reply.body), (401, ""));
    assert!(reply.header("www-authenticate").is_some(), "{reply:?}");
}

fn raw(envoy: &Envoy, request: &str) -> Reply {
    let sent = client::write(envoy.address, request.as_bytes());
    let reply = sent.and_then(client::Sent::reply);
    reply.unwrap_or_else(|| panic!("no reply to {request}\n{}", envoy.log()))
}
