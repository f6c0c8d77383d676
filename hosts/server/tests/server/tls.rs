//! TLS: whose certificates admit, and how they change.

use std::sync::Arc;

use countersign_server::Address;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::stage::{Folder, Stage, reply, until};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, as PEM.
fn leaf(ca: &Ca, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, ca).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn write_server(folder: &Folder, ca: &Ca) {
    let (certificate, key) = leaf(ca, "localhost");
    folder.write("server.crt", &certificate);
    folder.write("server.key", &key);
    folder.write("proxies.crt", &ca.pem());
}

/// A connection that trusts `ca`; with a certificate of `client`, if there is one.
async fn connect(
    stage: &Stage,
    ca: &Ca,
    client: Option<&Ca>,
    alpn: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let (certificate, key) = leaf(ca, "proxy");
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let Address::Tcp(address) = stage.address else {
        panic!("TCP");
    };
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// The status of a public request's question; `None` without an answer.
async fn ask(stage: &Stage, ca: &Ca, client: Option<&Ca>) -> Option<u16> {
    let mut stream = connect(stage, ca, client, &["http/1.1"]).await.ok()?;
    stream
        .write_all(stage.question("/public/a", None).as_bytes())
        .await
        .ok()?;
    Some(reply(&mut stream).await?.status)
}

const FILES: [&str; 3] = ["server.crt", "server.key", "proxies.crt"];

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_right_issuer_says_who_may_ask() {
    let (folder, ca, other) = (Folder::new(), ca(), ca());
    write_server(&folder, &ca);
    let [certificate, key, client_ca] = FILES;
    let more = json!({
        "tls": { "certificate": certificate, "key": key, "client_ca": client_ca },
        "trusted_proxies": null,
    });
    let stage = Stage::start_in(folder, more).await;
    assert_eq!(ask(&stage, &ca, Some(&ca)).await, Some(204));
    assert_eq!(ask(&stage, &ca, Some(&other)).await, None);
    assert_eq!(ask(&stage, &ca, None).await, None);
    // Without TLS there is nothing.
    let mut plain = crate::stage::connect(&stage.address).await;
    plain
        .write_all(stage.question("/public/a", None).as_bytes())
        .await
        .unwrap();
    assert!(reply(&mut *plain).await.is_none());
    let metrics = stage.operate("/metrics").await.body;
    assert!(metrics.contains(r#"countersign_reason="tls""#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_addresses_too_both_have_to_be_right() {
    let (folder, ca) = (Folder::new(), ca());
    write_server(&folder, &ca);
    let [certificate, key, client_ca] = FILES;
    let more = json!({
        "tls": { "certificate": certificate, "key": key, "client_ca": client_ca },
        "trusted_proxies": ["192.0.2.1"],
    });
    let stage = Stage::start_in(folder, more).await;
    assert_eq!(ask(&stage, &ca, Some(&ca)).await, Some(403));
    assert_eq!(ask(&stage, &ca, None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_agreed_upon_in_the_handshake() {
    let (folder, ca) = (Folder::new(), ca());
    write_server(&folder, &ca);
    let [certificate, key, _] = FILES;
    let stage = Stage::start_in(
        folder,
        json!({ "tls": { "certificate": certificate, "key": key } }),
    )
    .await;
    let stream = connect(&stage, &ca, None, &["h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(ask(&stage, &ca, None).await, Some(204));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_in_force_and_a_broken_one_leaves_the_old() {
    let (folder, old, new) = (Folder::new(), ca(), ca());
    write_server(&folder, &old);
    let [certificate, key, _] = FILES;
    let stage = Stage::start_in(
        folder,
        json!({ "tls": { "certificate": certificate, "key": key } }),
    )
    .await;
    assert_eq!(ask(&stage, &old, None).await, Some(204));

    // A key of another certificate.
    let (_, other) = leaf(&old, "localhost");
    stage.folder.write("server.key", &other);
    let reply = stage.administer("POST /reload").await;
    assert_eq!(
        (reply.status, &reply.json()["tls"]),
        (422, &json!("refused")),
        "{reply:?}"
    );
    assert!(!reply.body.contains("PRIVATE KEY"));
    assert_eq!(ask(&stage, &old, None).await, Some(204));

    write_server(&stage.folder, &new);
    until("the new certificate is in force", || async {
        ask(&stage, &new, None).await == Some(204)
    })
    .await;
    assert_eq!(ask(&stage, &old, None).await, None);
}
