//! The Gateway API: an `HTTPRoute` with external authorization over HTTP. Over gRPC it has
//! no place for the name of the policy.

use crate::{
    facts::{Document, Facts},
    headers,
    options::Options,
    problem::Problems,
    service::Service,
    template::fill,
};

const TEMPLATE: &str = include_str!("../templates/gateway-api.yaml");

/// As many headers as the API has room for in one list.
const MAX_HEADERS: usize = 64;

const DOCUMENT: &str = "\
# The metadata of a protected resource (RFC 9728): the gate answers it itself.
- matches:
    - path: { type: Exact, value: %PATH% }
  filters:
    - type: URLRewrite
      urlRewrite: { path: { type: ReplaceFullPath, replaceFullPath: /answer/%POLICY%%PATH% } }
  backendRefs:
    - { %SERVER% }
";

pub(crate) fn write(facts: &Facts, options: &Options, problems: &mut Problems) -> String {
    headers::check(facts, "The Gateway API", problems);
    let (asked, taken) = (headers::asked(facts), headers::taken(facts));
    if asked.len().max(taken.len()) > MAX_HEADERS {
        problems.refuse(
            "",
            format!("the Gateway API has lists of {MAX_HEADERS} headers at most"),
        );
    }
    let list =
        |names: &[String]| -> String { names.iter().map(|name| format!("- {name}\n")).collect() };
    let server = Service::of(&options.server, "--server", problems).reference();
    let origin = Service::of(&options.origin, "--origin", problems).reference();
    let values = [
        ("DOCUMENTS", documents(facts, &options.policy_name, &server)),
        ("POLICY", options.policy_name.clone()),
        ("SERVER", server),
        ("ORIGIN", origin),
        ("ASKED", list(&asked)),
        ("SET", list(&taken)),
    ];
    fill(TEMPLATE, &values)
}

/// Routes to what the gate answers itself.
pub(crate) fn documents(facts: &Facts, policy: &str, server: &str) -> String {
    let mut paths: Vec<&str> = Vec::new();
    let mut text = String::new();
    for Document { path, .. } in &facts.documents {
        if paths.contains(&path.as_str()) {
            continue;
        }
        paths.push(path);
        let values = [
            ("PATH", path.clone()),
            ("POLICY", policy.to_owned()),
            ("SERVER", server.to_owned()),
        ];
        text += &fill(DOCUMENT, &values);
    }
    text
}
