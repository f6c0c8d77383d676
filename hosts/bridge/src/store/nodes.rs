//! Nodes, and what each renews with.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, list, won};

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct NodeRow {
    pub(crate) id: String,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) client: String,
    /// Who approved it.
    pub(crate) person: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) audience: String,
    /// JSON: `cnf` of its tokens.
    pub(crate) cnf: Option<String>,
    /// joining, active, revoked
    pub(crate) state: String,
    pub(crate) created_at: i64,
    pub(crate) seen_at: i64,
    pub(crate) revoked_at: Option<i64>,
}

/// What a node renews with.
#[derive(Clone, Debug)]
pub(crate) struct RenewalRow {
    pub(crate) node: String,
    pub(crate) expires_at: i64,
    /// Of its node.
    pub(crate) state: String,
    pub(crate) cnf: Option<String>,
}

/// The two hashes of a renewal.
#[derive(Clone, Debug)]
pub(crate) struct RenewalHashes {
    pub(crate) family: String,
    pub(crate) whole: String,
    pub(crate) expires_at: i64,
}

const COLUMNS: &str = "id, tenant, name, client, person, scopes, audience, cnf, state, \
                       created_at, seen_at, revoked_at";

impl Store {
    /// The node of this id.
    pub(crate) async fn node(&self, id: &str) -> Result<Option<NodeRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM nodes WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id);
        let row = row.fetch_optional(&self.pool).await?;
        row.as_ref().map(node).transpose()
    }

    /// The nodes of a tenant after this id, in the order of their ids.
    pub(crate) async fn nodes(
        &self,
        tenant: &str,
        after: &str,
        most: i64,
    ) -> Result<Vec<NodeRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM nodes WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(tenant);
        let rows = rows.bind(after).bind(most).fetch_all(&self.pool).await?;
        rows.iter().map(node).collect()
    }

    /// A node joins, with its first renewal if it gets one. Whether it does: it is once.
    pub(crate) async fn join_node(
        &self,
        id: &str,
        renewal: Option<&RenewalHashes>,
        now: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let sql = "UPDATE nodes SET state = 'active', seen_at = $2 \
                   WHERE id = $1 AND state = 'joining'";
        let joined = sqlx::query(sql).bind(id).bind(now);
        if !won(&joined.execute(&mut *transaction).await?) {
            transaction.rollback().await?;
            return Ok(false);
        }
        if let Some(renewal) = renewal {
            let sql = "INSERT INTO node_renewals \
                       (node, family_hash, hash, generation, created_at, expires_at) \
                       VALUES ($1, $2, $3, 1, $4, $5)";
            sqlx::query(sql)
                .bind(id)
                .bind(&renewal.family)
                .bind(&renewal.whole)
                .bind(now)
                .bind(renewal.expires_at)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// What there is of a renewal with this first half, and of its node.
    pub(crate) async fn renewal(
        &self,
        family_hash: &str,
    ) -> Result<Option<RenewalRow>, StoreError> {
        let sql = "SELECT r.node AS node, r.expires_at AS expires_at, n.state AS state, \
                   n.cnf AS cnf FROM node_renewals r JOIN nodes n ON n.id = r.node \
                   WHERE r.family_hash = $1";
        let row = sqlx::query(sql).bind(family_hash);
        let row = row.fetch_optional(&self.pool).await?;
        row.map(|row| {
            Ok(RenewalRow {
                node: row.try_get("node")?,
                expires_at: row.try_get("expires_at")?,
                state: row.try_get("state")?,
                cnf: row.try_get("cnf")?,
            })
        })
        .transpose()
    }

    /// Replaces a renewal by the next one of its family. Whether it does: each is once.
    pub(crate) async fn rotate_renewal(
        &self,
        old_hash: &str,
        next: &RenewalHashes,
        now: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE node_renewals SET hash = $1, generation = generation + 1, \
                   created_at = $2, expires_at = $3 \
                   WHERE family_hash = $4 AND hash = $5 AND expires_at > $2";
        let rotated = sqlx::query(sql)
            .bind(&next.whole)
            .bind(now)
            .bind(next.expires_at)
            .bind(&next.family)
            .bind(old_hash)
            .execute(&self.pool)
            .await?;
        Ok(won(&rotated))
    }

    /// A node was there.
    pub(crate) async fn see_node(&self, id: &str, now: i64) -> Result<(), StoreError> {
        let sql = "UPDATE nodes SET seen_at = $2 WHERE id = $1 AND seen_at < $2";
        sqlx::query(sql)
            .bind(id)
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn node(row: &AnyRow) -> Result<NodeRow, StoreError> {
    let scopes: String = row.try_get("scopes")?;
    Ok(NodeRow {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        name: row.try_get("name")?,
        client: row.try_get("client")?,
        person: row.try_get("person")?,
        scopes: list(&scopes)?,
        audience: row.try_get("audience")?,
        cnf: row.try_get("cnf")?,
        state: row.try_get("state")?,
        created_at: row.try_get("created_at")?,
        seen_at: row.try_get("seen_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
