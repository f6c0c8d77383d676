//! The conditions on tokens, given their issuers.

use std::{cell::Cell, collections::BTreeSet};

use countersign_policy_source::child_pointer;
use serde_json::{Value, json};

use crate::{
    formula::{Fact, Formula, Required},
    input::Node,
    provider::{Issuer, Provider},
    text::{How, Text},
};

/// The providers of the input and the policy's issuers.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'i> {
    pub(crate) providers: Vec<Provider<'i>>,
    pub(crate) issuers: Vec<Issuer>,
    /// Claims that the options declare as lists.
    pub(crate) lists: Vec<String>,
    /// Whether a condition requires a token with a subject.
    pub(crate) requires_subject: Cell<bool>,
}

impl<'i> Tokens<'i> {
    pub(crate) fn issuer_names(&self) -> BTreeSet<String> {
        self.issuers
            .iter()
            .map(|issuer| issuer.name.clone())
            .collect()
    }

    /// A token of this provider; `audiences` of the rule replace its own.
    pub(crate) fn of(&self, provider: &Provider<'_>, audiences: Option<&[String]>) -> Required {
        let mut issuers = self.issuers.iter();
        match issuers.find(|issuer| provider.is_usable() && issuer.iss == provider.iss) {
            Some(issuer) => provider.required(issuer, audiences),
            None => Required::Never,
        }
    }

    /// A token of any provider.
    pub(crate) fn of_any(&self) -> Required {
        let each = self
            .providers
            .iter()
            .map(|provider| self.of(provider, None));
        Required::any(each.collect())
    }

    /// `iss` matches `text`.
    pub(crate) fn issuer(&self, node: &Node<'i>, text: &Text) -> Formula<'i> {
        let mut names = BTreeSet::new();
        for issuer in &self.issuers {
            match text.matches(&issuer.iss) {
                Some(true) => _ = names.insert(issuer.name.clone()),
                Some(false) => {}
                None => return unknown(node, "regular expressions of `iss` are not run"),
            }
        }
        Formula::Token(Fact::Issuers(names), node.clone())
    }

    /// The claim is a string that matches.
    pub(crate) fn text(&self, node: &Node<'i>, claim: &[String], text: &Text) -> Formula<'i> {
        if claim == ["iss"] {
            return self.issuer(node, text);
        }
        if claim == ["sub"] && text.how == How::Present {
            self.requires_subject.set(true);
            return Formula::Token(Fact::Good, node.clone());
        }
        if self.is_of_words(claim) {
            return unknown(
                node,
                "the claim is split at spaces, so that it is never a text",
            );
        }
        match &text.how {
            How::Exact(wanted) => {
                if text.ignore_case {
                    node.stricter("upper and lower case of a claim differ");
                }
                self.value(node, claim, json!(wanted))
            }
            _ => unknown(
                node,
                "a claim is compared as a whole, not by a part or a pattern",
            ),
        }
    }

    /// The claim is this value.
    pub(crate) fn value(&self, node: &Node<'i>, claim: &[String], value: Value) -> Formula<'i> {
        Formula::Token(Fact::Claim(pointer(claim), vec![value]), node.clone())
    }

    /// The claim is a list, or is split into one, with an item that matches.
    pub(crate) fn item(&self, node: &Node<'i>, claim: &[String], text: &Text) -> Formula<'i> {
        let How::Exact(wanted) = &text.how else {
            return unknown(
                node,
                "items of a claim are compared as a whole, not by a part or a pattern",
            );
        };
        if claim == ["aud"] {
            let audiences = BTreeSet::from([wanted.clone()]);
            return Formula::Token(Fact::Audiences(audiences), node.clone());
        }
        if !self.is_list(claim) {
            let pointer = pointer(claim);
            return unknown(
                node,
                &format!(
                    "a policy's `contains` holds for words of a text too: where `{pointer}` is \
                     always a list, use `--list-claim {pointer}`"
                ),
            );
        }
        Formula::Token(Fact::Contains(pointer(claim), json!(wanted)), node.clone())
    }

    /// Whether `contains` of a policy has the meaning of the input.
    pub(crate) fn is_list(&self, claim: &[String]) -> bool {
        let pointer = pointer(claim);
        let is_said = |list: &String| *list == pointer || child_pointer("", list) == pointer;
        self.is_of_words(claim) || self.lists.iter().any(is_said)
    }

    /// Whether every provider has the claim split at spaces.
    pub(crate) fn is_of_words(&self, claim: &[String]) -> bool {
        let [name] = claim else { return false };
        let mut usable = self
            .providers
            .iter()
            .filter(|provider| provider.is_usable());
        usable.all(|provider| provider.words.contains(name))
    }
}

/// A condition that a policy cannot state, and why.
pub(crate) fn unknown<'i>(node: &Node<'i>, why: &str) -> Formula<'i> {
    node.stricter(format!("{why}: what depends on it is denied"));
    Formula::Unknown
}

/// The claim's JSON Pointer.
pub(crate) fn pointer(claim: &[String]) -> String {
    claim
        .iter()
        .fold(String::new(), |pointer, name| child_pointer(&pointer, name))
}
