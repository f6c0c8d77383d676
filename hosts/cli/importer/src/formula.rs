//! Conditions on a request and its token, and the requirements that a policy can
//! express for them: these hold only where the condition holds.

use std::collections::BTreeSet;

use countersign_regions::{Host, Method, Path, Region, Shape};

use crate::{
    bounds::Bounds,
    input::Node,
    required::{Fact, Required},
};

/// A condition, as the input combines it.
#[derive(Clone, Debug)]
pub(crate) enum Formula<'i> {
    Const(bool),
    /// A policy cannot express it; a note was made when it was read.
    Unknown,
    All(Vec<Formula<'i>>),
    Any(Vec<Formula<'i>>),
    Not(Box<Formula<'i>>),
    Path(Bounds<Path>),
    Host(Bounds<Host>),
    Method(String),
    /// A fact about the verified token, and its place in the input. Without a
    /// token it does not hold.
    Token(Fact, Node<'i>),
    /// A condition on tokens of these issuers of the policy, and its place in the
    /// input. Without a token of theirs it does not hold.
    Of(BTreeSet<String>, Box<Formula<'i>>, Node<'i>),
}

/// The context in which a condition is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'r> {
    pub(crate) region: &'r Region,
    /// Without a token no fact holds.
    pub(crate) has_token: bool,
    /// All issuers of the policy.
    pub(crate) issuers: &'r BTreeSet<String>,
    /// The issuers of further tokens that the request has.
    pub(crate) further: &'r BTreeSet<String>,
}

impl<'i> Formula<'i> {
    /// A requirement that holds only where this condition holds.
    pub(crate) fn under(&self, reading: Reading<'_>) -> Required {
        self.read(false, reading)
    }

    /// A requirement that holds only where this condition does not hold.
    pub(crate) fn under_not(&self, reading: Reading<'_>) -> Required {
        self.read(true, reading)
    }

    fn read(&self, not: bool, reading: Reading<'_>) -> Required {
        let each = |parts: &[Self]| parts.iter().map(|part| part.read(not, reading)).collect();
        let region = reading.region;
        match self {
            Self::Const(holds) => Required::from(*holds != not),
            Self::Unknown => Required::Never,
            Self::All(parts) if not => Required::any(each(parts)),
            Self::All(parts) => Required::all(each(parts)),
            Self::Any(parts) if not => Required::all(each(parts)),
            Self::Any(parts) => Required::any(each(parts)),
            Self::Not(part) => part.read(!not, reading),
            Self::Path(bounds) => within(bounds, &region.path, not),
            Self::Host(bounds) => within(bounds, &region.host, not),
            Self::Method(name) => {
                Required::from((region.method == Method::One(name.clone())) != not)
            }
            Self::Token(..) if !reading.has_token => Required::from(not),
            Self::Token(fact, _) if !not => fact.clone().into(),
            Self::Token(Fact::Issuers(some), _) => reading.but(some),
            Self::Token(fact, node) => match fact.negation() {
                Some(negated) => {
                    node.stricter(
                        "a claim of another type is unknown to a policy, and not something else: \
                         requests with one are denied",
                    );
                    Fact::Claim(negated).into()
                }
                None => {
                    node.stricter(
                        "a policy cannot require that this does not hold: requests to which this \
                         could apply are denied",
                    );
                    Required::Never
                }
            },
            Self::Of(..) if !reading.has_token => Required::from(not),
            Self::Of(issuers, _, node) if !reading.further.is_disjoint(issuers) => {
                node.stricter(
                    "the claims of a request's second token cannot be asked for here: requests \
                     to which this could apply are denied",
                );
                Required::Never
            }
            Self::Of(issuers, part, _) => {
                let part = part.read(not, reading);
                match not {
                    false => Required::all(vec![Fact::Issuers(issuers.clone()).into(), part]),
                    true => Required::any(vec![reading.but(issuers), part]),
                }
            }
        }
    }

    /// The condition at a point where no token has been verified yet.
    pub(crate) fn without_token(self) -> Self {
        self.map(&|leaf| match leaf {
            Self::Token(..) => Self::Const(false),
            other => other,
        })
    }

    /// The condition with each prefix read as whole segments of the path.
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
            Self::Of(issuers, part, node) => Self::Of(issuers, Box::new(part.map(change)), node),
            leaf => change(leaf),
        }
    }

    /// Calls `visit` with every condition that is not a combination of others.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&Self)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Self::Not(part) | Self::Of(_, part, _) => part.visit(visit),
            leaf => visit(leaf),
        }
    }
}

impl Reading<'_> {
    /// A token of another issuer than these.
    fn but(&self, issuers: &BTreeSet<String>) -> Required {
        Fact::Issuers(self.issuers.difference(issuers).cloned().collect()).into()
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
fn within<S: Shape>(bounds: &Bounds<S>, region: &S, not: bool) -> Required {
    let covers = |set: &Option<S>| set.as_ref().is_some_and(|set| set.covers(region));
    Required::from(match not {
        false => covers(&bounds.inner),
        true => !covers(&bounds.outer),
    })
}
