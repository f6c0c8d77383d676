//! `rules` of `jwt_authn`: which token a request needs.

use std::collections::BTreeSet;

use super::route;
use crate::{
    access::{Authn, Further, Optional, Verified},
    formula::Formula,
    input::Node,
    provider::Provider,
    required::{Fact, Required},
    tokens::Tokens,
};

/// The rules in their order. Where none matches, no token is read.
pub(super) fn rules<'i>(config: &Node<'i>, tokens: &Tokens<'i>) -> Vec<(Formula<'i>, Authn)> {
    let mut rules = Vec::new();
    for rule in config.items_of("rules") {
        let condition = match rule.member("match") {
            Some(route) => route::condition(&route),
            None => Formula::Const(true),
        };
        rules.push((condition, authn_of_rule(config, &rule, tokens)));
    }
    if let Some(state) = config.member("filter_state_rules") {
        state.stricter(
            "requirements by filter state are not carried over: what no rule matches is denied",
        );
        rules.push((Formula::Const(true), NEVER));
    }
    rules
}

const NEVER: Authn = Authn::Verified(Verified::NEVER);

/// The most second tokens of a rule.
const FURTHER: usize = 4;

fn authn_of_rule<'i>(config: &Node<'i>, rule: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    if let Some(requires) = rule.member("requires") {
        return authn(&requires, tokens);
    }
    let Some(name) = rule.member("requirement_name") else {
        return Authn::Ignored;
    };
    let map = config.member("requirement_map").map(|map| map.members());
    let mut named = map.unwrap_or_default().into_iter();
    match named.find(|(key, _)| *key == name.text()) {
        Some((_, requires)) => authn(&requires, tokens),
        None => {
            name.refuse("no requirement of `requirement_map` has this name");
            NEVER
        }
    }
}

fn authn<'i>(requires: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    let members = requires.others(&[]);
    let [member] = members.as_slice() else {
        if members.is_empty() {
            return Authn::Ignored;
        }
        requires.refuse("a requirement has exactly one member");
        return NEVER;
    };
    match member.kind().as_str() {
        "provider_name" => of_provider(member, member.text(), None, tokens),
        "provider_and_audiences" => {
            let name = member.text_of("provider_name").unwrap_or_default();
            let audiences = member.texts_of("audiences");
            let audiences = Some(&audiences[..]).filter(|list| !list.is_empty());
            of_provider(member, name, audiences, tokens)
        }
        "requires_any" => any(member, tokens),
        "requires_all" => all(member, tokens),
        "allow_missing" => optional(Optional::Missing, tokens),
        "allow_missing_or_failed" => {
            member.stricter(
                "a token that can be read in two ways, or whose keys cannot be had, is denied, and \
                 not ignored",
            );
            optional(Optional::Bad, tokens)
        }
        _ => {
            member
                .stricter("this requirement cannot be carried over: requests under it are denied");
            NEVER
        }
    }
}

fn optional(optional: Optional, tokens: &Tokens<'_>) -> Authn {
    Authn::Verified(Verified {
        optional,
        ..tokens.of_any()
    })
}

fn of_provider(
    node: &Node<'_>,
    name: &str,
    audiences: Option<&[String]>,
    tokens: &Tokens<'_>,
) -> Authn {
    match tokens
        .providers
        .iter()
        .find(|provider| provider.name == name)
    {
        Some(provider) => Authn::Verified(tokens.of(provider, audiences)),
        None => {
            node.refuse(format!("no provider is named `{name}`"));
            NEVER
        }
    }
}

/// The bypass that a requirement is, not a token.
fn bypass(node: &Node<'_>) -> Option<Optional> {
    let is = |name| node.member(name).is_some();
    match (is("allow_missing"), is("allow_missing_or_failed")) {
        (_, true) => Some(Optional::Bad),
        (true, _) => Some(Optional::Missing),
        _ => None,
    }
}

fn any<'i>(member: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    let requirements = member.items_of("requirements");
    let (mut allowed, mut any) = (Optional::Nothing, Vec::new());
    for requirement in &requirements {
        let bypass = bypass(requirement);
        allowed = allowed.max(bypass.unwrap_or(Optional::Nothing));
        match authn(requirement, tokens) {
            Authn::Ignored => {
                requirement.stricter("one of these requires nothing: requests under it are denied");
                return NEVER;
            }
            Authn::Verified(verified) if bypass.is_none() => {
                if !verified.further.is_empty() && requirements.len() > 1 {
                    requirement
                        .stricter("several tokens are no alternative to one: they are denied");
                }
                any.push(verified);
            }
            Authn::Verified(_) => {}
        }
    }
    // With nothing beside it, a token of any provider will do.
    let Some(any) = any.into_iter().reduce(Verified::or) else {
        return optional(allowed, tokens);
    };
    if allowed == Optional::Bad && names_audiences(&any.required) {
        member.stricter("a token for an audience of another rule is denied, and not ignored");
    }
    Authn::Verified(Verified {
        optional: any.optional.max(allowed),
        ..any
    })
}

