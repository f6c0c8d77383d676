//! What a policy says outside of its issuers and rules.

use serde_json::{Map, Value, json};

use crate::{
    difference::{Admits, Change, Difference, Effect, Subject},
    policy::{Policy, list, text},
    region::Region,
    requirement::compared,
    shape::{Host, Method, Path, Segment},
};

/// The members that rules and issuers speak for, or that decide nothing.
const ELSEWHERE: [&str; 7] = [
    "$schema",
    "issuers",
    "rules",
    "credentials",
    "several",
    "challenge",
    "default",
];

/// The differences, each with its own entry, as they can go different ways.
pub(crate) fn differences(old: &Policy<'_>, new: &Policy<'_>) -> Vec<Difference> {
    let (before, after) = (settings(old), settings(new));
    let changes = Change::of(&before, &after, |name, old, new| {
        text(name, old) != text(name, new)
    });
    let tolerant = is_tolerant(old) || is_tolerant(new);
    let difference = |change: Change| {
        let admits = admits(&change, tolerant);
        Difference {
            subject: Subject::Policy,
            changes: vec![change],
            effects: vec![Effect::on_all(admits)],
        }
    };
    let documents = documents(old, new);
    changes
        .into_iter()
        .map(difference)
        .chain(documents)
        .collect()
}

/// The settings with their defaults, and what rules say for requests of others.
fn settings(policy: &Policy<'_>) -> Map<String, Value> {
    let mut settings = policy.json.as_object().cloned().unwrap_or_default();
    settings.retain(|name, _| !ELSEWHERE.contains(&name.as_str()));
    for (name, default) in [
        ("leeway_s", json!(30)),
        ("path_case", json!("refuse")),
        ("strip_credential", json!(false)),
        ("realm", json!("countersign")),
        ("remember", json!(true)),
        ("fips", json!(false)),
        ("forward", json!({})),
    ] {
        settings.entry(name).or_insert(default);
    }
    if let Some(Value::Object(limits)) = settings.shift_remove("limits") {
        let limits = limits.into_iter();
        settings.extend(limits.map(|(name, limit)| (format!("limits/{name}"), limit)));
    }
    // `Connection` must not name one of them, whichever rule decides.
    let mut headers = Vec::new();
    for rule in list(policy.json, "rules") {
        for member in ["require", "principals"] {
            rule.get(member)
                .inspect(|member| compared(member, &mut headers));
        }
    }
    headers.sort();
    settings.insert("headers that rules compare".to_owned(), json!(headers));
    // Grants remove the headers and cookies of all places.
    if settings.get("strip_credential") == Some(&json!(true)) {
        let lists = std::iter::once(policy.json).chain(list(policy.json, "rules"));
        let places = lists.flat_map(|of| list(of, "credentials"));
        let places: Vec<_> = places.map(|place| text("", place)).collect();
        settings.insert("places of all rules".to_owned(), json!(places));
    }
    settings
}

fn admits(change: &Change, tolerant: bool) -> Admits {
    // A token that is no longer good may count as not sent, or another one is taken.
    let less = if tolerant {
        Admits::CanMore
    } else {
        Admits::Less
    };
    let grows =
        |old: &Value, new: &Value| old.as_f64().zip(new.as_f64()).map(|(old, new)| new > old);
    match change.name.as_str() {
        "leeway_s" => match grows(&change.old, &change.new) {
            Some(false) => less,
            _ => Admits::More,
        },
        "path_case" if change.new == "exact" => Admits::More,
        "path_case" => Admits::Less,
        "realm" | "remember" | "strip_credential" | "places of all rules" => Admits::Same,
        // Requests are refused whose `Connection` names one of these.
        "forward" => {
            let names = |value: &Value| -> Vec<String> {
                let names = value.as_object().into_iter().flatten();
                names.map(|(name, _)| name.to_ascii_lowercase()).collect()
            };
            fewer(&names(&change.old), &names(&change.new))
        }
        "headers that rules compare" => {
            let names = |value: &Value| -> Vec<String> {
                let names = value.as_array().into_iter().flatten();
                names.filter_map(Value::as_str).map(Into::into).collect()
            };
            fewer(&names(&change.old), &names(&change.new))
        }
        "limits/remembered_tokens" => Admits::Same,
        "limits/token_bytes" | "limits/header_bytes" => {
            let whole = |limit: &Value| {
                if limit.is_null() {
                    json!(u32::MAX)
                } else {
                    limit.clone()
                }
            };
            match grows(&whole(&change.old), &whole(&change.new)) {
                Some(false) => less,
                _ => Admits::More,
            }
        }
        _ => Admits::CanMore,
    }
}

fn fewer(old: &[String], new: &[String]) -> Admits {
    match (
        old.iter().all(|name| new.contains(name)),
        new.iter().all(|name| old.contains(name)),
    ) {
        (true, true) => Admits::Same,
        (true, false) => Admits::Less,
        (false, _) => Admits::CanMore,
    }
}

/// Whether a token that is no longer good can let a request pass that was denied.
pub(crate) fn is_tolerant(policy: &Policy<'_>) -> bool {
    let tolerates = |of: &Value| {
        let ignores = of.get("optional").is_some_and(Value::is_object);
        ignores || of.get("several").is_some_and(|several| several == "first")
    };
    tolerates(policy.json) || list(policy.json, "rules").any(tolerates)
}

/// Metadata documents (RFC 9728), which the gate answers itself before any rule.
fn documents(old: &Policy<'_>, new: &Policy<'_>) -> Option<Difference> {
    let (before, after) = (documents_of(old), documents_of(new));
    if before == after {
        return None;
    }
    let path = [".well-known", "oauth-protected-resource"];
    let region = Region {
        path: Path {
            segments: path.map(|text| Segment::Literal(text.to_owned())).into(),
            rest: true,
        },
        host: Host::Any,
        method: Method::One("GET".to_owned()),
    };
    let is_kept = before.iter().all(|document| after.contains(document));
    Some(Difference {
        subject: Subject::Rules {
            regions: vec![region],
            old: None,
            new: None,
        },
        changes: vec![Change {
            name: "metadata documents".to_owned(),
            old: json!(before),
            new: json!(after),
        }],
        effects: vec![Effect::on_all(if is_kept {
            Admits::Same
        } else {
            Admits::CanMore
        })],
    })
}

fn documents_of(policy: &Policy<'_>) -> Vec<String> {
    let all = std::iter::once(policy.json).chain(list(policy.json, "rules"));
    let documents = all.filter_map(|of| of.get("challenge")?.get("resource_metadata"));
    let mut documents: Vec<_> = documents
        .filter(|metadata| metadata.is_object())
        .map(ToString::to_string)
        .collect();
    documents.sort();
    documents.dedup();
    documents
}
