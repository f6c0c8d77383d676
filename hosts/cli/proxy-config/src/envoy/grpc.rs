//! What is particular to gRPC.

use crate::options::Options;

pub(super) fn values(options: &Options) -> Vec<(&'static str, String)> {
    let policy = &options.policy_name;
    vec![
        ("KIND", "envoy-grpc".to_owned()),
        ("REPLIES", String::new()),
        ("SERVICE", SERVICE.to_owned()),
        ("DOCUMENTS", String::new()),
        ("CONTEXT", CONTEXT.replace("%POLICY%", policy)),
        ("PROTOCOL", PROTOCOL.to_owned()),
    ]
}

const SERVICE: &str = "\
# The certificate with which a client has authenticated itself, if the listener asks for
# one (`validation_context`, `require_client_certificate`): for tokens that are bound to it.
include_peer_certificate: true
grpc_service:
  envoy_grpc: { cluster_name: countersign }
  # The server waits up to 6 s for keys.
  timeout: 8s
";

const CONTEXT: &str = "\
# Every route asks by this policy. A route that says another one in its own
# `typed_per_filter_config` replaces it. Without a name, the server denies.
typed_per_filter_config:
  envoy.filters.http.ext_authz:
    \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
    check_settings: { context_extensions: { policy: \"%POLICY%\" } }
";

const PROTOCOL: &str = "\
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: { http2_protocol_options: {} }
# Of several servers, those are asked that have the keys they need.
health_checks:
  - timeout: 1s
    interval: 5s
    unhealthy_threshold: 2
    healthy_threshold: 1
    grpc_health_check: { service_name: envoy.service.auth.v3.Authorization }
";
