//! Tests of tokens that are bound to a client's certificate (RFC 8705), with a
//! listener of Envoy that asks for certificates.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_artefact_tests::{cases, stage::TIMEOUT, token::Key};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stage::{self, envoy::Envoy, policy, setup::Setup, upstream};

#[test]
fn a_bound_token_passes_with_its_certificate_and_with_no_other() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (authority, key) = (authority(), Key::read("rsa-2048-a"));
    let (own, other) = (Certificate::of(&authority), Certificate::of(&authority));
    let setup = Setup::new(&policy::inline(&key), upstream::echo()).concurrency(2);
    let envoy = Envoy::start(&binary, &with_tls(setup, &authority));
    let send = |certificate: Option<&Certificate>, token: &str| {
        send(
            &envoy,
            &authority,
            certificate,
            &["authorization: Bearer ", token].concat(),
        )
    };
    let bound = key.sign(&bound_to(&own));
    for _ in 0..5 {
        let allowed = send(Some(&own), &bound);
        assert!(
            allowed.starts_with("HTTP/1.1 200 "),
            "{allowed}\n{}",
            envoy.log()
        );
        assert!(allowed.contains("x-auth-subject: user-1\r\n"), "{allowed}");
        for (certificate, code) in [(Some(&other), "proof_invalid"), (None, "proof_missing")] {
            let denied = send(certificate, &bound);
            assert!(denied.starts_with("HTTP/1.1 401 "), "{denied}");
            assert!(denied.contains(&format!(r#""code":"{code}""#)), "{denied}");
        }
    }
    // A token that is not bound is for whoever has it.
    let plain = policy::token(&key);
    for certificate in [Some(&own), Some(&other), None] {
        let allowed = send(certificate, &plain);
        assert!(allowed.starts_with("HTTP/1.1 200 "), "{allowed}");
    }
}

#[test]
fn where_a_bad_token_counts_as_not_sent_a_bound_one_is_not_bad() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (authority, key) = (authority(), Key::read("rsa-2048-a"));
    let own = Certificate::of(&authority);
    let mut policy = policy::inline(&key);
    policy["rules"] = json!([{ "path": "/**", "optional": { "bad_token": "ignore" } }]);
    let setup = Setup::new(&policy, upstream::echo());
    let envoy = Envoy::start(&binary, &with_tls(setup, &authority));
    let bound = key.sign(&bound_to(&own));
    let header = format!("authorization: Bearer {bound}");
    let known = send(&envoy, &authority, Some(&own), &header);
    assert!(known.contains("x-auth-subject: user-1\r\n"), "{known}");
    let anonymous = send(&envoy, &authority, None, &header);
    assert!(anonymous.starts_with("HTTP/1.1 200 "), "{anonymous}");
    assert!(!anonymous.contains("x-auth-subject"), "{anonymous}");
}

#[test]
fn a_rule_can_ask_for_a_certificate() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (authority, key) = (authority(), Key::read("rsa-2048-a"));
    let own = Certificate::of(&authority);
    let mut policy = policy::inline(&key);
    policy["rules"] = json!([{ "path": "/**", "require": { "proof": "mtls" } }]);
    let setup = Setup::new(&policy, upstream::echo());
    let envoy = Envoy::start(&binary, &with_tls(setup, &authority));
    let send = |token: &str| {
        send(
            &envoy,
            &authority,
            Some(&own),
            &["authorization: Bearer ", token].concat(),
        )
    };
    assert!(send(&key.sign(&bound_to(&own))).starts_with("HTTP/1.1 200 "));
    let denied = send(&policy::token(&key));
    assert!(denied.contains(r#""code":"proof_missing""#), "{denied}");
}

/// `forward_client_cert_details` decides whose header reaches the filter: with
/// `FORWARD_ONLY` that of a proxy that has authenticated itself by TLS.
#[test]
fn the_header_of_a_proxy_counts_only_if_envoy_lets_it_pass() {
    let Some(binary) = stage::binary() else {
        return;
    };
    let (authority, key) = (authority(), Key::read("rsa-2048-a"));
    let (client, proxy) = (Certificate::of(&authority), Certificate::of(&authority));
    let mut policy = policy::inline(&key);
    policy["client_certificate"] = json!({
        "header": "x-forwarded-client-cert", "format": "xfcc", "trusted_proxies": "any",
    });
    let setup = Setup::new(&policy, upstream::echo()).manage(|manager| {
        manager["forward_client_cert_details"] = json!("FORWARD_ONLY");
    });
    let envoy = Envoy::start(&binary, &with_tls(setup, &authority));
    let header = format!(
        "authorization: Bearer {}\r\nx-forwarded-client-cert: Hash={}",
        key.sign(&bound_to(&client)),
        client
            .hash
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    );
    let told = send(&envoy, &authority, Some(&proxy), &header);
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}\n{}", envoy.log());
    let forged = send(&envoy, &authority, None, &header);
    assert!(forged.contains(r#""code":"proof_missing""#), "{forged}");
}

/// A client's certificate.
struct Certificate {
    der: Vec<u8>,
    key: KeyPair,
    hash: Vec<u8>,
}

impl Certificate {
    fn of(authority: &CertifiedIssuer<'static, KeyPair>) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([cases::AUTHORITY.to_owned()]).unwrap();
        let der = params.signed_by(&key, authority).unwrap().der().to_vec();
        let hash = Sha256::digest(&der).to_vec();
        Self { der, key, hash }
    }
}

fn bound_to(certificate: &Certificate) -> Value {
    let mut claims = policy::claims();
    claims["cnf"] = json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(&certificate.hash) });
    claims
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    // A certificate with the name of its issuer would count as self-signed.
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// With a listener that asks for certificates of this authority, and does without.
fn with_tls(setup: Setup, authority: &CertifiedIssuer<'static, KeyPair>) -> Setup {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([cases::AUTHORITY.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let socket = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3\
                      .DownstreamTlsContext",
            "require_client_certificate": false,
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": { "inline_string": certificate.pem() },
                    "private_key": { "inline_string": key.serialize_pem() },
                }],
                "validation_context": { "trusted_ca": { "inline_string": authority.pem() } },
            },
        },
    });
    setup.chain(|chain| chain["transport_socket"] = socket)
}

/// Sends `GET /` with these header lines over TLS. Returns the whole reply.
fn send(
    envoy: &Envoy,
    authority: &CertifiedIssuer<'static, KeyPair>,
    certificate: Option<&Certificate>,
    headers: &str,
) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match certificate {
        None => config.with_no_client_auth(),
        Some(certificate) => {
            let chain = vec![CertificateDer::from(certificate.der.clone())];
            let key = PrivateKeyDer::try_from(certificate.key.serialize_der()).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    let name = ServerName::try_from(cases::AUTHORITY).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(envoy.address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let host = cases::AUTHORITY;
    let request =
        format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    // Envoy can close without `close_notify`.
    let ended = stream.read_to_end(&mut reply);
    assert!(!reply.is_empty(), "{ended:?}\n{}", envoy.log());
    String::from_utf8_lossy(&reply).into_owned()
}
