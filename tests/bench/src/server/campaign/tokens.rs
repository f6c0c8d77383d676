//! Tokens of every kind that one key has signed.

use std::time::Duration;

use anyhow::Result;
use countersign_dev_issuer::{Issuer, TokenSpec};
use serde_json::json;

use crate::token;

/// More than the gate remembers.
const NEW: usize = 2048;

/// Tokens that come again and again.
const REPEATED: usize = 32;

/// A request, by what is right or wrong about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of a few good tokens.
    Repeated,
    /// A good token that the gate does not remember.
    New,
    /// A good token of an admin, for what admins may do.
    Admin,
    /// The same for somebody else: the variants of the policy differ here.
    Member,
    Expired,
    Forged,
    OtherAudience,
    OtherTenant,
    Missing,
}

/// As many of each as its share of the requests.
const MIX: [Kind; 16] = [
    Kind::Repeated,
    Kind::Repeated,
    Kind::New,
    Kind::Repeated,
    Kind::Expired,
    Kind::Repeated,
    Kind::Admin,
    Kind::Repeated,
    Kind::Member,
    Kind::New,
    Kind::Forged,
    Kind::Repeated,
    Kind::OtherAudience,
    Kind::Member,
    Kind::OtherTenant,
    Kind::Missing,
];

impl Kind {
    /// The kind of the request with this number.
    pub(super) fn nth(number: u64) -> Self {
        MIX[number as usize % MIX.len()]
    }

    pub(super) fn target(self) -> &'static str {
        match self {
            Self::Admin | Self::Member => "/orgs/acme/admin/seats",
            Self::OtherTenant => "/orgs/globex/seats",
            _ => "/orgs/acme/seats?size=2",
        }
    }
}

/// Tokens that one key has signed.
pub(super) struct Tokens {
    repeated: Vec<String>,
    new: Vec<String>,
    admin: String,
    expired: String,
    forged: String,
    other_audience: String,
}

impl Tokens {
    /// Signs them with the newest key of the issuer.
    pub(super) fn sign(issuer: &Issuer) -> Result<Self> {
        let sign = |change: &dyn Fn(&mut TokenSpec)| {
            let mut spec = TokenSpec::of("access");
            spec.lifetime = Some(Duration::from_secs(12 * 3600));
            change(&mut spec);
            spec.mint(issuer, token::now_ms())
        };
        let several = |name: &str, count: usize| {
            let subject = |number| Some(format!("{name}-{number}"));
            let tokens = (0..count).map(|number| sign(&|spec| spec.subject = subject(number)));
            tokens.collect::<Result<Vec<_>, _>>()
        };
        let good = sign(&|_| {})?;
        Ok(Self {
            repeated: several("user", REPEATED)?,
            new: several("guest", NEW)?,
            admin: sign(&|spec| spec.role = vec!["admin".into()])?,
            expired: sign(&|spec| spec.age = Some(Duration::from_secs(13 * 3600)))?,
            forged: super::super::forged(&good),
            other_audience: sign(&|spec| spec.claim = vec![("aud".into(), json!("other"))])?,
        })
    }

    /// The token for the request with this number.
    pub(super) fn of(&self, kind: Kind, number: u64) -> Option<&str> {
        let nth = |tokens: &'_ [String]| number as usize / MIX.len() % tokens.len();
        Some(match kind {
            Kind::New => &self.new[nth(&self.new)],
            Kind::Repeated | Kind::Member | Kind::OtherTenant => {
                &self.repeated[nth(&self.repeated)]
            }
            Kind::Admin => &self.admin,
            Kind::Expired => &self.expired,
            Kind::Forged => &self.forged,
            Kind::OtherAudience => &self.other_audience,
            Kind::Missing => return None,
        })
    }
}
