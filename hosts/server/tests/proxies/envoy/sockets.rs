//! WebSockets.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::json;

use super::{BOTH, Scene, bearer, binary};
use crate::stage::issuer::Tokens;

/// The head of the reply to a handshake, and the connection.
fn handshake(scene: &Scene, more: &str) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(scene.envoy.address).unwrap();
    stream
        .set_read_timeout(Some(countersign_artefact_tests::stage::TIMEOUT))
        .unwrap();
    let request = format!(
        "GET /orgs/acme/socket HTTP/1.1\r\nhost: app.example.com\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    (String::from_utf8(head).unwrap(), stream)
}

#[test]
fn a_websocket_is_decided_about_once_and_then_open() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &tokens.policy(json!({})));
        let (head, mut stream) = handshake(&scene, &bearer(&tokens.good()));
        assert!(head.starts_with("HTTP/1.1 101 "), "{kind}: {head}");
        stream.write_all(b"hello").unwrap();
        let mut echo = [0; 5];
        stream.read_exact(&mut echo).unwrap();
        assert_eq!(&echo, b"hello", "{kind}");
        assert_eq!(
            scene.origin.one().values_like("x-auth-subject"),
            ["ada"],
            "{kind}"
        );

        let (head, _) = handshake(&scene, &bearer(&tokens.forged()));
        assert!(head.starts_with("HTTP/1.1 401 "), "{kind}: {head}");
        assert!(scene.origin.take().is_empty(), "{kind}");
    }
}

#[test]
fn a_cookie_opens_no_websocket_for_another_site() {
    let Some(binary) = binary() else { return };
    let tokens = Tokens::new();
    let policy = tokens.policy(json!({
        "credentials": [{ "cookie": "session", "same_origin": true }],
    }));
    for kind in BOTH {
        let scene = Scene::new(&binary, kind, &policy);
        let cookie = format!("cookie: session={}\r\n", tokens.good());
        for origin in [
            "",
            "origin: https://evil.example\r\n",
            "sec-fetch-site: cross-site\r\n",
        ] {
            let (head, _) = handshake(&scene, &format!("{cookie}{origin}"));
            assert!(head.starts_with("HTTP/1.1 403 "), "{kind} {origin}: {head}");
            assert!(head.contains("origin_denied"), "{kind} {origin}: {head}");
        }
        assert!(scene.origin.take().is_empty(), "{kind}");
        let own = format!("{cookie}origin: https://app.example.com\r\n");
        let (head, _) = handshake(&scene, &own);
        assert!(head.starts_with("HTTP/1.1 101 "), "{kind}: {head}");
    }
}
