//! Key documents over TLS: only from servers that the machine trusts.

mod support;

use std::{fs, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::{Value, json};
use support::{A, START_MS, check, jwks, policy, token_naming};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;

/// Alone in this file, as it decides what this process trusts.
#[test]
fn keys_come_only_over_a_certificate_that_is_trusted_and_has_the_right_name() {
    let authority = authority();
    let stranger = self::authority();
    let trusted = format!("{}/countersign-test-ca.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&trusted, authority.pem()).unwrap();
    // SAFETY: no other thread of this process reads or writes its environment
    // now: there is no other test, and no runtime yet.
    unsafe { std::env::set_var("SSL_CERT_FILE", &trusted) };

    Runtime::new().unwrap().block_on(async {
        let cases = [
            ("good", &authority, "localhost", "allow"),
            (
                "misnamed",
                &authority,
                "elsewhere.example",
                "keys_unavailable",
            ),
            ("untrusted", &stranger, "localhost", "keys_unavailable"),
        ];
        let mut issuers = Vec::new();
        for (name, authority, host, _) in &cases {
            let port = serve(authority, host).await;
            issuers.push(issuer(name, port));
        }
        let gate = countersign_host::Gate::builder()
            .policy(policy(&issuers).to_string())
            .clock(|| START_MS)
            .wait(Duration::from_secs(20))
            .build()
            .await
            .unwrap();
        for (name, _, _, expected) in cases {
            assert_eq!(check(&gate, &token(name)).await, expected, "{name}");
        }
    });
}

fn issuer(name: &str, port: u16) -> Value {
    json!({
        "name": name, "issuer": name, "audiences": ["api"], "algorithms": ["RS256"],
        "keys": { "jwks_uri": format!("https://localhost:{port}/jwks") },
    })
}

fn token(issuer: &str) -> String {
    let now = START_MS / 1000;
    let claims = json!({ "iss": issuer, "aud": "api", "iat": now, "exp": now + 60 });
    token_naming(A, A, &claims)
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Serves the key document on a local port, under this name.
async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, host: &str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Whoever does not trust it hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let body = jwks(&[A]).to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}
