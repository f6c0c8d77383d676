//! Which database.

use std::path::PathBuf;

use countersign_policy_source::Place;
use countersign_server::{Folder, Secret};

/// The database and how many connections it may have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Database {
    /// Which one.
    pub from: DatabaseFrom,
    /// Connections to PostgreSQL. SQLite has one: it has one writer anyway, and nobody
    /// then waits for a lock.
    pub connections: u32,
}

/// Which database.
#[derive(Clone, Debug)]
pub enum DatabaseFrom {
    /// The file of an embedded SQLite.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL, which has a password.
    Postgres(Secret),
}

impl Database {
    pub(super) fn read(folder: &Folder<'_>, place: Place<'_>) -> Option<Self> {
        let mut object = place.object()?;
        let sqlite = object.optional("sqlite", |place| folder.path(&place));
        let postgres = object.optional("postgres", |place| folder.secret(place));
        let connections = object.optional("connections", |place| place.integer(1..=1000));
        if object.has("sqlite") == object.has("postgres") {
            object.refuse("expected one of `sqlite` and `postgres`");
        }
        if object.has("sqlite") && object.has("connections") {
            object.refuse("`connections` is for `postgres`: SQLite has one");
        }
        object.end();
        let sqlite = sqlite.map(DatabaseFrom::Sqlite);
        Some(Self {
            from: sqlite.or(postgres.map(DatabaseFrom::Postgres))?,
            connections: connections
                .and_then(|number| number.try_into().ok())
                .unwrap_or(8),
        })
    }
}
