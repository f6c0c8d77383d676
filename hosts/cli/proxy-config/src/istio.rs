//! Istio: a provider of external authorization over HTTP, and what uses it. Over gRPC a
//! provider has no place for the name of the policy.

use crate::{
    envoy::{self, slashes},
    facts::Facts,
    gateway_api, headers,
    options::Options,
    problem::Problems,
    server::ServerAddress,
    service::Service,
    template::fill,
};

const TEMPLATE: &str = include_str!("../templates/istio.yaml");

/// Of these paths nobody asks: they lead to the server itself.
const ROUTE: &str = "\
---
# The metadata of protected resources: nobody asks about them, as they are answered by the
# server itself. Without this route, these paths would be open.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: countersign-%POLICY%-metadata
  namespace: istio-ingress
spec:
  parentRefs:
    - { name: ingress }
  rules:
    %DOCUMENTS%
";

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    headers::check(facts, "A provider of Istio", problems);
    let (host, port) = match &options.server {
        ServerAddress::Tcp(address) => address.rsplit_once(':').unwrap_or((address, "")),
        ServerAddress::Unix(_) => {
            problems.refuse(
                "",
                "Istio knows the server as a service: `--server HOST:PORT`",
            );
            ("", "")
        }
    };
    let list =
        |names: &[String]| -> String { names.iter().map(|name| format!("- {name}\n")).collect() };
    let policy = &options.policy_name;
    let paths: Vec<_> = facts
        .documents
        .iter()
        .map(|document| &*document.path)
        .collect();
    let (rule, route) = match paths.is_empty() {
        true => ("- {}\n".to_owned(), String::new()),
        false => {
            let server = Service::of(&options.server, "--server", problems).reference();
            let documents = gateway_api::documents(facts, policy, &server);
            let rule = format!(
                "- to: [{{ operation: {{ notPaths: [\"{}\"] }} }}]\n",
                paths.join("\", \"")
            );
            (
                rule,
                fill(
                    ROUTE,
                    &[("POLICY", policy.clone()), ("DOCUMENTS", documents)],
                ),
            )
        }
    };
    let values = [
        ("POLICY", policy.clone()),
        ("HOST", host.to_owned()),
        ("PORT", port.to_owned()),
        ("ASKED", list(&headers::asked(facts))),
        ("SETS", headers::sets(facts)),
        ("SET", list(&headers::taken(facts))),
        ("DENIED", list(&headers::DENIED.map(str::to_owned))),
        ("RULE", rule),
        ("SLASHES", slashes(facts).to_owned()),
        ("EARLY", envoy::early(facts)),
        ("ROUTE", route),
    ];
    fill(TEMPLATE, &values)
}
