//! Converts the gate's results to JSON.

use countersign::{
    Change, Decision, DocumentStatus, Fetch, Inspection, OtherPrincipal, Problem, Severity, Step,
    Supplied, Verdict,
};
use serde::Serialize;

/// Serialises a value whose serialisation cannot fail.
pub(crate) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn decision(decision: &Decision) -> String {
    text(&match decision {
        Decision::Allow(_) => Decided::Allow,
        Decision::Deny(denial) => Decided::Deny {
            code: denial.code.as_str(),
            status: denial.status(),
            message: denial.code.sentence(),
            challenge: denial.challenge.as_deref(),
            claim: denial.claim.as_deref(),
            principal: denial.principal.as_deref(),
            retry_after_s: denial.retry_after_s,
        },
        Decision::Answer(answer) => Decided::Answer {
            status: answer.status,
            headers: answer
                .headers
                .iter()
                .fold(String::new(), |lines, (name, value)| {
                    [&*lines, name, ": ", value, "\n"].concat()
                }),
            // JSON, which is UTF-8.
            body: str::from_utf8(&answer.body).unwrap_or_default(),
        },
        Decision::Wait(fetches) => Decided::Wait {
            fetches: fetches.iter().map(fetch).collect(),
        },
    })
}

#[derive(Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
enum Decided<'a> {
    Allow,
    Deny {
        code: &'a str,
        status: u16,
        message: &'a str,
        challenge: Option<&'a str>,
        claim: Option<&'a str>,
        principal: Option<&'a str>,
        retry_after_s: Option<u32>,
    },
    Answer {
        status: u16,
        /// One `name: value` a line.
        headers: String,
        body: &'a str,
    },
    Wait {
        fetches: Vec<FetchJson<'a>>,
    },
}

#[derive(Serialize)]
struct FetchJson<'a> {
    source: u32,
    issuer: &'a str,
    kind: &'a str,
    uri: &'a str,
    timeout_ms: u32,
    max_bytes: u32,
}

fn fetch(fetch: &Fetch) -> FetchJson<'_> {
    FetchJson {
        source: fetch.source,
        issuer: &fetch.issuer,
        kind: fetch.kind.as_str(),
        uri: &fetch.uri,
        timeout_ms: fetch.timeout_ms,
        max_bytes: fetch.max_bytes,
    }
}

pub(crate) fn fetches(fetches: &[Fetch]) -> String {
    text(&fetches.iter().map(fetch).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    pointer: &'a str,
    code: &'a str,
    message: &'a str,
    severity: &'a str,
}

fn problem(problem: &Problem) -> ProblemJson<'_> {
    ProblemJson {
        pointer: &problem.pointer,
        code: problem.code,
        message: &problem.message,
        severity: match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
    }
}

pub(crate) fn problems(problems: &[Problem]) -> String {
    text(&problems.iter().map(problem).collect::<Vec<_>>())
}

pub(crate) fn gate_unknown() -> Problem {
    Problem {
        pointer: String::new(),
        code: "gate_unknown",
        message: "the gate is not open".into(),
        severity: Severity::Error,
    }
}

pub(crate) fn supplied(supplied: &Supplied) -> String {
    #[derive(Serialize)]
    #[serde(tag = "outcome", rename_all = "snake_case")]
    enum Answer<'a> {
        Accepted { skipped: Vec<ProblemJson<'a>> },
        Refused { problem: ProblemJson<'a> },
        Unfinished,
        Outdated,
    }
    text(&match supplied {
        Supplied::Accepted { skipped } => Answer::Accepted {
            skipped: skipped.iter().map(problem).collect(),
        },
        Supplied::Refused(refused) => Answer::Refused {
            problem: problem(refused),
        },
        Supplied::Unfinished => Answer::Unfinished,
        Supplied::Outdated => Answer::Outdated,
    })
}

pub(crate) fn others(others: &[OtherPrincipal]) -> String {
    #[derive(Serialize)]
    struct Other<'a> {
        name: &'a str,
        grant: u64,
    }
    let others = others.iter().map(|other| Other {
        name: &other.name,
        grant: other.number,
    });
    text(&others.collect::<Vec<_>>())
}

/// Each byte of a value becomes one character, as in the headers of JavaScript.
pub(crate) fn changes(changes: &[Change]) -> String {
    #[derive(Serialize)]
    struct ChangeJson<'a> {
        kind: &'a str,
        /// Empty for `set_target`.
        name: &'a str,
        /// The value or the target; empty for `remove_header`.
        value: String,
    }
    let changes = changes.iter().map(|change| {
        let (kind, name, value) = match change {
            Change::SetHeader(name, value) => ("set_header", &**name, &**value),
            Change::RemoveHeader(name) => ("remove_header", &**name, &[][..]),
            Change::SetTarget(target) => ("set_target", "", &**target),
        };
        let value = value.iter().map(|byte| char::from(*byte)).collect();
        ChangeJson { kind, name, value }
    });
    text(&changes.collect::<Vec<_>>())
}

pub(crate) fn prepared(prepared: Result<u32, Vec<Problem>>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Answer<'a> {
        Requirement(u32),
        Problems(Vec<ProblemJson<'a>>),
    }
    text(&match &prepared {
        Ok(requirement) => Answer::Requirement(*requirement),
        Err(problems) => Answer::Problems(problems.iter().map(problem).collect()),
    })
}

pub(crate) fn documents(documents: &[DocumentStatus]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        issuer: &'a str,
        kind: &'a str,
        uri: &'a str,
        age_ms: Option<u64>,
        failures: u32,
        usable: bool,
    }
    let documents = documents.iter().map(|document| Document {
        issuer: &document.issuer,
        kind: document.kind.as_str(),
        uri: &document.uri,
        age_ms: document.age_ms,
        failures: document.failures,
        usable: document.usable,
    });
    text(&documents.collect::<Vec<_>>())
}

pub(crate) fn inspection(inspection: &Inspection) -> String {
    #[derive(Serialize)]
    struct Inspected<'a> {
        header: Option<&'a str>,
        claims: Option<&'a str>,
        signature_bytes: Option<u32>,
        fault: Option<&'a str>,
    }
    text(&Inspected {
        header: inspection.header.as_deref(),
        claims: inspection.claims.as_deref(),
        signature_bytes: inspection.signature_bytes,
        fault: inspection.fault.map(|code| code.as_str()),
    })
}

pub(crate) fn steps(steps: &[Step]) -> String {
    #[derive(Serialize)]
    struct StepJson<'a> {
        check: &'a str,
        verdict: &'a str,
        code: Option<&'a str>,
        detail: &'a str,
    }
    let steps = steps.iter().map(|step| {
        let (verdict, code) = match step.verdict {
            Verdict::Pass => ("pass", None),
            Verdict::Fail(code) => ("fail", Some(code.as_str())),
            Verdict::Skip => ("skip", None),
            Verdict::Wait => ("wait", None),
        };
        StepJson {
            check: step.check,
            verdict,
            code,
            detail: &step.detail,
        }
    });
    text(&steps.collect::<Vec<_>>())
}
