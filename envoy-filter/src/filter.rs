//! One gate for each plugin of this worker, and what it decides.

use std::{cell::RefCell, collections::HashMap};

use countersign::{Code, Decision, Gate, Grant, Header, Problem, Request, Severity};

use crate::{
    answer, cookies,
    host::{self, Level},
    pairs,
};

#[derive(Default)]
struct Filter {
    /// By plugin; without an entry, its policy was refused.
    gates: HashMap<u32, Gate>,
    /// The plugin of each request under way.
    requests: HashMap<u32, u32>,
}

thread_local! {
    static FILTER: RefCell<Filter> = RefCell::default();
}

pub(crate) fn begin(context: u32, parent: u32) {
    if parent != 0 {
        FILTER.with_borrow_mut(|filter| filter.requests.insert(context, parent));
    }
}

pub(crate) fn end(context: u32) {
    FILTER.with_borrow_mut(|filter| {
        if filter.requests.remove(&context).is_none() {
            filter.gates.remove(&context);
        }
    });
}

/// Envoy 1.40 gives a `Struct` in protobuf's encoding, whatever its manual says.
const NO_OBJECT: &str = "countersign: the plugin configuration is no JSON object; \
     write the policy as text in a `google.protobuf.StringValue`";

/// Opens the plugin's gate, or says in the log everything that is wrong with
/// its policy.
pub(crate) fn configure(plugin: u32, size: usize) -> bool {
    let Some(policy) = host::configuration(size) else {
        host::log(
            Level::Error,
            "countersign: the plugin configuration cannot be read",
        );
        return false;
    };
    match Gate::open(&policy, host::now_ns().unwrap_or(0)) {
        Ok(gate) => {
            gate.warnings().iter().for_each(log);
            FILTER.with_borrow_mut(|filter| filter.gates.insert(plugin, gate));
            true
        }
        Err(problems) => {
            if !policy.trim_ascii_start().starts_with(b"{") {
                host::log(Level::Error, NO_OBJECT);
            }
            problems.iter().for_each(log);
            false
        }
    }
}

fn log(problem: &Problem) {
    let Problem {
        pointer,
        code,
        message,
        severity,
    } = problem;
    let level = match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warn,
    };
    host::log(
        level,
        &format!("countersign: policy at `{pointer}`: {message} ({code})"),
    );
}

/// Whether the request may go on; if not, it has been answered.
pub(crate) fn admit(request: u32) -> bool {
    let answer = match decide(request) {
        Some(true) => return true,
        Some(false) => return false,
        None => answer::without_denial(Code::InternalError),
    };
    host::respond(&answer);
    false
}

/// `None` if the host or its bytes are at fault.
fn decide(request: u32) -> Option<bool> {
    let now_ms = host::now_ns()? / 1_000_000;
    let map = host::request_headers()?;
    let headers = pairs::parse(&map)?;
    let value = |wanted: &[u8]| {
        headers
            .iter()
            .find(|(name, _)| *name == wanted)
            .map_or(&b""[..], |(_, value)| value)
    };
    let seen = Request {
        method: value(b":method"),
        authority: value(b":authority"),
        target: value(b":path"),
        headers: &headers,
    };
    let decision = FILTER.with_borrow_mut(|filter| {
        let plugin = filter.requests.get(&request)?;
        Some(filter.gates.get_mut(plugin)?.check(&seen, now_ms))
    })?;
    match decision {
        Decision::Allow(grant) => {
            forward(&grant, &headers)?;
            return Some(true);
        }
        Decision::Deny(denial) => host::respond(&answer::to(&denial)),
        Decision::Wait(_) => host::respond(&answer::without_denial(Code::KeysUnavailable)),
    }
    Some(false)
}

/// Makes the request what its backend may see.
fn forward(grant: &Grant, headers: &[Header<'_>]) -> Option<()> {
    let came = |wanted: &str| headers.iter().any(|(name, _)| *name == wanted.as_bytes());
    for name in grant.remove_headers.iter().filter(|name| came(name)) {
        host::remove_request_header(name)?;
    }
    if !grant.remove_cookies.is_empty() && came("cookie") {
        host::remove_request_header("cookie")?;
        for (_, value) in headers.iter().filter(|(name, _)| *name == b"cookie") {
            let kept = cookies::without(value, &grant.remove_cookies);
            if !kept.is_empty() {
                host::add_request_header("cookie", &kept)?;
            }
        }
    }
    for (name, value) in grant.set_headers.iter() {
        host::add_request_header(name, value.as_bytes())?;
    }
    Some(())
}
