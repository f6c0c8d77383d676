//! Tokens: each is of one class, recorded before anybody has it, and never renewed.

mod policy;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    audit::{Audit, Entry, TOKEN_ISSUED},
    clock::Clock,
    config::{IssuerUrl, TokenSettings},
    keys::Keys,
    refusal::Refusal,
    seal,
    store::{IssuedRow, Store},
};

pub use policy::gate_policy;

/// The classes of tokens. No exchange turns one into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A platform access token: a person's, or a machine's.
    Pat,
    /// A node's join token: exchanged once for a [`Self::Nat`].
    Njt,
    /// A node's access token.
    Nat,
}

impl Class {
    /// Its name in policies and in the audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::Njt => "njt",
            Self::Nat => "nat",
        }
    }

    /// `typ` of its header, by which gates tell the classes apart.
    pub const fn header_typ(self) -> &'static str {
        match self {
            Self::Pat => "pat+jwt",
            Self::Njt => "njt+jwt",
            Self::Nat => "nat+jwt",
        }
    }
}

/// Makes tokens.
#[derive(Debug)]
pub(crate) struct Mint {
    pub(crate) issuer: IssuerUrl,
    pub(crate) settings: TokenSettings,
    pub(crate) keys: Arc<Keys>,
    pub(crate) store: Store,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// A token to make. Who may have it was decided before.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) class: Class,
    pub(crate) subject: &'a str,
    /// One: a token for two would be good at each of them for the other.
    pub(crate) audience: &'a str,
    pub(crate) client: &'a str,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) roles: &'a [String],
    pub(crate) scopes: &'a [String],
    /// Who acts for the subject (RFC 8693 §4.1).
    pub(crate) act: Option<&'a Value>,
    /// The key or certificate that the token is bound to (RFC 7800).
    pub(crate) cnf: Option<&'a Value>,
    /// It ends no later: what it is made from ends then. Milliseconds since 1970.
    pub(crate) not_after: Option<i64>,
    /// Further claims, such as `auth_time`. None of them replaces one of the above.
    pub(crate) claims: Map<String, Value>,
    /// What it belongs to, and is revoked with.
    pub(crate) session: Option<&'a str>,
    pub(crate) node: Option<&'a str>,
    pub(crate) parent: Option<&'a str>,
}

impl<'a> Order<'a> {
    /// With nothing but what each token has.
    pub(crate) fn new(class: Class, subject: &'a str, audience: &'a str, client: &'a str) -> Self {
        Self {
            class,
            subject,
            audience,
            client,
            tenant: None,
            roles: &[],
            scopes: &[],
            act: None,
            cnf: None,
            not_after: None,
            claims: Map::new(),
            session: None,
            node: None,
            parent: None,
        }
    }
}

/// A token that was made. `{:?}` does not show it.
pub(crate) struct Issued {
    pub(crate) jti: String,
    pub(crate) token: String,
    pub(crate) expires_in_s: i64,
    /// The scopes that it has.
    pub(crate) scope: String,
}

impl Mint {
    /// Makes a token and records it.
    ///
    /// # Errors
    /// Nothing can be recorded or signed now, or what it is made from has ended.
    pub(crate) async fn issue(&self, order: &Order<'_>) -> Result<Issued, Refusal> {
        let now_s = self.clock.now_ms().div_euclid(1000);
        let life_s = i64::from(match order.class {
            Class::Pat => self.settings.pat_s,
            Class::Njt => self.settings.njt_s,
            Class::Nat => self.settings.nat_s,
        });
        let ends_s = order.not_after.map(|not_after| not_after.div_euclid(1000));
        let exp_s = ends_s.map_or(now_s + life_s, |ends_s| ends_s.min(now_s + life_s));
        if exp_s <= now_s {
            let description = "what the token would be made from has ended";
            return Err(Refusal::new(
                crate::refusal::Code::InvalidGrant,
                description,
            ));
        }
        let jti = seal::random::<16>()?;
        let scope = order.scopes.join(" ");
        let mut claims = order.claims.clone();
        let mut set = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        set("iss", json!(self.issuer.as_str()));
        set("sub", json!(order.subject));
        set("aud", json!(order.audience));
        set("exp", json!(exp_s));
        set("iat", json!(now_s));
        set("jti", json!(jti));
        set("client_id", json!(order.client));
        set("scope", json!(scope));
        set("roles", json!(order.roles));
        for (name, value) in [
            ("tenant_id", order.tenant.map(|tenant| json!(tenant))),
            ("act", order.act.cloned()),
            ("cnf", order.cnf.cloned()),
        ] {
            match value {
                Some(value) => drop(claims.insert(name.to_owned(), value)),
                None => drop(claims.remove(name)),
            }
        }
        let (token, kid) = self.keys.sign(order.class.header_typ(), &claims)?;
        self.store
            .add_issued(&IssuedRow {
                jti: &jti,
                class: order.class.as_str(),
                subject: order.subject,
                tenant: order.tenant,
                client: order.client,
                kid: &kid,
                session: order.session,
                node: order.node,
                parent: order.parent,
                issued_at: now_s * 1000,
                expires_at: exp_s * 1000,
            })
            .await?;
        let mut detail = Map::new();
        detail.insert("class".to_owned(), json!(order.class.as_str()));
        detail.insert("audience".to_owned(), json!(order.audience));
        detail.insert("scope".to_owned(), json!(scope));
        detail.insert("is_bound".to_owned(), json!(order.cnf.is_some()));
        detail.insert("parent".to_owned(), json!(order.parent));
        self.audit
            .record(&Entry {
                event: TOKEN_ISSUED,
                actor: Some(order.client),
                subject: Some(order.subject),
                tenant: order.tenant,
                client: Some(order.client),
                jti: Some(&jti),
                refused: None,
                detail,
            })
            .await?;
        Ok(Issued {
            jti,
            token,
            expires_in_s: exp_s - now_s,
            scope,
        })
    }
}
