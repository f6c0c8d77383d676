//! Lists of headers for proxies that ask over HTTP in Envoy's form.

use crate::{facts::Facts, problem::Problems};

/// Headers of a denial that the client gets. What is absent here, such proxies add.
pub(crate) const DENIED: [&str; 7] = [
    "www-authenticate",
    "dpop-nonce",
    "retry-after",
    "cache-control",
    "content-type",
    "x-countersign-code",
    "x-countersign-status",
];

/// In a list that must not be empty: the server sends no such header.
const NOTHING: &str = "x-countersign-nothing";

/// Headers that the gate reads, and those that it removes: it says the spelling in which
/// they came.
pub(crate) fn asked(facts: &Facts) -> Vec<String> {
    let mut asked: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !asked.iter().any(|known| known == name) {
            asked.push(name.to_owned());
        }
    };
    add("authorization");
    let named = facts.credential_headers.iter().chain(&facts.compared);
    named.for_each(|named| add(&named.name));
    if !facts.cookies.is_empty() {
        add("cookie");
    }
    if facts.same_origin.is_some() {
        // A page of another site can open a WebSocket: the last two say that it is one.
        [
            "origin",
            "sec-fetch-site",
            "sec-fetch-mode",
            "upgrade",
            "sec-websocket-version",
        ]
        .into_iter()
        .for_each(&mut add);
    }
    facts
        .websocket_protocols
        .iter()
        .for_each(|named| add(&named.name));
    if facts.dpop.is_some() {
        add("dpop");
    }
    // A gRPC client gets a denial in its own form.
    add("content-type");
    facts.forward.iter().for_each(|named| add(&named.name));
    asked
}

/// Headers that the proxy takes from the reply for an allowed request. An empty list would
/// be all of them.
pub(crate) fn taken(facts: &Facts) -> Vec<String> {
    let taken: Vec<_> = facts
        .changed_headers()
        .into_iter()
        .map(|named| named.name)
        .collect();
    match taken.is_empty() {
        true => vec![NOTHING.to_owned()],
        false => taken,
    }
}

/// The same as one header, which is never empty.
pub(crate) fn sets(facts: &Facts) -> String {
    taken(facts).join(",")
}

/// What this form cannot carry.
pub(crate) fn check(facts: &Facts, proxy: &str, problems: &mut Problems) {
    for parameter in &facts.query_parameters {
        problems.refuse(
            &parameter.pointer,
            format!(
                "{proxy} cannot change the target of a request, so a token in the query would go \
                 on to the backend: use `envoy-grpc`, or another place"
            ),
        );
    }
    if let Some(dpop) = facts.dpop.as_ref().filter(|_| !facts.dpop_origin) {
        problems.refuse(
            &dpop.pointer,
            format!(
                "{proxy} does not say the scheme of a request, which a proof is about: say \
                 `dpop: {{ origin: … }}` in the policy, or use `envoy-grpc`"
            ),
        );
    }
    if let Some(proof) = &facts.certificate_proof {
        problems.refuse(
            &proof.pointer,
            format!("{proxy} does not say the client's certificate: use `envoy-grpc`"),
        );
    }
    if let Some((header, _)) = &facts.client_certificate {
        problems.refuse(
            &header.pointer,
            format!(
                "{proxy} does not say the address of the peer, so nobody knows whose this header \
                 is: use `envoy-grpc`, with which Envoy says the certificate itself"
            ),
        );
    }
}
