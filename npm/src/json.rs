//! Converts the gate's results to JSON.

use countersign::{
    Change, Decision, DocumentStatus, Event, Fetch, Inspection, Need, OtherPrincipal, Outgoing,
    Problem, Proof, Severity, SignedPolicy, Step, Supplied, Verdict, json::push_text,
};

/// The value of a member.
enum Member<'a> {
    Text(&'a str),
    /// `null` if there is none.
    Option(Option<&'a str>),
    Number(Option<u64>),
    Flag(bool),
    /// JSON text.
    Json(String),
}

use Member::{Flag, Json, Number, Text};

fn object(members: &[(&str, Member<'_>)]) -> String {
    let mut json = Vec::new();
    for (name, value) in members {
        json.push(if json.is_empty() { b'{' } else { b',' });
        push_text(&mut json, name);
        json.push(b':');
        match value {
            Text(text) | Member::Option(Some(text)) => push_text(&mut json, text),
            Number(Some(number)) => json.extend_from_slice(number.to_string().as_bytes()),
            Member::Option(None) | Number(None) => json.extend_from_slice(b"null"),
            Flag(flag) => json.extend_from_slice(if *flag { b"true" } else { b"false" }),
            Json(text) => json.extend_from_slice(text.as_bytes()),
        }
    }
    json.push(b'}');
    // All parts are UTF-8.
    String::from_utf8(json).unwrap_or_default()
}

fn list<T>(items: &[T], item: fn(&T) -> String) -> String {
    let mut json = String::from("[");
    for value in items {
        append(&mut json, &item(value));
    }
    json.push(']');
    json
}

#[inline(never)]
fn append(json: &mut String, item: &str) {
    if json.len() > 1 {
        json.push(',');
    }
    json.push_str(item);
}

fn number(number: impl Into<u64>) -> Member<'static> {
    Number(Some(number.into()))
}

pub(crate) fn texts(texts: &[&str]) -> String {
    list(texts, |text| {
        let mut json = Vec::new();
        push_text(&mut json, text);
        String::from_utf8(json).unwrap_or_default()
    })
}

pub(crate) fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Allow(_) => object(&[("decision", Text("allow"))]),
        Decision::Deny(denial) => object(&[
            ("decision", Text("deny")),
            ("code", Text(denial.code.as_str())),
            ("status", number(denial.status())),
            ("message", Text(denial.code.sentence())),
            ("challenge", Member::Option(denial.challenge.as_deref())),
            ("claim", Member::Option(denial.claim.as_deref())),
            ("principal", Member::Option(denial.principal.as_deref())),
            ("retry_after_s", Number(denial.retry_after_s.map(u64::from))),
            ("nonce", Member::Option(denial.nonce.as_deref())),
        ]),
        Decision::Answer(answer) => {
            // One `name: value` a line.
            let headers = answer.headers.iter();
            let headers = headers.fold(String::new(), |lines, (name, value)| {
                [&*lines, name, ": ", value, "\n"].concat()
            });
            object(&[
                ("decision", Text("answer")),
                ("status", number(answer.status)),
                ("headers", Text(&headers)),
                // JSON, which is UTF-8.
                (
                    "body",
                    Text(str::from_utf8(&answer.body).unwrap_or_default()),
                ),
            ])
        }
        Decision::Wait(needs) => {
            let [mut documents, mut requests, mut proofs] = [const { String::new() }; 3];
            for list in [&mut documents, &mut requests, &mut proofs] {
                list.push('[');
            }
            for need in needs {
                match need {
                    Need::Document(wanted) => append(&mut documents, &fetch(wanted)),
                    Need::Request(wanted) => append(&mut requests, &request(wanted)),
                    Need::Proof(asked) => append(&mut proofs, &proof(asked)),
                    Need::Signature(_) => {}
                }
            }
            for list in [&mut documents, &mut requests, &mut proofs] {
                list.push(']');
            }
            object(&[
                ("decision", Text("wait")),
                ("fetches", Json(documents)),
                ("requests", Json(requests)),
                ("proofs", Json(proofs)),
            ])
        }
    }
}

pub(crate) fn fetches(fetches: &[Fetch]) -> String {
    list(fetches, fetch)
}

fn fetch(fetch: &Fetch) -> String {
    object(&[
        ("source", number(fetch.source)),
        ("issuer", Text(&fetch.issuer)),
        ("kind", Text(fetch.kind.as_str())),
        ("uri", Text(&fetch.uri)),
        ("headers", Json(pairs(&fetch.headers))),
        ("timeout_ms", number(fetch.timeout_ms)),
        ("max_bytes", number(fetch.max_bytes)),
    ])
}

fn request(request: &Outgoing) -> String {
    object(&[
        ("ticket", number(request.ticket)),
        ("issuer", Text(&request.issuer)),
        ("method", Text(request.method)),
        ("uri", Text(&request.uri)),
        ("headers", Json(pairs(&request.headers))),
        // A form or JSON, which is UTF-8.
        (
            "body",
            Text(str::from_utf8(&request.body).unwrap_or_default()),
        ),
        ("timeout_ms", number(request.timeout_ms)),
        ("max_bytes", number(request.max_bytes)),
    ])
}

fn pairs(pairs: &[(Box<str>, Box<str>)]) -> String {
    list(pairs, |(name, value)| texts(&[name, value]))
}

