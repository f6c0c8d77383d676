//! The claims of a token of which facts are true.

use serde_json::{Map, Value, json};

use crate::{
    fact::What,
    policy::{Policy, list},
    requirement::pointer,
};

/// The members of a case that speak of a token: `token` (its claims), `issuer`,
/// `jose`, `forged`. `None` where no issuer signs such a token.
pub(crate) fn token(
    policy: &Policy<'_>,
    facts: &[(&What, bool)],
    place: Option<&Value>,
    now_s: u64,
    mut of_request: impl FnMut(&Value) -> String,
) -> Option<Map<String, Value>> {
    let (name, issuer) = issuer(policy, facts, place)?;
    let mut claims = Map::new();
    let mut token = Map::new();
    token.insert("issuer".to_owned(), json!(name));
    if facts.contains(&(&What::Good, false)) {
        token.insert("forged".to_owned(), json!(true));
    }
    of_template(issuer, &mut claims);
    if let Some(Value::Object(wanted)) = issuer.get("require") {
        each_condition(wanted, &mut claims);
    }
    let kind = kind(issuer, facts);
    if let Some(Value::Object(wanted)) = kind.and_then(|kind| kind.get("claim")) {
        each_condition(wanted, &mut claims);
    }
    if let Some(typ) = kind.and_then(|kind| kind.get("header_typ")?.get(0)) {
        token.insert("jose".to_owned(), json!({ "typ": typ }));
    }
    let required = kind
        .into_iter()
        .flat_map(|kind| list(kind, "required_claims"));
    for claim in required.filter_map(Value::as_str) {
        put_if_absent(&mut claims, claim, json!("x1"));
    }
    let mapping = issuer.get("claims").cloned().unwrap_or_default();
    let mapped = |part: &str, default: &str| {
        first_source(mapping.get(part)).unwrap_or_else(|| default.to_owned())
    };
    put_if_absent(&mut claims, &mapped("subject", "/sub"), json!("x1"));
    let mut audiences: Vec<Value> = Vec::new();
    for (what, holds) in facts {
        match (what, holds) {
            (What::Scope(text), true) => push(&mut claims, &mapped("scopes", "/scope"), text),
            (What::Role(text), true) => push(&mut claims, &mapped("roles", "/roles"), text),
            (What::Audience(text), true) => audiences.push(json!(text)),
            (What::Audience(text), false) if audiences.is_empty() => {
                // The default would be one that must be missing.
                let other = accepted(issuer).into_iter().find(|other| other != text);
                let asked =
                    |other: &String| !facts.contains(&(&What::Audience(other.clone()), true));
                audiences.extend(other.filter(asked).map(|other| json!(other)));
            }
            (What::Acr(text), true) => put(&mut claims, "/acr", json!(text)),
            (What::AuthAge(_), true) => put(&mut claims, "/auth_time", json!(now_s)),
            (What::TokenAge(age), false) => {
                put(&mut claims, "/iat", json!(now_s.saturating_sub(age + 400)));
            }
            (What::Subject(named), true) => {
                let text = named_text(named, &mut of_request);
                put(&mut claims, &mapped("subject", "/sub"), json!(text));
            }
            (What::Tenant(named), true) => {
                let text = json!(named_text(named, &mut of_request));
                match first_source(mapping.get("tenants")) {
                    Some(source) => put(&mut claims, &source, json!([text])),
                    None => put(&mut claims, &mapped("tenant", "/tenant"), text),
                }
            }
            (What::Claim { source, condition }, true) => {
                meet(source, condition, &mut claims, &mut of_request);
            }
            _ => {}
        }
    }
    if !audiences.is_empty() {
        let accepted = accepted(issuer);
        let denied = |text: &String| facts.contains(&(&What::Audience(text.clone()), false));
        if !accepted.iter().any(|own| audiences.contains(&json!(own))) {
            audiences.extend(
                accepted
                    .iter()
                    .find(|own| !denied(own))
                    .map(|own| json!(own)),
            );
        }
        put(&mut claims, "/aud", Value::Array(audiences));
    }
    token.insert("token".to_owned(), Value::Object(claims));
    Some(token)
}

/// The issuer whose token it is: one that signs tokens, and from here.
fn issuer<'p>(
    policy: &Policy<'p>,
    facts: &[(&What, bool)],
    place: Option<&Value>,
) -> Option<(&'p str, &'p Map<String, Value>)> {
    let fits = |name: &str| {
        let own = What::Issuer(name.to_owned());
        let mut issuers = facts
            .iter()
            .filter(|(what, _)| matches!(what, What::Issuer(_)));
        let is_named = facts.contains(&(&own, true));
        is_named || !issuers.any(|(what, holds)| *holds || **what == own)
    };
    let from_here = |name: &str| {
        let mut named = place
            .into_iter()
            .flat_map(|place| list(place, "issuers"))
            .peekable();
        named.peek().is_none() || named.any(|own| own == name)
    };
    let mut issuers = policy.issuers();
    issuers.find(|(name, issuer)| issuer.contains_key("keys") && fits(name) && from_here(name))
}

