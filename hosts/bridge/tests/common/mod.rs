//! A bridge in this process: real sockets, a real database, and a clock that tests move.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses a part of it"
)]

mod browser;
mod http;
mod people;
mod postgres;
mod provider;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use countersign_bridge::{Bridge, Clock, Config, ConfigError, Listener, Parts};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

pub use browser::Browser;
pub use http::{Reply, send};
pub use people::csrf;
pub use provider::{CLIENT_SECRET, Provider};

/// 2026-12-01T00:00:00Z.
pub const START_MS: i64 = 1_796_083_200_000;

/// The secret of the client `orders`.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub struct MovableClock(Arc<AtomicI64>);

impl MovableClock {
    pub fn forward_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Which database a test has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    /// Of the programs in the folder `COUNTERSIGN_POSTGRES`.
    Postgres,
}

/// Those that are here: SQLite always.
pub fn databases() -> Vec<Database> {
    match postgres::is_there() {
        true => vec![Database::Sqlite, Database::Postgres],
        false => {
            println!("skipped: COUNTERSIGN_POSTGRES is not set; `cargo xtask test` installs it");
            vec![Database::Sqlite]
        }
    }
}

/// A bridge that listens on loopback. It ends when it is dropped.
pub struct Stage {
    pub bridge: Bridge,
    pub config: Config,
    pub clock: MovableClock,
    /// `iss`, and where it answers.
    pub url: String,
    pub folder: TempDir,
    is_said: bool,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Stage {
    /// With the usual configuration, on SQLite.
    pub async fn open() -> Self {
        Self::with(Database::Sqlite, |_| {}).await
    }

    /// With another one: `change` gets the usual one as JSON.
    pub async fn with(database: Database, change: impl FnOnce(&mut Value)) -> Self {
        let stage = Self::try_with(database, change).await;
        stage.unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`Self::with`], where a header of tests says who is signed in ([`Said`]).
    pub async fn said(database: Database, change: impl FnOnce(&mut Value)) -> Self {
        let stage = Self::begin(database, change, true).await;
        stage.unwrap_or_else(|error| panic!("{error}"))
    }

    /// [`Self::with`], which may fail.
    pub async fn try_with(
        database: Database,
        change: impl FnOnce(&mut Value),
    ) -> Result<Self, ConfigError> {
        Self::begin(database, change, false).await
    }

    async fn begin(
        database: Database,
        change: impl FnOnce(&mut Value),
        is_said: bool,
    ) -> Result<Self, ConfigError> {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let (folder, config) = configuration(&url, database, change).await?;
        let clock = MovableClock(Arc::new(AtomicI64::new(START_MS)));
        let bridge = open_with(&config, &clock, is_said).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let running = bridge.clone().run(Listener::of(socket), async {
            let _ = stopped.await;
        });
        Ok(Self {
            running: tokio::spawn(running),
            bridge,
            config,
            clock,
            url,
            folder,
            is_said,
            stop: Some(stop),
        })
    }

    /// What the database says to this, as texts: for what no route shows.
    pub async fn sql(&self, sql: &'static str) -> Vec<String> {
        use sqlx::{Connection, Row};
        sqlx::any::install_default_drivers();
        let url = match std::fs::read_to_string(self.folder.path().join("postgres")) {
            Ok(url) => url,
            Err(_) => format!(
                "sqlite://{}",
                self.folder.path().join("bridge.db").display()
            ),
        };
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Another replica: the same database and the same clock.
    pub async fn replica(&self) -> Bridge {
        let opened = open_with(&self.config, &self.clock, self.is_said).await;
        opened.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The end of this one, as by a signal.
    pub async fn end(mut self) -> (TempDir, Config) {
        drop(self.stop.take());
        self.running.await.unwrap();
        (self.folder, self.config)
    }

    pub async fn get(&self, path: &str) -> Reply {
        http::get(&format!("{}{path}", self.url)).await
    }

    /// A form, with further headers.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Reply {
        http::post(&format!("{}{path}", self.url), headers, form).await
    }

    /// A token of the client `orders`.
    pub async fn token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "orders"),
            ("client_secret", SECRET),
        ];
        let reply = self.post("/oauth/token", &[], &form).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }
}

/// Opens a bridge of this configuration.
pub async fn open(config: &Config, clock: &MovableClock) -> Result<Bridge, ConfigError> {
    open_with(config, clock, false).await
}

async fn open_with(
    config: &Config,
    clock: &MovableClock,
    is_said: bool,
) -> Result<Bridge, ConfigError> {
    let mut parts = Parts::default();
    parts.clock = Arc::new(clock.clone());
    if is_said {
        parts.people = Some(Arc::new(people::Said::default()));
    }
    Bridge::open_with(config.clone(), parts).await
}

/// The usual configuration of a new, empty database, changed, in a folder of its own.
pub async fn configuration(
    url: &str,
    database: Database,
    change: impl FnOnce(&mut Value),
) -> Result<(TempDir, Config), ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = usual(&folder, url, database).await;
    change(&mut config);
    let name = folder.path().join("bridge.json").display().to_string();
    let config = Config::parse(&name, config.to_string().into_bytes())?;
    Ok((folder, config))
}

/// A clock at [`START_MS`].
pub fn clock() -> MovableClock {
    MovableClock(Arc::new(AtomicI64::new(START_MS)))
}

async fn usual(folder: &TempDir, url: &str, database: Database) -> Value {
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    file("master", &format!("{}\n", "5a".repeat(32)));
    file("orders", SECRET);
    file("provider", CLIENT_SECRET);
    let database = match database {
        Database::Sqlite => json!({ "sqlite": "bridge.db" }),
        Database::Postgres => {
            file("postgres", &postgres::new_database().await);
            json!({ "postgres": { "file": "postgres" } })
        }
    };
    json!({
        "issuer": url,
        "listen": "127.0.0.1:0",
        "database": database,
        "master_keys": [{ "file": "master" }],
        "tokens": { "audiences": ["platform"] },
        "clients": {
            "orders": {
                "secrets": [{ "file": "orders" }],
                "grants": ["client_credentials"],
                "scopes": ["orders:read", "orders:write"],
                "roles": ["service"],
                "tenant": "acme",
            },
        },
    })
}
