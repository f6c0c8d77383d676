//! A running server, an issuer, and a client that sends raw bytes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use countersign_dev_issuer::Issuer;
use countersign_server::{Address, Config, Listener, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    sync::oneshot,
    task::JoinHandle,
    time,
};

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Its files are gone with it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) address: Address,
    pub(crate) operations: Option<Address>,
    pub(crate) admin: Option<Address>,
    pub(crate) folder: Folder,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) ended: JoinHandle<std::io::Result<()>>,
}

/// A folder with a policy, and the issuer of its tokens.
pub(crate) struct Folder {
    folder: TempDir,
    issuer: Issuer,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self {
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new("https://id.example.com", "api", "ES256").unwrap(),
        };
        folder.write("policy.json", &folder.policy(json!({})).to_string());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `/public/` is for everybody, `/admin/` for admins, the rest for who has a token.
    pub(crate) fn policy(&self, more: Value) -> Value {
        let mut policy = json!({
            "contract": "1",
            "issuers": [{
                "name": "dev",
                "issuer": self.issuer.url,
                "audiences": ["api"],
                "algorithms": ["ES256"],
                "keys": { "jwks": self.issuer.jwks() },
            }],
            "rules": [
                { "path": "/public/**", "public": true },
                { "path": "/admin/**", "require": { "roles": ["admin"] } },
                { "path": "/**", "require": {} },
            ],
        });
        policy
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        policy
    }

    pub(crate) fn token(&self) -> String {
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let signer = self.issuer.signer().unwrap();
        let claims = json!({
            "iss": self.issuer.url, "aud": "api", "sub": "ada-of-the-tests", "exp": now_s + 3600,
        });
        let kid = signer.kid.iter().map(|kid| ("kid".to_owned(), json!(kid)));
        signer
            .sign(&kid.collect(), claims.as_object().unwrap())
            .unwrap()
    }

    /// The configuration of one policy for nginx on loopback, with these members.
    pub(crate) fn config(&self, more: Value) -> Value {
        let mut config = json!({
            "listen": "127.0.0.1:0",
            "trusted_proxies": ["127.0.0.1"],
            "policies": { "app": { "file": "policy.json" } },
            "dialects": ["nginx"],
            "operations": "127.0.0.1:0",
            "admin": "127.0.0.1:0",
        });
        let config_members = config.as_object_mut().unwrap();
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => config_members.remove(name),
                value => config_members.insert(name.clone(), value.clone()),
            };
        }
        config
    }

    pub(crate) fn parse(&self, config: &Value) -> Config {
        let name = self.path().join("server.json").display().to_string();
        Config::parse(&name, config.to_string().into_bytes()).unwrap()
    }
}

impl Stage {
    pub(crate) async fn start(more: Value) -> Self {
        Self::start_in(Folder::new(), more).await
    }

    pub(crate) async fn start_in(folder: Folder, more: Value) -> Self {
        let config = folder.parse(&folder.config(more));
        let server = Server::open(config.clone()).await.unwrap();
        let listener = Listener::bind(&config).await.unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        Self {
            address: listener.address().unwrap(),
            operations: listener.operations().map(Address::Tcp),
            admin: listener.admin(),
            folder,
            stop: Some(stop),
            ended: tokio::spawn(server.clone().run(listener, async { drop(stopped.await) })),
            server,
        }
    }

    /// What nginx asks about this request.
    pub(crate) fn question(&self, target: &str, token: Option<&str>) -> String {
        question_of("app", target, token)
    }

    /// Asks about a request, on a new connection.
    pub(crate) async fn ask(&self, target: &str, token: Option<&str>) -> Reply {
        send(&self.address, &self.question(target, token)).await
    }

    pub(crate) async fn operate(&self, path: &str) -> Reply {
        let address = self.operations.as_ref().unwrap();
        send(
            address,
            &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        )
        .await
    }

    pub(crate) async fn administer(&self, line: &str) -> Reply {
        let address = self.admin.as_ref().unwrap();
        send(
            address,
            &format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        )
        .await
    }

    pub(crate) async fn end(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        time::timeout(PATIENCE, &mut self.ended)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

pub(crate) fn question_of(policy: &str, target: &str, token: Option<&str>) -> String {
    let token = token.map_or(String::new(), |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    format!(
        "GET /nginx/{policy} HTTP/1.1\r\nhost: gate\r\n\
         x-countersign-method: GET\r\nx-countersign-target: {target}\r\n\
         x-countersign-authority: api.example.com\r\nx-countersign-host: api.example.com\r\n\
         x-countersign-scheme: https\r\nx-countersign-takes: authorization\r\n{token}\r\n"
    )
}

/// A connection of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) async fn connect(address: &Address) -> Box<dyn Stream> {
    match address {
        Address::Tcp(address) => Box::new(TcpStream::connect(address).await.unwrap()),
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.unwrap()),
    }
}

/// Sends it on a new connection, and reads one response.
pub(crate) async fn send(address: &Address, request: &str) -> Reply {
    let mut stream = connect(address).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    reply(&mut stream).await.expect("a response")
}

/// Reads one response; `None` if the connection ends before.
pub(crate) async fn reply(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> Option<Reply> {
    let read = async {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => bytes.push(byte),
                Err(_) => return None,
            }
        }
        let head = String::from_utf8(bytes).unwrap().to_ascii_lowercase();
        let field = |name: &str| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let length = field("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        Some(Reply {
            status: head[9..12].parse().unwrap(),
            body: String::from_utf8(body).unwrap(),
            head,
        })
    };
    time::timeout(PATIENCE, read)
        .await
        .expect("a response or an end in time")
}

/// Whether the server closes the connection.
pub(crate) async fn closes(stream: &mut (impl AsyncRead + Unpin + ?Sized)) -> bool {
    let mut rest = Vec::new();
    time::timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .is_ok()
}

/// Waits until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let wait = async {
        while !is_so().await {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

impl Reply {
    /// The value of a header, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn code(&self) -> &str {
        self.header("x-countersign-code").unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}
