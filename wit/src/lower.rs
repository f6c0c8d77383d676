//! Converts the gate's values to those of the canonical ABI.

use crate::bindings::exports::countersign::gate::gate as wit;
use countersign::{
    Answer, Change, Code, Denial, DocumentStatus, Event, Fetch, FetchKind, Grant, HostKey,
    Inspection, MatchedRule, Need, OtherPrincipal, Outgoing, Principal, Problem, Severity,
    SignedPolicy, Step, Supplied, Verdict,
};

/// Makes a denial with only a code.
pub(crate) fn deny(code: Code) -> wit::Decision {
    wit::Decision::Deny(denial(code.into()))
}

pub(crate) fn grant(grant: &Grant) -> wit::Grant {
    wit::Grant {
        principal: grant.principal.as_deref().map(principal),
        remove_headers: strings(&grant.remove_headers),
        set_headers: pairs(&grant.set_headers),
    }
}

/// Makes the grant of a principal beside the user. Its headers are changes of
/// the user's grant.
pub(crate) fn other_grant(other: &OtherPrincipal) -> wit::Grant {
    wit::Grant {
        principal: Some(principal(&other.principal)),
        remove_headers: Vec::new(),
        set_headers: Vec::new(),
    }
}

/// Returns the numbers of a grant and the changes to one request.
pub(crate) fn allowed(grant: &mut Grant) -> wit::Allowed {
    let changes = std::mem::take(&mut grant.changes);
    wit::Allowed {
        grant: grant.number,
        others: grant.others.iter().map(other).collect(),
        changes: changes.into_iter().map(change).collect(),
    }
}

fn other(other: &OtherPrincipal) -> wit::Other {
    wit::Other {
        name: other.name.as_ref().into(),
        grant: other.number,
    }
}

fn change(change: Change) -> wit::Change {
    match change {
        Change::SetHeader(name, value) => wit::Change::SetHeader((name.into_owned(), value)),
        Change::RemoveHeader(name) => wit::Change::RemoveHeader(name.into_owned()),
        Change::SetTarget(target) => wit::Change::SetTarget(target),
    }
}

pub(crate) fn answer(answer: Answer) -> wit::Answer {
    let headers = answer.headers.iter();
    wit::Answer {
        status: answer.status,
        headers: headers
            .map(|(n, v)| (n.to_string(), v.to_string()))
            .collect(),
        body: answer.body,
    }
}

pub(crate) fn supplied(supplied: Supplied) -> wit::Supplied {
    match supplied {
        Supplied::Accepted { used, skipped } => wit::Supplied::Accepted(wit::Accepted {
            used,
            skipped: problems(skipped),
        }),
        Supplied::Refused(refused) => wit::Supplied::Refused(problem(refused)),
        Supplied::Unfinished => wit::Supplied::Unfinished,
        Supplied::Outdated => wit::Supplied::Outdated,
    }
}

fn principal(principal: &Principal) -> wit::Principal {
    wit::Principal {
        issuer: principal.issuer.as_ref().into(),
        iss: principal.iss.as_ref().into(),
        subject: principal.subject.as_deref().map(Into::into),
        token_type: principal.token_type.as_deref().map(Into::into),
        tenant: principal.tenant.as_deref().map(Into::into),
        tenants: strings(&principal.tenants),
        roles: strings(&principal.roles),
        scopes: strings(&principal.scopes),
        expires_at_ms: principal.expires_at_ms,
        claims: principal.claims.as_ref().into(),
    }
}

pub(crate) fn denial(denial: Denial) -> wit::Denial {
    wit::Denial {
        code: denial.code.as_str().into(),
        status: denial.status(),
        message: denial.code.sentence().into(),
        challenge: denial.challenge,
        claim: denial.claim.map(Into::into),
        principal: denial.principal.map(Into::into),
        retry_after_s: denial.retry_after_s,
        nonce: denial.nonce,
    }
}

pub(crate) fn fetches(fetches: Vec<Fetch>) -> Vec<wit::Fetch> {
    fetches.into_iter().map(fetch).collect()
}

fn fetch(fetch: Fetch) -> wit::Fetch {
    wit::Fetch {
        source: fetch.source,
        issuer: fetch.issuer.as_ref().into(),
        kind: kind(fetch.kind),
        uri: fetch.uri.as_ref().into(),
        headers: pairs(&fetch.headers),
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    }
}

pub(crate) fn need(need: Need) -> wit::Need {
    match need {
        Need::Document(document) => wit::Need::Document(fetch(document)),
        Need::Request(request) => wit::Need::Request(outgoing(request)),
        Need::Proof(proof) => wit::Need::Proof(wit::Proof {
            ticket: proof.ticket,
            id: proof.id.into(),
            owner: proof.owner.into(),
            expires_ms: proof.expires_ms,
        }),
        Need::Signature(asked) => wit::Need::Signature(wit::Signature {
            ticket: asked.ticket,
            algorithm: asked.algorithm.as_str().into(),
            key: asked.key,
            signed: asked.signed.into(),
            signature: asked.signature.into(),
        }),
    }
}

