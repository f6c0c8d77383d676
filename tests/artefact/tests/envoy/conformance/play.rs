//! Sends a request, and compares the reply with that of the native crate.

use std::net::SocketAddr;

use countersign_conformance::{
    protocol::{Denial, Grant, Reply as Expected},
    scene::{Check, is_proven},
    vector::{Answer, Change},
};

use super::wire;
use crate::stage::client::{self, Reply};

/// Why a check failed.
pub(super) enum Fault {
    /// HTTP/1.1 cannot express this request.
    Unsayable(&'static str),
    /// Envoy refuses the request before any filter sees it.
    Refused,
    Ours(String),
}

/// Sends the request twice: the second time the token is remembered. A proof is
/// sent once, and so is a request without an expected answer.
pub(super) fn play(check: &Check, to: SocketAddr) -> Result<(), Fault> {
    let bytes = wire::write(&check.request).map_err(Fault::Unsayable)?;
    let once = check.expected.is_none() || is_proven(&check.request);
    for _ in 0..if once { 1 } else { 2 } {
        let reply = client::write(to, &bytes).and_then(client::Sent::reply);
        let reply = reply.ok_or_else(|| Fault::Ours("no reply".to_owned()))?;
        let code = reply.header("x-countersign-code");
        if code.is_none() && reply.status == 400 {
            return Err(Fault::Refused);
        }
        let head = check.request.method.0 == b"HEAD";
        let Some(expected) = &check.expected else {
            continue;
        };
        match expected {
            Expected::Allow(grant) => allowed(&reply, grant, head),
            Expected::Deny(denial) => denied(&reply, denial),
            Expected::Answer(answer) => answered(&reply, answer, head),
            other => Err(format!("{other:?}")),
        }
        .map_err(|fault| Fault::Ours(format!("{fault}\n  {reply:?}\n  {expected:?}")))?;
    }
    Ok(())
}

fn allowed(reply: &Reply, grant: &Grant, head: bool) -> Result<(), String> {
    if reply.status != 200 || reply.header("x-countersign-code").is_some() {
        return Err("it is denied".to_owned());
    }
    let sent = |name: &str| {
        let mut lines = reply.body.lines();
        let values = lines
            .by_ref()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    for (name, value) in grant.set_headers.iter().filter(|_| !head) {
        if sent(name) != [value.clone()] {
            return Err(format!("`{name}` is {:?}, not {value}", sent(name)));
        }
    }
    let changed = |name: &String| {
        let mut changes = grant.changes.iter();
        changes.any(|change| matches!(change, Change::SetHeader(set, _) if set == name))
    };
    let set = |name: &String| changed(name) || grant.set_headers.iter().any(|(set, _)| set == name);
    for name in grant.remove_headers.iter().filter(|name| !set(name)) {
        if !sent(name).is_empty() {
            return Err(format!("`{name}` is still there"));
        }
    }
    for change in grant.changes.iter().filter(|_| !head) {
        let made = match change {
            Change::SetHeader(name, value) => sent(name) == [value.clone()],
            Change::RemoveHeader(name) => sent(name).is_empty(),
            Change::SetTarget(target) => reply.body.split(' ').nth(1) == Some(target),
        };
        if !made {
            return Err(format!("{change:?} is not made"));
        }
    }
    Ok(())
}

fn answered(reply: &Reply, answer: &Answer, head: bool) -> Result<(), String> {
    let headers = answer.headers.iter();
    let mut missing = headers.filter(|(name, value)| reply.header(name) != Some(value));
    let body = if head { "" } else { &*answer.body };
    if reply.status == answer.status && reply.body == body && missing.next().is_none() {
        Ok(())
    } else {
        Err("it is not that answer".to_owned())
    }
}

fn denied(reply: &Reply, denial: &Denial) -> Result<(), String> {
    let retry_after = denial.retry_after_s.map(|seconds| seconds.to_string());
    let seen = (
        reply.header("x-countersign-code"),
        reply.status,
        reply.header("www-authenticate"),
        reply.header("retry-after"),
        reply.header("dpop-nonce"),
    );
    let wanted = (
        Some(&*denial.code),
        denial.status,
        denial.challenge.as_deref(),
        retry_after.as_deref(),
        denial.nonce.as_deref(),
    );
    if seen == wanted {
        Ok(())
    } else {
        Err(format!("{seen:?} is not {wanted:?}"))
    }
}
