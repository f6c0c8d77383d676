//! `rules` of `jwt_authn`: which token a request needs.

use super::route;
use crate::{
    access::Authn,
    formula::{Formula, Required},
    input::Node,
    provider::Provider,
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

const NEVER: Authn = Authn::Verified {
    optional: false,
    required: Required::Never,
};

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
        "allow_missing" => optional(tokens),
        "allow_missing_or_failed" => {
            member.stricter("an invalid token is denied, and not treated as absent");
            optional(tokens)
        }
        _ => {
            member
                .stricter("this requirement cannot be carried over: requests under it are denied");
            NEVER
        }
    }
}

fn optional(tokens: &Tokens<'_>) -> Authn {
    Authn::Verified {
        optional: true,
        required: tokens.of_any(),
    }
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
        Some(provider) => Authn::Verified {
            optional: false,
            required: tokens.of(provider, audiences),
        },
        None => {
            node.refuse(format!("no provider is named `{name}`"));
            NEVER
        }
    }
}

fn any<'i>(member: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    let requirements = member.items_of("requirements");
    let is_other = |node: &Node<'_>| {
        node.member("allow_missing").is_none() && node.member("allow_missing_or_failed").is_none()
    };
    let (mut is_optional, mut any) = (false, Vec::new());
    for requirement in &requirements {
        match authn(requirement, tokens) {
            Authn::Ignored => {
                requirement.stricter("one of these requires nothing: requests under it are denied");
                return NEVER;
            }
            Authn::Verified { optional, .. } if !is_other(requirement) => is_optional |= optional,
            Authn::Verified { optional, required } => {
                is_optional |= optional;
                any.push(required);
            }
        }
    }
    // With nothing beside it, a token of any provider will do.
    if any.is_empty() && is_optional {
        return optional(tokens);
    }
    Authn::Verified {
        optional: is_optional,
        required: Required::any(any),
    }
}

fn all<'i>(member: &Node<'i>, tokens: &Tokens<'i>) -> Authn {
    let (mut is_optional, mut all) = (true, Vec::new());
    for requirement in member.items_of("requirements") {
        if let Authn::Verified { optional, required } = authn(&requirement, tokens) {
            is_optional &= optional;
            all.push(required);
        }
    }
    if all.is_empty() {
        return Authn::Ignored;
    }
    let required = Required::all(all);
    if required == Required::Never {
        member.stricter("a request has only one token, not one of each provider: it is denied");
    }
    Authn::Verified {
        optional: is_optional,
        required,
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
