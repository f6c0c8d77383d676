//! Tokens that are bound to a key.

use countersign_dev_issuer::{ProofKey, Proven};
use serde_json::json;

use super::{Trust, claims, refused};
use crate::common::{Database, START_MS, databases};

struct Bound {
    trust: Trust,
    key: ProofKey,
    token: String,
}

impl Bound {
    async fn open(database: Database) -> Self {
        let trust = Trust::open(database).await;
        let key = ProofKey::generate().unwrap();
        let token = trust.token(&json!({ "cnf": { "jkt": key.thumbprint() } }));
        Self { trust, key, token }
    }

    fn prove(&self, key: &ProofKey, path: &str, token: &str) -> String {
        let proven = Proven {
            method: "POST",
            url: &format!("{}{path}", self.trust.stage.url),
            token,
            nonce: None,
        };
        let now_ms = u64::try_from(START_MS).unwrap();
        key.prove(&proven, now_ms).unwrap()
    }

    async fn ask(&self, headers: &[(&str, &str)]) -> crate::common::Reply {
        self.trust.ask_as("orders", &self.token, headers, &[]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unbinding() {
    for database in databases() {
        let bound = Bound::open(database).await;
        let thief = ProofKey::generate().unwrap();
        let other = bound.trust.token(&json!({}));
        refused(&bound.ask(&[]).await, "invalid_dpop_proof");
        for proof in [
            bound.prove(&thief, "/oauth/token", &bound.token),
            bound.prove(&bound.key, "/oauth/token", &other),
            bound.prove(&bound.key, "/elsewhere", &bound.token),
            "x".to_owned(),
        ] {
            let reply = bound.ask(&[("dpop", &proof)]).await;
            refused(&reply, "invalid_dpop_proof");
        }
        let proof = bound.prove(&bound.key, "/oauth/token", &bound.token);
        let reply = bound.ask(&[("dpop", &proof)]).await;
        assert_eq!(
            claims(&reply)["cnf"],
            json!({ "jkt": bound.key.thumbprint() })
        );
        assert_eq!(reply.json()["token_type"], "DPoP");
        // Each proof once.
        let reply = bound.ask(&[("dpop", &proof)]).await;
        refused(&reply, "invalid_dpop_proof");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_proven_here_is_not_exchanged() {
    let mut bound = Bound::open(Database::Sqlite).await;
    let jkt = bound.key.thumbprint();
    for cnf in [
        // A certificate: browsers would be asked for theirs.
        json!({ "x5t#S256": jkt }),
        json!({ "jkt": jkt, "x5t#S256": jkt }),
        json!({ "jwk": {} }),
        json!({}),
        json!(null),
        json!("x"),
    ] {
        // Not left out: `null` is a claim here.
        let mut all = super::idp_claims();
        all["cnf"] = cnf.clone();
        bound.token = super::signed(&bound.trust.idp, "at+jwt", &all, &json!({}));
        let proof = bound.prove(&bound.key, "/oauth/token", &bound.token);
        for headers in [&[][..], &[("dpop", proof.as_str())]] {
            let reply = bound.ask(headers).await;
            assert_eq!(reply.status, 400, "{cnf}");
        }
    }
    // A proof for a token that asks for none would make the client think that it is bound.
    bound.token = bound.trust.token(&json!({}));
    let proof = bound.prove(&bound.key, "/oauth/token", &bound.token);
    refused(&bound.ask(&[("dpop", &proof)]).await, "invalid_dpop_proof");
}