fn outgoing(request: Outgoing) -> wit::Outgoing {
    wit::Outgoing {
        ticket: request.ticket,
        issuer: request.issuer.as_ref().into(),
        method: request.method.into(),
        uri: request.uri.as_ref().into(),
        headers: pairs(&request.headers),
        body: request.body,
        timeout_ms: request.timeout_ms,
        max_bytes: request.max_bytes,
    }
}

fn pairs(pairs: &[(Box<str>, Box<str>)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.as_ref().into(), value.as_ref().into()))
        .collect()
}

pub(crate) fn key(key: HostKey) -> wit::HostKey {
    match key {
        HostKey::Public(spki) => wit::HostKey::Public(spki),
        HostKey::Secret(secret) => wit::HostKey::Secret(secret),
    }
}

fn kind(kind: FetchKind) -> wit::FetchKind {
    match kind {
        FetchKind::Discovery => wit::FetchKind::Discovery,
        FetchKind::Jwks => wit::FetchKind::Jwks,
        FetchKind::Revocations => wit::FetchKind::Revocations,
        FetchKind::ApiKeys => wit::FetchKind::ApiKeys,
    }
}

pub(crate) fn problems(problems: Vec<Problem>) -> Vec<wit::Problem> {
    problems.into_iter().map(problem).collect()
}

pub(crate) fn problem(problem: Problem) -> wit::Problem {
    wit::Problem {
        pointer: problem.pointer,
        code: problem.code.into(),
        message: problem.message,
        severity: match problem.severity {
            Severity::Error => wit::Severity::Error,
            Severity::Warning => wit::Severity::Warning,
        },
    }
}

pub(crate) fn gate_unknown() -> wit::Problem {
    host_problem("gate_unknown", "the handle names no open gate")
}

pub(crate) fn handles_exhausted() -> wit::Problem {
    host_problem(
        "handles_exhausted",
        "all handles of this instance are used, start a fresh one",
    )
}

fn host_problem(code: &str, message: &str) -> wit::Problem {
    wit::Problem {
        pointer: String::new(),
        code: code.into(),
        message: message.into(),
        severity: wit::Severity::Error,
    }
}

pub(crate) fn documents(documents: Vec<DocumentStatus>) -> Vec<wit::DocumentStatus> {
    documents
        .into_iter()
        .map(|document| wit::DocumentStatus {
            issuer: document.issuer.as_ref().into(),
            kind: kind(document.kind),
            uri: document.uri,
            age_ms: document.age_ms,
            failures: document.failures,
            usable: document.usable,
            needed: document.needed,
        })
        .collect()
}

pub(crate) fn event(event: Event) -> wit::Event {
    let rule = event.rule.map(|rule| {
        let MatchedRule { index, name, path } = rule;
        wit::MatchedRule {
            index,
            name: name.map(Into::into),
            path,
        }
    });
    wit::Event {
        rule,
        issuer: event.issuer.as_deref().map(Into::into),
        token_type: event.token_type.map(Into::into),
        remembered: event.remembered,
        subject_ref: event.subject_ref,
        effects: event.effects.map(Into::into),
    }
}

pub(crate) fn signed_policy(signed: SignedPolicy) -> wit::SignedPolicy {
    wit::SignedPolicy {
        policy: signed.policy,
        version: signed.version,
        expires_ms: signed.expires_ms,
        kid: signed.kid.into(),
    }
}

pub(crate) fn inspection(inspection: Inspection) -> wit::Inspection {
    wit::Inspection {
        header: inspection.header,
        claims: inspection.claims,
        signature_bytes: inspection.signature_bytes,
        fault: inspection.fault.map(|code| code.as_str().into()),
        detail: inspection.detail,
    }
}

pub(crate) fn steps(steps: Vec<Step>) -> Vec<wit::Step> {
    steps
        .into_iter()
        .map(|step| {
            let (verdict, code) = match step.verdict {
                Verdict::Pass => (wit::Verdict::Pass, None),
                Verdict::Fail(code) => (wit::Verdict::Fail, Some(code.as_str().into())),
                Verdict::Skip => (wit::Verdict::Skip, None),
                Verdict::Wait => (wit::Verdict::Wait, None),
            };
            wit::Step {
                check: step.check.into(),
                verdict,
                code,
                detail: step.detail,
            }
        })
        .collect()
}

fn strings(strings: &[Box<str>]) -> Vec<String> {
    strings
        .iter()
        .map(|string| string.as_ref().into())
        .collect()
}
