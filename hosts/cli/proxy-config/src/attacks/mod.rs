//! Requests that have come through proxies in front of decision servers, and what a
//! backend must never see of them.
//!
//! Whatever reaches the backend is judged in one way: the gate is asked again, about the
//! request as the backend sees it. So an attack here is only bytes; what counts is what
//! comes out at the other end.

mod identity;
mod judge;
mod probe;
mod targets;

use serde_json::Value;

use crate::{facts::Facts, forged};

pub use judge::{Expected, Seen, findings};
pub use probe::{Aim, Credential, Probe};

/// What every header that the backend must not get has in its value.
pub const MARK: &str = "countersign-forged";

/// Requests of one kind.
#[derive(Debug)]
pub struct Attack {
    /// What must be true, in a few words.
    pub title: &'static str,
    /// What to do where it is not.
    pub fix: &'static str,
    /// The requests.
    pub probes: Vec<Probe>,
}

/// The attacks on a proxy in front of a gate with this policy.
pub fn attacks(policy: &Value, aim: &Aim) -> Vec<Attack> {
    let facts = Facts::of(policy);
    let own: Vec<_> = facts
        .forward
        .iter()
        .map(|named| named.name.clone())
        .collect();
    let mut attacks = vec![
        targets::unidentified(aim),
        identity::aliases(aim, &own),
        identity::connection(aim, &own),
        identity::trailers(aim, &own),
        targets::paths(aim),
        targets::forms(aim),
        targets::hosts(aim),
        targets::methods_and_tunnels(aim),
        identity::believed(
            aim,
            "another target in a header reaches nobody",
            "remove these headers before the gate, on every route",
            &forged::TARGETS,
        ),
        identity::believed(
            aim,
            "another method in a header reaches nobody",
            "remove these headers before the gate, on every route",
            &forged::METHODS,
        ),
        identity::believed(
            aim,
            "another host or client in a header reaches nobody",
            "let the proxy set `X-Forwarded-*` itself and trust no client's: `trusted_proxies`, `trustForwardHeader`, `set_real_ip_from`",
            &[
                "forwarded",
                "x-forwarded-host",
                "x-host",
                "x-original-host",
                "x-real-ip",
            ],
        ),
        identity::believed(
            aim,
            "a certificate in a header reaches nobody",
            "remove these headers on every route, and set only the one that your backend reads",
            &forged::CERTIFICATES,
        ),
        identity::credentials(aim),
    ];
    attacks.extend(identity::open(aim, &own));
    attacks.retain(|attack| !attack.probes.is_empty());
    attacks
}

/// The requests that must all be refused while the decision server is down.
pub fn while_down(aim: &Aim) -> Attack {
    targets::down(aim)
}
