//! Envoy Gateway: its `SecurityPolicy` over gRPC, which names the policy.

use crate::{
    envoy::slashes, facts::Facts, options::Options, problem::Problems, service::Service,
    template::fill,
};

const TEMPLATE: &str = include_str!("../templates/envoy-gateway.yaml");

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    if let Some(proof) = &facts.certificate_proof {
        problems.refuse(
            &proof.pointer,
            "Envoy Gateway does not tell the server the client's certificate: use `envoy-grpc`",
        );
    }
    if let Some((header, _)) = &facts.client_certificate {
        problems.warn(
            &header.pointer,
            "this header counts only with `trusted_proxies: any`, and then it is whatever the \
             Gateway passes on",
        );
    }
    let slashes = match slashes(facts) {
        "KEEP_UNCHANGED" => "KeepUnchanged",
        _ => "RejectRequest",
    };
    let forward: Vec<_> = facts.forward.iter().map(|named| &*named.name).collect();
    let early = match forward.is_empty() {
        true => String::new(),
        false => format!(
            "# Nobody but the gate sets these: they go before a route is chosen.\n\
             earlyRequestHeaders: {{ remove: [{}] }}\n",
            forward.join(", ")
        ),
    };
    let server = Service::of(&options.server, "--server", problems);
    let values = [
        ("POLICY", options.policy_name.clone()),
        ("SLASHES", slashes.to_owned()),
        ("EARLY", early),
        ("SERVER", server.reference()),
    ];
    fill(TEMPLATE, &values)
}
