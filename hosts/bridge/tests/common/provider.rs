//! An OpenID provider for development: everybody who asks is signed in at once. Tests can
//! make it lie.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign_dev_issuer::Signer;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::START_MS;

pub const CLIENT: &str = "bridge";
pub const CLIENT_SECRET: &str = "the bridge's secret at its provider";

type Fields = HashMap<String, String>;

/// A provider that listens on loopback.
#[derive(Clone)]
pub struct Provider {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    signer: Signer,
    /// The key that it publishes.
    jwk: Option<Value>,
    /// `sub` of whoever signs in next.
    sub: String,
    /// Members of ID tokens that replace the right ones; `null` removes one.
    claims: Value,
    /// The same for the metadata.
    metadata: Value,
    /// `iss` of the answer.
    iss: Option<String>,
    now_s: i64,
    /// What was asked for, by code.
    codes: HashMap<String, Fields>,
    count: u32,
    /// Every request for a code.
    asked: Vec<Fields>,
}

impl Provider {
    pub async fn open() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let signer = Signer::generate("ES256").unwrap();
        let provider = Self {
            inner: Arc::new(Mutex::new(Inner {
                jwk: signer.to_public_jwk(),
                signer,
                sub: "ada".to_owned(),
                claims: json!({}),
                metadata: json!({}),
                iss: Some(url.clone()),
                now_s: START_MS / 1000,
                codes: HashMap::new(),
                count: 0,
                asked: Vec::new(),
            })),
            url,
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks.json", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        provider
    }

    /// As the configuration of the bridge has it.
    pub fn config(&self, secret_file: &str) -> Value {
        json!({
            "issuer": self.url,
            "client_id": CLIENT,
            "client_secret": { "file": secret_file },
            "algorithms": ["ES256"],
        })
    }

    pub fn signs_in(&self, sub: &str) {
        self.inner.lock().unwrap().sub = sub.to_owned();
    }

    pub fn says(&self, claims: Value) {
        self.inner.lock().unwrap().claims = claims;
    }

    pub fn describes(&self, metadata: Value) {
        self.inner.lock().unwrap().metadata = metadata;
    }

    pub fn answers_as(&self, iss: Option<&str>) {
        self.inner.lock().unwrap().iss = iss.map(str::to_owned);
    }

    pub fn forward_s(&self, seconds: i64) {
        self.inner.lock().unwrap().now_s += seconds;
    }

    /// Signs with another key from now on.
    pub fn rotate(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.signer = Signer::generate("ES256").unwrap();
        inner.jwk = inner.signer.to_public_jwk();
    }

    /// Signs with a key that it does not publish, under the name of that which it does.
    pub fn forge(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.signer = inner.signer.forged().unwrap();
    }

    pub fn asked(&self) -> Vec<Fields> {
        self.inner.lock().unwrap().asked.clone()
    }
}

async fn metadata(State(provider): State<Provider>) -> Json<Value> {
    let url = &provider.url;
    let document = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks.json"),
        "end_session_endpoint": format!("{url}/logout"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let changes = provider.inner.lock().unwrap().metadata.clone();
    Json(changed(document, &changes))
}

async fn jwks(State(provider): State<Provider>) -> Response {
    let jwk = provider.inner.lock().unwrap().jwk.clone();
    let headers = [("cache-control", "no-cache")];
    (headers, Json(json!({ "keys": [jwk] }))).into_response()
}

async fn authorize(State(provider): State<Provider>, Query(asked): Query<Fields>) -> Redirect {
    let mut inner = provider.inner.lock().unwrap();
    inner.count += 1;
    let code = format!("code-{}", inner.count);
    let mut back = Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &asked["state"]);
    if let Some(iss) = &inner.iss {
        back.query_pairs_mut().append_pair("iss", iss);
    }
    inner.asked.push(asked.clone());
    inner.codes.insert(code, asked);
    Redirect::to(back.as_str())
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: Bytes) -> Response {
    let form: Fields = form_urlencoded::parse(&body).into_owned().collect();
    let refused = (
        StatusCode::BAD_REQUEST,
        Json(json!({ "error": "invalid_grant" })),
    );
    let mut encoded = form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect::<String>();
    encoded = format!("{CLIENT}:{encoded}");
    let basic = base64::prelude::BASE64_STANDARD.encode(encoded);
    let is_client = headers
        .get("authorization")
        .is_some_and(|field| field.as_bytes() == format!("Basic {basic}").as_bytes());
    let mut inner = provider.inner.lock().unwrap();
    let asked = inner.codes.remove(&form["code"]);
    let Some(asked) = asked.filter(|_| is_client) else {
        return refused.into_response();
    };
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    let is_same = asked["redirect_uri"] == form["redirect_uri"]
        && asked["code_challenge"] == BASE64_URL_SAFE_NO_PAD.encode(hash);
    if !is_same {
        return refused.into_response();
    }
    let claims = json!({
        "iss": provider.url, "sub": inner.sub, "aud": CLIENT, "nonce": asked["nonce"],
        "iat": inner.now_s, "exp": inner.now_s + 300, "name": "Ada",
        // Some providers say it so.
        "email_verified": "true",
    });
    let Value::Object(claims) = changed(claims, &inner.claims) else {
        unreachable!("it is an object");
    };
    let id_token = inner.signer.sign(&Map::new(), &claims).unwrap();
    let body = json!({
        "access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "id_token": id_token,
    });
    Json(body).into_response()
}

fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Value::Null => drop(value.as_object_mut().unwrap().remove(name)),
            change => value[name] = change.clone(),
        }
    }
    value
}
