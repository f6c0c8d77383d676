//! Envoy with `ext_authz`: a whole bootstrap, over gRPC or over HTTP.

mod grpc;
mod http;
mod mutations;
mod refused;

use crate::{
    facts::Facts, options::Options, problem::Problems, server::ServerAddress, template::fill,
};

pub(crate) use mutations::early;

const TEMPLATE: &str = include_str!("../../templates/envoy.yaml");

/// How Envoy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

pub(crate) fn write(
    protocol: Protocol,
    facts: &Facts,
    options: &Options,
    problems: &mut Problems,
) -> String {
    refused::check(protocol, facts, options, problems);
    let mut values = vec![
        ("POLICY", options.policy_name.clone()),
        (
            "SLASHES",
            format!("path_with_escaped_slashes_action: {}", slashes(facts)),
        ),
        ("LISTEN", address(&options.listen).0),
        ("EARLY", early(facts)),
        ("MUTATIONS", mutations::allowed(facts)),
        ("TRAILERS", mutations::trailers(facts)),
        ("ORIGIN", cluster("origin", &options.origin)),
        ("SERVER", cluster("countersign", &options.server)),
    ];
    values.extend(match protocol {
        Protocol::Grpc => grpc::values(options),
        Protocol::Http => http::values(facts, options),
    });
    fill(TEMPLATE, &values)
}

/// What becomes of a path with `%2F`: a rule may keep it (`encoded_slash`), and the gate
/// refuses it elsewhere.
pub(crate) fn slashes(facts: &Facts) -> &'static str {
    match facts.encoded_slash {
        true => "KEEP_UNCHANGED",
        false => "REJECT_REQUEST",
    }
}

/// An address as Envoy has it, and whether it has to be resolved.
fn address(address: &ServerAddress) -> (String, bool) {
    match address {
        ServerAddress::Unix(path) => (format!("{{ pipe: {{ path: {path} }} }}"), false),
        ServerAddress::Tcp(address) => {
            let (host, port) = address.rsplit_once(':').unwrap_or((address, "80"));
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let socket = format!("address: \"{host}\", port_value: {port}");
            let is_name = host.parse::<std::net::IpAddr>().is_err();
            (format!("{{ socket_address: {{ {socket} }} }}"), is_name)
        }
    }
}

/// The type and the address of a cluster.
fn cluster(name: &str, at: &ServerAddress) -> String {
    let (address, is_name) = address(at);
    let kind = if is_name { "STRICT_DNS" } else { "STATIC" };
    format!(
        "type: {kind}\n\
         load_assignment:\n  \
           cluster_name: {name}\n  \
           endpoints:\n    \
             - lb_endpoints:\n        \
                 - endpoint: {{ address: {address} }}\n"
    )
}
