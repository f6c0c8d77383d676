//! Tests of the example configuration, with other ports.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use countersign_artefact_tests::token::Key;
use serde_json::json;

use crate::stage::{
    self,
    envoy::Envoy,
    eventually,
    issuer::{Document, Issuer, JWKS},
    policy, upstream,
};

const EXAMPLE: &str = include_str!("../../../../envoy-filter/example.yaml");
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist/countersign.wasm");

#[test]
fn the_example_works() {
    let Some(binary) = stage::binary() else {
        return;
    };
    const DEV: &str = "http://127.0.0.1:8181";
    let (key, issuer) = (Key::read("rsa-2048-a"), Issuer::start());
    let metadata = json!({ "issuer": DEV, "jwks_uri": format!("{DEV}/jwks") });
    issuer.publish(
        "/.well-known/openid-configuration",
        Document::new(&metadata),
    );
    issuer.publish(JWKS, Document::keys(&[&key]));
    let envoy = Envoy::start_yaml(&binary, &example(issuer.address));

    let mut claims = policy::claims();
    claims["iss"] = json!(DEV);
    let token = key.sign(&claims);
    let reply = envoy.get("/orgs/acme/seats", Some(&token));
    assert_eq!((reply.status, &*reply.body), (200, "you may pass\n"));
    assert_eq!(
        envoy.get("/orgs/globex/seats", Some(&token)).code(),
        "tenant_denied"
    );
    assert_eq!(envoy.get("/orgs/acme/seats", None).code(), "token_missing");
    assert_eq!(envoy.get("/elsewhere", Some(&token)).code(), "rule_denied");
    assert_eq!(envoy.get("/healthz", None).status, 200);
    let named = [("x_auth_subject", b"admin".to_vec())];
    assert_eq!(envoy.send("GET", "/healthz", &named).unwrap().status, 400);
    for path in ["/orgs/acme%2f..%2f", "/orgs/acme%5cseats"] {
        assert_eq!(envoy.get(path, Some(&token)).status, 400, "{path}");
    }
}

#[test]
fn its_fetches_are_limited_to_a_megabyte() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let endless = upstream::serve(move |mut stream| {
        upstream::head(&stream)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            stream.write_all(&[b' '; 4096])?;
            counted.fetch_add(4096, Ordering::Relaxed);
        }
    });
    let envoy = Envoy::start_yaml(&binary, &example(endless));
    eventually("the fetch is given up", || {
        envoy.metric("wasmcustom.countersign.fetches_failed") >= Some(1)
    });
    let fetches = envoy.metric("cluster.issuer.upstream_rq_total").unwrap();
    let read = envoy
        .metric("cluster.issuer.upstream_cx_rx_bytes_total")
        .unwrap();
    assert!(
        read / fetches < 2 << 20,
        "{read} bytes were read in {fetches} fetches"
    );
    assert!(sent.load(Ordering::Relaxed) > 1 << 20);
}

/// Returns the example with free ports and this issuer.
fn example(issuer: SocketAddr) -> String {
    let port = |port: u16| format!("port_value: {port}");
    EXAMPLE
        .replace(&port(9901), &port(0))
        .replace(&port(10_000), &port(0))
        .replace(&port(8181), &port(issuer.port()))
        .replace("filename: countersign.wasm", &format!("filename: {FILE}"))
}
