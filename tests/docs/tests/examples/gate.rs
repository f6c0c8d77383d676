//! The gate of an example.

use std::borrow::Cow;

use countersign::{
    Change, Decision, Fetch, FetchKind, Gate, Need, Outcome, Principal, Problem, Request, Supplied,
};
use serde_json::{Value, json};

use crate::{
    case::{Case, Token},
    compare::compare,
    mint::Mint,
    moment,
    page::Example,
    place,
};

/// Everything that is not as the example says.
pub(crate) fn problems(example: &Example) -> Vec<String> {
    let title = &example.title;
    let json = example.policy.to_string();
    let mut wrong = Vec::new();
    let mut expected = example.warnings.clone();
    for problem in countersign::lint(json.as_bytes()) {
        match expected.iter().position(|code| *code == problem.code) {
            Some(known) => drop(expected.remove(known)),
            None => wrong.push(format!("{title}: {problem:?}")),
        }
    }
    wrong.extend(expected.iter().map(|code| format!("{title}: no `{code}`")));
    if wrong.is_empty() {
        let mut mint = Mint::new(json.as_bytes());
        for case in &example.cases.cases {
            let now_ms = case
                .now
                .or(example.cases.now)
                .unwrap_or_else(moment::now_ms);
            match decide(&mut mint, case, now_ms) {
                Err(reason) => wrong.push(format!("{title}: {}: {reason}", case.name)),
                Ok(decision) => {
                    for difference in compare(&case.expect, &decision) {
                        let (field, expected, got) =
                            (difference.field, difference.expected, difference.got);
                        wrong.push(format!(
                            "{title}: {}: {field}: {expected}, got {got} ({})",
                            case.name,
                            decision.get("code").unwrap_or_default()
                        ));
                    }
                }
            }
        }
    }
    wrong
}

fn decide(mint: &mut Mint, case: &Case, now_ms: u64) -> Result<Value, String> {
    let asked = Asked::new(mint, case, now_ms)?;
    let policy = mint.with_own_keys();
    let policy = anywhere(policy.unwrap_or_else(|| mint.policy().clone())).to_string();
    let mut gate = Gate::open(policy.as_bytes(), 0).map_err(|problems| format!("{problems:?}"))?;
    let decision = answer(&mut gate, &asked, now_ms, |gate, fetch| {
        let body = match fetch.kind {
            FetchKind::Discovery => metadata(mint.policy(), &fetch.issuer),
            FetchKind::Revocations => b"{}".to_vec(),
            _ => mint.publish(&fetch.issuer, None),
        };
        let skipped = supply(gate, &fetch, body, now_ms)?;
        match skipped.is_empty() {
            true => Ok(()),
            false => Err(format!("{}: {skipped:?}", fetch.uri)),
        }
    })?;
    Ok(as_json(&decision))
}

/// Without the words that demand who verifies signatures: what is decided does not
/// depend on it, and here the crate verifies them.
fn anywhere(mut policy: Value) -> Value {
    if let Some(fields) = policy.as_object_mut() {
        fields.retain(|name, _| !["signatures", "fips"].contains(&name.as_str()));
    }
    policy
}

