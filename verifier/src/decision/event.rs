//! What an operator learns of a decision: which rule and which issuer decided,
//! never a token, a key or the value of a claim.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};
use core::cell::Cell;

use super::{Change, Grant};
use crate::{
    jose::{hmac_sha256, sha256},
    model::Policy,
    token::{Principal, Verified},
};

/// Bytes of a [`subject_ref`](Event::subject_ref), before hexadecimal.
const REF_BYTES: usize = 16;

/// Facts about the last decision of a gate, for logs and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The rule that matched the request. `None` if none did, or if the decision
    /// was about a token without a request.
    pub rule: Option<MatchedRule>,
    /// The `name` of the issuer in the policy to which the token of the user was
    /// assigned, whether it was good or not.
    pub issuer: Option<Arc<str>>,
    /// The type of the user's token, once its signature held.
    pub token_type: Option<Box<str>>,
    /// Whether the user's token was remembered; `None` if none was verified.
    pub remembered: Option<bool>,
    /// Identifies the subject to those who have the host's key: the first 16
    /// bytes, in lower-case hexadecimal, of HMAC-SHA-256 over the token's `iss`
    /// (without one the issuer's name), a zero byte and the subject. `None` without
    /// a key, or before the signature of the token held.
    pub subject_ref: Option<String>,
    /// The SHA-256 of everything that an allowed request brings to its backend:
    /// equal effects mean the same principal, headers and changes. `None` if it
    /// was not asked for, or if the request was not allowed.
    pub effects: Option<[u8; 32]>,
}

/// A rule of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedRule {
    /// Its index in `rules`, from 0.
    pub index: u32,
    /// Its `name`.
    pub name: Option<Box<str>>,
    /// The pattern that matched: `/orgs/{org}/**`, never the path of the request.
    pub path: String,
}

/// What the checks of one request see on their way.
#[derive(Default)]
pub(crate) struct Seen {
    /// The rule and the pattern of its paths.
    pub(crate) rule: Cell<Option<(usize, usize)>>,
    pub(crate) issuer: Cell<Option<usize>>,
    /// The content of the user's token, and whether that was remembered.
    user: Cell<Option<(Arc<Principal>, bool)>>,
    /// Whether the checks are past the user's token.
    pub(crate) is_past_user: Cell<bool>,
}

impl Seen {
    /// Takes the issuer to which a token is assigned.
    pub(crate) fn issuer(&self, index: usize) {
        if !self.is_past_user.get() {
            self.issuer.set(Some(index));
            self.user.set(None);
        }
    }

    /// Takes a token whose signature held.
    pub(crate) fn token(&self, verified: &Verified, remembered: bool) {
        if !self.is_past_user.get() {
            self.issuer.set(Some(verified.issuer));
            let principal = Arc::clone(&verified.principal);
            self.user.set(Some((principal, remembered)));
        }
    }
}

/// What a gate keeps of its last decision.
#[derive(Default)]
pub(crate) struct Last {
    /// The rule and the pattern of its paths.
    rule: Option<(usize, usize)>,
    issuer: Option<usize>,
    /// The content of the user's token, and whether that was remembered.
    user: Option<(Arc<Principal>, bool)>,
    allowed: Option<Allowed>,
}

/// The effects of an allowed request.
struct Allowed {
    user: Option<Arc<Principal>>,
    /// Each principal beside the user.
    others: Vec<Arc<Principal>>,
    set_headers: Arc<[(Box<str>, Box<str>)]>,
    remove_headers: Arc<[Box<str>]>,
    changes: Vec<Change>,
}

impl Last {
    pub(crate) fn new(seen: Seen, grant: Option<&Grant>) -> Self {
        let allowed = grant.map(|grant| {
            let others = grant.others.iter().map(|other| &other.principal);
            Allowed {
                user: grant.principal.clone(),
                others: others.cloned().collect(),
                set_headers: Arc::clone(&grant.set_headers),
                remove_headers: Arc::clone(&grant.remove_headers),
                changes: grant.changes.clone(),
            }
        });
        Self {
            rule: seen.rule.get(),
            issuer: seen.issuer.get(),
            user: seen.user.take(),
            allowed,
        }
    }

    pub(crate) fn event(&self, policy: &Policy, subject_key: &[u8], effects: bool) -> Event {
        let rule = self.rule.and_then(|(index, pattern)| {
            let rule = policy.rules.get(index)?;
            Some(MatchedRule {
                index: u32::try_from(index).ok()?,
                name: rule.name.clone(),
                path: format!("{}", rule.paths.get(pattern)?),
            })
        });
        let issuer = self.issuer.and_then(|index| policy.issuers.get(index));
        let user = self.user.as_ref();
        Event {
            rule,
            issuer: issuer.map(|issuer| Arc::clone(&issuer.name)),
            token_type: user.and_then(|(user, _)| user.token_type.clone()),
            remembered: user.map(|(_, remembered)| *remembered),
            subject_ref: user.and_then(|(user, _)| subject_ref(user, subject_key)),
            effects: match effects {
                true => self.allowed.as_ref().map(Allowed::digest),
                false => None,
            },
        }
    }
}

fn subject_ref(user: &Principal, key: &[u8]) -> Option<String> {
    let subject = user.subject.as_deref()?;
    if key.is_empty() {
        return None;
    }
    let iss = match &*user.iss {
        "" => &*user.issuer,
        iss => iss,
    };
    let digest = hmac_sha256(key, &[iss.as_bytes(), &[0], subject.as_bytes()].concat());
    let mut text = String::new();
    for byte in digest.iter().take(REF_BYTES) {
        text.push_str(&format!("{byte:02x}"));
    }
    Some(text)
}

impl Allowed {
    fn digest(&self) -> [u8; 32] {
        let mut text = Text::default();
        for principal in self.user.iter().chain(&self.others) {
            let Principal {
                issuer,
                iss,
                subject,
                token_type,
                tenant,
                tenants,
                roles,
                scopes,
                // They are the token's, whatever the policy.
                expires_at_ms: _,
                claims: _,
            } = &**principal;
            text.list([&**issuer, &**iss]);
            for part in [subject, token_type, tenant] {
                text.list(part.as_deref());
            }
            for part in [tenants, roles, scopes] {
                text.list(part.iter().map(|word| &**word));
            }
        }
        text.list(["headers"]);
        for (name, value) in &*self.set_headers {
            text.list([&**name, &**value]);
        }
        text.list(self.remove_headers.iter().map(|name| &**name));
        for change in &self.changes {
            match change {
                Change::SetHeader(name, value) => text.list([b"set", name.as_bytes(), value]),
                Change::RemoveHeader(name) => text.list([b"remove", name.as_bytes()]),
                Change::SetTarget(target) => text.list([b"target", &**target]),
            }
        }
        sha256(&[&text.0])
    }
}

/// Lists of texts, each with its length before it, and an end.
#[derive(Default)]
struct Text(Vec<u8>);

impl Text {
    fn list<T: AsRef<[u8]>>(&mut self, items: impl IntoIterator<Item = T>) {
        for item in items {
            let item = item.as_ref();
            self.number(item.len());
            self.0.extend_from_slice(item);
        }
        // No item is as long.
        self.number(usize::MAX);
    }

    fn number(&mut self, number: usize) {
        // Nothing here has 2^32 bytes.
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&number.to_be_bytes());
    }
}
