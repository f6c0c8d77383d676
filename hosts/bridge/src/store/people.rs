//! People, and what they are members of.

use sqlx::Row;

use super::{Store, StoreError, list};

/// A person whose provider has just said who it is.
#[derive(Clone, Debug)]
pub(crate) struct PersonRow<'a> {
    /// For one that is new.
    pub(crate) id: &'a str,
    pub(crate) iss: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) name: Option<&'a str>,
}

/// A person that is known now.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    pub(crate) id: String,
    pub(crate) is_disabled: bool,
}

impl Store {
    /// The id of this person, who may be new.
    pub(crate) async fn meet_person(
        &self,
        person: &PersonRow<'_>,
        now: i64,
    ) -> Result<Met, StoreError> {
        let sql = "INSERT INTO people (id, iss, sub, name, created_at, seen_at) \
                   VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (iss, sub) DO UPDATE SET \
                   name = coalesce(excluded.name, people.name), seen_at = excluded.seen_at \
                   RETURNING id, disabled_at";
        let row = sqlx::query(sql)
            .bind(person.id)
            .bind(person.iss)
            .bind(person.sub)
            .bind(person.name)
            .bind(now)
            .fetch_one(&self.pool)
            .await?;
        let disabled_at: Option<i64> = row.try_get("disabled_at")?;
        Ok(Met {
            id: row.try_get("id")?,
            is_disabled: disabled_at.is_some(),
        })
    }

    /// `iss` and `sub` of a person.
    pub(crate) async fn person(&self, id: &str) -> Result<Option<(String, String)>, StoreError> {
        let sql = "SELECT iss, sub FROM people WHERE id = $1";
        let row = sqlx::query(sql).bind(id).fetch_optional(&self.pool).await?;
        row.map(|row| Ok((row.try_get("iss")?, row.try_get("sub")?)))
            .transpose()
    }

    /// Makes a person a member, or changes the roles.
    pub(crate) async fn put_member(
        &self,
        tenant: &str,
        person: &str,
        roles: &[String],
        now: i64,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO members (tenant, person, roles, created_at, updated_at) \
                   VALUES ($1, $2, $3, $4, $4) ON CONFLICT (tenant, person) DO UPDATE SET \
                   roles = excluded.roles, updated_at = excluded.updated_at";
        sqlx::query(sql)
            .bind(tenant)
            .bind(person)
            .bind(serde_json::json!(roles).to_string())
            .bind(now)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Makes a person no member any more.
    pub(crate) async fn remove_member(&self, tenant: &str, person: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM members WHERE tenant = $1 AND person = $2";
        sqlx::query(sql)
            .bind(tenant)
            .bind(person)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The roles of a member; `None` for somebody who is none.
    pub(crate) async fn roles(
        &self,
        tenant: &str,
        person: &str,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let sql = "SELECT roles FROM members WHERE tenant = $1 AND person = $2";
        let row = sqlx::query(sql)
            .bind(tenant)
            .bind(person)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| list(row.try_get("roles")?)).transpose()
    }
}
