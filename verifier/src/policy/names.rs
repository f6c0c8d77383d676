//! The names of issuers and token types, to which rules refer.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    base::{Map, Set},
    model::{Accepts, Issuer, Policy, TenantFrom},
};

/// The index of an issuer among those with a valid name.
pub(super) type IssuerId = usize;

/// The key of a token type that stands for all issuers.
const ANY: IssuerId = IssuerId::MAX;

/// What rules must know of an issuer.
#[derive(Clone, Copy, Default)]
pub(super) struct Kind {
    /// It maps a tenant.
    pub(super) tenant: bool,
    /// It maps several.
    pub(super) several: bool,
    /// It is a template of issuers, of which it requires nothing.
    pub(super) open: bool,
}

#[derive(Default)]
pub(super) struct Names<'p> {
    issuers: Map<IssuerId>,
    issuers_in_order: Vec<&'p str>,
    /// Pairs of an issuer, or [`ANY`], and the name of a type.
    types: Set,
    types_in_order: Vec<&'p str>,
    kinds: Vec<Kind>,
    any: Kind,
    /// The issuers that do not require `email_verified`.
    unverified: usize,
    complete: bool,
}

impl<'p> Names<'p> {
    pub(super) fn of(policy: &'p Policy) -> Self {
        let mut names = Self {
            complete: true,
            ..Self::default()
        };
        for issuer in &policy.issuers {
            let id = names.add_issuer(&issuer.name);
            for token_type in &issuer.token_types {
                names.add_type(id, &token_type.name);
            }
            names.describe(id, issuer);
        }
        names
    }

    pub(super) fn add_issuer(&mut self, name: &'p str) -> IssuerId {
        let id = self.issuers_in_order.len();
        self.issuers_in_order.push(name);
        self.kinds.push(Kind::default());
        self.issuers.insert(name.as_bytes(), id);
        id
    }

    pub(super) fn add_type(&mut self, issuer: IssuerId, name: &'p str) {
        self.types.insert(&pair(issuer, name));
        if self.types.insert(&pair(ANY, name)) {
            self.types_in_order.push(name);
        }
    }

    /// Records what an issuer is.
    pub(super) fn describe(&mut self, id: IssuerId, issuer: &Issuer) {
        let kind = Kind {
            tenant: !matches!(issuer.mapping.tenant, TenantFrom::None),
            several: matches!(issuer.mapping.tenant, TenantFrom::Claims(_)),
            open: matches!(issuer.accepts, Accepts::Template(_)) && issuer.require.is_empty(),
        };
        self.any = self.any.or(kind);
        if let Some(known) = self.kinds.get_mut(id) {
            *known = kind;
        }
        let verifies = |claim: &str| matches!(claim, "email_verified" | "/email_verified");
        let mut required = issuer.require.iter();
        if !required.any(|wanted| verifies(wanted.source.pointer.as_str())) {
            self.unverified = self.unverified.saturating_add(1);
        }
    }

    /// Returns whether every issuer requires `email_verified`.
    pub(super) fn email_verified(&self) -> bool {
        self.unverified == 0
    }

    /// Returns whether every name is valid. If not, an unknown name is no
    /// problem.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn set_complete(&mut self, complete: bool) {
        self.complete = complete;
    }

    pub(super) fn issuer(&self, name: &str) -> Option<IssuerId> {
        self.issuers.get(name.as_bytes()).copied()
    }

    pub(super) fn issuers_named(&self, names: &[Box<str>]) -> Vec<IssuerId> {
        names.iter().filter_map(|name| self.issuer(name)).collect()
    }

    /// Returns whether one of the issuers (`None`: any) has this token type.
    pub(super) fn has_type(&self, admitted: Option<&[IssuerId]>, name: &str) -> bool {
        let has = |issuer: &IssuerId| self.types.contains(&pair(*issuer, name));
        admitted.unwrap_or(&[ANY]).iter().any(has)
    }

    /// Returns what one of the issuers (`None`: any) is.
    pub(super) fn kind(&self, admitted: Option<&[IssuerId]>) -> Kind {
        let Some(issuers) = admitted else {
            return self.any;
        };
        let kinds = issuers.iter().filter_map(|id| self.kinds.get(*id));
        kinds.fold(Kind::default(), |all, kind| all.or(*kind))
    }

    pub(super) fn issuers(&self) -> &[&'p str] {
        &self.issuers_in_order
    }

    pub(super) fn types(&self) -> &[&'p str] {
        &self.types_in_order
    }
}

impl Kind {
    fn or(self, other: Self) -> Self {
        Self {
            tenant: self.tenant || other.tenant,
            several: self.several || other.several,
            open: self.open || other.open,
        }
    }
}

fn pair(issuer: IssuerId, name: &str) -> Vec<u8> {
    [&issuer.to_le_bytes(), name.as_bytes()].concat()
}
