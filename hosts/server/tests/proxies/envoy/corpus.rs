//! The conformance corpus through Envoy, with the configuration that is generated for each
//! of its policies.

use std::{net::SocketAddr, path::Path};

use countersign_artefact_tests::{
    stage::{envoy::Envoy, setup::MAIN},
    yaml,
};
use countersign_proxy_config::{Kind, Options, Problem, Refused, generate};
use serde_json::{Value, json};

use super::binary;
use crate::{
    corpus::{Carries, Listeners, Player},
    stage::{origin::Origin, server::POLICY},
};

/// Vectors whose request Envoy itself answers with 400, as it is not valid HTTP.
const REFUSED_BY_ENVOY: [&str; 12] = [
    "authority-host-form",
    "host-list",
    "host-slash",
    "host-space",
    "method-non-ascii",
    "target-asterisk",
    "target-fragment",
    "target-non-ascii",
    "target-query",
    "target-query-only",
    "target-raw-ff",
    "target-relative",
];

#[test]
fn over_grpc_envoy_decides_the_corpus_like_the_native_crate() {
    play(Kind::EnvoyGrpc, 900, 2_000);
}

#[test]
fn over_http_envoy_decides_the_corpus_like_the_native_crate() {
    play(Kind::EnvoyHttp, 80, 1_800);
}

fn play(kind: Kind, fields: usize, at_least: usize) {
    let Some(binary) = binary() else { return };
    let origin = Origin::start();
    let nowhere: SocketAddr = ([127, 0, 0, 1], 1).into();
    let player = Player {
        dialect: kind.as_str(),
        carries: Carries {
            one_hop: false,
            lone_upgrade: true,
            two_hosts: true,
            no_authority: false,
            underscores: true,
            certificate: false,
            fields,
        },
        generate: &|policy| {
            if policy.get("client_certificate").is_some() {
                return Err(not_played(
                    "/client_certificate",
                    "Envoy says the certificate itself",
                ));
            }
            generate(kind, policy, &options(POLICY, nowhere, nowhere)).map(drop)
        },
        start: &|policies, server| start(kind, &binary, policies, server, origin.address),
        refuses: &REFUSED_BY_ENVOY,
        differs: &[],
        at_least,
    };
    player.play();
}

fn not_played(pointer: &str, message: &str) -> Refused {
    Refused {
        problems: vec![Problem {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        }],
        warnings: Vec::new(),
    }
}

fn options(policy: &str, server: SocketAddr, origin: SocketAddr) -> Options {
    Options {
        server: server.to_string().parse().unwrap(),
        policy_name: policy.to_owned(),
        origin: origin.to_string().parse().unwrap(),
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Options::default()
    }
}

/// One Envoy with a listener for each policy, as generated for it.
fn start(
    kind: Kind,
    binary: &Path,
    policies: &[(String, Value)],
    server: SocketAddr,
    origin: SocketAddr,
) -> Listeners {
    let mut bootstrap = json!({
        "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
    });
    let mut names = Vec::new();
    for (name, policy) in policies {
        let generated = generate(kind, policy, &options(name, server, origin)).unwrap();
        let mut one = yaml::parse(&generated.text).remove(0);
        let mut listener = one["static_resources"]["listeners"][0].take();
        let named = if names.is_empty() { MAIN } else { &**name };
        listener["name"] = json!(named);
        names.push(named.to_owned());
        loosen(&mut listener["filter_chains"][0]["filters"][0]["typed_config"]);
        let all = &mut bootstrap["static_resources"];
        match all["listeners"].as_array_mut() {
            Some(listeners) => listeners.push(listener),
            None => {
                all["listeners"] = json!([listener]);
                all["clusters"] = one["static_resources"]["clusters"].take();
            }
        }
    }
    let envoy = Envoy::start_yaml(binary, &bootstrap.to_string());
    let listeners = envoy.listeners();
    Listeners {
        addresses: names.iter().map(|name| listeners[name]).collect(),
        _running: Box::new(envoy),
    }
}

/// Requests reach the gate as the vectors have them: all that Envoy itself refuses,
/// normalises or removes for safety is off.
fn loosen(manager: &mut Value) {
    let all = manager.as_object_mut().unwrap();
    for name in [
        "use_remote_address",
        "normalize_path",
        "merge_slashes",
        "path_with_escaped_slashes_action",
    ] {
        all.remove(name);
    }
    // The scheme of a listener without TLS, as a proxy before it would say it.
    let scheme = json!({ "append": {
        "header": { "key": "x-forwarded-proto", "value": "%REQ(x-test-scheme)%" },
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    } });
    all.insert(
        "early_header_mutation_extensions".to_owned(),
        json!([{
            "name": "envoy.http.early_header_mutation.header_mutation",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
                "mutations": [scheme],
            },
        }]),
    );
    manager["max_request_headers_kb"] = json!(512);
    manager["common_http_protocol_options"] = json!({ "max_headers_count": 1000 });
    manager["http_protocol_options"] = json!({ "allow_custom_methods": true });
}
