//! Requirements and conditions of a policy as formulas.

use serde_json::{Map, Value, json};

use crate::{
    fact::{Fact, What},
    formula::Formula,
};

/// Who may make a request, of a rule as [`crate::policy`] resolves it. `None` where
/// it has a word that this version does not know.
pub(crate) fn access(rule: &Map<String, Value>) -> Option<Formula> {
    if rule.get("public").is_some() {
        return Some(Formula::Const(true));
    }
    let mut all = Vec::new();
    let mut headers = Vec::new();
    for member in ["require", "principals"] {
        rule.get(member)
            .inspect(|member| compared(member, &mut headers));
    }
    all.extend(
        headers
            .into_iter()
            .map(|name| fact(None, What::Clear(name))),
    );
    let required = requirement(None, rule.get("require")?)?;
    let sent = fact(None, What::Sent);
    let good = fact(None, What::Good);
    let admitted = Formula::All(vec![sent.clone(), good, required]);
    let none = |missing| Formula::Not(Box::new(missing));
    all.push(match rule.get("optional") {
        None => admitted,
        Some(Value::Bool(true)) => Formula::Any(vec![none(sent), admitted]),
        // A bad token counts as not sent.
        Some(Value::Object(how)) if *how == *json!({ "bad_token": "ignore" }).as_object()? => {
            Formula::Any(vec![none(sent), fact(None, What::Bad), admitted])
        }
        Some(_) => return None,
    });
    let principals = rule.get("principals").and_then(Value::as_object);
    for (name, wanted) in principals.into_iter().flatten() {
        let name = Some(name.as_str());
        all.push(fact(name, What::Sent));
        all.push(fact(name, What::Good));
        all.push(requirement(name, wanted)?);
    }
    Some(Formula::All(all))
}

/// The names of the headers that a rule's requirements compare, each once.
pub(crate) fn compared(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| compared(item, names)),
        Value::Object(members) => {
            if let (Some(Value::String(name)), 1) = (members.get("header"), members.len()) {
                let name = name.to_ascii_lowercase();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            members.values().for_each(|member| compared(member, names));
        }
        _ => {}
    }
}

fn requirement(principal: Option<&str>, wanted: &Value) -> Option<Formula> {
    let mut all = Vec::new();
    for (name, value) in wanted.as_object()? {
        let one = |what: fn(String) -> What| {
            let one = move |text: &Value| Some(fact(principal, what(text.as_str()?.to_owned())));
            move |value: &Value| -> Option<Vec<Formula>> {
                value.as_array()?.iter().map(one).collect()
            }
        };
        all.push(match name.as_str() {
            "issuers" => Formula::Any(one(What::Issuer)(value)?),
            "audiences" => Formula::Any(one(What::Audience)(value)?),
            "types" => Formula::Any(one(What::Type)(value)?),
            "acr_values" => Formula::Any(one(What::Acr)(value)?),
            "scopes" => words(value, one(What::Scope))?,
            "roles" => words(value, one(What::Role))?,
            "subject" => fact(principal, What::Subject(value.clone())),
            "tenant" => fact(principal, What::Tenant(value.clone())),
            "claims" => conditions(principal, value)?,
            "max_token_age_s" => fact(principal, What::TokenAge(value.as_u64()?)),
            "max_auth_age_s" => fact(principal, What::AuthAge(value.as_u64()?)),
            "proof" => {
                let by = |kind: &str| fact(principal, What::Proof(kind.to_owned()));
                match value.as_str()? {
                    "any" => Formula::Any(vec![by("mtls"), by("dpop")]),
                    kind => by(kind),
                }
            }
            "all_of" => Formula::All(parts(principal, value)?),
            "any_of" => Formula::Any(parts(principal, value)?),
            _ => return None,
        });
    }
    Some(Formula::All(all))
}

fn parts(principal: Option<&str>, value: &Value) -> Option<Vec<Formula>> {
    let parts = value.as_array()?.iter();
    parts.map(|part| requirement(principal, part)).collect()
}

