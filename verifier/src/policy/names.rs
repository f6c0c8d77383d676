//! The names of issuers and token types, to which rules refer.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    base::{Map, Set},
    model::{Policy, TenantFrom},
};

/// The index of an issuer among those with a valid name.
pub(super) type IssuerId = usize;

/// The key of a token type that stands for all issuers.
const ANY: IssuerId = IssuerId::MAX;

#[derive(Default)]
pub(super) struct Names<'p> {
    issuers: Map<IssuerId>,
    issuers_in_order: Vec<&'p str>,
    /// Pairs of an issuer, or [`ANY`], and the name of a type.
    types: Set,
    types_in_order: Vec<&'p str>,
    has_tenant: Vec<bool>,
    any_has_tenant: bool,
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
            if !matches!(issuer.mapping.tenant, TenantFrom::None) {
                names.set_tenant(id);
            }
        }
        names
    }

    pub(super) fn add_issuer(&mut self, name: &'p str) -> IssuerId {
        let id = self.issuers_in_order.len();
        self.issuers_in_order.push(name);
        self.has_tenant.push(false);
        self.issuers.insert(name.as_bytes(), id);
        id
    }

    pub(super) fn add_type(&mut self, issuer: IssuerId, name: &'p str) {
        self.types.insert(&pair(issuer, name));
        if self.types.insert(&pair(ANY, name)) {
            self.types_in_order.push(name);
        }
    }

    /// Records that the issuer maps a tenant.
    pub(super) fn set_tenant(&mut self, issuer: IssuerId) {
        self.any_has_tenant = true;
        if let Some(has_tenant) = self.has_tenant.get_mut(issuer) {
            *has_tenant = true;
        }
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

    /// Returns whether one of the issuers (`None`: any) maps a tenant.
    pub(super) fn has_tenant(&self, admitted: Option<&[IssuerId]>) -> bool {
        match admitted {
            None => self.any_has_tenant,
            Some(issuers) => issuers
                .iter()
                .any(|id| self.has_tenant.get(*id).copied().unwrap_or(false)),
        }
    }

    pub(super) fn issuers(&self) -> impl Iterator<Item = &'p str> {
        self.issuers_in_order.iter().copied()
    }

    pub(super) fn types(&self) -> impl Iterator<Item = &'p str> {
        self.types_in_order.iter().copied()
    }
}

fn pair(issuer: IssuerId, name: &str) -> Vec<u8> {
    [&issuer.to_le_bytes(), name.as_bytes()].concat()
}
