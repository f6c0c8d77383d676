//! The headers that tell the backend of the token.

use std::collections::{BTreeMap, BTreeSet};

use countersign_policy_source::child_pointer;
use serde_json::{Value, json};

use crate::{access::Authn, input::Node, place::Place, provider::Provider, tokens::Tokens};

/// The name of a header that a policy can set: in lower case, and without `_`,
/// which is read as `-` where the header is removed from requests.
pub(crate) fn header(node: &Node<'_>, name: &str) -> String {
    if name.contains('_') {
        node.changed("the header is set with `-` in place of `_`");
    }
    name.to_ascii_lowercase().replace('_', "-")
}

/// The value of `forward` for a claim, whose nested members are separated by dots
/// in both inputs; `None` where a policy cannot read it.
pub(crate) fn claim(node: &Node<'_>, name: &str) -> Option<Value> {
    match name {
        "sub" => return Some(json!("subject")),
        "iss" => return Some(json!("issuer")),
        "exp" => return Some(json!("expiry")),
        _ => {}
    }
    let is_index = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    if name.split('.').any(str::is_empty) || name.split('.').skip(1).any(is_index) {
        return None;
    }
    node.changed("a list is forwarded as its texts with spaces between them, an object not at all");
    let pointer = name
        .split('.')
        .fold(String::new(), |pointer, name| child_pointer(&pointer, name));
    Some(json!({ "claim": pointer }))
}

/// The principals of second tokens, by the name of the policy's issuer, as far as
/// no token of the issuer is ever a first one.
fn second<'a>(authn: impl Iterator<Item = &'a Authn>) -> BTreeMap<String, String> {
    let (mut first, mut second) = (BTreeSet::new(), BTreeMap::new());
    for authn in authn {
        let Authn::Verified(verified) = authn else {
            continue;
        };
        first.extend(verified.reads.issuers());
        for further in &verified.further {
            for issuer in further.reads.issuers() {
                second.insert(issuer, further.name.clone());
            }
        }
    }
    second.retain(|issuer, _| !first.contains(issuer));
    second
}

/// A header that cannot be carried over must still be removed from requests: it
/// forwards the tenant, which is absent from every token, as no issuer maps one.
pub(crate) fn forward<'a>(
    tokens: &Tokens<'_>,
    authn: impl Iterator<Item = &'a Authn>,
    places: &[Place],
) -> BTreeMap<String, Value> {
    let second = second(authn);
    let principal = |provider: &Provider<'_>| {
        let issuer = tokens.issuer_of(provider)?;
        second.get(&issuer.name)
    };
    let usable = || tokens.usable();
    let headers: BTreeSet<_> = usable()
        .flat_map(|provider| provider.forward.keys())
        .collect();
    let mut forward = BTreeMap::new();
    for header in headers {
        let setters: Vec<_> = usable()
            .filter_map(|provider| Some((provider, provider.forward.get(header)?)))
            .collect();
        let Some(&(provider, first)) = setters.first() else {
            continue;
        };
        let is_same = setters.iter().all(|(_, value)| *value == first);
        let of = principal(provider);
        let has_same_principal = |other: &Provider<'_>| principal(other) == of;
        // Of one principal each issuer sets it.
        let all_set = usable()
            .filter(|provider| has_same_principal(provider))
            .all(|provider| provider.forward.contains_key(header));
        let only_these = setters
            .iter()
            .all(|(provider, _)| has_same_principal(provider));
        if let Some(value) = first
            && is_same
            && all_set
            && only_these
        {
            let value = match of {
                Some(name) => of_principal(name, value),
                None => value.clone(),
            };
            forward.insert(header.clone(), value);
            continue;
        }
        provider.node.stricter(format!(
            "the header `{header}` is removed from requests and not set: a policy sets a header \
             from one claim, for every issuer alike"
        ));
        forward.insert(header.clone(), json!("tenant"));
    }
    let is_place = |name: &String| {
        let mut headers = places.iter();
        headers.any(|place| matches!(place, Place::Header { name: own, .. } if own == name))
    };
    for provider in usable() {
        for header in provider.forward.keys().filter(|header| is_place(header)) {
            provider.node.refuse(format!(
                "tokens are read from `{header}`, so that it cannot be set for the backend"
            ));
        }
    }
    forward
}

fn of_principal(name: &str, value: &Value) -> Value {
    let mut of_principal = json!({ "principal": name });
    match value {
        Value::String(word) => of_principal["value"] = json!(word),
        source => of_principal["claim"] = source["claim"].clone(),
    }
    of_principal
}
