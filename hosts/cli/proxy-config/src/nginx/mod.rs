//! nginx with `auth_request`.
//!
//! nginx sets and removes headers whose names its configuration has, so all names of the
//! policy are in it. It tells the server these names (`x-countersign-takes`), and the
//! server denies what it could not do for a request.

mod refused;

use crate::{
    facts::Facts,
    names,
    options::Options,
    problem::Problems,
    template::{fill, identifier, title},
};

const TEMPLATE: &str = include_str!("../../templates/nginx.conf");

/// What a denial is made of: the variable, and the header of the server.
const DENIAL: [(&str, &str); 5] = [
    ("status", "x_countersign_status"),
    ("challenge", "x_countersign_challenge"),
    ("nonce", "dpop_nonce"),
    ("pause", "retry_after"),
    ("body", "x_countersign_body"),
];

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    refused::check(facts, options, problems);
    let names: Vec<String> = facts
        .changed_headers()
        .into_iter()
        .map(|named| named.name)
        .collect();
    let values = [
        ("POLICY", options.policy_name.clone()),
        ("ID", identifier(&options.policy_name)),
        ("SERVER", options.server.to_string()),
        ("LISTEN", options.listen.to_string()),
        ("ORIGIN", options.origin.to_string()),
        ("REPLY", reply(&names)),
        (
            "SET",
            lines(&names, |name| {
                format!("proxy_set_header     {} ${};", title(name), variable(name))
            }),
        ),
        ("BELIEVED", believed(facts, &names)),
        ("QUESTION", question(facts, options, &names)),
        (
            "OPEN",
            lines(&names, |name| {
                format!("#       proxy_set_header {} \"\";", title(name))
            }),
        ),
    ];
    fill(TEMPLATE, &values)
}

/// What nginx keeps of the server's reply.
fn reply(names: &[String]) -> String {
    let set = |variable: &str, header: &str| {
        format!("auth_request_set ${variable} $upstream_http_{header};\n")
    };
    let mut text = set("countersign_target", "x_countersign_target");
    for name in names {
        text += &set(
            &variable(name),
            &format!("x_countersign_set_{}", name.replace('-', "_")),
        );
    }
    for (part, header) in DENIAL {
        text += &set(&format!("countersign_{part}"), header);
    }
    text
}

/// The headers that backends believe, but for those that the gate sets or reads.
fn believed(facts: &Facts, names: &[String]) -> String {
    let is_ours = |name: &str| names.iter().any(|ours| ours == name);
    let is_read = |name: &str| {
        let read = facts.credential_headers.iter().chain(&facts.compared);
        read.into_iter().any(|named| named.name == name)
    };
    let own = [
        ("x-forwarded-for", "$remote_addr"),
        ("x-forwarded-host", "$host"),
        ("x-forwarded-proto", "$scheme"),
    ];
    let own = own
        .into_iter()
        .filter(|(name, _)| !is_ours(name) && !is_read(name));
    let removed = names::removed(facts).into_iter();
    let removed = removed
        .filter(|name| !is_ours(name))
        .map(|name| (name, "\"\""));
    own.chain(removed)
        .map(|(name, value)| format!("proxy_set_header     {} {value};\n", title(name)))
        .collect()
}

/// How nginx says the request. A client's own headers of these names are replaced.
fn question(facts: &Facts, options: &Options, names: &[String]) -> String {
    let id = identifier(&options.policy_name);
    let takes = ["target".to_owned()]
        .into_iter()
        .chain(names.iter().cloned());
    let takes: Vec<_> = takes.collect();
    let mut headers = vec![
        ("Host", "countersign".to_owned()),
        ("Connection", "\"\"".to_owned()),
        ("Content-Length", "\"\"".to_owned()),
        ("X-Countersign-Method", "$request_method".to_owned()),
        ("X-Countersign-Target", "$request_uri".to_owned()),
        ("X-Countersign-Authority", "$http_host".to_owned()),
        ("X-Countersign-Host", "$host".to_owned()),
        ("X-Countersign-Scheme", "$scheme".to_owned()),
        ("X-Countersign-Connection", "$http_connection".to_owned()),
        ("X-Countersign-Upgrade", "$http_upgrade".to_owned()),
        (
            "X-Countersign-Certificate",
            format!("$countersign_{id}_certificate"),
        ),
        ("X-Countersign-Takes", format!("\"{}\"", takes.join(" "))),
    ];
    if facts.client_certificate.is_some() {
        // The peer of the connection, also where the module realip has put another
        // address in its place.
        headers.push(("X-Countersign-Peer", "$realip_remote_addr".to_owned()));
    }
    let mut text = String::from(
        "proxy_http_version       1.1;\n\
         proxy_pass_request_body  off;\n\
         proxy_cache              off;\n\
         # The server waits up to 6 s for keys.\n\
         proxy_connect_timeout    1s;\n\
         proxy_send_timeout       2s;\n\
         proxy_read_timeout       10s;\n\
         # A reply has the claims that are forwarded, in headers.\n\
         proxy_buffer_size        32k;\n\
         proxy_buffers            4 32k;\n\
         proxy_busy_buffers_size  64k;\n",
    );
    for (name, value) in headers {
        text += &format!("proxy_set_header         {name} {value};\n");
    }
    text
}

fn lines(names: &[String], line: impl Fn(&str) -> String) -> String {
    names.iter().map(|name| line(name) + "\n").collect()
}

fn variable(name: &str) -> String {
    format!("countersign_set_{}", name.replace('-', "_"))
}
