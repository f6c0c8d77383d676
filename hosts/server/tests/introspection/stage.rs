//! A server with callers, and tokens of every kind.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use countersign_dev_issuer::{Issuer, TokenSpec};
use countersign_server::{Address, Config, ConfigError, Listener, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

pub(crate) const ORDERS_SECRET: &str = "orders-secret-of-32-characters-0";
pub(crate) const BILLING_SECRET: &str = "billing-secret-of-32-characters-";
pub(crate) const API_KEY: &str = "sk_test_a1_0123456789abcdefghij";

/// A running server. It stops when this is dropped.
pub(crate) struct Stage {
    pub(crate) address: Address,
    pub(crate) issuer: Issuer,
    /// The authorization server of the opaque tokens: whether it answers.
    pub(crate) upstream_is_up: Arc<AtomicBool>,
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
    _stop: oneshot::Sender<()>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        assert!(
            self.head.contains("\r\ncontent-type: application/json\r\n"),
            "{}",
            self.head
        );
        assert!(
            self.head.contains("\r\ncache-control: no-store\r\n"),
            "{}",
            self.head
        );
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

pub(crate) fn issuer() -> Issuer {
    Issuer::new("https://auth.example.com", "orders", "EdDSA").expect("a key is made")
}

/// The policy `api`: JWTs, API keys and opaque tokens.
fn policy(issuer: &Issuer, upstream: &str) -> Value {
    let hash = "91d32b8d19edb7ed3b0e86d27c2bd8d69f2e41292a8e4a40a9104c01385605b5";
    json!({
        "contract": "1",
        "issuers": [
            {
                "name": "platform", "issuer": issuer.url, "audiences": ["orders", "billing"],
                "algorithms": ["EdDSA"], "keys": { "jwks": issuer.jwks() },
            },
            {
                "name": "machines",
                "api_keys": {
                    "prefix": ["sk_test_"], "checksum": false, "forms": ["sha256"],
                    "pepper": [{ "version": "1", "secret": "0123456789abcdef" }],
                    "inline": { "keys": [{
                        "id": "a1", "hash": hash, "form": "sha256", "subject": "robot-1",
                        "scopes": ["orders:read"], "tenant": "acme",
                    }] },
                },
            },
            {
                "name": "legacy", "audiences": ["orders"],
                "introspection": {
                    "uri": upstream, "insecure_http": true, "prefix": ["opq_"],
                    "client": { "id": "gate", "secret": "the-secret-of-the-gate" },
                },
            },
        ],
        "rules": [{ "path": "/**", "require": {} }],
    })
}

/// Two callers, each of which sees its own tokens.
pub(crate) fn config(folder: &TempDir) -> Value {
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file is written");
        path
    };
    json!({
        "listen": "127.0.0.1:0",
        "trusted_proxies": ["127.0.0.1/32"],
        "policies": {
            "api": { "file": folder.path().join("api.json") },
            "other": { "file": folder.path().join("api.json") },
        },
        "dialects": ["nginx"],
        "introspection": { "clients": {
            "orders": {
                "policies": ["api"],
                "secrets": [{ "file": file("orders.secret", &format!("{ORDERS_SECRET}\n")) }],
                "require": { "any_of": [{ "audiences": ["orders"] }, { "issuers": ["machines"] }] },
            },
            "billing": {
                "policies": ["api"],
                "secrets": [
                    { "file": file("billing.new", "the-next-secret-of-32-characters") },
                    { "file": file("billing.old", BILLING_SECRET) },
                ],
                "require": { "audiences": ["billing"] },
            },
        } },
    })
}

/// JSON is YAML.
pub(crate) fn parsed(config: Value) -> Result<Config, ConfigError> {
    Config::parse("server.yaml", config.to_string().into())
}

/// Opens a server with this configuration, whose policies stand in the folder.
pub(crate) async fn open(config: Value) -> Result<Server, ConfigError> {
    Server::open(parsed(config)?).await
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Value)) -> Self {
        let folder = TempDir::new().expect("a folder");
        let issuer = issuer();
        let upstream_is_up = Arc::new(AtomicBool::new(true));
        let upstream = upstream(upstream_is_up.clone()).await;
        let policy = policy(&issuer, &upstream).to_string();
        std::fs::write(folder.path().join("api.json"), policy).expect("the policy is written");
        let mut config = config(&folder);
        change(&mut config);
        let config = parsed(config).expect("a configuration");
        let listener = Listener::bind(&config).await.expect("it listens");
        let server = Server::open(config).await.expect("it opens");
        let address = listener.address().expect("it has an address");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(server.clone().run(listener, async {
            let _ = stopped.await;
        }));
        Self {
            address,
            issuer,
            upstream_is_up,
            server,
            folder,
            _stop: stop,
        }
    }

    pub(crate) fn token(&self, change: impl FnOnce(&mut TokenSpec)) -> String {
        let mut spec = TokenSpec::of("access");
        change(&mut spec);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now_ms = now.expect("after 1970").as_millis();
        spec.mint(&self.issuer, u64::try_from(now_ms).expect("a time"))
            .expect("it signs")
    }

    /// Asks as this client, in the usual way.
    pub(crate) async fn ask(&self, client: &str, secret: &str, token: &str) -> Reply {
        self.post(
            "/introspect/api",
            &[&basic(client, secret)],
            &format!("token={token}"),
        )
        .await
    }

    /// A form.
    pub(crate) async fn post(&self, target: &str, headers: &[&str], form: &str) -> Reply {
        let form_type = "content-type: application/x-www-form-urlencoded";
        let headers = [&[form_type], headers].concat();
        self.send("POST", target, &headers, form).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &str,
    ) -> Reply {
        let stream = TcpStream::connect(self.tcp()).await.expect("it accepts");
        exchange(stream, &request(method, target, headers, body)).await
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        match &self.address {
            Address::Tcp(address) => *address,
            Address::Unix(_) => panic!("it listens on TCP"),
        }
    }
}

pub(crate) fn request(method: &str, target: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers
        .iter()
        .map(|header| format!("{header}\r\n"))
        .collect();
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    )
}

pub(crate) async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
) -> Reply {
    // A server that refuses early need not read the rest.
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.flush().await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    let reply = String::from_utf8(reply).expect("UTF-8");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a whole head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Reply {
        status: status.expect("a status"),
        head: format!("{head}\r\n"),
        body: body.into(),
    }
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    let credentials = BASE64_STANDARD.encode(format!("{client}:{secret}"));
    format!("authorization: Basic {credentials}")
}

/// The authorization server: it knows one token.
async fn upstream(is_up: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let is_up = is_up.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                // The form is short: it ends with what the gate always sends.
                while !request.ends_with(b"token_type_hint=access_token") {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => return,
                        Ok(length) => request.extend_from_slice(&buffer[..length]),
                    }
                }
                let request = String::from_utf8_lossy(&request);
                let known = request.contains("token=opq_known&");
                let answer = match known {
                    true => json!({
                        "active": true, "sub": "ada", "username": "Ada", "aud": "orders",
                        "exp": 4_000_000_000_u64, "scope": "orders:read", "client_id": "web",
                        "token_type": "Bearer",
                    }),
                    false => json!({ "active": false }),
                };
                let status = if is_up.load(Ordering::SeqCst) {
                    "200 OK"
                } else {
                    "503 Down"
                };
                let body = answer.to_string();
                let length = body.len();
                let reply = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n\
                     content-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                let _ = stream.write_all(reply.as_bytes()).await;
            });
        }
    });
    format!("http://{address}/introspect")
}