fn names_audiences(required: &Required) -> bool {
    match required {
        Required::Fact(fact) => matches!(fact, Fact::Audiences(_)),
        Required::All(parts) | Required::Any(parts) => parts.iter().any(names_audiences),
        Required::Nothing | Required::Never => false,
    }
}

fn all<'i>(member: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    let mut all: Option<Verified> = None;
    for requirement in member.items_of("requirements") {
        let Authn::Verified(verified) = authn(&requirement, tokens) else {
            continue;
        };
        let both = match all {
            None => verified,
            Some(before) => {
                let one = before.clone().and(verified.clone());
                match one == Verified::NEVER {
                    false => one,
                    true => further(before, &verified).unwrap_or_else(|| {
                        member.stricter(
                            "one token cannot meet this, and several only where each is read from \
                             places of its own: requests under it are denied",
                        );
                        Verified::NEVER
                    }),
                }
            }
        };
        all = Some(both);
    }
    all.map_or(Authn::Ignored, Authn::Verified)
}

/// The request has this token too.
fn further(mut first: Verified, second: &Verified) -> Option<Verified> {
    let must = |one: &Verified| one.optional == Optional::Nothing && *one != Verified::NEVER;
    let is_apart = |one: &Verified| {
        let others = first.further.iter().map(|further| &further.reads);
        let mut others = others.chain([&first.reads]);
        others.all(|reads| {
            reads.is_disjoint(&one.reads) && reads.issuers().is_disjoint(&one.reads.issuers())
        })
    };
    let is_sayable = must(&first)
        && must(second)
        && second.further.is_empty()
        && is_apart(second)
        && first.further.len() < FURTHER;
    is_sayable.then(|| {
        let issuers: Vec<_> = second.reads.issuers().into_iter().collect();
        first.further.push(Further {
            name: issuers.join(" or "),
            required: second.required.clone(),
            reads: second.reads.clone(),
        });
        first
    })
}

/// Which providers are named together only: a token of one is good wherever one of
/// the other is.
#[derive(Debug, Default)]
pub(super) struct Either {
    /// The names of each requirement.
    together: Vec<BTreeSet<String>>,
    /// Whether somewhere the first provider of an `iss` stands for all.
    has_first: bool,
}

impl Either {
    pub(super) fn of(config: &Node<'_>) -> Self {
        let mut either = Self::default();
        either.add(config);
        either
    }

    pub(super) fn says(&self, a: &str, b: &str) -> bool {
        let mut together = self.together.iter();
        !self.has_first && together.all(|names| names.contains(a) == names.contains(b))
    }

    fn add(&mut self, node: &Node<'_>) {
        let name = |node: &Node<'_>| match node.value.get("provider_name") {
            Some(name) => name.as_str().map(str::to_owned),
            None => node.value.get("providerName")?.as_str().map(str::to_owned),
        };
        if node.value.is_array() {
            return node.items().iter().for_each(|item| self.add(item));
        }
        if !node.value.is_object() {
            return;
        }
        if let Some(any) = node.member("requires_any") {
            let parts = any.items_of("requirements");
            self.together.push(parts.iter().filter_map(name).collect());
            let others = parts.iter().filter(|part| name(part).is_none());
            for part in others {
                match bypass(part) {
                    Some(_) => self.has_first |= parts.iter().all(|part| name(part).is_none()),
                    None => self.add(part),
                }
            }
            return;
        }
        self.has_first |= bypass(node).is_some();
        self.together
            .extend(name(node).map(|name| BTreeSet::from([name])));
        let members = node.members();
        members.iter().for_each(|(_, member)| self.add(member));
    }
}

/// Adds the audiences that rules require instead of the provider's: its issuer
/// must accept them.
pub(super) fn add_audiences(node: &Node<'_>, providers: &mut [Provider<'_>]) {
    if let Some(both) = node.member("provider_and_audiences") {
        let name = both.text_of("provider_name").unwrap_or_default();
        for provider in providers
            .iter_mut()
            .filter(|provider| provider.name == name)
        {
            provider.other_audiences.extend(both.texts_of("audiences"));
        }
    } else if node.value.is_object() {
        let members = node.members();
        members
            .iter()
            .for_each(|(_, node)| add_audiences(node, providers));
    } else if node.value.is_array() {
        node.items()
            .iter()
            .for_each(|node| add_audiences(node, providers));
    }
}
