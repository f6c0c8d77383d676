//! A decision as text and as JSON.

use countersign_host::{Answered, Change, Decision, Denial, Grant, Principal};
use serde_json::{Value, json};

use crate::{
    moment,
    output::Exit,
    style::{BAD, FAINT, GOOD, STRONG, visible},
};

pub(crate) fn exit(decision: &Decision) -> Exit {
    match decision {
        Decision::Allow(_) | Decision::Answer(_) => Exit::Good,
        Decision::Deny(_) => Exit::Bad,
    }
}

/// `allow`, `deny` or `answer`.
pub(crate) fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allow(_) => "allow",
        Decision::Deny(_) => "deny",
        Decision::Answer(_) => "answer",
    }
}

/// `{ "decision": "allow", "principal", "principals", "set_headers", "remove_headers", "changes" }` or
/// `{ "decision": "deny", "code", "status", "message", "challenge", "claim", "principal", "retry_after_s", "nonce" }` or
/// `{ "decision": "answer", "status", "headers", "body" }`.
pub(crate) fn as_json(decision: &Decision) -> Value {
    match decision {
        Decision::Allow(grant) => json!({
            "decision": "allow",
            "principal": grant.principal.as_deref().map(principal),
            "principals": principals(grant),
            "set_headers": &*grant.set_headers,
            "remove_headers": &*grant.remove_headers,
            "changes": grant.changes.iter().map(change).collect::<Vec<_>>(),
        }),
        Decision::Deny(denial) => json!({
            "decision": "deny",
            "code": denial.code,
            "status": denial.status,
            "message": denial.message,
            "challenge": denial.challenge,
            "claim": denial.claim,
            "principal": denial.principal,
            "retry_after_s": denial.retry_after_s,
            "nonce": denial.nonce,
        }),
        Decision::Answer(answered) => json!({
            "decision": "answer",
            "status": answered.status,
            "headers": answered.headers,
            "body": String::from_utf8_lossy(&answered.body),
        }),
    }
}

/// `{ "set_header": [name, value] }`, `{ "remove_header": name }` or
/// `{ "set_target": target }`.
fn change(change: &Change) -> Value {
    match change {
        Change::SetHeader(name, value) => {
            json!({ "set_header": [name, String::from_utf8_lossy(value)] })
        }
        Change::RemoveHeader(name) => json!({ "remove_header": name }),
        Change::SetTarget(target) => json!({ "set_target": String::from_utf8_lossy(target) }),
    }
}

/// Those beside the user, by name.
fn principals(grant: &Grant) -> Value {
    let principals = grant.principals.iter();
    Value::Object(
        principals
            .map(|(name, other)| (name.clone(), principal(other)))
            .collect(),
    )
}

fn principal(principal: &Principal) -> Value {
    json!({
        "issuer": principal.issuer,
        "iss": principal.iss,
        "subject": principal.subject,
        "token_type": principal.token_type,
        "tenant": principal.tenant,
        "tenants": principal.tenants,
        "roles": principal.roles,
        "scopes": principal.scopes,
        "expires_at_ms": principal.expires_at_ms,
        "claims": serde_json::from_str::<Value>(&principal.claims).unwrap_or_default(),
    })
}

pub(crate) fn print(decision: &Decision, now_ms: u64) {
    match decision {
        Decision::Allow(grant) => print_grant(grant, now_ms),
        Decision::Deny(denial) => print_denial(denial),
        Decision::Answer(answered) => print_answer(answered),
    }
}

fn print_answer(answered: &Answered) {
    let status = answered.status;
    anstream::println!("{GOOD}answer{GOOD:#}  {status}  {FAINT}by the gate itself{FAINT:#}");
    for (name, value) in &answered.headers {
        line("header", &visible(&format!("{name}: {value}")));
    }
    line("body", &visible(&String::from_utf8_lossy(&answered.body)));
}

fn print_grant(grant: &Grant, now_ms: u64) {
    match &grant.principal {
        None => anstream::println!("{GOOD}allow{GOOD:#}  {FAINT}without identity{FAINT:#}"),
        Some(principal) => {
            anstream::println!("{GOOD}allow{GOOD:#}");
            print_principal(principal, now_ms);
        }
    }
    for (name, principal) in &grant.principals {
        line("principal", &format!("{STRONG}{}{STRONG:#}", visible(name)));
        print_principal(principal, now_ms);
    }
    print_headers(grant);
}

fn print_principal(principal: &Principal, now_ms: u64) {
    // An API key need not have an `iss`.
    let iss = match &*principal.iss {
        "" => String::new(),
        iss => format!(" {FAINT}{}{FAINT:#}", visible(iss)),
    };
    line("issuer", &format!("{}{iss}", principal.issuer));
    optional("subject", principal.subject.as_deref());
    optional("type", principal.token_type.as_deref());
    optional("tenant", principal.tenant.as_deref());
    if principal.tenant.is_none() || principal.tenants.len() > 1 {
        list("tenants", &principal.tenants);
    }
    list("roles", &principal.roles);
    list("scopes", &principal.scopes);
    if let Some(expires) = principal.expires_at_ms {
        let absolute = moment::rfc3339(expires).unwrap_or_default();
        let relative = moment::relative(expires, now_ms);
        line("expires", &format!("{relative} {FAINT}{absolute}{FAINT:#}"));
    }
}

fn print_headers(grant: &Grant) {
    list("remove", &grant.remove_headers);
    for (name, value) in &*grant.set_headers {
        line("set", &format!("{name}: {value}"));
    }
    for change in &grant.changes {
        match change {
            Change::SetHeader(name, value) => {
                let value = String::from_utf8_lossy(value);
                line("set", &visible(&format!("{name}: {value}")));
            }
            Change::RemoveHeader(name) => line("remove", name),
            Change::SetTarget(target) => line("target", &visible(&String::from_utf8_lossy(target))),
        }
    }
}

fn print_denial(denial: &Denial) {
    let Denial {
        code,
        status,
        message,
        ..
    } = denial;
    anstream::println!("{BAD}deny{BAD:#}  {STRONG}{code}{STRONG:#}  {status}  {message}");
    optional("claim", denial.claim.as_deref());
    optional("principal", denial.principal.as_deref());
    optional("challenge", denial.challenge.as_deref());
    optional("nonce", denial.nonce.as_deref());
    if let Some(seconds) = denial.retry_after_s {
        line("retry", &format!("after {seconds} s"));
    }
}

fn list(name: &str, values: &[String]) {
    if !values.is_empty() {
        line(name, &visible(&values.join(", ")));
    }
}

fn optional(name: &str, value: Option<&str>) {
    if let Some(value) = value {
        line(name, &visible(value));
    }
}

fn line(name: &str, value: &str) {
    anstream::println!("  {FAINT}{name:<9}{FAINT:#} {value}");
}
