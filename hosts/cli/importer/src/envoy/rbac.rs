//! The RBAC filter.

use super::route::{self, JWT_AUTHN_NAME};
use crate::{
    formula::Formula,
    input::Node,
    request,
    text::{How, Text},
    tokens::{Tokens, unknown},
};

/// What the filter admits.
pub(super) fn filter<'i>(config: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    if let Some(matcher) = config.member("matcher") {
        return unknown(&matcher, "a tree of matchers cannot be carried over");
    }
    for name in ["shadow_rules", "shadow_matcher"] {
        if let Some(shadow) = config.member(name) {
            shadow.dropped("shadow rules are not carried over");
        }
    }
    let Some(rules) = config.member("rules") else {
        return Formula::Const(true);
    };
    let policies = rules.member("policies").map(|node| node.members());
    let policies = policies.unwrap_or_default().into_iter();
    let any = Formula::Any(policies.map(|(_, node)| policy(&node, tokens)).collect());
    match rules.text_of("action").unwrap_or("ALLOW") {
        "ALLOW" => any,
        "DENY" => !any,
        "LOG" => {
            rules.dropped("rules that only log are not carried over");
            Formula::Const(true)
        }
        _ => unknown(&rules, "this action is not known here"),
    }
}

fn policy<'i>(policy: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let one_of = |name| {
        let items = policy.items_of(name);
        Formula::Any(items.iter().map(|item| condition(item, tokens)).collect())
    };
    let mut all = vec![one_of("permissions"), one_of("principals")];
    for other in policy.others(&["permissions", "principals"]) {
        all.push(unknown(&other, "conditions in CEL cannot be carried over"));
    }
    Formula::All(all)
}

/// A `Permission` or a `Principal`: their members have different names where
/// they mean different things.
fn condition<'i>(node: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let members = node.others(&[]);
    let [member] = members.as_slice() else {
        return unknown(node, "a permission or principal has exactly one member");
    };
    let parts = |name| -> Vec<_> {
        let items = member.items_of(name);
        items.iter().map(|item| condition(item, tokens)).collect()
    };
    match member.kind().as_str() {
        "any" => Formula::Const(true),
        "and_rules" => Formula::All(parts("rules")),
        "and_ids" => Formula::All(parts("ids")),
        "or_rules" => Formula::Any(parts("rules")),
        "or_ids" => Formula::Any(parts("ids")),
        "not_rule" | "not_id" => !condition(member, tokens),
        "header" => route::header(member),
        "url_path" => {
            let matcher = member.member("path");
            match matcher.as_ref().and_then(Text::of_envoy) {
                Some(text) => request::path(member, &text),
                None => unknown(member, "this way to match a path is not known here"),
            }
        }
        "uri_template" => match member.at(&["typed_config", "path_template"]) {
            Some(template) => request::path(
                member,
                &Text::new(How::Template(template.text().to_owned())),
            ),
            None => unknown(member, "this way to match a path is not known here"),
        },
        "metadata" => metadata(member, tokens),
        _ => unknown(
            member,
            "a policy can use only path, method, host and the token",
        ),
    }
}

/// A claim in the payload, which the provider has named.
fn metadata<'i>(node: &Node<'i>, tokens: &Tokens<'i>) -> Formula<'i> {
    let path: Vec<String> = node
        .items_of("path")
        .iter()
        .filter_map(|segment| segment.text_of("key").map(str::to_owned))
        .collect();
    let (Some(JWT_AUTHN_NAME), [payload, claim @ ..], Some(value)) = (
        node.text_of("filter"),
        path.as_slice(),
        node.member("value"),
    ) else {
        return unknown(node, "only metadata of `jwt_authn` is known here");
    };
    let has_it = |iss: &str| {
        let mut of_issuer = tokens.usable().filter(|provider| provider.iss == iss);
        of_issuer.all(|provider| provider.payload == *payload)
    };
    let issuers = tokens.issuers.iter().filter(|issuer| has_it(&issuer.iss));
    let issuers = issuers.map(|issuer| issuer.name.clone()).collect();
    let says = matched(&value, claim, tokens);
    let formula = Formula::Of(issuers, Box::new(says), node.clone());
    match node.flag_of("invert") {
        true => !formula,
        false => formula,
    }
}

/// `ValueMatcher`.
fn matched<'i>(value: &Node<'i>, claim: &[String], tokens: &Tokens<'i>) -> Formula<'i> {
    let members = value.others(&[]);
    let [how] = members.as_slice() else {
        return unknown(value, "a value has exactly one comparison");
    };
    match how.kind().as_str() {
        "string_match" => match Text::of_envoy(how) {
            Some(text) => tokens.text(how, claim, &text),
            None => unknown(how, "this way to compare text is not known here"),
        },
        "bool_match" if how.value.is_boolean() => tokens.value(how, claim, how.value.clone()),
        "double_match" => match how.member("exact") {
            Some(number) if number.value.is_number() => {
                tokens.value(how, claim, number.value.clone())
            }
            _ => unknown(how, "a number is compared with one number"),
        },
        "or_match" => {
            let any = how.items_of("value_matchers");
            Formula::Any(
                any.iter()
                    .map(|value| matched(value, claim, tokens))
                    .collect(),
            )
        }
        "list_match" => match how.at(&["one_of", "string_match"]) {
            Some(item) => match Text::of_envoy(&item) {
                Some(text) => tokens.item(&item, claim, &text),
                None => unknown(&item, "this way to compare text is not known here"),
            },
            None => unknown(how, "only text in a list is compared"),
        },
        "present_match" if *how.value == true => tokens.present(how, claim),
        "present_match" => Formula::Const(false),
        _ => unknown(how, "this way to compare a claim is not known here"),
    }
}
