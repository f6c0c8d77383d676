//! What is expired is deleted.

use super::{Store, StoreError};

/// So many rows in one statement: others wait no longer than for that.
const ROWS: u64 = 1000;

/// Statements of one table in one sweep. What is left is for the next one.
const ROUNDS: u32 = 100;

/// Each deletes at most 1000 rows that expired before `$1`.
const STATEMENTS: [&str; 12] = [
    "DELETE FROM sessions WHERE hash IN \
     (SELECT hash FROM sessions WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM login_attempts WHERE state_hash IN \
     (SELECT state_hash FROM login_attempts WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM device_codes WHERE device_hash IN \
     (SELECT device_hash FROM device_codes WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM node_renewals WHERE hash IN \
     (SELECT hash FROM node_renewals WHERE expires_at < $1 LIMIT 1000)",
    // Approved, and never joined: its token is expired since long.
    "DELETE FROM nodes WHERE id IN \
     (SELECT id FROM nodes WHERE state = 'joining' AND created_at < $1 - 3600000 LIMIT 1000)",
    // Whoever looks at the list sees it for a month; its tokens are expired long before.
    "DELETE FROM nodes WHERE id IN \
     (SELECT id FROM nodes WHERE state = 'revoked' AND revoked_at < $1 - 2592000000 LIMIT 1000)",
    "DELETE FROM used_jtis WHERE (issuer, jti_hash) IN \
     (SELECT issuer, jti_hash FROM used_jtis WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM issued WHERE jti IN \
     (SELECT jti FROM issued WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM revocations WHERE (kind, value) IN \
     (SELECT kind, value FROM revocations WHERE expires_at < $1 LIMIT 1000)",
    // Whoever looks at the list sees it for a month.
    "DELETE FROM api_keys WHERE id IN \
     (SELECT id FROM api_keys WHERE expires_at < $1 - 2592000000 LIMIT 1000)",
    "DELETE FROM audit WHERE id IN \
     (SELECT id FROM audit WHERE expires_at < $1 LIMIT 1000)",
    "DELETE FROM throttle WHERE (scope, place, starts_at) IN \
     (SELECT scope, place, starts_at FROM throttle WHERE expires_at < $1 LIMIT 1000)",
];

impl Store {
    /// Deletes what expired before `before`, in small portions. Replicas may do so at once.
    /// The result is how many rows that were.
    pub(crate) async fn sweep(&self, before: i64) -> Result<u64, StoreError> {
        let mut swept = 0;
        for statement in STATEMENTS {
            for _ in 0..ROUNDS {
                let deleted = sqlx::query(statement)
                    .bind(before)
                    .execute(&self.pool)
                    .await?;
                swept += deleted.rows_affected();
                if deleted.rows_affected() < ROWS {
                    break;
                }
            }
        }
        Ok(swept)
    }
}
