//! Providers that organisations have connected.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, won};

/// A provider of an organisation. Nothing of it changes but its state.
#[derive(Clone, Debug)]
pub(crate) struct ProviderRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// Sealed.
    pub(crate) client_secret: Option<String>,
    /// JSON.
    pub(crate) settings: String,
    pub(crate) state: ProviderState,
    pub(crate) created_by: String,
    pub(crate) created_at: i64,
    /// When it has passed a test, since it was connected or disabled.
    pub(crate) tested_at: Option<i64>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderState {
    /// It is what it says. It signs in nobody yet.
    Validated,
    Active,
    Disabled,
}

const COLUMNS: &str = "id, tenant, name, issuer, client_id, client_secret, settings, state, \
                       created_by, created_at, tested_at";

impl ProviderState {
    const ALL: [Self; 3] = [Self::Validated, Self::Active, Self::Disabled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Validated => "validated",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl Store {
    /// Adds a provider, unless there are too many: whether it is in. Requests at the same
    /// moment may go beyond the bounds by their number.
    pub(crate) async fn add_provider(
        &self,
        row: &ProviderRow,
        of_tenant: i64,
        in_all: i64,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO providers (id, tenant, name, issuer, client_id, client_secret, \
                   settings, state, created_by, created_at, updated_at) \
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10 WHERE \
                   (SELECT COUNT(*) FROM providers WHERE tenant = $2) < $11 AND \
                   (SELECT COUNT(*) FROM providers) < $12";
        let added = sqlx::query(sql)
            .bind(&row.id)
            .bind(&row.tenant)
            .bind(&row.name)
            .bind(&row.issuer)
            .bind(&row.client_id)
            .bind(&row.client_secret)
            .bind(&row.settings)
            .bind(row.state.as_str())
            .bind(&row.created_by)
            .bind(row.created_at)
            .bind(of_tenant)
            .bind(in_all)
            .execute(&self.pool)
            .await?;
        Ok(won(&added))
    }

    /// The provider with this id.
    pub(crate) async fn provider(&self, id: &str) -> Result<Option<ProviderRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM providers WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(provider).transpose()
    }

    /// The providers of an organisation, the oldest first, at most `most`.
    pub(crate) async fn providers_of(
        &self,
        tenant: &str,
        most: i64,
    ) -> Result<Vec<ProviderRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM providers WHERE tenant = $1 ORDER BY created_at, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(tenant)
            .bind(most)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(provider).collect()
    }

    /// Records that it has passed a test that began then. Whether that counts: it does not
    /// where it was removed or disabled meanwhile.
    pub(crate) async fn provider_tested(
        &self,
        id: &str,
        begun_at: i64,
        now: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE providers SET tested_at = $3 WHERE id = $1 \
                   AND (updated_at <= $2 OR state = 'active')";
        let tested = sqlx::query(sql)
            .bind(id)
            .bind(begun_at)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(won(&tested))
    }

    /// Makes it active. Whether it is so now: without a test it is not.
    pub(crate) async fn activate_provider(&self, id: &str, now: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE providers SET state = 'active', updated_at = $2 \
                   WHERE id = $1 AND tested_at IS NOT NULL";
        let activated = sqlx::query(sql)
            .bind(id)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(won(&activated))
    }

    /// Disables it: with this statement no session of it goes on. It is to be tested again.
    pub(crate) async fn disable_provider(&self, id: &str, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE providers SET state = 'disabled', tested_at = NULL, updated_at = $2 \
                   WHERE id = $1";
        sqlx::query(sql)
            .bind(id)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Removes it.
    pub(crate) async fn remove_provider(&self, id: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM providers WHERE id = $1";
        sqlx::query(sql).bind(id).execute(&self.pool).await?;
        Ok(())
    }
}

fn provider(row: &AnyRow) -> Result<ProviderRow, StoreError> {
    let state: String = row.try_get("state")?;
    let mut known = ProviderState::ALL.into_iter();
    let Some(state) = known.find(|known| known.as_str() == state) else {
        tracing::error!("a provider in the database has an unknown state");
        return Err(StoreError);
    };
    Ok(ProviderRow {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        name: row.try_get("name")?,
        issuer: row.try_get("issuer")?,
        client_id: row.try_get("client_id")?,
        client_secret: row.try_get("client_secret")?,
        settings: row.try_get("settings")?,
        state,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        tested_at: row.try_get("tested_at")?,
    })
}
