//! A bridge from its start to its end.

use std::{fmt, future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use countersign_server::TlsFiles;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task, time,
};

use crate::{
    app::{App, Parts},
    config::{Config, ConfigError, Limits, PERSON_PREFIX},
    keys::{self, KeysError, Rotated},
    listen, operations,
    revocation::Revoke,
    router, seal,
    store::PersonRow,
};

/// The pause between two sweeps of what is expired.
const SWEEP: Duration = Duration::from_secs(60);

/// What expired so long ago is deleted: no clock of a replica is that wrong.
const KEEP_MS: i64 = 300_000;

/// An auth bridge, ready to listen. Cheap to clone; all clones are one bridge.
#[derive(Clone, Debug)]
pub struct Bridge {
    app: Arc<App>,
    tls: Option<Arc<TlsFiles>>,
}

/// It is not revoked, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokeError(&'static str);

/// The open sockets of a bridge.
#[derive(Debug)]
pub struct Listener {
    public: TcpListener,
    operations: Option<TcpListener>,
}

impl Bridge {
    /// Reads every file, connects to the database and brings its tables up to date. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    /// Every problem that was found.
    pub async fn open(config: Config) -> Result<Self, ConfigError> {
        Self::open_with(config, Parts::default()).await
    }

    /// [`Self::open`] with other parts, for tests and for programs that embed it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(config: Config, parts: Parts) -> Result<Self, ConfigError> {
        let tls = config.tls.as_ref().map(TlsFiles::open).transpose()?;
        Ok(Self {
            app: Arc::new(App::open(config, parts).await?),
            tls: tls.map(Arc::new),
        })
    }

    /// Reads the configuration's files, and neither asks nor changes the database.
    ///
    /// # Errors
    /// Every problem that was found.
    pub async fn check(config: Config) -> Result<(), ConfigError> {
        let tls = config.tls.as_ref().map(TlsFiles::open).transpose();
        let read = App::check(&config, &Parts::default()).await;
        let mut problems = tls.err().map_or_else(Vec::new, |error| error.0);
        problems.extend(read.err().into_iter().flat_map(|error| error.0));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ConfigError(problems)),
        }
    }

    /// Its routes, for a program that listens itself. Without
    /// [`Connection`](countersign_host::Connection) in the extensions of a request, the
    /// address of the client is not known.
    pub fn router(&self) -> Router {
        router::router(self.app.clone())
    }

    /// `/livez`, `/readyz` and `/metrics`.
    pub fn operations(&self) -> Router {
        operations::router(self.app.clone())
    }

    /// Publishes a new signing key, unless one is published that does not sign yet.
    ///
    /// # Errors
    /// The database does not answer, or the keys are files.
    pub async fn rotate_keys(&self) -> Result<Rotated, KeysError> {
        self.app.keys.rotate().await
    }

    /// What [`Self::run`] does every few seconds: looks which keys there are, rotates them
    /// when it is time, and publishes what is revoked.
    ///
    /// # Errors
    /// The database does not answer, or a key cannot be made.
    pub async fn tick(&self) -> Result<(), KeysError> {
        self.app.keys.tick().await?;
        self.app.revocations.refresh().await?;
        if let Some(keys) = &self.app.api_keys {
            keys.refresh().await?;
        }
        Ok(())
    }

    /// Revokes a token, a person, a node or a key: gates know it when they have fetched the
    /// document again.
    ///
    /// # Errors
    /// It is not revoked.
    pub async fn revoke(&self, what: &Revoke) -> Result<(), RevokeError> {
        let revoked = self
            .app
            .revocations
            .revoke(what, "operator", "operator")
            .await;
        revoked.map_err(|refusal| RevokeError(refusal.description))
    }

    /// What [`Self::run`] does every minute: deletes what is expired. The result is how
    /// many rows that were.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn sweep(&self) -> Result<u64, KeysError> {
        let before = self.app.clock.now_ms() - KEEP_MS;
        Ok(self.app.store.sweep(before).await?)
    }

    /// Says in the bridge's own table what a person is in an organisation: these roles, or
    /// no member any more (`None`), which revokes what the person has for it. A person is an
    /// issuer and a subject, also one who has not signed in yet.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn set_member(
        &self,
        tenant: &str,
        (iss, sub): (&str, &str),
        roles: Option<&[String]>,
    ) -> Result<(), KeysError> {
        let (store, now) = (&self.app.store, self.app.clock.now_ms());
        let failed = |_| KeysError::Database;
        let id = seal::random::<16>().map_err(|_| KeysError::Key("there is no randomness"))?;
        let id = format!("{PERSON_PREFIX}{id}");
        let name = None;
        let row = PersonRow {
            id: &id,
            iss,
            sub,
            name,
        };
        let person = store.meet_person(&row, now).await?.id;
        match roles {
            Some(roles) => Ok(store.put_member(tenant, &person, roles, now).await?),
            None => {
                store.remove_member(tenant, &person).await?;
                self.app.members.lost(&person, tenant).await.map_err(failed)
            }
        }
    }

    /// Answers until `stop` is done, and then what is under way, within
    /// [`Limits::drain`].
    pub async fn run(self, listener: Listener, stop: impl Future<Output = ()>) {
        let Listener { public, operations } = listener;
        let limits = self.app.config.limits.clone();
        let beside = async {
            let operations = async {
                if let Some(socket) = operations {
                    let limits = Limits::default();
                    let router = self.operations();
                    listen::run(socket, None, router, &limits, future::pending()).await;
                }
            };
            tokio::join!(
                operations,
                self.tick_on(),
                self.sweep_on(),
                self.follow_tls()
            );
        };
        let tls = self.tls.clone();
        tokio::select! {
            () = listen::run(public, tls, self.router(), &limits, stop) => {}
            () = async { beside.await; future::pending().await } => {}
        }
        self.app.store.close().await;
    }

    /// [`Self::run`] until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// The signals cannot be received.
    pub async fn run_until_signalled(self, listener: Listener) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("the bridge ends");
        };
        self.run(listener, stop).await;
        Ok(())
    }

    async fn tick_on(&self) {
        loop {
            time::sleep(keys::TICK).await;
            if let Err(error) = self.tick().await {
                tracing::error!(%error, "the signing keys were not looked after");
            }
        }
    }

    async fn sweep_on(&self) {
        loop {
            time::sleep(SWEEP).await;
            // What failed is in the log, and is tried again.
            let _ = self.sweep().await;
        }
    }

    /// A new certificate is in force within a minute.
    async fn follow_tls(&self) {
        let Some(tls) = &self.tls else {
            return;
        };
        loop {
            time::sleep(SWEEP).await;
            let tls = tls.clone();
            if let Ok(Err(error)) = task::spawn_blocking(move || tls.reload()).await {
                tracing::error!(%error, "the certificate in force stays in force");
            }
        }
    }
}

impl fmt::Display for RevokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for RevokeError {}

impl Listener {
    /// Opens all sockets of a configuration.
    ///
    /// # Errors
    /// Every address that is in use, or that may not be used.
    pub async fn bind(config: &Config) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut kept = |address: SocketAddr, bound: io::Result<TcpListener>| match bound {
            Ok(listener) => Some(listener),
            Err(error) => {
                let message = format!("it cannot listen there: {error}");
                let error = ConfigError::of_file(address.to_string(), "address_unusable", message);
                problems.extend(error.0);
                None
            }
        };
        let public = kept(config.listen, TcpListener::bind(config.listen).await);
        let mut operations = None;
        if let Some(address) = config.operations {
            operations = kept(address, TcpListener::bind(address).await);
        }
        match public {
            Some(public) if problems.is_empty() => Ok(Self { public, operations }),
            _ => Err(ConfigError(problems)),
        }
    }

    /// Of a socket that is open already.
    pub fn of(public: TcpListener) -> Self {
        Self {
            public,
            operations: None,
        }
    }

    /// Where it answers.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where `/livez` and `/readyz` are, if they are.
    pub fn operations(&self) -> Option<SocketAddr> {
        self.operations.as_ref()?.local_addr().ok()
    }
}
