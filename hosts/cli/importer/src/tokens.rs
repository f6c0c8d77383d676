//! The conditions on tokens, given their issuers.

use std::collections::BTreeSet;

use countersign_policy_source::child_pointer;
use serde_json::Value;

use crate::{
    access::Verified,
    claim::{Claim, Form, Test},
    formula::Formula,
    input::Node,
    place::Reads,
    provider::{Issuer, Provider},
    required::Fact,
    text::{How, Text},
};

/// The providers of the input and the policy's issuers.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'i> {
    pub(crate) providers: Vec<Provider<'i>>,
    pub(crate) issuers: Vec<Issuer>,
}

impl<'i> Tokens<'i> {
    pub(crate) fn issuer_names(&self) -> BTreeSet<String> {
        self.issuers
            .iter()
            .map(|issuer| issuer.name.clone())
            .collect()
    }

    pub(crate) fn usable(&self) -> impl Iterator<Item = &Provider<'i>> {
        self.providers
            .iter()
            .filter(|provider| provider.is_usable())
    }

    /// The provider's issuer.
    pub(crate) fn issuer_of(&self, provider: &Provider<'_>) -> Option<&Issuer> {
        let mut issuers = self.issuers.iter();
        issuers.find(|issuer| provider.is_usable() && issuer.iss == provider.iss)
    }

    /// A token of this provider; `audiences` of the rule replace its own.
    pub(crate) fn of(&self, provider: &Provider<'_>, audiences: Option<&[String]>) -> Verified {
        let Some(issuer) = self.issuer_of(provider) else {
            return Verified::NEVER;
        };
        let mut reads = Reads::default();
        provider.read_from(issuer, &mut reads);
        Verified {
            required: provider.required(issuer, audiences),
            reads,
            ..Verified::NEVER
        }
    }

    /// A token of any provider.
    pub(crate) fn of_any(&self) -> Verified {
        let each = self.providers.iter();
        let each = each.map(|provider| self.of(provider, None));
        each.reduce(Verified::or).unwrap_or(Verified::NEVER)
    }

    /// `iss` matches `text`.
    pub(crate) fn issuer(&self, node: &Node<'i>, text: &Text) -> Formula<'i> {
        let mut names = BTreeSet::new();
        // What is not there matches nothing.
        for issuer in self.issuers.iter().filter(|issuer| !issuer.iss.is_empty()) {
            match text.matches(&issuer.iss) {
                Some(true) => _ = names.insert(issuer.name.clone()),
                Some(false) => {}
                None => return unknown(node, "regular expressions of `iss` are not run"),
            }
        }
        Formula::Token(Fact::Issuers(names), node.clone())
    }

    /// The claim is a text that matches.
    pub(crate) fn text(&self, node: &Node<'i>, claim: &[String], text: &Text) -> Formula<'i> {
        if claim == ["iss"] {
            return self.issuer(node, text);
        }
        match self.words(claim) {
            Words::Never => compared(node, claim, Form::Value, text),
            Words::Always => unknown(
                node,
                "the claim is split at spaces, so that it is never a text",
            ),
            Words::Some => several_ways(node),
        }
    }

    /// The claim is this value.
    pub(crate) fn value(&self, node: &Node<'i>, claim: &[String], value: Value) -> Formula<'i> {
        /// Above it, several numbers are the same to Envoy.
        const EXACT: f64 = 9_007_199_254_740_991.0;
        if value.as_f64().is_some_and(|number| number.abs() > EXACT) {
            return unknown(node, "a number beyond 2^53 is not exact");
        }
        asked(node, claim, Form::Value, Test::Equals(value), true)
    }

    /// The claim is there.
    pub(crate) fn present(&self, node: &Node<'i>, claim: &[String]) -> Formula<'i> {
        node.stricter("a claim that is `null` counts as missing");
        asked(node, claim, Form::Value, Test::Present, false)
    }

    /// The claim is a list, or is split into one, with an item that matches.
    pub(crate) fn item(&self, node: &Node<'i>, claim: &[String], text: &Text) -> Formula<'i> {
        match self.words(claim) {
            Words::Never => compared(node, claim, Form::Item, text),
            Words::Always => compared(node, claim, Form::Word, text),
            Words::Some => several_ways(node),
        }
    }

    /// The claim is a text that matches, or a list with an item that matches.
    pub(crate) fn either(&self, node: &Node<'i>, claim: &[String], text: &Text) -> Formula<'i> {
        if claim == ["iss"] {
            return self.issuer(node, text);
        }
        if let (["aud"], How::Exact(wanted), false) = (&*refs(claim), &text.how, text.ignore_case) {
            let audiences = BTreeSet::from([wanted.clone()]);
            return Formula::Token(Fact::Audiences(audiences), node.clone());
        }
        match self.words(claim) {
            Words::Never => compared(node, claim, Form::Either, text),
            Words::Always => compared(node, claim, Form::Word, text),
            Words::Some => several_ways(node),
        }
    }

    /// Which providers have the claim split at spaces.
    fn words(&self, claim: &[String]) -> Words {
        let [name] = claim else { return Words::Never };
        let usable = || self.usable();
        let has_it = |provider: &Provider<'_>| provider.words.contains(name);
        match (usable().all(has_it), usable().any(has_it)) {
            (_, false) => Words::Never,
            (true, true) => Words::Always,
            (false, true) => Words::Some,
        }
    }
}

/// Whether a claim is split at spaces: by no provider, by all or by some.
enum Words {
    Never,
    Always,
    Some,
}

fn refs(claim: &[String]) -> Vec<&str> {
    claim.iter().map(String::as_str).collect()
}

fn several_ways<'i>(node: &Node<'i>) -> Formula<'i> {
    unknown(
        node,
        "only some providers split the claim at spaces, and a policy reads it in one way",
    )
}

fn compared<'i>(node: &Node<'i>, claim: &[String], form: Form, text: &Text) -> Formula<'i> {
    let Some(test) = Test::of(text) else {
        return unknown(
            node,
            "a claim is compared as a whole, by its beginning or by its end: the beginning of a \
             URL goes on to the `/` after the host",
        );
    };
    if text.is_regex && !matches!(test, Test::Equals(_)) {
        node.changed("to a policy a text with a line break matches too");
    }
    let ignores_case = text.ignore_case && text.has_letters();
    if ignores_case {
        node.stricter("upper and lower case of a claim differ");
    }
    asked(
        node,
        claim,
        form,
        test,
        !ignores_case && text.how != How::Any,
    )
}

fn asked<'i>(
    node: &Node<'i>,
    claim: &[String],
    form: Form,
    test: Test,
    is_exact: bool,
) -> Formula<'i> {
    let is_index = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    if claim.iter().skip(1).any(is_index) {
        return unknown(node, "a name of digits alone is a position in a list");
    }
    let claim = Claim {
        is_exact,
        ..Claim::new(pointer(claim), form, test)
    };
    Formula::Token(Fact::Claim(claim), node.clone())
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
