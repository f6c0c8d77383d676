//! The requirements on a token.

use std::collections::BTreeSet;

use serde_json::json;

use crate::claim::{Claim, Form, Test};

/// A fact about a verified token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// It is of one of these issuers of the policy.
    Issuers(BTreeSet<String>),
    /// One of these is among its `aud`.
    Audiences(BTreeSet<String>),
    /// The condition on a claim holds.
    Claim(Claim),
}

/// The requirements on a token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Required {
    Never,
    Nothing,
    Fact(Fact),
    All(Vec<Required>),
    Any(Vec<Required>),
}

impl Fact {
    /// The claim where the fact does not hold; `None` where a policy cannot say it.
    pub(crate) fn negation(&self) -> Option<Claim> {
        match self {
            Self::Issuers(_) => None,
            Self::Claim(claim) => claim.negation(),
            Self::Audiences(audiences) => {
                let tests = audiences.iter().map(|text| Test::Equals(json!(text)));
                let any = Claim {
                    tests: tests.collect(),
                    ..Claim::new("/aud".to_owned(), Form::Either, Test::NotEmpty)
                };
                any.negation()
            }
        }
    }
}

impl Required {
    /// All of them, simplified.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        let mut all: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Never => return Self::Never,
                Self::Nothing => {}
                Self::All(parts) => all.extend(parts),
                other => all.push(other),
            }
        }
        let mut issuers: Option<BTreeSet<String>> = None;
        all.retain(|part| match part {
            Self::Fact(Fact::Issuers(some)) => {
                issuers = Some(match &issuers {
                    Some(before) => before.intersection(some).cloned().collect(),
                    None => some.clone(),
                });
                false
            }
            _ => true,
        });
        match issuers {
            Some(none) if none.is_empty() => return Self::Never,
            Some(issuers) => all.insert(0, Self::Fact(Fact::Issuers(issuers))),
            None => {}
        }
        let mut merged: Vec<Self> = Vec::new();
        for part in all {
            let is_merged = merged.iter_mut().any(|before| before.merge(&part, true));
            if !is_merged {
                merged.push(part);
            }
        }
        Self::one_or(dedup(merged), Self::All, Self::Nothing)
    }

    /// The requirements where there are no other issuers than these.
    pub(crate) fn among(self, issuers: &BTreeSet<String>) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.among(issuers)).collect();
        match self {
            Self::Fact(Fact::Issuers(all)) if all == *issuers => Self::Nothing,
            Self::All(parts) => Self::all(each(parts)),
            Self::Any(parts) => Self::any(each(parts)),
            other => other,
        }
    }

    /// One of them, simplified.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        let mut any: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Nothing => return Self::Nothing,
                Self::Never => {}
                Self::Any(parts) => any.extend(parts),
                other => any.push(other),
            }
        }
        let mut merged: Vec<Self> = Vec::new();
        for part in any {
            let joined = merged.iter_mut().any(|before| before.join(&part));
            if !joined {
                merged.push(part);
            }
        }
        Self::one_or(dedup(merged), Self::Any, Self::Never)
    }

    /// Merges two facts of the same kind into one that holds where either does.
    fn join(&mut self, other: &Self) -> bool {
        match (&mut *self, other) {
            (Self::Fact(Fact::Issuers(a)), Self::Fact(Fact::Issuers(b)))
            | (Self::Fact(Fact::Audiences(a)), Self::Fact(Fact::Audiences(b))) => {
                a.extend(b.iter().cloned());
                true
            }
            _ => self.merge(other, false),
        }
    }

    /// Merges two conditions on a claim: of negated ones both must hold, else one.
    fn merge(&mut self, other: &Self, negated: bool) -> bool {
        match (self, other) {
            (Self::Fact(Fact::Claim(a)), Self::Fact(Fact::Claim(b))) => a.merge(b, negated),
            _ => false,
        }
    }

    fn one_or(parts: Vec<Self>, several: fn(Vec<Self>) -> Self, none: Self) -> Self {
        match <[Self; 1]>::try_from(parts) {
            Ok([one]) => one,
            Err(parts) if parts.is_empty() => none,
            Err(parts) => several(parts),
        }
    }
}

fn dedup(parts: Vec<Required>) -> Vec<Required> {
    let mut different: Vec<Required> = Vec::new();
    for part in parts {
        if !different.contains(&part) {
            different.push(part);
        }
    }
    different
}

impl From<bool> for Required {
    fn from(holds: bool) -> Self {
        match holds {
            true => Self::Nothing,
            false => Self::Never,
        }
    }
}

impl From<Fact> for Required {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Issuers(none) if none.is_empty() => Self::Never,
            fact => Self::Fact(fact),
        }
    }
}
