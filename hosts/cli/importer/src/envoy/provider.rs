//! `providers` of `jwt_authn`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    claim::{Claim, Form, Test},
    forward,
    input::Node,
    keys::{self, Keys},
    options::Options,
    place::places,
    plugin::authority,
    provider::Provider,
    required::{Fact, Required},
    text::{How, Text},
};

/// Envoy's default clock skew.
const CLOCK_SKEW_S: u64 = 60;

/// Members that take no part in decisions.
const WITHOUT_EFFECT: [&str; 7] = [
    "pad_forward_payload_header",
    "header_in_metadata",
    "failed_status_in_metadata",
    "jwt_cache_config",
    "clear_route_cache",
    "require_expiration",
    "normalize_payload_in_metadata",
];

pub(super) fn provider<'i>(name: &str, node: &Node<'i>, options: &Options) -> Provider<'i> {
    let iss = node.text_of("issuer").unwrap_or_default();
    if iss.is_empty() {
        node.stricter(
            "without `issuer` only tokens without `iss` are accepted: name the issuer of others",
        );
    }
    if !node.flag_of("require_expiration") && node.member("max_lifetime").is_none() {
        node.stricter(
            "a token without `exp` is denied; `exp_required: false` of the issuer admits it",
        );
    }
    let mut provider = Provider {
        name: name.to_owned(),
        iss: iss.to_owned(),
        audiences: node.texts_of("audiences"),
        other_audiences: Vec::new(),
        keys: key_source(node, options),
        cluster: cluster(node),
        required: subjects(node),
        places: places(node, "value_prefix", options),
        keeps_token: node.flag_of("forward"),
        forward: forward(node),
        max_lifetime_s: node.member("max_lifetime").and_then(|node| seconds(&node)),
        leeway_s: node
            .member("clock_skew_seconds")
            .and_then(|node| node.value.as_u64())
            .filter(|seconds| *seconds > 0)
            .unwrap_or(CLOCK_SKEW_S),
        payload: node
            .text_of("payload_in_metadata")
            .unwrap_or_default()
            .to_owned(),
        words: node
            .member("normalize_payload_in_metadata")
            .map(|node| node.texts_of("space_delimited_claims"))
            .into_iter()
            .flatten()
            .collect(),
        node: node.clone(),
    };
    let known = [
        "issuer",
        "audiences",
        "subjects",
        "remote_jwks",
        "local_jwks",
        "forward",
        "from_headers",
        "from_params",
        "from_cookies",
        "forward_payload_header",
        "claim_to_headers",
        "payload_in_metadata",
        "clock_skew_seconds",
        "max_lifetime",
    ];
    for other in node.others(&[&known[..], &WITHOUT_EFFECT].concat()) {
        other.stricter(
            "this is not known here and may require more: the provider's tokens are denied",
        );
        provider.keys.clear();
    }
    if node.flag_of("pad_forward_payload_header") {
        node.changed("the payload is forwarded without padding");
    }
    provider
}

fn key_source(node: &Node<'_>, options: &Options) -> Vec<Keys> {
    if let Some(remote) = node.member("remote_jwks") {
        let Some(uri) = remote.at(&["http_uri", "uri"]) else {
            return Vec::new();
        };
        if let Some(cluster) = remote
            .at(&["http_uri", "cluster"])
            .filter(|_| !options.plugin)
        {
            cluster.dropped(
                "the filter needs the cluster in addition to the policy: `--plugin` prints both",
            );
        }
        for member in ["cache_duration", "async_fetch", "retry_policy"] {
            if let Some(member) = remote.member(member) {
                member.dropped("keys are refreshed before the issuer's `max-age` ends");
            }
        }
        return keys::published(&uri, uri.text(), &options.algorithm);
    }
    let Some(local) = node.member("local_jwks") else {
        return Vec::new();
    };
    match local.member("inline_string") {
        Some(inline) => keys::inline(&inline, &options.algorithm),
        None => {
            local.stricter(
                "only `inline_string` is carried over: tokens of this provider are denied",
            );
            Vec::new()
        }
    }
}

fn cluster(node: &Node<'_>) -> Option<(String, String)> {
    let uri = node.at(&["remote_jwks", "http_uri", "uri"])?;
    let cluster = node.at(&["remote_jwks", "http_uri", "cluster"])?;
    Some((authority(uri.text())?.to_owned(), cluster.text().to_owned()))
}

fn subjects(node: &Node<'_>) -> Required {
    let Some(node) = node.member("subjects") else {
        return Required::Nothing;
    };
    let test = Text::of_envoy(&node).filter(|text| !text.ignore_case);
    let test = test.and_then(|text| Some((Test::of(&text)?, text)));
    match test {
        // In it no dot is a line break.
        Some((test, text)) if !text.is_regex || matches!(text.how, How::Exact(_)) => {
            Fact::Claim(Claim::new("/sub".to_owned(), Form::Value, test)).into()
        }
        _ => {
            node.stricter(
                "only a whole subject, its beginning or its end is carried over: the provider's \
                 tokens are denied",
            );
            Required::Never
        }
    }
}

fn forward(node: &Node<'_>) -> BTreeMap<String, Option<Value>> {
    let mut forward = BTreeMap::new();
    if let Some(header) = node
        .text_of("forward_payload_header")
        .filter(|name| !name.is_empty())
    {
        forward.insert(forward::header(node, header), Some(json!("claims")));
    }
    for claim in node.items_of("claim_to_headers") {
        let header = claim.text_of("header_name").unwrap_or_default();
        let name = claim.text_of("claim_name").unwrap_or_default();
        let header = forward::header(&claim, header);
        forward.insert(header, forward::claim(&claim, name));
    }
    forward
}

/// `3600s`.
fn seconds(node: &Node<'_>) -> Option<u64> {
    let whole = node.text().strip_suffix('s')?.split('.').next()?;
    whole.parse().ok().filter(|seconds| *seconds > 0)
}
