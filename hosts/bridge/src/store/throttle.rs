//! Counts in windows of time, over all replicas.

use sqlx::Row;

use super::{Store, StoreError};

impl Store {
    /// Counts one more in this window, and says how many there are now.
    pub(crate) async fn hit(
        &self,
        scope: &str,
        place: i64,
        window_ms: i64,
        now: i64,
    ) -> Result<i64, StoreError> {
        let starts_at = now - now.rem_euclid(window_ms);
        let sql = "INSERT INTO throttle (scope, place, starts_at, hits, expires_at) \
                   VALUES ($1, $2, $3, 1, $4) ON CONFLICT (scope, place, starts_at) \
                   DO UPDATE SET hits = throttle.hits + 1 RETURNING hits";
        let row = sqlx::query(sql)
            .bind(scope)
            .bind(place)
            .bind(starts_at)
            .bind(starts_at + window_ms)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get("hits")?)
    }

    /// Takes one back that was counted at this very time.
    pub(crate) async fn unhit(
        &self,
        scope: &str,
        place: i64,
        window_ms: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE throttle SET hits = hits - 1 \
                   WHERE scope = $1 AND place = $2 AND starts_at = $3 AND hits > 0";
        sqlx::query(sql)
            .bind(scope)
            .bind(place)
            .bind(now - now.rem_euclid(window_ms))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
