//! What a grant removes from a request: headers that only the gate sets, and
//! the credential.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Change, Grant};
use crate::{
    model::{Credential, Policy},
    request::{Request, credential},
    token::Verified,
};

/// What a grant removes, computed once for each gate.
pub(crate) struct Strip {
    forwarded: Arc<[Box<str>]>,
    forwarded_and_credentials: Arc<[Box<str>]>,
    /// The cookies that can contain a credential; empty unless the policy
    /// strips it.
    cookies: Vec<Box<str>>,
}

impl Strip {
    pub(crate) fn new(policy: &Policy) -> Self {
        let forwarded: Vec<Box<str>> = policy
            .forward
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let mut both = forwarded.clone();
        let mut cookies = Vec::new();
        for place in &policy.credentials {
            match place {
                Credential::Header { name, .. } if both.contains(name) => {}
                Credential::Header { name, .. } => both.push(name.clone()),
                Credential::Cookie { name, .. } if policy.strip_credential => {
                    cookies.push(name.clone());
                }
                Credential::Cookie { .. } => {}
            }
        }
        Self {
            forwarded: forwarded.into(),
            forwarded_and_credentials: both.into(),
            cookies,
        }
    }

    pub(crate) fn grant(&self, verified: Option<&Verified>, credential: bool) -> Grant {
        Grant {
            number: verified.map_or(0, |v| v.number),
            principal: verified.map(|v| Arc::clone(&v.principal)),
            set_headers: verified.map_or_else(Arc::default, |v| Arc::clone(&v.headers)),
            remove_headers: Arc::clone(if credential {
                &self.forwarded_and_credentials
            } else {
                &self.forwarded
            }),
            changes: Vec::new(),
        }
    }

    /// Removes the cookies that can contain a credential.
    pub(crate) fn changes(&self, request: &Request<'_>) -> Vec<Change> {
        if self.cookies.is_empty() {
            return Vec::new();
        }
        let kept = credential::without_cookies(request, &self.cookies);
        let change = kept.map(|kept| match kept.is_empty() {
            true => Change::RemoveHeader("cookie".into()),
            false => Change::SetHeader("cookie".into(), kept),
        });
        Vec::from_iter(change)
    }
}
