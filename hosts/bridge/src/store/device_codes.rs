//! Codes of devices that want to be paired.

use sqlx::{Row, any::AnyRow};

use super::{NodeRow, Store, StoreError, list, won};

/// A device that wants to be paired.
#[derive(Clone, Debug)]
pub(crate) struct DeviceCodeRow {
    /// SHA-256 of the device code, in hex.
    pub(crate) device_hash: String,
    /// A keyed hash of the user code, in hex: so short a code could be found otherwise.
    pub(crate) user_code_hash: String,
    pub(crate) client: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) audience: String,
    /// JSON.
    pub(crate) cnf: Option<String>,
    pub(crate) device: String,
    pub(crate) place: String,
    /// pending, approved, denied, used
    pub(crate) state: String,
    pub(crate) person: Option<String>,
    pub(crate) tenant: Option<String>,
    pub(crate) interval_s: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// What a person has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decided {
    Approved,
    Denied,
}

impl Decided {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }
}

const COLUMNS: &str = "device_hash, user_code_hash, client, scopes, audience, cnf, device, place, \
                       state, person, tenant, interval_s, created_at, expires_at";

impl Store {
    /// Adds a code. Whether it is in: another one may have the same user code.
    pub(crate) async fn add_device_code(&self, row: &DeviceCodeRow) -> Result<bool, StoreError> {
        let sql = "INSERT INTO device_codes (device_hash, user_code_hash, client, scopes, \
                   audience, cnf, device, place, state, interval_s, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, $11) \
                   ON CONFLICT DO NOTHING";
        let added = sqlx::query(sql)
            .bind(&row.device_hash)
            .bind(&row.user_code_hash)
            .bind(&row.client)
            .bind(serde_json::json!(row.scopes).to_string())
            .bind(&row.audience)
            .bind(&row.cnf)
            .bind(&row.device)
            .bind(&row.place)
            .bind(row.interval_s)
            .bind(row.created_at)
            .bind(row.expires_at)
            .execute(&self.pool)
            .await?;
        Ok(won(&added))
    }

    /// The code of this device code.
    pub(crate) async fn device_code(
        &self,
        device_hash: &str,
    ) -> Result<Option<DeviceCodeRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM device_codes WHERE device_hash = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(device_hash);
        let row = row.fetch_optional(&self.pool).await?;
        row.as_ref().map(device_code).transpose()
    }

    /// The code that waits for a person with this user code.
    pub(crate) async fn pending_code(
        &self,
        user_code_hash: &str,
        now: i64,
    ) -> Result<Option<DeviceCodeRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM device_codes \
             WHERE user_code_hash = $1 AND state = 'pending' AND expires_at > $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user_code_hash);
        let row = row.bind(now).fetch_optional(&self.pool).await?;
        row.as_ref().map(device_code).transpose()
    }

    /// What a person has decided. Whether it counts: of all who decide at once, one does.
    pub(crate) async fn decide_code(
        &self,
        device_hash: &str,
        decided: Decided,
        person: &str,
        tenant: &str,
        now: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE device_codes SET state = $1, person = $2, tenant = $3, decided_at = $4 \
                   WHERE device_hash = $5 AND state = 'pending' AND expires_at > $4";
        let decided = sqlx::query(sql)
            .bind(decided.as_str())
            .bind(person)
            .bind(tenant)
            .bind(now)
            .bind(device_hash)
            .execute(&self.pool)
            .await?;
        Ok(won(&decided))
    }

    /// Whether this poll comes in time. Then the pause goes back by a step towards `least_s`;
    /// otherwise it grows by one, at most to `most_s`.
    pub(crate) async fn poll_code(
        &self,
        device_hash: &str,
        now: i64,
        least_s: i64,
        most_s: i64,
    ) -> Result<bool, StoreError> {
        // A second for the way that a request takes.
        let sql = "UPDATE device_codes SET polled_at = $2, interval_s = \
                   CASE WHEN interval_s - 5 > $3 THEN interval_s - 5 ELSE $3 END \
                   WHERE device_hash = $1 \
                   AND (polled_at IS NULL OR polled_at + interval_s * 1000 - 1000 <= $2)";
        let in_time = sqlx::query(sql)
            .bind(device_hash)
            .bind(now)
            .bind(least_s)
            .execute(&self.pool)
            .await?;
        if won(&in_time) {
            return Ok(true);
        }
        let sql = "UPDATE device_codes SET interval_s = \
                   CASE WHEN interval_s + 5 < $2 THEN interval_s + 5 ELSE $2 END \
                   WHERE device_hash = $1";
        sqlx::query(sql)
            .bind(device_hash)
            .bind(most_s)
            .execute(&self.pool)
            .await?;
        Ok(false)
    }

    /// Uses up an approved code, and adds its node. Whether that is done: it is once.
    pub(crate) async fn take_code(
        &self,
        device_hash: &str,
        node: &NodeRow,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let sql = "UPDATE device_codes SET state = 'used' \
                   WHERE device_hash = $1 AND state = 'approved' AND expires_at > $2";
        let taken = sqlx::query(sql)
            .bind(device_hash)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        if !won(&taken) {
            transaction.rollback().await?;
            return Ok(false);
        }
        let sql = "INSERT INTO nodes (id, tenant, name, client, person, scopes, audience, cnf, \
                   state, created_at, seen_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'joining', $9, $9)";
        sqlx::query(sql)
            .bind(&node.id)
            .bind(&node.tenant)
            .bind(&node.name)
            .bind(&node.client)
            .bind(&node.person)
            .bind(serde_json::json!(node.scopes).to_string())
            .bind(&node.audience)
            .bind(&node.cnf)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }
}

fn device_code(row: &AnyRow) -> Result<DeviceCodeRow, StoreError> {
    let scopes: String = row.try_get("scopes")?;
    Ok(DeviceCodeRow {
        device_hash: row.try_get("device_hash")?,
        user_code_hash: row.try_get("user_code_hash")?,
        client: row.try_get("client")?,
        scopes: list(&scopes)?,
        audience: row.try_get("audience")?,
        cnf: row.try_get("cnf")?,
        device: row.try_get("device")?,
        place: row.try_get("place")?,
        state: row.try_get("state")?,
        person: row.try_get("person")?,
        tenant: row.try_get("tenant")?,
        interval_s: row.try_get("interval_s")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
    })
}