pub(crate) fn digest(digest: &Result<[u8; 32], Vec<Problem>>) -> String {
    match digest {
        Ok(digest) => object(&[("digest", Text(&hex(digest)))]),
        Err(found) => object(&[("problems", Json(problems(found)))]),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Both identifiers are hexadecimal.
fn proof(proof: &Proof) -> String {
    object(&[
        ("ticket", number(proof.ticket)),
        ("id", Text(&hex(&proof.id))),
        ("owner", Text(&hex(&proof.owner))),
        ("expires_ms", number(proof.expires_ms)),
    ])
}

fn problem(problem: &Problem) -> String {
    let severity = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    object(&[
        ("pointer", Text(&problem.pointer)),
        ("code", Text(problem.code)),
        ("message", Text(&problem.message)),
        ("severity", Text(severity)),
    ])
}

pub(crate) fn problems(problems: &[Problem]) -> String {
    list(problems, problem)
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
    match supplied {
        Supplied::Accepted { used, skipped } => object(&[
            ("outcome", Text("accepted")),
            ("used", number(*used)),
            ("skipped", Json(problems(skipped))),
        ]),
        Supplied::Refused(refused) => object(&[
            ("outcome", Text("refused")),
            ("problem", Json(problem(refused))),
        ]),
        Supplied::Unfinished => object(&[("outcome", Text("unfinished"))]),
        Supplied::Outdated => object(&[("outcome", Text("outdated"))]),
    }
}

pub(crate) fn others(others: &[OtherPrincipal]) -> String {
    list(others, |other| {
        object(&[("name", Text(&other.name)), ("grant", number(other.number))])
    })
}

/// Each byte of a value becomes one character, as in the headers of JavaScript.
pub(crate) fn changes(changes: &[Change]) -> String {
    list(changes, |change| {
        // The name is empty for `set_target`, and the value for `remove_header`.
        let (kind, name, value) = match change {
            Change::SetHeader(name, value) => ("set_header", &**name, &**value),
            Change::RemoveHeader(name) => ("remove_header", &**name, &[][..]),
            Change::SetTarget(target) => ("set_target", "", &**target),
        };
        let value: String = value.iter().map(|byte| char::from(*byte)).collect();
        object(&[
            ("kind", Text(kind)),
            ("name", Text(name)),
            ("value", Text(&value)),
        ])
    })
}

pub(crate) fn event(event: &Event) -> String {
    let rule = event.rule.as_ref().map_or_else(
        || "null".into(),
        |rule| {
            object(&[
                ("index", number(rule.index)),
                ("name", Member::Option(rule.name.as_deref())),
                ("path", Text(&rule.path)),
            ])
        },
    );
    let effects = event.effects.map(|effects| hex(&effects));
    object(&[
        ("rule", Json(rule)),
        ("issuer", Member::Option(event.issuer.as_deref())),
        ("token_type", Member::Option(event.token_type.as_deref())),
        (
            "remembered",
            event.remembered.map_or(Member::Option(None), Flag),
        ),
        ("subject_ref", Member::Option(event.subject_ref.as_deref())),
        ("effects", Member::Option(effects.as_deref())),
    ])
}

/// The policy is text: JSON and YAML are.
pub(crate) fn signed(opened: &Result<SignedPolicy, Problem>) -> String {
    match opened {
        Ok(signed) => match str::from_utf8(&signed.policy) {
            Ok(policy) => object(&[
                ("policy", Text(policy)),
                ("version", number(signed.version)),
                ("expires_ms", number(signed.expires_ms)),
                ("kid", Text(&signed.kid)),
            ]),
            Err(_) => object(&[("problem", Json(problem(&not_text())))]),
        },
        Err(refused) => object(&[("problem", Json(problem(refused)))]),
    }
}

fn not_text() -> Problem {
    Problem {
        pointer: String::new(),
        code: "syntax",
        message: "the policy is not UTF-8".into(),
        severity: Severity::Error,
    }
}

pub(crate) fn prepared(prepared: Result<u32, Vec<Problem>>) -> String {
    match prepared {
        Ok(requirement) => object(&[("requirement", number(requirement))]),
        Err(found) => object(&[("problems", Json(problems(&found)))]),
    }
}

pub(crate) fn documents(documents: &[DocumentStatus]) -> String {
    list(documents, |document| {
        object(&[
            ("issuer", Text(&document.issuer)),
            ("kind", Text(document.kind.as_str())),
            ("uri", Text(&document.uri)),
            ("age_ms", Number(document.age_ms)),
            ("failures", number(document.failures)),
            ("usable", Flag(document.usable)),
            ("needed", Flag(document.needed)),
        ])
    })
}

pub(crate) fn inspection(inspection: &Inspection) -> String {
    let bytes = inspection.signature_bytes.map(u64::from);
    let fault = inspection.fault.map(|code| code.as_str());
    object(&[
        ("header", Member::Option(inspection.header.as_deref())),
        ("claims", Member::Option(inspection.claims.as_deref())),
        ("signature_bytes", Number(bytes)),
        ("fault", Member::Option(fault)),
        ("detail", Member::Option(inspection.detail.as_deref())),
    ])
}

pub(crate) fn steps(steps: &[Step]) -> String {
    list(steps, |step| {
        let (verdict, code) = match step.verdict {
            Verdict::Pass => ("pass", None),
            Verdict::Fail(code) => ("fail", Some(code.as_str())),
            Verdict::Skip => ("skip", None),
            Verdict::Wait => ("wait", None),
        };
        object(&[
            ("check", Text(step.check)),
            ("verdict", Text(verdict)),
            ("code", Member::Option(code)),
            ("detail", Text(&step.detail)),
        ])
    })
}
