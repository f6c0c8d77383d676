//! Callers that authenticate by their certificate (RFC 8705 §2).

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::stage::{self, ORDERS_SECRET, Reply, Stage, basic};

/// A certificate and its key.
struct Identity {
    der: CertificateDer<'static>,
    key: Vec<u8>,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

fn identity(authority: &Authority, folder: Option<&TempDir>) -> Identity {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    if let Some(folder) = folder {
        std::fs::write(folder.path().join("server.pem"), certificate.pem()).expect("it is written");
        std::fs::write(folder.path().join("server.key"), key.serialize_pem())
            .expect("it is written");
    }
    Identity {
        der: certificate.der().clone(),
        key: key.serialize_der(),
    }
}

impl Identity {
    fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.der))
    }

    /// Asks with this certificate.
    async fn ask(
        &self,
        stage: &Stage,
        authority: &Authority,
        headers: &[&str],
        form: &str,
    ) -> Reply {
        let mut roots = RootCertStore::empty();
        roots.add(authority.as_ref().der().clone()).expect("a root");
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("a key");
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.der.clone()], key)
            .expect("a certificate with its key");
        let stream = TcpStream::connect(stage.tcp()).await.expect("it accepts");
        let name = "localhost".try_into().expect("a name");
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await;
        let form_type = "content-type: application/x-www-form-urlencoded";
        let headers = [&[form_type], headers].concat();
        let request = stage::request("POST", "/introspect/api", &headers, form);
        stage::exchange(stream.expect("a handshake"), &request).await
    }
}

#[tokio::test]
async fn a_caller_with_a_certificate_needs_its_name_and_that_certificate() {
    let authority = authority();
    let files = TempDir::new().expect("a folder");
    let (printer, other) = (identity(&authority, None), identity(&authority, None));
    identity(&authority, Some(&files));
    std::fs::write(files.path().join("ca.pem"), authority.pem()).expect("it is written");
    let stage = Stage::start_with(|config| {
        let file = |name: &str| files.path().join(name);
        config["tls"] = json!({
            "certificate": file("server.pem"), "key": file("server.key"), "client_ca": file("ca.pem"),
        });
        // No caller here is a proxy.
        config["trusted_proxies"] = json!(["192.0.2.1/32"]);
        config["introspection"]["clients"]["printer"] = json!({
            "policies": ["api"], "certificates": ["11".repeat(32), printer.hash()], "require": {},
        });
    })
    .await;
    let token = stage.token(|_| {});
    let form = format!("token={token}&client_id=printer");
    let active = printer.ask(&stage, &authority, &[], &form).await;
    assert_eq!(active.json()["active"], true);

    // Another certificate of the same issuer is somebody else's.
    assert_eq!(other.ask(&stage, &authority, &[], &form).await.status, 401);
    // A certificate alone names nobody.
    let nameless = format!("token={token}");
    assert_eq!(
        printer.ask(&stage, &authority, &[], &nameless).await.status,
        401
    );
    // A caller with a secret needs its secret, whatever certificate it has.
    let as_orders = format!("token={token}&client_id=orders");
    assert_eq!(
        printer
            .ask(&stage, &authority, &[], &as_orders)
            .await
            .status,
        401
    );
    let orders = basic("orders", ORDERS_SECRET);
    let reply = printer.ask(&stage, &authority, &[&orders], &nameless).await;
    assert_eq!(reply.json()["active"], true);
    // Who tried a secret is not let in by a certificate.
    let wrong = basic("printer", ORDERS_SECRET);
    assert_eq!(
        printer
            .ask(&stage, &authority, &[&wrong], &form)
            .await
            .status,
        401
    );
}
