//! Caddy with `forward_auth`: a Caddyfile.

use crate::{
    facts::{Document, Facts},
    names,
    options::{Options, Version},
    problem::Problems,
    server::ServerAddress,
    template::{fill, title},
};

/// Before it, `copy_headers` leaves a client's own header where the reply has none
/// (GHSA-7r4p-vjf4-gxv4).
const OLDEST: Version = Version([2, 11, 2]);

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    check(facts, options, problems);
    let replaced = names::replaced(facts, problems);
    let removed = names::removed(facts)
        .into_iter()
        .map(|name| format!("request_header -{}\n", title(name)));
    let copied: String = replaced
        .iter()
        .map(|name| format!("\t{}\n", title(name)))
        .collect();
    let copied = match copied.is_empty() {
        true => String::new(),
        false => format!("copy_headers {{\n{copied}}}\n"),
    };
    let mut documents = String::new();
    for (index, document) in facts.documents.iter().enumerate() {
        documents.push_str(&self::document(index, document, options, problems));
    }
    let site = site(&options.listen);
    fill(
        include_str!("../templates/Caddyfile"),
        &[
            ("NAME", options.policy_name.clone()),
            ("OLDEST", OLDEST.to_string()),
            ("REMOVED", removed.collect()),
            ("DOCUMENTS", documents),
            ("SERVER", dial(&options.server)),
            ("ORIGIN", dial(&options.origin)),
            ("SITE", site.0),
            ("BIND", site.1),
            ("LIST", names::list(&replaced)),
            ("COPIED", copied),
        ],
    )
}

/// Headers by which Caddy says the request: nothing else can be in them.
const CARRIERS: [&str; 7] = [
    "x-countersign-certificate",
    "x-countersign-version",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-method",
    "x-forwarded-proto",
    "x-forwarded-uri",
];

fn check(facts: &Facts, options: &Options, problems: &mut Problems) {
    names::not_of_the_proxy("Caddy", &CARRIERS, facts, problems);
    if let Some(version) = options.version
        && version < OLDEST
    {
        problems.refuse(
            "",
            format!(
                "Caddy {version} cannot be safe: `copy_headers` keeps a header that the client \
                 wrote where the reply has none (GHSA-7r4p-vjf4-gxv4); use {OLDEST} or newer"
            ),
        );
    }
    for parameter in &facts.query_parameters {
        problems.refuse(
            &parameter.pointer,
            format!(
                "Caddy cannot take the parameter `{}` out of the target without changing the \
                 others: use a header, a cookie or a subprotocol",
                parameter.name
            ),
        );
    }
}

/// The route of a metadata document. A reply that allows is a 2xx, and so is the document: it
/// comes from a path of its own.
fn document(
    index: usize,
    document: &Document,
    options: &Options,
    problems: &mut Problems,
) -> String {
    let Document {
        host,
        path,
        pointer,
    } = document;
    if !names::is_plain_address(host) || !names::is_plain_address(path) {
        problems.refuse(
            pointer,
            "Caddy's configuration cannot hold this address of a document: use letters, digits, \
             `-`, `.`, `_`, `~` and `/`",
        );
    }
    let host = host.split(':').next().unwrap_or_default();
    let spelled = path.replace('.', "\\.");
    let (server, name) = (dial(&options.server), &options.policy_name);
    format!(
        "# The metadata document (RFC 9728), which the gate answers itself.\n\
         @countersign_document_{index} {{\n\
         \thost {host} {host}.\n\
         \tvars_regexp {{http.request.uri}} `^{spelled}(\\?.*)?$`\n\
         \tmethod GET HEAD\n\
         }}\n\
         reverse_proxy @countersign_document_{index} {server} {{\n\
         \trewrite /answer/{name}{path}\n\
         \theader_up -Cookie\n\
         \theader_up -Authorization\n\
         }}\n"
    )
}

/// The address of the site, and where it is bound.
fn site(listen: &ServerAddress) -> (String, String) {
    match listen {
        ServerAddress::Tcp(address) => {
            let (host, port) = address.rsplit_once(':').unwrap_or(("", address));
            (format!("http://:{port}"), host.to_owned())
        }
        ServerAddress::Unix(_) => ("http://".to_owned(), dial(listen)),
    }
}

/// An address as Caddy has it.
fn dial(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Tcp(address) => address.clone(),
        ServerAddress::Unix(path) => format!("unix/{path}"),
    }
}
