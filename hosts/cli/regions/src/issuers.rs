//! What differs in the issuers of two policies.

use serde_json::{Map, Value, json};

use crate::{
    difference::{Admits, Change, Difference, Effect, Subject},
    example::Examples,
    policy::{Policy, list, text},
    requirement::of_issuer,
    settings::is_tolerant,
};

/// A difference for each issuer that is changed, added or removed.
pub(crate) fn differences(
    old: &Policy<'_>,
    new: &Policy<'_>,
    examples: &Examples<'_>,
) -> Vec<Difference> {
    let (before, after): (Vec<_>, Vec<_>) = (old.issuers().collect(), new.issuers().collect());
    let named = |list: &[(&str, &Map<String, Value>)], name: &str| {
        let mut list = list.iter();
        let found = list.find(|(own, _)| *own == name);
        found
            .map(|(_, issuer)| (*issuer).clone())
            .unwrap_or_default()
    };
    let mut names: Vec<&str> = before.iter().map(|(name, _)| *name).collect();
    names.extend(
        after
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| named(&before, name).is_empty()),
    );
    let difference = |name: &str| {
        let (mut before, mut after) = (named(&before, name), named(&after, name));
        for (issuer, policy) in [(&mut before, old), (&mut after, new)] {
            if !issuer.is_empty() && is_kept(name, policy) {
                issuer.insert("kept for places that name it".to_owned(), json!(true));
            }
        }
        let changes = Change::of(&before, &after, |name, old, new| {
            // Of an issuer it has conditions on claims, in the order of the checks.
            let name = if name == "require" { "claims" } else { name };
            text(name, old) != text(name, new)
        });
        (!changes.is_empty()).then(|| Difference {
            subject: Subject::Issuer {
                name: name.to_owned(),
                rules: rules(name, new),
            },
            effects: effects(name, [(old, &before), (new, &after)], &changes, examples),
            changes: changes.into_iter().map(without_secrets).collect(),
        })
    };
    names.into_iter().filter_map(difference).collect()
}

fn effects(
    name: &str,
    [(old, before), (new, after)]: [(&Policy<'_>, &Map<String, Value>); 2],
    changes: &[Change],
    examples: &Examples<'_>,
) -> Vec<Effect> {
    // A token that is no longer good may count as not sent, or another one is taken.
    let tolerant = is_tolerant(old) || is_tolerant(new);
    let less = if tolerant {
        Admits::CanMore
    } else {
        Admits::Less
    };
    if before.is_empty() {
        return vec![examples.of_issuer(name, new, Admits::More, Vec::new())];
    }
    if after.is_empty() {
        // Its tokens may be another issuer's now.
        let open = new.issuers().any(|(_, issuer)| {
            let is_open = |source: &Value| source.get("opaque").is_some();
            let exact = issuer.get("issuer").is_none_or(Value::is_string);
            !exact || issuer.get("introspection").is_some_and(is_open)
        });
        let admits = if open { Admits::CanMore } else { less };
        return vec![examples.of_issuer(name, old, admits, Vec::new())];
    }
    let mut effects = Vec::new();
    let (mut compares, mut others) = (false, None);
    for change in changes {
        let admits = match change.name.as_str() {
            "audiences" | "require" | "max_token_age_s" => {
                compares = true;
                continue;
            }
            "leeway_s" => {
                let own = |value: &Value, policy: &Policy<'_>| {
                    let shared = || policy.json.get("leeway_s").and_then(Value::as_u64);
                    value.as_u64().or_else(shared).unwrap_or(30)
                };
                match own(&change.new, new) < own(&change.old, old) {
                    true => less,
                    false => Admits::More,
                }
            }
            // Only the start of a host waits for it.
            "needed_at_start" => Admits::Same,
            _ => Admits::CanMore,
        };
        if others.is_none_or(|before| before != Admits::CanMore) {
            others = Some(admits);
            if admits != Admits::CanMore {
                effects.push(Effect::on_all(admits));
            }
        }
    }
    if others == Some(Admits::CanMore) {
        effects.push(examples.of_issuer(name, new, Admits::CanMore, Vec::new()));
    }
    if compares {
        let formula = |issuer: &Map<String, Value>| of_issuer(&Value::Object(issuer.clone()));
        let (more, fewer) = match (formula(before), formula(after)) {
            (Some(before), Some(after)) => {
                (after.but_not(&before, &[]), before.but_not(&after, &[]))
            }
            _ => (None, None),
        };
        for (cases, policy, admits) in [(more, new, Admits::More), (fewer, old, less)] {
            match cases {
                None => effects.push(Effect::on_all(Admits::CanMore)),
                Some(cases) => effects.extend(
                    cases
                        .into_iter()
                        .map(|case| examples.of_issuer(name, policy, admits, case)),
                ),
            }
        }
    }
    if effects.is_empty() {
        effects.push(Effect::on_all(Admits::Same));
    }
    effects
}

/// The change as it may be shown: a policy can have secrets in it.
fn without_secrets(mut change: Change) -> Change {
    fn hide(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(hide),
            Value::Object(members) => {
                for (name, member) in members {
                    match name.as_str() {
                        "k" | "secret" => *member = json!("(hidden)"),
                        _ => hide(member),
                    }
                }
            }
            _ => {}
        }
    }
    if matches!(change.name.as_str(), "keys" | "api_keys" | "introspection") {
        hide(&mut change.old);
        hide(&mut change.new);
    }
    change
}

/// Whether a place for another principal names the issuer: then its tokens are good
/// only from places that name it, in every rule.
fn is_kept(name: &str, policy: &Policy<'_>) -> bool {
    let lists = std::iter::once(policy.json).chain(list(policy.json, "rules"));
    let mut places = lists.flat_map(|of| list(of, "credentials"));
    places.any(|place| {
        place.get("principal").is_some() && list(place, "issuers").any(|own| own == name)
    })
}

/// The rules that read tokens and do not ask for another issuer.
fn rules(name: &str, policy: &Policy<'_>) -> Vec<usize> {
    let takes = |rule: &Value| {
        let required = rule
            .get("require")
            .map(|required| list(required, "issuers"));
        let mut required = required.into_iter().flatten().peekable();
        let is_public = rule.get("public") == Some(&json!(true));
        let other = required.peek().is_some() && !required.any(|own| own == name);
        !is_public && (!other || rule.get("principals").is_some())
    };
    let rules = list(policy.json, "rules").enumerate();
    rules
        .filter(|(_, rule)| takes(rule))
        .map(|(index, _)| index)
        .collect()
}
