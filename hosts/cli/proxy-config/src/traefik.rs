//! Traefik with `ForwardAuth`: a file of dynamic configuration.

use crate::{
    facts::{Document, Facts},
    names,
    options::{Options, Version},
    problem::Problems,
    server::ServerAddress,
    template::{fill, title},
};

/// Before it, `Upgrade: h2c` opened a tunnel past every middleware, a target without a path
/// went on unseen, and trailers reached the backend with their values.
const OLDEST: Version = Version([3, 7, 13]);

/// Headers that Traefik writes itself, and removes from its question if clients wrote them.
const ITS_OWN: [&str; 11] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-forwarded-uri",
    "x-real-ip",
];

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    check(facts, options, problems);
    let replaced = names::replaced(facts, problems);
    // Traefik writes this one itself.
    let removed = names::removed(facts)
        .into_iter()
        .filter(|name| *name != "x-real-ip")
        .map(|name| format!("{}: \"\"\n", title(name)));
    let copied: Vec<_> = replaced.iter().map(|name| title(name)).collect();
    let name = &options.policy_name;
    let mut documents = String::new();
    for (index, document) in facts.documents.iter().enumerate() {
        documents.push_str(&router(index, document, problems));
    }
    let answer = match facts.documents.is_empty() {
        true => String::new(),
        false => format!(
            "# Where the gate answers itself: this prefix, and then the target.\n\
             countersign-answer:\n  addPrefix:\n    prefix: /answer/{name}\n"
        ),
    };
    let list = names::list(&replaced);
    let address = format!("http://{}/traefik/{name}?replaces={list}", options.server);
    fill(
        include_str!("../templates/traefik.yaml"),
        &[
            ("NAME", name.clone()),
            ("OLDEST", OLDEST.to_string()),
            ("REMOVED", removed.collect()),
            ("ADDRESS", address),
            ("COPIED", authentic(&copied)),
            ("COPIED_LIST", copied.join(",")),
            ("ANSWER", answer),
            ("DOCUMENTS", documents),
            ("SERVER", options.server.to_string()),
            ("ORIGIN", options.origin.to_string()),
            ("LISTEN", options.listen.to_string()),
        ],
    )
}

/// The headers that become those of the reply.
fn authentic(copied: &[String]) -> String {
    let lines: String = copied.iter().map(|name| format!("  - {name}\n")).collect();
    match lines.is_empty() {
        true => lines,
        false => format!("authResponseHeaders:\n{lines}"),
    }
}

fn check(facts: &Facts, options: &Options, problems: &mut Problems) {
    if let Some(version) = options.version
        && version < OLDEST
    {
        problems.refuse(
            "",
            format!(
                "Traefik {version} cannot be safe: `Upgrade: h2c` opens a tunnel past the gate; \
                 use {OLDEST} or newer"
            ),
        );
    }
    if let ServerAddress::Unix(_) = options.server {
        problems.refuse(
            "",
            "Traefik's `forwardAuth` knows no Unix socket: use HOST:PORT",
        );
    }
    if let ServerAddress::Unix(_) = options.origin {
        problems.refuse("", "Traefik's services know no Unix socket: use HOST:PORT");
    }
    names::not_of_the_proxy("Traefik", &ITS_OWN, facts, problems);
    for parameter in &facts.query_parameters {
        problems.refuse(
            &parameter.pointer,
            format!(
                "Traefik cannot take the parameter `{}` out of the target: use a header, a \
                 cookie or a subprotocol",
                parameter.name
            ),
        );
    }
    if facts.client_certificate.is_none() {
        problems.warn(
            "",
            "Traefik does not tell the gate the client's certificate: tokens that are bound to one \
             are denied",
        );
    }
}

/// The router of a metadata document, before all others.
fn router(index: usize, document: &Document, problems: &mut Problems) -> String {
    let Document {
        host,
        path,
        pointer,
    } = document;
    if !names::is_plain_address(host) || !names::is_plain_address(path) {
        problems.refuse(
            pointer,
            "Traefik's configuration cannot hold this address of a document: use letters, digits, \
             `-`, `.`, `_`, `~` and `/`",
        );
    }
    let host = host.split(':').next().unwrap_or_default();
    format!(
        "# The metadata document (RFC 9728), which the gate answers itself: its 200 would be\n\
         # an allow for `forwardAuth`.\n\
         countersign-document-{index}:\n  \
         entryPoints: [web]\n  \
         rule: \"Host(`{host}`) && Path(`{path}`) && (Method(`GET`) || Method(`HEAD`))\"\n  \
         priority: 1000000\n  \
         middlewares: [countersign-clean, countersign-answer]\n  \
         service: countersign\n"
    )
}
