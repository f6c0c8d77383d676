//! What a grant removes from a request: headers that only the gate sets, and
//! the credentials.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::{Change, Grant};
use crate::{
    model::{Credential, Credentials, Place, Policy},
    request::{Request, credential},
};

/// What a grant removes, computed once for each gate.
pub(crate) struct Strip {
    forwarded: Arc<[Box<str>]>,
    forwarded_and_credentials: Arc<[Box<str>]>,
    /// The cookies that can contain a credential; empty unless the policy
    /// strips it.
    cookies: Vec<Box<str>>,
}

/// The tokens of an admitted request.
pub(crate) struct Used<'u> {
    /// The places of its rule.
    pub(crate) list: &'u Credentials,
    /// The token of each principal that has one; the user has no name.
    pub(crate) tokens: Vec<(Option<&'u str>, &'u [u8])>,
    /// Whether the user's token is bad and counts as not sent.
    pub(crate) ignored: bool,
}

impl Strip {
    pub(crate) fn new(policy: &Policy) -> Self {
        let forwarded: Vec<Box<str>> = policy.set_headers().cloned().collect();
        let mut both = forwarded.clone();
        let mut cookies = Vec::new();
        for credential in policy.places() {
            match &credential.place {
                Place::Header { name, .. } if !both.contains(name) => both.push(name.clone()),
                Place::Cookie { name, .. }
                    if policy.strip_credential && !cookies.contains(name) =>
                {
                    cookies.push(name.clone());
                }
                _ => {}
            }
        }
        Self {
            forwarded: forwarded.into(),
            forwarded_and_credentials: both.into(),
            cookies,
        }
    }

    /// Returns whether cookies are removed from requests.
    pub(crate) fn has_cookies(&self) -> bool {
        !self.cookies.is_empty()
    }

    /// Makes a grant without a principal.
    pub(crate) fn grant(&self, credential: bool) -> Grant {
        Grant {
            number: 0,
            principal: None,
            others: Vec::new(),
            set_headers: Arc::default(),
            remove_headers: Arc::clone(if credential {
                &self.forwarded_and_credentials
            } else {
                &self.forwarded
            }),
            changes: Vec::new(),
        }
    }

    /// Removes what is not removed from every request of the user: cookies that
    /// can contain a credential, tokens that do not count, and tokens of the
    /// query and of the subprotocols.
    pub(crate) fn changes(
        &self,
        request: &Request<'_>,
        used: &Used<'_>,
        strips: bool,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let strips = strips && !used.tokens.is_empty();
        let by_user = used.tokens.first().is_some_and(|(name, _)| name.is_none());
        if strips && !by_user {
            // The headers to remove without a user do not have them.
            let credentials = self
                .forwarded_and_credentials
                .iter()
                .skip(self.forwarded.len());
            credentials.for_each(|name| remove(request, name, &mut changes));
        }
        for credential in &used.list.places {
            if let Place::Header { name, .. } = &credential.place
                && used.drops(credential, &|token| {
                    credential::holds_other(request, &credential.place, token)
                })
            {
                remove(request, name, &mut changes);
            }
        }
        if used.ignored || used.list.first || (strips && !self.cookies.is_empty()) {
            let goes = |name: &[u8], value: &[u8]| {
                let is_named = |known: &str| known.as_bytes() == name;
                (strips && self.cookies.iter().any(|known| is_named(known)))
                    || used
                        .list
                        .places
                        .iter()
                        .any(|credential| match &credential.place {
                            Place::Cookie { name, .. } if is_named(name) => {
                                used.drops(credential, &|token| token != value)
                            }
                            _ => false,
                        })
            };
            let kept = credential::without_cookies(request, &goes);
            changes.extend(kept.map(|kept| replace("cookie", kept)));
        }
        if used.list.any(&|place| matches!(place, Place::Query(_))) {
            let kept = credential::without_parameters(request.target, used.list);
            changes.extend(kept.map(Change::SetTarget));
        }
        if used
            .list
            .any(&|place| matches!(place, Place::Protocol { .. }))
        {
            let kept = credential::without_protocols(request, used.list);
            changes.extend(kept.map(|kept| replace(credential::PROTOCOLS, kept)));
        }
        changes
    }
}

impl Used<'_> {
    /// Returns whether what a place holds goes: the user's if it is ignored, and
    /// where the first place decides a token that is not the one that counts.
    fn drops(&self, credential: &Credential, is_other: &dyn Fn(&[u8]) -> bool) -> bool {
        if self.ignored && credential.principal.is_none() {
            return true;
        }
        let name = credential.principal.as_deref();
        let mut counting = self
            .tokens
            .iter()
            .filter(|(principal, _)| *principal == name);
        self.list.first && counting.any(|(_, token)| is_other(token))
    }
}

/// Removes a header in every spelling that a backend could read as the same
/// variable.
pub(crate) fn remove(request: &Request<'_>, name: &str, changes: &mut Vec<Change>) {
    for (field, _) in request.headers {
        if credential::is_variant(field, name)
            && let Ok(field) = core::str::from_utf8(field)
        {
            let change = Change::RemoveHeader(field.to_ascii_lowercase().into());
            if !changes.contains(&change) {
                changes.push(change);
            }
        }
    }
}

fn replace(name: &'static str, kept: Vec<u8>) -> Change {
    match kept.is_empty() {
        true => Change::RemoveHeader(name.into()),
        false => Change::SetHeader(name.into(), kept),
    }
}
