//! Tokens that end with what they were made from: a session, a membership.

use super::{Store, StoreError};

/// Which of the tokens that were issued.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended<'a> {
    /// Those of a session, and those made from them.
    OfSession(&'a str),
    /// Those of a subject for one organisation.
    OfMember {
        /// `sub`.
        subject: &'a str,
        /// `tenant_id`.
        tenant: &'a str,
    },
    /// Those made from a token, by its `jti`.
    MadeFrom(&'a str),
}

/// How much longer than the token a revocation stays: the largest leeway of a gate.
const LEEWAY_MS: i64 = 300_000;

impl Store {
    /// Revokes tokens, each by its `jti`, until no gate takes them any more. Those that are
    /// revoked already stay so. The result is how many that were.
    pub(crate) async fn end_tokens(
        &self,
        tokens: Ended<'_>,
        reason: &str,
        now: i64,
    ) -> Result<u64, StoreError> {
        // Each text has the same parameters, so that PostgreSQL knows the type of each.
        let (which, value, other) = match tokens {
            Ended::OfSession(session) => ("session = $4 AND $5 = ''", session, ""),
            Ended::OfMember { subject, tenant } => {
                ("subject = $4 AND tenant = $5", subject, tenant)
            }
            Ended::MadeFrom(parent) => ("parent = $4 AND $5 = ''", parent, ""),
        };
        let sql = format!(
            "INSERT INTO revocations (kind, value, reason, created_at, expires_at) \
             SELECT 'jti', jti, $1, $2, expires_at + {LEEWAY_MS} FROM issued \
             WHERE expires_at + {LEEWAY_MS} > $3 AND {which} \
             ON CONFLICT (kind, value) DO NOTHING"
        );
        let added = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(reason)
            .bind(now)
            .bind(now)
            .bind(value)
            .bind(other)
            .execute(&self.pool)
            .await?;
        Ok(added.rows_affected())
    }
}
