//! Tokens that were issued.

use super::{Store, StoreError, won};

/// What is kept of a token until it is expired.
#[derive(Clone, Debug)]
pub(crate) struct IssuedRow<'a> {
    pub(crate) jti: &'a str,
    pub(crate) class: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) client: &'a str,
    pub(crate) kid: &'a str,
    pub(crate) session: Option<&'a str>,
    pub(crate) node: Option<&'a str>,
    pub(crate) parent: Option<&'a str>,
    pub(crate) issued_at: i64,
    pub(crate) expires_at: i64,
}

impl Store {
    /// Records a token, before anybody has it.
    pub(crate) async fn add_issued(&self, row: &IssuedRow<'_>) -> Result<(), StoreError> {
        let sql = "INSERT INTO issued (jti, class, subject, tenant, client, kid, session, node, \
                   parent, issued_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let added = sqlx::query(sql)
            .bind(row.jti)
            .bind(row.class)
            .bind(row.subject)
            .bind(row.tenant)
            .bind(row.client)
            .bind(row.kid)
            .bind(row.session)
            .bind(row.node)
            .bind(row.parent)
            .bind(row.issued_at)
            .bind(row.expires_at)
            .execute(&self.pool)
            .await?;
        match won(&added) {
            true => Ok(()),
            false => Err(StoreError),
        }
    }
}
