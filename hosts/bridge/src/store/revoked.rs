//! What is revoked, and with it whose sessions, nodes and keys end.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError};

/// What a revocation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Jti,
    Sub,
    Kid,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Jti => "jti",
            Self::Sub => "sub",
            Self::Kid => "kid",
        }
    }
}

/// An entry of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revoked {
    pub(crate) kind: Kind,
    pub(crate) value: String,
    pub(crate) issued_before_s: Option<i64>,
}

/// All entries in a few numbers: two that are equal are of the same entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) entries: i64,
    created: i64,
    before: i64,
    /// Of the values alone.
    pub(crate) bytes: i64,
}

/// Which tokens, and all that were made of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens<'a> {
    /// The one with this `jti`.
    Jti(&'a str),
    /// Those of a session.
    Session(&'a str),
    /// Those of the first 500 sessions of a provider.
    Provider(&'a str),
    /// Those of a person for one organisation.
    Member { person: &'a str, tenant: &'a str },
}

/// What is known of a token that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) client: String,
    pub(crate) is_revoked: bool,
}

macro_rules! tree {
    ($which:literal) => {
        concat!(
            "WITH RECURSIVE tree (jti) AS (SELECT jti FROM issued WHERE ",
            $which,
            " UNION SELECT issued.jti FROM issued JOIN tree ON issued.parent = tree.jti) \
             INSERT INTO revocations (kind, value, issued_before_s, reason, created_at, expires_at) \
             SELECT 'jti', issued.jti, NULL, $2, $3, issued.expires_at + $4 FROM issued \
             JOIN tree ON tree.jti = issued.jti WHERE issued.expires_at + $4 > $3 \
             ON CONFLICT (kind, value) DO NOTHING"
        )
    };
}

impl Store {
    /// Revokes. Of two times for one subject the later one counts, which revokes more.
    pub(crate) async fn revoke(
        &self,
        entry: &Revoked,
        reason: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO revocations \
                   (kind, value, issued_before_s, reason, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (kind, value) DO UPDATE SET \
                   issued_before_s = CASE \
                   WHEN revocations.issued_before_s IS NULL OR excluded.issued_before_s IS NULL \
                   THEN NULL WHEN excluded.issued_before_s > revocations.issued_before_s \
                   THEN excluded.issued_before_s ELSE revocations.issued_before_s END, \
                   reason = excluded.reason, created_at = excluded.created_at, \
                   expires_at = CASE WHEN excluded.expires_at > revocations.expires_at \
                   THEN excluded.expires_at ELSE revocations.expires_at END";
        sqlx::query(sql)
            .bind(entry.kind.as_str())
            .bind(&entry.value)
            .bind(entry.issued_before_s)
            .bind(reason)
            .bind(now)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Revokes tokens, and those that were made of them, each until `after` milliseconds
    /// after its end. The result is how many are revoked now that were not before.
    pub(crate) async fn revoke_issued(
        &self,
        tokens: Tokens<'_>,
        reason: &str,
        now: i64,
        after: i64,
    ) -> Result<u64, StoreError> {
        // Each has the same parameters, so that PostgreSQL knows the type of each.
        let (sql, value, other) = match tokens {
            Tokens::Jti(jti) => (tree!("jti = $1 AND $5 = ''"), jti, ""),
            Tokens::Session(hash) => (tree!("session = $1 AND $5 = ''"), hash, ""),
            Tokens::Provider(id) => {
                let sql = tree!(
                    "session IN (SELECT hash FROM sessions WHERE provider = $1 AND $5 = '' \
                     ORDER BY hash LIMIT 500)"
                );
                (sql, id, "")
            }
            Tokens::Member { person, tenant } => {
                (tree!("subject = $1 AND tenant = $5"), person, tenant)
            }
        };
        let added = sqlx::query(sql)
            .bind(value)
            .bind(reason)
            .bind(now)
            .bind(after)
            .bind(other)
            .execute(&self.pool)
            .await?;
        Ok(added.rows_affected())
    }

    /// Whether a token is known, whose it is, and whether it is revoked.
    pub(crate) async fn standing(
        &self,
        jti: &str,
        now: i64,
    ) -> Result<Option<Standing>, StoreError> {
        let sql = "SELECT client, (SELECT COUNT(*) FROM revocations WHERE expires_at > $2 AND \
                   ((kind = 'jti' AND value = issued.jti) \
                   OR (kind = 'sub' AND value = issued.subject AND (issued_before_s IS NULL \
                   OR issued_before_s * 1000 > issued.issued_at)) \
                   OR (kind = 'kid' AND value = issued.kid))) AS revoked \
                   FROM issued WHERE jti = $1";
        let row = sqlx::query(sql)
            .bind(jti)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            let revoked: i64 = row.try_get("revoked")?;
            Ok(Standing {
                client: row.try_get("client")?,
                is_revoked: revoked > 0,
            })
        })
        .transpose()
    }

    /// Whether a key is revoked.
    pub(crate) async fn is_key_revoked(&self, kid: &str) -> Result<bool, StoreError> {
        let sql = "SELECT kind FROM revocations WHERE kind = 'kid' AND value = $1";
        let row = sqlx::query(sql)
            .bind(kid)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// The entries that count now, in numbers.
    pub(crate) async fn summary(&self, now: i64) -> Result<Summary, StoreError> {
        // The casts: PostgreSQL's sum of BIGINT is NUMERIC.
        let sql = "SELECT COUNT(*) AS entries, \
                   CAST(COALESCE(SUM(created_at), 0) AS BIGINT) AS created, \
                   CAST(COALESCE(SUM(issued_before_s), 0) AS BIGINT) AS befores, \
                   CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT) AS bytes \
                   FROM revocations WHERE expires_at > $1";
        let row = sqlx::query(sql).bind(now).fetch_one(&self.pool).await?;
        Ok(Summary {
            entries: row.try_get("entries")?,
            created: row.try_get("created")?,
            before: row.try_get("befores")?,
            bytes: row.try_get("bytes")?,
        })
    }

    /// The entries that count now, at most `most`.
    pub(crate) async fn revocations(
        &self,
        now: i64,
        most: i64,
    ) -> Result<Vec<Revoked>, StoreError> {
        let sql = "SELECT kind, value, issued_before_s FROM revocations WHERE expires_at > $1 \
                   ORDER BY kind, value LIMIT $2";
        let rows = sqlx::query(sql)
            .bind(now)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(revoked).collect()
    }

    /// Ends all sessions of a person.
    pub(crate) async fn end_sessions_of(&self, person: &str) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE person = $1";
        let ended = sqlx::query(sql).bind(person).execute(&self.pool).await?;
        Ok(ended.rows_affected())
    }

    /// Ends a node: it cannot renew, and nothing brings it back but another pairing.
    pub(crate) async fn end_node(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE nodes SET state = 'revoked', revoked_at = $2 \
                   WHERE id = $1 AND state <> 'revoked'";
        let ended = sqlx::query(sql)
            .bind(id)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(super::won(&ended))
    }

    /// The node of a client that renews with this: its SHA-256, in hex.
    pub(crate) async fn node_of_renewal(
        &self,
        hash: &str,
        client: &str,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT nodes.id AS id FROM nodes JOIN node_renewals \
                   ON node_renewals.node = nodes.id \
                   WHERE node_renewals.hash = $1 AND nodes.client = $2";
        let row = sqlx::query(sql)
            .bind(hash)
            .bind(client)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get("id")).transpose()?)
    }
}

fn revoked(row: &AnyRow) -> Result<Revoked, StoreError> {
    let kind: String = row.try_get("kind")?;
    let kinds = [Kind::Jti, Kind::Sub, Kind::Kid];
    let known = kinds.into_iter().find(|known| known.as_str() == kind);
    let Some(kind) = known else {
        // One that is left out could be what keeps somebody away.
        tracing::error!("a revocation in the database is of an unknown kind");
        return Err(StoreError);
    };
    Ok(Revoked {
        kind,
        value: row.try_get("value")?,
        issued_before_s: row.try_get("issued_before_s")?,
    })
}
