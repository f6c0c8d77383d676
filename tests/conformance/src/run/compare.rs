//! Compares expected and actual values, member by member.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    protocol::{Denial, Grant, Principal, Problem, Reply},
    vector::{Allow, Deny, ExpectedProblem},
};

pub(super) fn opened(reply: &Reply, wanted: &[ExpectedProblem]) -> Vec<String> {
    match reply {
        Reply::Opened {} if wanted.is_empty() => Vec::new(),
        Reply::Problems(problems) if !wanted.is_empty() => wanted
            .iter()
            .filter(|wanted| {
                !problems.iter().any(|seen| {
                    seen.severity == "error"
                        && (&seen.pointer, &seen.code) == (&wanted.pointer, &wanted.code)
                })
            })
            .map(|wanted| format!("no `{}` at `{}`: {problems:?}", wanted.code, wanted.pointer))
            .collect(),
        _ => vec![format!("opening: {reply:?}")],
    }
}

pub(super) fn skipped(wanted: &[String], skipped: &[Problem]) -> Vec<String> {
    let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let seen: BTreeSet<&str> = skipped.iter().map(|p| p.pointer.as_str()).collect();
    differing("skipped", &wanted, &seen)
}

pub(super) fn grant(wanted: &Allow, grant: &Grant) -> Vec<String> {
    let mut faults = Vec::new();
    match (&wanted.principal, &grant.principal) {
        (None, _) | (Some(None), None) => {}
        (Some(None), Some(_)) => faults.push("a principal, where none may be".to_owned()),
        (Some(Some(_)), None) => faults.push("no principal".to_owned()),
        (Some(Some(wanted)), Some(seen)) => faults.extend(principal(wanted, seen)),
    }
    if let Some(wanted) = &wanted.others {
        let names: BTreeSet<&String> = wanted.keys().collect();
        let seen = grant.others.keys().collect();
        faults.extend(differing("others", &names, &seen));
        for (name, wanted) in wanted {
            let seen = grant.others.get(name).into_iter();
            faults.extend(seen.flat_map(|seen| principal(wanted, seen)));
        }
    }
    if let Some(wanted) = &wanted.set_headers {
        let wanted: BTreeSet<(&str, &str)> = wanted
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str().unwrap_or_default()))
            .collect();
        let seen = grant
            .set_headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        faults.extend(differing("set_headers", &wanted, &seen));
    }
    faults.extend(names(
        "remove_headers",
        &wanted.remove_headers,
        &grant.remove_headers,
    ));
    if let Some(wanted) = &wanted.changes {
        faults.extend(differing("changes", wanted, &grant.changes));
    }
    faults
}

fn principal(wanted: &Map<String, Value>, principal: &Principal) -> Vec<String> {
    let seen = serde_json::to_value(principal).unwrap_or_default();
    let member = |(name, value): (&String, &Value)| {
        differing(name, value, seen.get(name).unwrap_or(&Value::Null))
    };
    wanted.iter().flat_map(member).collect()
}

pub(super) fn denial(wanted: &Deny, denial: &Denial) -> Vec<String> {
    let mut faults = differing("code", &wanted.code, &denial.code);
    faults.extend(differing("status", &wanted.status, &denial.status));
    if let Some(claim) = &wanted.claim {
        faults.extend(differing("claim", claim, &denial.claim));
    }
    if let Some(principal) = &wanted.principal {
        faults.extend(differing("principal", principal, &denial.principal));
    }
    if let Some(challenge) = &wanted.challenge {
        faults.extend(differing("challenge", challenge, &denial.challenge));
    }
    if let Some(retry_after_s) = &wanted.retry_after_s {
        faults.extend(differing(
            "retry_after_s",
            retry_after_s,
            &denial.retry_after_s,
        ));
    }
    if let Some(nonce) = &wanted.nonce {
        faults.extend(differing("nonce", nonce, &denial.nonce));
    }
    faults
}

fn names(what: &str, wanted: &Option<Vec<String>>, seen: &[String]) -> Vec<String> {
    let Some(wanted) = wanted else {
        return Vec::new();
    };
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    differing(what, &wanted, &seen.iter().collect())
}

fn differing<T: PartialEq + std::fmt::Debug>(what: &str, wanted: &T, seen: &T) -> Vec<String> {
    if wanted == seen {
        Vec::new()
    } else {
        vec![format!("{what}: expected {wanted:?}, got {seen:?}")]
    }
}
