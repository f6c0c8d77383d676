//! `credentials` of the policy and of its rules.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    access::{Access, Optional, Verified},
    input::Node,
    place::{Place, Reads},
    rule::Rule,
    tokens::Tokens,
};

/// The places of every rule that has no list of its own.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// Of every provider, but for the query, which only a rule can read.
    shared: Reads,
    issuers: BTreeSet<String>,
    /// Places that single rules read.
    all: Vec<Place>,
    /// The issuers of second tokens: they are good from no place that does not name
    /// them.
    second: BTreeSet<String>,
}

impl Credentials {
    pub(crate) fn new(root: &Node<'_>, tokens: &Tokens<'_>, rules: &[Rule]) -> Self {
        let mut shared = Reads::default();
        for provider in tokens.usable() {
            if let Some(issuer) = tokens.issuer_of(provider) {
                provider.read_from(issuer, &mut shared);
            }
        }
        let all: Vec<_> = shared.0.iter().map(|(place, _)| place.clone()).collect();
        let verified = || {
            rules.iter().filter_map(|rule| match &rule.access {
                Access::Token(verified) => Some(verified),
                Access::Public => None,
            })
        };
        if verified().any(|verified| verified.reads.0.len() > 1) {
            root.stricter(
                "two different tokens in one request are refused: with `\"several\": \"first\"` the \
                 first place of a policy decides",
            );
        }
        shared.0.retain(|(place, _)| !is_query(place));
        Self {
            shared,
            issuers: tokens.issuer_names(),
            all,
            second: verified()
                .flat_map(|verified| &verified.further)
                .flat_map(|further| further.reads.issuers())
                .collect(),
        }
    }

    /// Every place that some rule reads.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.all.clone()
    }

    /// The policy's list. Without it the policy reads `Authorization: Bearer`.
    pub(crate) fn of_policy(&self) -> Vec<Value> {
        let places = self.shared.0.iter();
        places
            .map(|(place, issuers)| self.as_json(place, issuers, *issuers != self.issuers))
            .collect()
    }

    /// The rule's own list; empty where the policy's says the same.
    pub(crate) fn of_rule(&self, verified: &Verified) -> Vec<Value> {
        if self.is_as_shared(verified) {
            return Vec::new();
        }
        let users = verified.reads.issuers();
        let ignores = verified.optional == Optional::Bad;
        let mut list = Vec::new();
        for (place, issuers) in &verified.reads.0 {
            // What no place takes is a bad token; what a rule does not, is a good one.
            let is_said = *issuers != users || (ignores && *issuers != self.issuers);
            list.push(self.as_json(place, issuers, is_said));
        }
        for further in &verified.further {
            for (place, issuers) in &further.reads.0 {
                let mut place = self.as_json(place, issuers, true);
                place["principal"] = json!(further.name);
                list.push(place);
            }
        }
        list
    }

    fn is_as_shared(&self, verified: &Verified) -> bool {
        if *verified == Verified::NEVER || verified.reads == self.shared {
            return verified.further.is_empty();
        }
        if !verified.further.is_empty() || verified.optional == Optional::Bad {
            return false;
        }
        // The rule requires one of its issuers: those that it does not know may have
        // more places.
        let users = verified.reads.issuers();
        let is_same = |(place, issuers): &(Place, BTreeSet<String>)| {
            let here = verified.reads.issuers_at(place);
            here.is_some_and(|here| issuers.intersection(&users).all(|name| here.contains(name)))
        };
        verified.reads.0.len() == self.shared.0.len() && self.shared.0.iter().all(is_same)
    }

    fn as_json(&self, place: &Place, issuers: &BTreeSet<String>, is_said: bool) -> Value {
        let mut json = place.as_json();
        if is_said || !self.second.is_disjoint(issuers) {
            json["issuers"] = json!(issuers);
        }
        json
    }
}

fn is_query(place: &Place) -> bool {
    matches!(place, Place::Query(_))
}
