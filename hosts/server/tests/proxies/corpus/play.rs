//! Sends a request, and compares the reply with that of the native crate.

use std::net::SocketAddr;

use countersign_conformance::{
    protocol::{Denial, Grant, Reply as Expected},
    scene::{Check, is_proven},
    vector::{Answer, Change},
};

use super::wire::{self, Carries};
use crate::stage::client::{self, Reply};

/// Why a check failed.
pub(super) enum Fault {
    /// The proxy cannot say this request.
    Unsayable(&'static str),
    /// The proxy refuses the request before it asks.
    Refused,
    Ours(String),
}

/// Sends the request twice: the second time the token is remembered. A proof is
/// sent once, and so is a request without an expected answer.
pub(super) fn play(check: &Check, to: SocketAddr, carries: &Carries) -> Result<(), Fault> {
    let bytes = wire::write(&check.request, carries).map_err(Fault::Unsayable)?;
    let once = check.expected.is_none() || is_proven(&check.request);
    for _ in 0..if once { 1 } else { 2 } {
        let reply = client::write(to, &bytes).and_then(client::Sent::reply);
        let reply = reply.ok_or_else(|| Fault::Ours("no reply".to_owned()))?;
        let head = check.request.method.0 == b"HEAD";
        if !head && reply.code().is_empty() && matches!(reply.status, 400 | 405 | 501) {
            return Err(Fault::Refused);
        }
        let Some(expected) = &check.expected else {
            continue;
        };
        match expected {
            Expected::Allow(grant) => allowed(&reply, grant, &check.request.target.0, head),
            Expected::Deny(denial) => denied(&reply, denial, head),
            Expected::Answer(answer) => answered(&reply, answer, head),
            other => Err(format!("{other:?}")),
        }
        .map_err(|fault| {
            Fault::Ours(format!(
                "{fault}\n  {reply:?}\n  {expected:?}\n  {}",
                String::from_utf8_lossy(&bytes)
            ))
        })?;
    }
    Ok(())
}

/// The origin answers with the head that it has received.
fn allowed(reply: &Reply, grant: &Grant, target: &[u8], head: bool) -> Result<(), String> {
    if reply.status != 200 || !reply.code().is_empty() {
        return Err("it is denied".to_owned());
    }
    if head {
        return Ok(());
    }
    let sent = |name: &str| {
        let lines = reply.body.lines().skip(1);
        let values = lines.filter_map(|line| {
            let (field, value) = line.split_once(':')?;
            field
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        });
        values.collect::<Vec<_>>()
    };
    for (name, value) in &grant.set_headers {
        let changed = grant.changes.iter().any(|change| matches!(change, Change::SetHeader(of, _) | Change::RemoveHeader(of) if of == name));
        if !changed && sent(name) != [value.clone()] {
            return Err(format!("`{name}` is {:?}, not {value}", sent(name)));
        }
    }
    let changed = |name: &String| {
        let mut changes = grant.changes.iter();
        changes.any(|change| matches!(change, Change::SetHeader(set, _) if set == name))
    };
    let set = |name: &String| changed(name) || grant.set_headers.iter().any(|(set, _)| set == name);
    for name in grant.remove_headers.iter().filter(|name| !set(name)) {
        let like = [name.clone(), name.replace('-', "_")];
        if like.iter().any(|name| !sent(name).is_empty()) {
            return Err(format!("`{name}` is still there"));
        }
    }
    let mut goes_on = String::from_utf8_lossy(target).into_owned();
    for change in &grant.changes {
        let made = match change {
            Change::SetHeader(name, value) => sent(name) == [value.clone()],
            Change::RemoveHeader(name) => sent(name).is_empty(),
            Change::SetTarget(target) => {
                goes_on.clone_from(target);
                true
            }
        };
        if !made {
            return Err(format!("{change:?} is not made"));
        }
    }
    match reply.body.split(' ').nth(1) == Some(&goes_on) {
        true => Ok(()),
        false => Err(format!("the target is not {goes_on}")),
    }
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

fn denied(reply: &Reply, denial: &Denial, head: bool) -> Result<(), String> {
    let retry_after = denial.retry_after_s.map(|seconds| seconds.to_string());
    let challenges: Vec<_> = reply.headers("www-authenticate").collect();
    let seen = (
        if head {
            denial.code.clone()
        } else {
            reply.code()
        },
        reply.status,
        challenges.as_slice(),
        reply.header("retry-after"),
        reply.header("dpop-nonce"),
    );
    let challenge: Vec<_> = denial.challenge.as_deref().into_iter().collect();
    let wanted = (
        denial.code.clone(),
        denial.status,
        challenge.as_slice(),
        retry_after.as_deref(),
        denial.nonce.as_deref(),
    );
    if seen == wanted {
        Ok(())
    } else {
        Err(format!("{seen:?} is not {wanted:?}"))
    }
}
