//! The record of what was done.

use super::{Store, StoreError};

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct AuditRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: i64,
    pub(crate) event: &'a str,
    pub(crate) outcome: &'a str,
    pub(crate) actor: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) jti: Option<&'a str>,
    /// A JSON object.
    pub(crate) detail: &'a str,
    pub(crate) expires_at: i64,
}

impl Store {
    /// Adds an entry.
    pub(crate) async fn add_audit(&self, row: &AuditRow<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO audit (id, at, event, outcome, actor, subject, tenant, client, \
                   jti, detail, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        sqlx::query(sql)
            .bind(row.id)
            .bind(row.at)
            .bind(row.event)
            .bind(row.outcome)
            .bind(row.actor)
            .bind(row.subject)
            .bind(row.tenant)
            .bind(row.client)
            .bind(row.jti)
            .bind(row.detail)
            .bind(row.expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