/// A list of which all are needed, or `all` and `any`.
fn words(value: &Value, list: impl Fn(&Value) -> Option<Vec<Formula>>) -> Option<Formula> {
    let Value::Object(both) = value else {
        return list(value).map(Formula::All);
    };
    let mut needed = Vec::new();
    for (name, value) in both {
        needed.push(match name.as_str() {
            "all" => Formula::All(list(value)?),
            "any" => Formula::Any(list(value)?),
            _ => return None,
        });
    }
    Some(Formula::All(needed))
}

/// What every token of an issuer meets, of the members that can be compared:
/// `audiences`, `require`, `max_token_age_s`.
pub(crate) fn of_issuer(issuer: &Value) -> Option<Formula> {
    let mut all = Vec::new();
    let texts = |list: &Value| -> Option<Vec<Formula>> {
        let one = |text: &Value| Some(fact(None, What::Audience(text.as_str()?.to_owned())));
        list.as_array()?.iter().map(one).collect()
    };
    match issuer.get("audiences") {
        None => {}
        Some(Value::String(any)) if any == "any" => {}
        Some(Value::Object(how)) if how.len() == 1 => all.extend(texts(how.get("all")?)?),
        Some(list) => all.push(Formula::Any(texts(list)?)),
    }
    if let Some(wanted) = issuer.get("require") {
        all.push(conditions(None, wanted)?);
    }
    if let Some(seconds) = issuer.get("max_token_age_s") {
        all.push(fact(None, What::TokenAge(seconds.as_u64()?)));
    }
    Some(Formula::All(all))
}

fn conditions(principal: Option<&str>, wanted: &Value) -> Option<Formula> {
    let each = wanted.as_object()?.iter();
    let one = |(claim, wanted): (&String, &Value)| condition(principal, &pointer(claim), wanted);
    Some(Formula::All(each.map(one).collect()))
}

/// The claim's name as a JSON Pointer.
pub(crate) fn pointer(claim: &str) -> String {
    match claim.starts_with('/') {
        true => claim.to_owned(),
        false => format!("/{}", claim.replace('~', "~0").replace('/', "~1")),
    }
}

/// A condition on a claim. What is not taken apart here is one fact: it holds of
/// the same tokens wherever it is written.
fn condition(principal: Option<&str>, claim: &str, wanted: &Value) -> Formula {
    let Value::Object(words) = wanted else {
        return condition(principal, claim, &json!({ "equals": wanted }));
    };
    let mut reading = words.clone();
    reading.retain(|word, _| matches!(word.as_str(), "as" | "separator" | "at"));
    let mut word = words.clone();
    word.retain(|word, _| !reading.contains_key(word));
    let within = |inner: &Value| {
        let mut inner = match inner {
            Value::Object(words) => words.clone(),
            scalar => Map::from_iter([("equals".to_owned(), scalar.clone())]),
        };
        inner.extend(reading.clone());
        condition(principal, claim, &Value::Object(inner))
    };
    let several = |list: &Value| {
        list.as_array()
            .map(|list| list.iter().map(within).collect())
    };
    let only = (word.len() == 1).then(|| word.iter().next()).flatten();
    let combined = match only.map(|(name, operand)| (name.as_str(), operand)) {
        Some(("one_of" | "any_of", list)) => several(list).map(Formula::Any),
        Some(("all_of", list)) => several(list).map(Formula::All),
        _ => None,
    };
    combined.unwrap_or_else(|| {
        let source = match reading.is_empty() {
            true => json!(claim),
            false => {
                reading.sort_keys();
                reading.insert("claim".to_owned(), json!(claim));
                Value::Object(reading.clone())
            }
        };
        let condition = Value::Object(word);
        fact(principal, What::Claim { source, condition })
    })
}

fn fact(principal: Option<&str>, what: What) -> Formula {
    Formula::Fact(Fact {
        principal: principal.map(str::to_owned),
        what,
    })
}
