//! All SQL. One text serves SQLite and PostgreSQL: `$1`, `TEXT` and `BIGINT` only, times
//! in milliseconds since 1970, lists as JSON, hashes in hex; no `sum`, whose type differs.
//!
//! What may happen once is one statement whose affected rows say who won. A function
//! holds one connection at a time: SQLite has one.

mod api_keys;
mod audit;
mod clients;
mod device_codes;
mod keys;
mod nodes;
mod once;
mod parents;
mod people;
mod providers;
mod revoked;
mod sessions;
mod sweep;
mod throttle;
mod tokens;

use std::{fmt, sync::Arc, time::Duration};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{
    AnyPool, Connection, SqlSafeStr,
    any::{AnyPoolOptions, AnyQueryResult},
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use tokio::time::sleep;

use crate::{
    config::{ConfigError, Database, DatabaseFrom},
    refusal::{Refusal, Refused},
};

pub(crate) use api_keys::{ApiKeyRow, KeysSummary, Most};
pub(crate) use audit::AuditRow;
pub(crate) use clients::ClientRow;
pub(crate) use device_codes::{Decided, DeviceCodeRow};
pub(crate) use keys::KeyRow;
pub(crate) use nodes::{NodeRow, RenewalHashes};
pub(crate) use people::PersonRow;
pub(crate) use providers::{ProviderRow, ProviderState};
pub(crate) use revoked::{Kind, Revoked, Summary, Tokens};
pub(crate) use sessions::{AttemptRow, SessionRow};
pub(crate) use tokens::IssuedRow;

/// How long a request waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);

/// Five seconds, as long as SQLite waits for any other lock.
const WAL_TRIES: u32 = 100;
const WAL_PAUSE: Duration = Duration::from_millis(50);

/// In the order of their numbers. One that was released never changes.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "keys", include_str!("../../migrations/0001_keys.sql")),
    (
        2,
        "people",
        include_str!("../../migrations/0002_people.sql"),
    ),
    (
        3,
        "clients",
        include_str!("../../migrations/0003_clients.sql"),
    ),
    (4, "nodes", include_str!("../../migrations/0004_nodes.sql")),
    (
        5,
        "tokens",
        include_str!("../../migrations/0005_tokens.sql"),
    ),
    (
        6,
        "api keys",
        include_str!("../../migrations/0006_api_keys.sql"),
    ),
    (7, "audit", include_str!("../../migrations/0007_audit.sql")),
];

/// A path in the URL of SQLite.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// Its file, or which kind it is: never a URL.
    name: Arc<str>,
    pool: AnyPool,
    is_sqlite: bool,
}

/// The database did not do what was asked. Why is in the log, without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoreError;

impl Store {
    /// A database that is not asked yet.
    ///
    /// # Errors
    /// Its secret or its URL cannot be used.
    pub(crate) fn of(config: &Database) -> Result<Self, ConfigError> {
        sqlx::any::install_default_drivers();
        let (name, url) = match &config.from {
            DatabaseFrom::Sqlite(path) => {
                let name = path.display().to_string();
                let path = std::path::absolute(path)
                    .map_err(|error| unusable(&name, &error.to_string()))?;
                let path = path.to_str();
                let path = path.ok_or_else(|| unusable(&name, "its path is not UTF-8"))?;
                let path = utf8_percent_encode(path, PATH);
                (name, format!("sqlite://{path}?mode=rwc"))
            }
            DatabaseFrom::Postgres(secret) => {
                let name = "PostgreSQL".to_owned();
                let url = String::from_utf8(secret.read()?).ok();
                let url = url.filter(|url| is_postgres(url));
                let url = url.ok_or_else(|| unusable(&name, "expected a URL postgres://…"))?;
                (name, url)
            }
        };
        let is_sqlite = matches!(config.from, DatabaseFrom::Sqlite(_));
        let pool = AnyPoolOptions::new()
            .max_connections(if is_sqlite { 1 } else { config.connections })
            .acquire_timeout(ACQUIRE)
            .connect_lazy(&url)
            .map_err(|error| unusable(&name, &reason(&error)))?;
        Ok(Self {
            name: name.into(),
            pool,
            is_sqlite,
        })
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    /// The database does not answer, is newer, or is none of ours.
    pub(crate) async fn prepare(&self) -> Result<(), ConfigError> {
        let migrated = match self.is_sqlite {
            true => self.migrate_sqlite().await,
            // It has a lock of its own for this.
            false => migrator().run(&self.pool).await,
        };
        migrated.map_err(|error| {
            // Its text names a migration, and no value.
            let why = match &error {
                MigrateError::Execute(error) => reason(error),
                other => other.to_string(),
            };
            let why = format!("its tables cannot be brought up to date: {why}");
            unusable(&self.name, &why)
        })
    }

    /// All migrations in one transaction: of programs that start at once, the others wait.
    async fn migrate_sqlite(&self) -> Result<(), MigrateError> {
        let mut connection = self.pool.acquire().await?;
        // What reads, such as a backup, does not wait for what writes; it stays so in the
        // file. This alone does not wait for another program's lock by itself.
        let mut tries = 0;
        while let Err(error) = sqlx::query("PRAGMA journal_mode = WAL")
            .execute(&mut *connection)
            .await
        {
            tries += 1;
            if tries == WAL_TRIES {
                return Err(error.into());
            }
            sleep(WAL_PAUSE).await;
        }
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        migrator().run(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Whether it answers now.
    pub(crate) async fn is_there(&self) -> bool {
        let one = sqlx::query("SELECT 1").execute(&self.pool).await;
        one.is_ok()
    }

    /// A transaction that may write. In SQLite it has the lock from its beginning: one
    /// that reads first could not get it later.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Any>, StoreError> {
        Ok(match self.is_sqlite {
            true => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            false => self.pool.begin().await?,
        })
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether a statement has changed its one row: whoever else tried has not.
fn won(result: &AnyQueryResult) -> bool {
    result.rows_affected() == 1
}

/// A list, as the columns have it.
fn list(text: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(text).map_err(|_| {
        tracing::error!("a column of the database is not a list of texts");
        StoreError
    })
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        let sql = sql.into_sql_str();
        Migration::new(version, name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(MIGRATIONS.map(migration).into())
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// What may be said of an error. A message of the database can repeat a value, so its
/// code stands for it; a URL can have a password.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("the database answered with its code {code}"),
            None => "the database refused".to_owned(),
        },
        sqlx::Error::Io(error) => format!("it does not answer: {error}"),
        sqlx::Error::Tls(_) => "TLS with it failed".to_owned(),
        sqlx::Error::Configuration(_) => "its URL cannot be used".to_owned(),
        sqlx::Error::PoolTimedOut => "no connection was free in time".to_owned(),
        sqlx::Error::PoolClosed => "it is closed".to_owned(),
        sqlx::Error::RowNotFound => "a row is missing".to_owned(),
        sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnDecode { .. } => {
            "a column has another form".to_owned()
        }
        _ => "it failed".to_owned(),
    }
}

fn unusable(name: &str, reason: &str) -> ConfigError {
    ConfigError::of_file(name, "database_unusable", reason)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(reason = reason(&error), "the database failed");
        Self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database failed")
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Refusal {
    fn from(_: StoreError) -> Self {
        Self::unavailable()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Refusal::from(error).into()
    }
}
