//! Tokens that are bound to a client's certificate (RFC 8705): Envoy says the certificate of
//! the connection.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_artefact_tests::stage::TIMEOUT;
use countersign_host::Connection;
use countersign_proxy_config::{Kind, Options, generate};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use serde_json::{Value, json};

use super::{Scene, bearer, binary, replaced};
use crate::stage::issuer::Tokens;

const HOST: &str = "app.example.com";

type Authority = CertifiedIssuer<'static, KeyPair>;

#[test]
fn a_bound_token_passes_with_its_certificate_and_with_no_other() {
    let Some(binary) = binary() else { return };
    let (tokens, authority) = (Tokens::new(), authority());
    let (own, other) = (Certificate::of(&authority), Certificate::of(&authority));
    let scene = Scene::with(
        &binary,
        Kind::EnvoyGrpc,
        &tokens.policy(json!({})),
        |text| with_tls(text, &authority),
    );
    let bound = bearer(&tokens.with(&[("cnf", own.confirmation())]));
    let send = |certificate, more: &str| {
        send(
            scene.envoy.address,
            &authority,
            certificate,
            &format!("{bound}{more}"),
        )
    };
    let allowed = send(Some(&own), "");
    assert!(allowed.starts_with("HTTP/1.1 200 "), "{allowed}");
    assert_eq!(scene.origin.one().values_like("x-auth-subject"), ["ada"]);
    let denied = send(Some(&other), "");
    assert!(denied.contains("proof_invalid"), "{denied}");
    // A header about a certificate says nothing.
    let header = format!("x-forwarded-client-cert: Hash={}\r\n", own.hexadecimal());
    for more in ["", &header] {
        let denied = send(None, more);
        assert!(denied.contains("proof_missing"), "{denied}");
    }
    assert!(scene.origin.take().is_empty());
}

#[test]
fn a_policy_that_needs_certificates_is_refused_where_they_are_not_said() {
    let tokens = Tokens::new();
    let policy = tokens.policy(
        json!({ "rules": [{ "path": "/**", "require": { "any_of": [{ "proof": "mtls" }] } }] }),
    );
    let options = Options {
        server: "gate.security:9191".parse().unwrap(),
        origin: "app:8080".parse().unwrap(),
        ..Options::default()
    };
    for kind in [
        Kind::EnvoyHttp,
        Kind::EnvoyGateway,
        Kind::Istio,
        Kind::GatewayApi,
    ] {
        let refused = generate(kind, &policy, &options).unwrap_err();
        assert_eq!(
            refused.problems[0].pointer, "/rules/0/require/any_of/0/proof",
            "{kind}"
        );
    }
    generate(Kind::EnvoyGrpc, &policy, &options).unwrap();
}

struct Certificate {
    der: Vec<u8>,
    key: KeyPair,
    hash: [u8; 32],
}

impl Certificate {
    fn of(authority: &Authority) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([HOST.to_owned()]).unwrap();
        let der = params.signed_by(&key, authority).unwrap().der().to_vec();
        let hash = Connection::default()
            .with_certificate(&der)
            .certificate
            .unwrap();
        Self { der, key, hash }
    }

    fn confirmation(&self) -> Value {
        json!({ "x5t#S256": URL_SAFE_NO_PAD.encode(self.hash) })
    }

    fn hexadecimal(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    // A certificate with the name of its issuer would count as self-signed.
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A listener that asks for certificates of this authority, and does without.
fn with_tls(text: String, authority: &Authority) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([HOST.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let socket = json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
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
    let filters = "- filters:\n";
    replaced(
        text,
        filters,
        &format!("- transport_socket: {socket}\n          filters:\n"),
    )
}

/// Sends `GET` with these header lines over TLS. Returns the whole reply.
fn send(
    to: SocketAddr,
    authority: &Authority,
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
    let name = ServerName::try_from(HOST).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let request =
        format!("GET /orgs/acme/a HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    // Envoy can close without `close_notify`.
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}
