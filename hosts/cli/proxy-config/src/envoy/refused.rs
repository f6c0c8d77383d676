//! What Envoy cannot do.

use super::Protocol;
use crate::{
    facts::Facts,
    headers,
    options::{Options, Version},
    problem::Problems,
};

/// The oldest version of each line without known weaknesses that undo decisions: the table
/// in `envoy-filter/README.md`.
const OLDEST: [Version; 6] = [
    Version([1, 35, 13]),
    Version([1, 36, 9]),
    Version([1, 37, 5]),
    Version([1, 38, 3]),
    Version([1, 39, 0]),
    Version([1, 40, 0]),
];

pub(super) fn check(protocol: Protocol, facts: &Facts, options: &Options, problems: &mut Problems) {
    if let Some(version) = options.version {
        version_is_safe(version, problems);
    }
    match protocol {
        Protocol::Grpc => {
            if let Some((header, _)) = &facts.client_certificate {
                problems.warn(
                    &header.pointer,
                    "Envoy says the certificate of its own client (`include_peer_certificate`): \
                     a header about one counts only with `trusted_proxies: any`",
                );
            }
        }
        Protocol::Http => headers::check(facts, "Envoy's protocol over HTTP", problems),
    }
}

fn version_is_safe(version: Version, problems: &mut Problems) {
    let Version([major, minor, _]) = version;
    let line = OLDEST.iter().find(|oldest| oldest.0[..2] == [major, minor]);
    let [first, .., last] = &OLDEST;
    let is_safe = match line {
        Some(oldest) => version >= *oldest,
        None => version > *last,
    };
    if !is_safe {
        let oldest = line.unwrap_or(first);
        problems.refuse(
            "",
            format!("Envoy {version} has weaknesses that undo decisions: use at least {oldest}"),
        );
    }
}
