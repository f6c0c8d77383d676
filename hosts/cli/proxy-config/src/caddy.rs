//! Caddy with `forward_auth`: a Caddyfile.

use crate::{
    facts::{Document, Facts},
    names::{self, canonical},
    options::{Options, Version},
    problem::Problems,
    server::ServerAddress,
};

/// Before it, `copy_headers` leaves a client's own header where the reply has none
/// (GHSA-7r4p-vjf4-gxv4).
const OLDEST: Version = Version([2, 11, 2]);

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    check(facts, options, problems);
    let replaced = names::replaced(facts, problems);
    let replaced: Vec<_> = replaced.iter().map(|named| &*named.name).collect();
    let own: Vec<_> = facts.forward.iter().map(|named| &*named.name).collect();
    let forged = names::forged(facts);
    let stripped = own.iter().chain(&forged).filter(|name| !name.contains('_'));
    let stripped: String = stripped
        .map(|name| format!("\trequest_header -{}\n", canonical(name)))
        .collect();
    let copied: String = replaced
        .iter()
        .map(|name| format!("\t\t\t{}\n", canonical(name)))
        .collect();
    let copied = match copied.is_empty() {
        true => String::new(),
        false => format!("\t\tcopy_headers {{\n{copied}\t\t}}\n"),
    };
    let documents: String = facts
        .documents
        .iter()
        .enumerate()
        .map(|(index, document)| self::document(index, document, options, problems))
        .collect();
    let server = dial(&options.server);
    let origin = dial(&options.origin);
    let name = &options.policy_name;
    let list = replaced
        .iter()
        .chain(&["_"])
        .copied()
        .collect::<Vec<_>>()
        .join(",");
    format!(
        "\
# Caddy's half of the gate for the policy `{name}`. Needs Caddy {OLDEST} or newer.
# Made by `countersign proxy-config caddy` from the policy: make it anew when `forward`,
# `credentials` or `strip_credential` change. Until then the server denies every request
# whose headers this file does not replace.
#
# Do not set `trusted_proxies` unless a proxy of yours stands before this one.

# For every route, also for those without the gate: what no client may write.
(countersign_clean) {{
	# Backends read X_Auth_Subject and X.Auth.Subject as X-Auth-Subject.
	request_header -*_*
	request_header -*.*
	request_header -X-Countersign-*
{stripped}\t# `Connection: X-Auth-Subject` would remove that header behind the gate, and
	# `Upgrade: h2c` would open a tunnel past it.
	@no_websocket not header_regexp Upgrade ^(?i:websocket)$
	request_header @no_websocket -Upgrade
	request_header @no_websocket -Connection
	@websocket header_regexp Upgrade ^(?i:websocket)$
	request_header @websocket Connection Upgrade
	request_header @websocket Upgrade websocket
}}

# The gate: what it does not allow goes no further. Without an answer of the server there
# is an error (502, 504), and the request goes no further either.
(countersign_gate) {{
	import countersign_clean
	# `GET x:y` has no path: Caddy would ask at `y` in place of the address below.
	@countersign_pathless not path /*
	respond @countersign_pathless 400
{documents}\tforward_auth {server} {{
		# What stands behind `replaces` is what `copy_headers` replaces, and that the headers
		# with `_` are removed. The server compares it with each grant.
		uri /caddy/{name}?replaces={list}
		# What Caddy itself sees, also where `trusted_proxies` lets a client say something else
		# (without it Caddy calls these lines unnecessary). Method and target are in
		# X-Forwarded-Method and X-Forwarded-Uri: the target as the backend gets it.
		header_up X-Forwarded-Host {{http.request.hostport}}
		header_up X-Forwarded-Proto {{http.request.scheme}}
		header_up X-Forwarded-For {{http.request.remote.host}}
		header_up X-Countersign-Version {{http.request.proto}}
		# The client's certificate, if `tls` has `client_auth`.
		header_up X-Countersign-Certificate {{http.request.tls.client.certificate_der_base64}}
{copied}\t\ttransport http {{
			dial_timeout 1s
			response_header_timeout 10s
			compression off
		}}
	}}
}}

# The site: its address is in the environment variable SITE, or `:8000`.
{{$SITE::8000}} {{
	# `route` keeps the order of these lines. Nothing that changes the target or a header may
	# stand between the gate and the backend: rewrite before the gate.
	route {{
		import countersign_gate
		reverse_proxy {origin}
	}}
	# A route without the gate, above `route`:
	#	handle /public/* {{
	#		route {{
	#			import countersign_clean
	#			reverse_proxy {origin}
	#		}}
	#	}}
}}
"
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
    let Document { host, path, pointer } = document;
    if !names::is_plain_address(host) || !names::is_plain_address(path) {
        problems.refuse(
            pointer,
            "Caddy's configuration cannot hold this address of a document: use letters, digits, \
             `-`, `.`, `_`, `~` and `/`",
        );
    }
    let host = host.split(':').next().unwrap_or_default();
    let (server, name) = (dial(&options.server), &options.policy_name);
    format!(
        "\
	# The metadata document (RFC 9728), which the gate answers itself.
	@countersign_document_{index} {{
		host {host}
		path {path}
		method GET HEAD
	}}
	reverse_proxy @countersign_document_{index} {server} {{
		rewrite /caddy/{name}/document{path}
		header_up -Cookie
		header_up -Authorization
	}}
"
    )
}

/// An address as Caddy has it.
fn dial(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Tcp(address) => address.clone(),
        ServerAddress::Unix(path) => format!("unix/{path}"),
    }
}
