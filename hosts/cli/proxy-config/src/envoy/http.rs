//! What is particular to HTTP.

use super::mutations::pattern;
use crate::{
    facts::{Document, Facts},
    headers,
    options::Options,
    template::fill,
};

pub(super) fn values(facts: &Facts, options: &Options) -> Vec<(&'static str, String)> {
    let policy = &options.policy_name;
    let service = [
        ("POLICY", policy.clone()),
        ("SETS", headers::sets(facts)),
        ("ASKED", every_spelling(&headers::asked(facts))),
        ("SET", exact(&headers::taken(facts))),
        ("DENIED", exact(&headers::DENIED.map(str::to_owned))),
    ];
    vec![
        ("KIND", "envoy-http".to_owned()),
        ("REPLIES", REPLIES.to_owned()),
        ("SERVICE", fill(SERVICE, &service)),
        ("DOCUMENTS", documents(facts, policy)),
        ("CONTEXT", String::new()),
        ("PROTOCOL", String::new()),
    ]
}

/// Headers by their names.
fn exact(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("- {{ exact: {name} }}\n"))
        .collect()
}

/// The same in every spelling: a header that a backend could take for one that the gate
/// reads is not hidden from the gate.
fn every_spelling(names: &[String]) -> String {
    let pattern = |name: &String| match name.contains('-') {
        true => format!("- {{ safe_regex: {{ regex: \"{}\" }} }}\n", pattern(name)),
        false => format!("- {{ exact: {name} }}\n"),
    };
    names.iter().map(pattern).collect()
}

/// Where the gate answers itself.
fn documents(facts: &Facts, policy: &str) -> String {
    let mut text = String::new();
    for Document { host, path, .. } in &facts.documents {
        text += &fill(
            DOCUMENT,
            &[
                ("HOST", name(host).replace('.', "[.]")),
                ("PATH", path.clone()),
                ("POLICY", policy.to_owned()),
            ],
        );
    }
    text
}

/// A host without its port: clients may leave out, or add, the default one.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

const SERVICE: &str = r#"http_service:
  # The server waits up to 6 s for keys.
  server_uri: { uri: "http://countersign", cluster: countersign, timeout: 8s }
  path_prefix: /envoy-http/%POLICY%
  authorization_request:
    headers_to_add:
      # What is taken from a reply: the server denies if a grant sets more.
      - { key: x-countersign-sets, value: "%SETS%" }
  authorization_response:
    # They replace those of the request.
    allowed_upstream_headers:
      patterns:
        %SET%
    allowed_client_headers:
      patterns:
        %DENIED%
# The headers that the gate reads. Any other is not sent, and counts as absent.
allowed_headers:
  patterns:
    %ASKED%
"#;

const REPLIES: &str = r#"# Over HTTP a status from 500 on would be a failure of the server, so it sends 403 and
# the status in a header.
local_reply_config:
  mappers:
    - filter:
        extension_filter:
          name: envoy.access_loggers.extension_filters.cel
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter
            expression: "response.headers['x-countersign-status'] == '503'"
      status_code: 503
"#;

const DOCUMENT: &str = r#"# The metadata of a protected resource (RFC 9728): the gate answers it itself.
- match:
    path: %PATH%
    headers:
      - { name: ":authority", string_match: { safe_regex: { regex: "(?i)%HOST%[.]?(:[0-9]+)?" } } }
      - { name: ":method", string_match: { safe_regex: { regex: GET|HEAD } } }
  route: { cluster: countersign, prefix_rewrite: /answer/%POLICY%%PATH%, timeout: 8s }
  typed_per_filter_config:
    envoy.filters.http.ext_authz:
      "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
      disabled: true
"#;
