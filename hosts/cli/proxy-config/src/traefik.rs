//! Traefik with `ForwardAuth`: a file of dynamic configuration.

use crate::{
    facts::{Document, Facts},
    names::{self, canonical},
    options::{Options, Version},
    problem::Problems,
    server::ServerAddress,
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
    let replaced: Vec<_> = replaced.iter().map(|named| &*named.name).collect();
    let forged = names::forged(facts);
    let own = facts.forward.iter().map(|named| &*named.name);
    let removed: String = own
        .chain(forged)
        .map(|name| format!("          {}: \"\"\n", canonical(name)))
        .collect();
    let copied: String = replaced
        .iter()
        .map(|name| format!("          - {}\n", canonical(name)))
        .collect();
    let copied = match copied.is_empty() {
        true => String::new(),
        false => format!("        authResponseHeaders:\n{copied}"),
    };
    let list = replaced.iter().chain(&["_"]).copied();
    let list = list.collect::<Vec<_>>().join(",");
    let (server, origin) = (http(&options.server), http(&options.origin));
    let name = &options.policy_name;
    let routers: String = facts
        .documents
        .iter()
        .enumerate()
        .map(|(index, document)| router(index, document, problems))
        .collect();
    let answer = match facts.documents.is_empty() {
        true => String::new(),
        false => format!(
            "    # Where the gate answers itself: this prefix, and then the target.\n    \
             countersign-answer:\n      addPrefix:\n        prefix: /traefik/{name}/document\n"
        ),
    };
    let address = format!("{server}/traefik/{name}?replaces={list}");
    let crd = resource(&address, &copied);
    let labels = labels(&address, &replaced);
    format!(
        "\
# Traefik's half of the gate for the policy `{name}`: a file of the file provider. Needs
# Traefik {OLDEST} or newer. Made by `countersign proxy-config traefik` from the policy: make
# it anew when `forward`, `credentials` or `strip_credential` change. Until then the server
# denies every request whose headers this file does not replace.
#
# Traefik's static configuration needs, for each entry point that clients reach:
#
#   entryPoints:
#     web:
#       address: \":8000\"
#       http:
#         aliasHeadersStrategy: delete # X_Auth_Subject and X.Auth.Subject, on every route
#
# and no `forwardedHeaders.insecure`. Set `forwardedHeaders.trustedIPs` only if a proxy of
# yours stands before this one.
http:
  middlewares:
    # For every route, also for those without the gate: what no client may write.
    countersign-clean:
      headers:
        customRequestHeaders:
{removed}\
\x20   countersign-auth:
      forwardAuth:
        # What stands behind `replaces` is what `authResponseHeaders` replaces, and that
        # headers with `_` are removed. The server compares it with each grant.
        address: \"{address}\"
        # The gate hears of the request as Traefik sees it.
        trustForwardHeader: false
        # The gate reads the request's own headers: with a list here it would miss some, and
        # `authRequestHeaders` is not set.
{copied}\
\x20       # X_Auth_Subject and X.Auth.Subject, once more.
        authResponseHeadersRegex: \"[^A-Za-z0-9-]\"
        forwardBody: false
        preserveRequestMethod: false
        maxResponseBodySize: 65536
        # `addAuthCookiesToResponse` and `authSigninURL` are not set: the reply to a denial is
        # the gate's own. Without an answer of the server the reply is 500.
    countersign-gate:
      chain:
        middlewares: [countersign-clean, countersign-auth]
{answer}\
\x20 routers:
    # Middlewares that change the target or a header stand before `countersign-gate`, never
    # behind it.
    protected:
      entryPoints: [web]
      rule: \"PathPrefix(`/`)\"
      middlewares: [countersign-gate]
      service: backend
    # A route without the gate:
    #   public:
    #     entryPoints: [web]
    #     rule: \"PathPrefix(`/public/`)\"
    #     middlewares: [countersign-clean]
    #     service: backend
{routers}\
\x20 services:
    backend:
      loadBalancer:
        servers: [{{ url: \"{origin}\" }}]
    countersign:
      loadBalancer:
        servers: [{{ url: \"{server}\" }}]
{crd}{labels}"
    )
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
        problems.refuse("", "Traefik's `forwardAuth` knows no Unix socket: use HOST:PORT");
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
    let Document { host, path, pointer } = document;
    if !names::is_plain_address(host) || !names::is_plain_address(path) {
        problems.refuse(
            pointer,
            "Traefik's configuration cannot hold this address of a document: use letters, digits, \
             `-`, `.`, `_`, `~` and `/`",
        );
    }
    let host = host.split(':').next().unwrap_or_default();
    format!(
        "    # The metadata document (RFC 9728), which the gate answers itself: its 200 would be
    # an allow for `forwardAuth`.
    countersign-document-{index}:
      entryPoints: [web]
      rule: \"Host(`{host}`) && Path(`{path}`) && (Method(`GET`) || Method(`HEAD`))\"
      priority: 1000000
      middlewares: [countersign-clean, countersign-answer]
      service: countersign
"
    )
}

/// The same as a resource of Kubernetes.
fn resource(address: &str, copied: &str) -> String {
    let copied: String = copied
        .lines()
        .map(|line| format!("#{}\n", line.strip_prefix("    ").unwrap_or(line)))
        .collect();
    format!(
        "
# In Kubernetes the middlewares are resources with the same members:
#
#  apiVersion: traefik.io/v1alpha1
#  kind: Middleware
#  metadata: {{ name: countersign-auth }}
#  spec:
#    forwardAuth:
#      address: \"{address}\"
#      trustForwardHeader: false
{copied}\
#      authResponseHeadersRegex: \"[^A-Za-z0-9-]\"
#      forwardBody: false
#      preserveRequestMethod: false
#      maxResponseBodySize: 65536
"
    )
}

/// The same as labels of a container.
fn labels(address: &str, replaced: &[&str]) -> String {
    let names: Vec<_> = replaced.iter().map(|name| canonical(name)).collect();
    let names = match names.is_empty() {
        true => String::new(),
        false => format!("#  {PREFIX}.authResponseHeaders: \"{}\"\n", names.join(",")),
    };
    format!(
        "
# As labels of a container:
#
#  {PREFIX}.address: \"{address}\"
#  {PREFIX}.trustForwardHeader: \"false\"
{names}\
#  {PREFIX}.authResponseHeadersRegex: \"[^A-Za-z0-9-]\"
#  {PREFIX}.maxResponseBodySize: \"65536\"
"
    )
}

const PREFIX: &str = "traefik.http.middlewares.countersign-auth.forwardAuth";

fn http(address: &ServerAddress) -> String {
    format!("http://{address}")
}