/// A request, with its tokens in their places.
pub(crate) struct Asked {
    method: String,
    host: String,
    target: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Asked {
    pub(crate) fn new(mint: &mut Mint, case: &Case, now_ms: u64) -> Result<Self, String> {
        let line = case.request.as_deref().ok_or("no request")?;
        let (method, target) = line.split_once(' ').ok_or("no method")?;
        let headers = case.headers.iter();
        let mut asked = Self {
            method: method.to_owned(),
            host: case.host.clone().unwrap_or_default(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                .collect(),
        };
        for sent in case.tokens() {
            let token = match &sent.token {
                Token::Literal(token) => token.clone(),
                Token::Claims(claims) => mint.sign(&sent, claims, now_ms)?,
            };
            let first = || mint.policy().pointer("/credentials/0").cloned();
            let place = sent.place.clone().or_else(first).unwrap_or_default();
            let (target, headers) = (&mut asked.target, &mut asked.headers);
            place::put(&place, token.as_bytes(), target, headers);
        }
        Ok(asked)
    }

    pub(crate) fn with<T>(&self, f: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers = self.headers.iter();
        let headers: Vec<(&[u8], &[u8])> = headers
            .map(|(name, value)| (name.as_bytes(), value.as_slice()))
            .collect();
        f(&Request {
            method: self.method.as_bytes(),
            authority: self.host.as_bytes(),
            target: self.target.as_bytes(),
            headers: &headers,
            connection: Default::default(),
        })
    }
}

/// What the gate decides, once `fetch` has supplied all that it waits for.
pub(crate) fn answer(
    gate: &mut Gate,
    asked: &Asked,
    now_ms: u64,
    mut fetch: impl FnMut(&mut Gate, Fetch) -> Result<(), String>,
) -> Result<Decision, String> {
    for _ in 0..8 {
        match asked.with(|request| gate.check(request, now_ms)) {
            Decision::Wait(needs) => {
                for wanted in needs.into_iter().filter_map(Need::document) {
                    fetch(gate, wanted)?;
                }
            }
            decided => return Ok(decided),
        }
    }
    Err("the gate waits for ever".to_owned())
}

pub(crate) fn metadata(policy: &Value, name: &str) -> Vec<u8> {
    let issuers = policy["issuers"].as_array();
    let mut issuers = issuers.into_iter().flatten();
    let issuer = issuers.find(|issuer| issuer["name"] == name);
    let issuer = issuer.map(|issuer| issuer["issuer"].clone());
    let metadata = json!({ "issuer": issuer, "jwks_uri": "https://id.example.com/jwks.json" });
    metadata.to_string().into_bytes()
}

/// The problems of the document's keys.
pub(crate) fn supply(
    gate: &mut Gate,
    fetch: &Fetch,
    body: Vec<u8>,
    now_ms: u64,
) -> Result<Vec<Problem>, String> {
    let outcome = Outcome::Response {
        status: 200,
        cache_control: "",
        length: body.len(),
        body: Cow::Owned(body),
    };
    let mut supplied = gate.supply(fetch.source, &fetch.uri, outcome, now_ms);
    while let Supplied::Unfinished = supplied {
        supplied = gate.resume(fetch.source, b"", now_ms);
    }
    match supplied {
        Supplied::Refused(problem) => Err(format!("{}: {problem:?}", fetch.uri)),
        Supplied::Accepted { skipped, .. } => Ok(skipped),
        _ => Ok(Vec::new()),
    }
}

/// The members that cases expect, as `hosts/cli/src/decision.rs` names them.
pub(crate) fn as_json(decision: &Decision) -> Value {
    match decision {
        Decision::Allow(grant) => json!({
            "decision": "allow",
            "principal": grant.principal.as_deref().map(principal),
            "principals": Value::Object(grant.others.iter().map(|other| (other.name.to_string(), principal(&other.principal))).collect()),
            "set_headers": grant.set_headers.iter().map(|(name, value)| json!([&**name, &**value])).collect::<Vec<_>>(),
            "remove_headers": grant.remove_headers.iter().map(|name| &**name).collect::<Vec<_>>(),
            "changes": grant.changes.iter().map(change).collect::<Vec<_>>(),
        }),
        Decision::Deny(denial) => json!({
            "decision": "deny",
            "code": denial.code.as_str(),
            "status": denial.status(),
            "claim": denial.claim.as_deref(),
            "principal": denial.principal.as_deref(),
            "challenge": denial.challenge.as_deref(),
        }),
        Decision::Answer(answer) => json!({
            "decision": "answer",
            "status": answer.status,
            "headers": answer.headers,
            "body": String::from_utf8_lossy(&answer.body),
        }),
        Decision::Wait(_) => Value::Null,
    }
}

/// As `hosts/cli/src/decision.rs` has it.
fn change(change: &Change) -> Value {
    let text = String::from_utf8_lossy;
    match change {
        Change::SetHeader(name, value) => json!({ "set_header": [name, text(value)] }),
        Change::RemoveHeader(name) => json!({ "remove_header": name }),
        Change::SetTarget(target) => json!({ "set_target": text(target) }),
    }
}

fn principal(principal: &Principal) -> Value {
    json!({
        "issuer": &*principal.issuer,
        "subject": principal.subject.as_deref(),
        "token_type": principal.token_type.as_deref(),
        "tenant": principal.tenant.as_deref(),
        "tenants": &*principal.tenants,
        "roles": &*principal.roles,
        "scopes": &*principal.scopes,
    })
}
