//! HAProxy with an action in Lua.
//!
//! The action does what the server says, header by header, so it needs no names of the
//! policy. The configuration has them only for frontends without the gate.

use crate::{
    facts::Facts,
    options::{Options, Version},
    problem::Problems,
    server::ServerAddress,
    template::{fill, identifier},
};

const CONFIGURATION: &str = include_str!("../templates/haproxy.cfg");
const ACTION: &str = include_str!("../templates/haproxy.lua");

/// The first with an HTTP client for Lua that waits as long as it is told to, and takes
/// the path of a Unix socket.
const OLDEST: Version = Version([2, 6, 0]);
const SETS_RETRIES: Version = Version([2, 8, 0]);
const DROPS_TRAILERS: Version = Version([3, 2, 0]);

pub(crate) fn configuration(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    check(options, problems);
    let names: Vec<_> = facts
        .changed_headers()
        .into_iter()
        .map(|named| named.name)
        .collect();
    let drops = options
        .version
        .is_some_and(|version| version >= DROPS_TRAILERS);
    if !drops {
        problems.warn(
            "",
            format!(
                "HAProxy before {DROPS_TRAILERS} passes on trailers of requests, which the gate does not see: a backend must not read them as headers"
            ),
        );
    }
    let trailers = match drops {
        true => "option http-drop-request-trailers",
        false => "# HAProxy 3.2 or newer: option http-drop-request-trailers",
    };
    let open: String = names
        .iter()
        .map(|name| {
            format!(
                "#   http-request del-header ^{}$ -m reg\n",
                name.replace('-', "[-_]")
            )
        })
        .collect();
    let values = [
        ("POLICY", options.policy_name.clone()),
        ("ID", identifier(&options.policy_name)),
        ("LISTEN", address(&options.listen)),
        ("ACTION", options.action.clone()),
        ("ORIGIN", address(&options.origin)),
        ("HTTPCLIENT", client(options)),
        ("TRAILERS", trailers.to_owned()),
        ("OPEN", open),
    ];
    fill(CONFIGURATION, &values)
}

pub(crate) fn action(options: &Options, problems: &mut Problems) -> String {
    check(options, problems);
    let values = [
        ("POLICY", options.policy_name.clone()),
        ("ID", identifier(&options.policy_name)),
        ("SERVER", options.server.to_string()),
    ];
    fill(ACTION, &values)
}

fn check(options: &Options, problems: &mut Problems) {
    if let Some(version) = options.version.filter(|version| *version < OLDEST) {
        problems.refuse(
            "",
            format!("HAProxy {version} has no HTTP client for Lua that could ask the server: {OLDEST} is the oldest that has"),
        );
    }
}

/// Without these, three tries of a second each before a server that is down is given up.
fn client(options: &Options) -> String {
    const LINES: &str = "httpclient.retries 1\nhttpclient.timeout.connect 1000\n";
    match options
        .version
        .is_some_and(|version| version >= SETS_RETRIES)
    {
        true => LINES.to_owned(),
        false => LINES
            .lines()
            .map(|line| format!("# HAProxy {SETS_RETRIES} or newer: {line}\n"))
            .collect(),
    }
}

/// As HAProxy writes addresses.
fn address(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Tcp(address) => address.clone(),
        ServerAddress::Unix(path) => format!("unix@{path}"),
    }
}
