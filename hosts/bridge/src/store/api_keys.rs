//! API keys: hashes, and whose they are.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, list, won};

/// An API key, without the key.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyRow {
    pub(crate) id: String,
    /// HMAC-SHA-256 in hex.
    pub(crate) hash: String,
    /// The version of the pepper.
    pub(crate) pepper: String,
    pub(crate) name: String,
    pub(crate) subject: String,
    pub(crate) tenant: String,
    pub(crate) roles: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

/// How many keys there may be that are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Most {
    pub(crate) of_person: i64,
    pub(crate) of_tenant: i64,
    pub(crate) in_all: i64,
}

/// The keys that are good, in numbers, as [`super::Summary`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeysSummary {
    pub(crate) entries: i64,
    created: i64,
    /// Of what varies in an entry.
    pub(crate) bytes: i64,
}

const COLUMNS: &str = "id, hash, pepper, name, subject, tenant, roles, scopes, created_by, \
                       created_at, expires_at, revoked_at";

impl Store {
    /// Adds a key, unless there are too many: whether it is in. Requests at the same moment
    /// may go beyond the bounds by their number.
    pub(crate) async fn add_api_key(
        &self,
        row: &ApiKeyRow,
        most: Most,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO api_keys (id, hash, pepper, name, subject, tenant, roles, scopes, \
                   state, created_by, created_at, expires_at) \
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $10, $11 WHERE \
                   (SELECT COUNT(*) FROM api_keys WHERE created_by = $9 AND state = 'active' \
                   AND expires_at > $10) < $12 AND \
                   (SELECT COUNT(*) FROM api_keys WHERE tenant = $6 AND state = 'active' \
                   AND expires_at > $10) < $13 AND \
                   (SELECT COUNT(*) FROM api_keys WHERE state = 'active' AND expires_at > $10) \
                   < $14";
        let added = sqlx::query(sql)
            .bind(&row.id)
            .bind(&row.hash)
            .bind(&row.pepper)
            .bind(&row.name)
            .bind(&row.subject)
            .bind(&row.tenant)
            .bind(text(&row.roles))
            .bind(text(&row.scopes))
            .bind(&row.created_by)
            .bind(row.created_at)
            .bind(row.expires_at)
            .bind(most.of_person)
            .bind(most.of_tenant)
            .bind(most.in_all)
            .execute(&self.pool)
            .await?;
        Ok(won(&added))
    }

    /// The keys of a person, of one tenant or of all, the newest first.
    pub(crate) async fn api_keys_of(
        &self,
        person: &str,
        tenant: Option<&str>,
        most: i64,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE created_by = $1 AND ($2 = '' OR tenant = $2) \
             ORDER BY created_at DESC, id LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(person)
            .bind(tenant.unwrap_or_default())
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(key).collect()
    }

    /// Revokes a key of a person, of one tenant or of any. Whether there is one of this id.
    pub(crate) async fn revoke_api_key(
        &self,
        id: &str,
        person: &str,
        tenant: Option<&str>,
        now: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE api_keys SET state = 'revoked', revoked_at = COALESCE(revoked_at, $4) \
                   WHERE id = $1 AND created_by = $2 AND ($3 = '' OR tenant = $3)";
        let revoked = sqlx::query(sql)
            .bind(id)
            .bind(person)
            .bind(tenant.unwrap_or_default())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(won(&revoked))
    }

    /// Revokes the keys of a person: of one tenant, or of all.
    pub(crate) async fn revoke_api_keys_of(
        &self,
        person: &str,
        tenant: Option<&str>,
        now: i64,
    ) -> Result<u64, StoreError> {
        let sql = "UPDATE api_keys SET state = 'revoked', revoked_at = $3 \
                   WHERE created_by = $1 AND ($2 = '' OR tenant = $2) AND state = 'active'";
        let revoked = sqlx::query(sql)
            .bind(person)
            .bind(tenant.unwrap_or_default())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(revoked.rows_affected())
    }

    /// The good keys in numbers.
    pub(crate) async fn api_keys_summary(&self, now: i64) -> Result<KeysSummary, StoreError> {
        let sql = "SELECT COUNT(*) AS entries, \
                   CAST(COALESCE(SUM(created_at), 0) AS BIGINT) AS created, \
                   CAST(COALESCE(SUM(LENGTH(subject) + LENGTH(tenant) + LENGTH(roles) \
                   + LENGTH(scopes)), 0) AS BIGINT) AS bytes \
                   FROM api_keys WHERE state = 'active' AND expires_at > $1";
        let row = sqlx::query(sql).bind(now).fetch_one(&self.pool).await?;
        Ok(KeysSummary {
            entries: row.try_get("entries")?,
            created: row.try_get("created")?,
            bytes: row.try_get("bytes")?,
        })
    }

    /// The good keys, at most `most`.
    pub(crate) async fn api_keys(&self, now: i64, most: i64) -> Result<Vec<ApiKeyRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM api_keys WHERE state = 'active' AND expires_at > $1 \
             ORDER BY id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(key).collect()
    }
}

fn text(words: &[String]) -> String {
    serde_json::json!(words).to_string()
}

fn key(row: &AnyRow) -> Result<ApiKeyRow, StoreError> {
    Ok(ApiKeyRow {
        id: row.try_get("id")?,
        hash: row.try_get("hash")?,
        pepper: row.try_get("pepper")?,
        name: row.try_get("name")?,
        subject: row.try_get("subject")?,
        tenant: row.try_get("tenant")?,
        roles: list(row.try_get("roles")?)?,
        scopes: list(row.try_get("scopes")?)?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