/// The token type: the one that is asked for, or the first that is not excluded.
fn kind<'i>(issuer: &'i Map<String, Value>, facts: &[(&What, bool)]) -> Option<&'i Value> {
    let types = issuer.get("token_types").and_then(Value::as_array)?;
    let known = |kind: &Value, holds| {
        let name = kind.get("name").and_then(Value::as_str).unwrap_or_default();
        facts.contains(&(&What::Type(name.to_owned()), holds))
    };
    let asked = types.iter().find(|kind| known(kind, true));
    asked.or_else(|| types.iter().find(|kind| !known(kind, false)))
}

/// The claims that the issuer's template captures.
fn of_template(issuer: &Map<String, Value>, claims: &mut Map<String, Value>) {
    let captured = issuer
        .get("issuer")
        .and_then(|iss| iss.get("claims")?.as_object());
    for (name, claim) in captured.into_iter().flatten() {
        if let Some(source) = first_source(Some(claim)) {
            put(claims, &source, json!(name));
        }
    }
}

fn accepted(issuer: &Map<String, Value>) -> Vec<String> {
    let audiences = issuer.get("audiences");
    let all = audiences.and_then(|audiences| audiences.get("all"));
    let listed = all.or(audiences).and_then(Value::as_array);
    let texts = listed.into_iter().flatten().filter_map(Value::as_str);
    texts.map(Into::into).collect()
}

fn named_text(named: &Value, of_request: &mut impl FnMut(&Value) -> String) -> String {
    match named.get("fixed").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None if named.is_object() => of_request(named),
        None => "x1".to_owned(),
    }
}

fn each_condition(wanted: &Map<String, Value>, claims: &mut Map<String, Value>) {
    for (claim, condition) in wanted {
        meet(&json!(claim), condition, claims, &mut |_| "x1".to_owned());
    }
}

/// Adds a claim that meets a condition, where that is simple.
fn meet(
    source: &Value,
    condition: &Value,
    claims: &mut Map<String, Value>,
    of_request: &mut impl FnMut(&Value) -> String,
) {
    let read = source.as_object().or_else(|| condition.as_object());
    let as_keys = read
        .and_then(|read| read.get("as"))
        .is_some_and(|how| how == "keys");
    let claim = source.as_str().or_else(|| source.get("claim")?.as_str());
    let (Some(claim), Some(value)) = (claim, value(condition, of_request)) else {
        return;
    };
    let value = match value {
        Value::Array(items) if as_keys => {
            let keys = items.iter().filter_map(Value::as_str);
            Value::Object(keys.map(|key| (key.to_owned(), json!({}))).collect())
        }
        value => value,
    };
    put(claims, claim, value);
}

/// A value that meets the condition. `None` where the claim is to be missing, or
/// where that is not simple.
fn value(condition: &Value, of_request: &mut impl FnMut(&Value) -> String) -> Option<Value> {
    let Value::Object(words) = condition else {
        return Some(condition.clone());
    };
    for (word, operand) in words {
        return Some(match (word.as_str(), operand) {
            ("as" | "separator" | "at", _) => continue,
            ("equals", Value::Object(_)) => json!(of_request(operand)),
            ("equals", scalar) => scalar.clone(),
            ("contains", Value::Object(_)) => json!([of_request(operand)]),
            ("contains", scalar) => json!([scalar]),
            ("one_of" | "any_of" | "all_of", list) => return value(list.get(0)?, of_request),
            ("starts_with", Value::String(text)) => json!(format!("{text}x")),
            ("ends_with", Value::String(text)) => json!(format!("x{text}")),
            ("some" | "every", inner) => json!([value(inner, of_request)?]),
            ("present", Value::Bool(true)) => json!("x1"),
            ("not", _) => json!("x1"),
            _ => return None,
        });
    }
    None
}

/// The first place from which a mapping reads.
fn first_source(mapping: Option<&Value>) -> Option<String> {
    let first = match mapping? {
        Value::Array(several) => several.first()?,
        one => one,
    };
    let claim = first.as_str().or_else(|| first.get("claim")?.as_str())?;
    Some(pointer(claim))
}

fn put_if_absent(claims: &mut Map<String, Value>, claim: &str, value: Value) {
    let own = Value::Object(claims.clone());
    if own.pointer(&pointer(claim)).is_none() {
        put(claims, claim, value);
    }
}

/// Adds to a list of texts.
fn push(claims: &mut Map<String, Value>, claim: &str, text: &str) {
    let own = Value::Object(claims.clone());
    let mut items = own
        .pointer(&pointer(claim))
        .and_then(Value::as_array)
        .cloned();
    let items = items.get_or_insert_default();
    items.push(json!(text));
    put(claims, claim, json!(items));
}

/// Sets the claim at a name or a JSON Pointer.
fn put(claims: &mut Map<String, Value>, claim: &str, value: Value) {
    let pointer = pointer(claim);
    let names = pointer.split('/').skip(1);
    let mut names: Vec<_> = names
        .map(|name| name.replace("~1", "/").replace("~0", "~"))
        .collect();
    let Some(last) = names.pop() else { return };
    let mut inner = claims;
    for name in names {
        let member = inner.entry(name).or_insert_with(|| json!({}));
        if !member.is_object() {
            *member = json!({});
        }
        let Value::Object(members) = member else {
            return;
        };
        inner = members;
    }
    inner.insert(last, value);
}
