//! RFC 8693 at the token endpoint: tokens of other issuers, the bridge's own, and the
//! assertions of an app. The names of the tests are those of the attacks.

mod act;
mod apps;
mod bound;
mod config;
mod issuers;
mod own;
mod requests;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_dev_issuer::Signer;
use serde_json::{Map, Value, json};

use crate::common::{Database, Reply, SECRET, START_MS, Stage};

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An issuer whose tokens say tenant and roles.
pub(crate) const IDP: &str = "https://id.example.com";

/// One whose people are members here.
pub(crate) const STAFF: &str = "https://staff.example.com";

/// The login provider of the app's people.
pub(crate) const LOGIN: &str = "https://accounts.example.com";

pub(crate) const NOW_S: i64 = START_MS / 1000;

/// A bridge, and the keys of those whom it trusts.
pub(crate) struct Trust {
    pub(crate) stage: Stage,
    /// Of both issuers.
    pub(crate) idp: Signer,
    /// Of the apps `next` and `other`.
    pub(crate) next: Signer,
    pub(crate) other: Signer,
}

impl Trust {
    pub(crate) async fn open(database: Database) -> Self {
        Self::with(database, |_| {}).await
    }

    pub(crate) async fn with(database: Database, change: impl FnOnce(&mut Value)) -> Self {
        let [idp, next, other] = [(); 3].map(|()| Signer::generate("ES256").unwrap());
        let stage = Stage::with(database, |config| {
            trusting(config, [&idp, &next, &other]);
            change(config);
        })
        .await;
        Self {
            stage,
            idp,
            next,
            other,
        }
    }

    /// Somebody's roles in `acme`, or that there are none any more.
    pub(crate) async fn member(&self, person: (&str, &str), roles: Option<&[&str]>) {
        let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
        let roles: Option<Vec<String>> = roles;
        let bridge = &self.stage.bridge;
        let set = bridge.set_member("acme", person, roles.as_deref());
        set.await.unwrap();
    }

    /// A token of [`IDP`], with other claims; `null` removes one.
    pub(crate) fn token(&self, changes: &Value) -> String {
        signed(&self.idp, "at+jwt", &idp_claims(), changes)
    }

    /// An assertion of `next` about Ada, with other claims.
    pub(crate) fn assertion(&self, changes: &Value) -> String {
        let claims = assertion_claims("next", &self.stage.url);
        signed(&self.next, "person-assertion+jwt", &claims, changes)
    }

    /// `orders` exchanges a token for `billing`, with further parameters.
    pub(crate) async fn ask(&self, token: &str, more: &[(&str, &str)]) -> Reply {
        self.ask_as("orders", token, &[], more).await
    }

    pub(crate) async fn ask_as(
        &self,
        client: &str,
        token: &str,
        headers: &[(&str, &str)],
        more: &[(&str, &str)],
    ) -> Reply {
        let form = [&subject(token), more].concat();
        let known = [("client_id", client), ("client_secret", SECRET)];
        let form = [&known[..], &form].concat();
        self.stage.post("/oauth/token", headers, &form).await
    }

    /// `next` exchanges an assertion, at this address.
    pub(crate) async fn ask_app(&self, url: &str, assertion: &str, more: &[(&str, &str)]) -> Reply {
        let own = self.client_assertion("next", &self.next);
        let form = [&app_form(&own, assertion), more].concat();
        let url = format!("{url}/oauth/token");
        crate::common::Browser::default()
            .post(&url, &[], &form)
            .await
    }

    /// By what a client with keys says who it is.
    pub(crate) fn client_assertion(&self, id: &str, signer: &Signer) -> String {
        let jti = BASE64_URL_SAFE_NO_PAD.encode(rand());
        let claims = json!({
            "iss": id, "sub": id, "aud": self.stage.url,
            "iat": NOW_S, "exp": NOW_S + 60, "jti": jti,
        });
        signed(signer, "JWT", &claims, &json!({}))
    }
}

pub(crate) fn idp_claims() -> Value {
    json!({
        "iss": IDP, "sub": "ada", "aud": "bridge", "iat": NOW_S, "exp": NOW_S + 300,
        "tenant_id": "acme", "groups": ["staff", "everybody"],
    })
}

pub(crate) fn assertion_claims(app: &str, bridge: &str) -> Value {
    json!({
        "iss": app, "aud": bridge, "iat": NOW_S, "exp": NOW_S + 60, "jti": "one",
        "sub_id": { "format": "iss_sub", "iss": LOGIN, "sub": "ada" },
        "session_expires_at": NOW_S + 900,
    })
}

pub(crate) fn signed(signer: &Signer, typ: &str, claims: &Value, changes: &Value) -> String {
    let mut claims = claims.as_object().unwrap().clone();
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(claims.remove(name)),
            change => drop(claims.insert(name.clone(), change.clone())),
        }
    }
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!(typ));
    signer.sign(&header, &claims).unwrap()
}

pub(crate) fn subject(token: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", GRANT),
        ("subject_token", token),
        ("subject_token_type", ACCESS_TOKEN),
    ]
}

pub(crate) fn app_form<'a>(
    client_assertion: &'a str,
    assertion: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let mut form = subject(assertion).to_vec();
    form.push(("client_assertion_type", JWT_BEARER));
    form.push(("client_assertion", client_assertion));
    form.push(("tenant", "acme"));
    form
}

/// The claims of the new token.
pub(crate) fn claims(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn refused(reply: &Reply, error: &str) {
    assert_eq!(reply.error(), (400, error.to_owned()), "{reply:?}");
    assert_eq!(reply.header("cache-control"), "no-store");
}

fn rand() -> [u8; 16] {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes
}

fn jwks(signer: &Signer) -> Value {
    json!({ "keys": [signer.to_public_jwk().unwrap()] })
}

fn trusting(config: &mut Value, [idp, next, other]: [&Signer; 3]) {
    let secret = json!([{ "file": "orders" }]);
    let grants = json!(["client_credentials", "token_exchange"]);
    let scopes = json!(["orders:read", "orders:write", "people:read"]);
    config["tokens"]["audiences"] = json!(["platform", "billing", "reports"]);
    for id in ["orders", "billing"] {
        config["clients"][id] = json!({
            "secrets": secret, "grants": grants, "scopes": scopes,
            "roles": ["service"], "tenant": "acme",
        });
    }
    for (id, signer) in [("next", next), ("other", other)] {
        config["clients"][id] = json!({
            "keys": { "jwks": jwks(signer), "algorithms": ["ES256"] },
            "grants": ["token_exchange"], "scopes": scopes,
        });
    }
    let issuer = |issuer: &str| {
        json!({
            "issuer": issuer, "audiences": ["bridge"], "algorithms": ["ES256"],
            "keys": { "jwks": jwks(idp) }, "clients": { "orders": ["billing"] },
        })
    };
    let mut by_claims = issuer(IDP);
    by_claims["claims"] = json!({ "tenant": "/tenant_id", "roles": ["/groups"] });
    by_claims["role_map"] = json!({ "staff": ["clerk"] });
    let mut by_members = issuer(STAFF);
    by_members["members"] = json!(true);
    config["exchange"] = json!({
        "issuers": { "idp": by_claims, "staff": by_members },
        "own": { "audiences": ["platform"], "clients": { "orders": ["billing"] } },
        "apps": {
            "next": { "people_of": [LOGIN], "audiences": ["platform"] },
            "other": { "people_of": [LOGIN], "audiences": ["platform"] },
        },
    });
    config["login"]["roles"] = json!({
        "clerk": ["orders:read"],
        "admin": ["orders:read", "orders:write", "admin"],
    });
}
