//! Conditions on a request and its token, and what of them a policy can say:
//! something that holds only where the condition does.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    input::Node,
    shape::{Bounds, Host, Method, Path, Shape},
};

/// A condition, as the input combines it.
#[derive(Clone, Debug)]
pub(crate) enum Formula<'i> {
    Const(bool),
    /// Nothing that a policy looks at; what it is was said when it was read.
    Unknown,
    All(Vec<Formula<'i>>),
    Any(Vec<Formula<'i>>),
    Not(Box<Formula<'i>>),
    Path(Bounds<Path>),
    Host(Bounds<Host>),
    Method(String),
    /// Of the verified token, and where it is asked for. Without a token it
    /// does not hold.
    Token(Fact, Node<'i>),
}

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// There is one.
    Good,
    /// It is of one of these issuers of the policy.
    Issuers(BTreeSet<String>),
    /// One of these is among its `aud`.
    Audiences(BTreeSet<String>),
    /// The claim at the JSON Pointer is one of these values.
    Claim(String, Vec<Value>),
    /// The claim is an array with this item, or a text with this word.
    Contains(String, Value),
}

/// What is asked of a token: facts without negation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Never,
    Nothing,
    Fact(Fact),
    All(Vec<Asked>),
    Any(Vec<Asked>),
}

/// Requests that are decided alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Region {
    pub(crate) path: Path,
    pub(crate) host: Host,
    pub(crate) method: Method,
}

/// How conditions are read: in which region, of whose token.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub(crate) region: &'r Region,
    /// Without a token no fact holds.
    pub(crate) has_token: bool,
    /// All issuers of the policy.
    pub(crate) issuers: &'r BTreeSet<String>,
}

impl<'i> Formula<'i> {
    /// Something that holds only where this does.
    pub(crate) fn under(&self, reading: Reading<'_>) -> Asked {
        self.read(false, reading)
    }

    /// Something that holds only where this does not.
    pub(crate) fn under_not(&self, reading: Reading<'_>) -> Asked {
        self.read(true, reading)
    }

    fn read(&self, not: bool, reading: Reading<'_>) -> Asked {
        let each = |parts: &[Self]| parts.iter().map(|part| part.read(not, reading)).collect();
        let region = reading.region;
        match self {
            Self::Const(holds) => Asked::from(*holds != not),
            Self::Unknown => Asked::Never,
            Self::All(parts) if not => Asked::any(each(parts)),
            Self::All(parts) => Asked::all(each(parts)),
            Self::Any(parts) if not => Asked::all(each(parts)),
            Self::Any(parts) => Asked::any(each(parts)),
            Self::Not(part) => part.read(!not, reading),
            Self::Path(bounds) => within(bounds, &region.path, not),
            Self::Host(bounds) => within(bounds, &region.host, not),
            Self::Method(name) => Asked::from((region.method == Method::One(name.clone())) != not),
            Self::Token(..) if !reading.has_token => Asked::from(not),
            Self::Token(fact, _) if !not => fact.clone().into(),
            Self::Token(Fact::Good, _) => Asked::Never,
            Self::Token(Fact::Issuers(some), _) => {
                let others: BTreeSet<_> = reading.issuers.difference(some).cloned().collect();
                Fact::Issuers(others).into()
            }
            Self::Token(_, node) => {
                node.stricter(
                    "a policy cannot ask that a claim is not so: requests to which this could \
                     apply are denied",
                );
                Asked::Never
            }
        }
    }

    /// The same where no token has been verified yet.
    pub(crate) fn without_token(self) -> Self {
        self.map(&|leaf| match leaf {
            Self::Token(..) => Self::Const(false),
            other => other,
        })
    }

    /// The same where a prefix means whole segments of the path.
    pub(crate) fn with_whole_segments(self) -> Self {
        self.map(&|leaf| match leaf {
            Self::Path(Bounds {
                inner: Some(inner),
                outer: Some(outer),
            }) if outer.hull() != outer => Self::Path(Bounds::exactly(inner)),
            other => other,
        })
    }

    fn map(self, change: &dyn Fn(Self) -> Self) -> Self {
        let each = |parts: Vec<Self>| parts.into_iter().map(|part| part.map(change)).collect();
        match self {
            Self::All(parts) => Self::All(each(parts)),
            Self::Any(parts) => Self::Any(each(parts)),
            Self::Not(part) => Self::Not(Box::new(part.map(change))),
            leaf => change(leaf),
        }
    }

    /// Every part that has no parts.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Self)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(part) => part.visit(visit),
            leaf => visit(leaf),
        }
    }
}

impl<'i> std::ops::Not for Formula<'i> {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Regions are closed under intersection and the smaller one decides first: so
/// one that is not covered by a set, or by the hull of one, lies outside of it.
fn within<S: Shape>(bounds: &Bounds<S>, region: &S, not: bool) -> Asked {
    let covers = |set: &Option<S>| set.as_ref().is_some_and(|set| set.covers(region));
    Asked::from(match not {
        false => covers(&bounds.inner),
        true => !covers(&bounds.outer),
    })
}

impl Asked {
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
        Self::one_or(dedup(all), Self::All, Self::Nothing)
    }

    /// The same where nobody else than these issuers signs.
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

    /// Makes of two facts of a kind the one that either of them holds.
    fn join(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Fact(Fact::Issuers(a)), Self::Fact(Fact::Issuers(b)))
            | (Self::Fact(Fact::Audiences(a)), Self::Fact(Fact::Audiences(b))) => {
                a.extend(b.iter().cloned());
                true
            }
            (Self::Fact(Fact::Claim(p, a)), Self::Fact(Fact::Claim(q, b))) if p == q => {
                for value in b {
                    if !a.contains(value) {
                        a.push(value.clone());
                    }
                }
                true
            }
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

fn dedup(parts: Vec<Asked>) -> Vec<Asked> {
    let mut different: Vec<Asked> = Vec::new();
    for part in parts {
        if !different.contains(&part) {
            different.push(part);
        }
    }
    different
}

impl From<bool> for Asked {
    fn from(holds: bool) -> Self {
        match holds {
            true => Self::Nothing,
            false => Self::Never,
        }
    }
}

impl From<Fact> for Asked {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Good => Self::Nothing,
            Fact::Issuers(none) if none.is_empty() => Self::Never,
            fact => Self::Fact(fact),
        }
    }
}
