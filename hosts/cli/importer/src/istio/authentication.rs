//! `jwtRules` of a `RequestAuthentication`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    forward, input::Node, keys, options::Options, place::places, plugin::authority,
    provider::Provider, required::Required,
};

/// The clock skew that Istio configures in Envoy.
const CLOCK_SKEW_S: u64 = 60;
/// The cluster that Istio makes of `deploy/istio/issuer.yaml`.
const CLUSTER: &str = "outbound|9443||{host}";
/// Claims that Envoy splits at spaces, as Istio configures it.
const WORDS: [&str; 2] = ["scope", "permission"];

pub(super) fn provider<'i>(rule: &Node<'i>, options: &Options) -> Provider<'i> {
    let iss = rule.text_of("issuer").unwrap_or_default();
    if iss.is_empty() {
        rule.stricter(
            "without `issuer` only tokens without `iss` are accepted: name the issuer of others",
        );
    }
    rule.stricter("a token without `exp` is denied; `exp_required: false` of the issuer admits it");
    let uri = rule.member("jwks_uri");
    let keys = if let Some(jwks) = rule.member("jwks") {
        keys::inline(&jwks, &options.algorithm)
    } else if let Some(uri) = &uri {
        keys::published(uri, uri.text(), &options.algorithm)
    } else {
        keys::discovered(rule, iss, &options.algorithm)
    };
    let fetched_from = match (rule.member("jwks"), &uri) {
        (Some(_), _) => None,
        (None, Some(uri)) => authority(uri.text()),
        (None, None) => authority(iss),
    };
    if fetched_from.is_some() && !options.plugin {
        let place = uri.as_ref().unwrap_or(rule);
        place.dropped(
            "the filter needs a cluster in addition to the policy: `--plugin` prints both",
        );
    }
    let mut provider = Provider {
        name: name(iss),
        iss: iss.to_owned(),
        audiences: rule.texts_of("audiences"),
        other_audiences: Vec::new(),
        keys,
        cluster: fetched_from.map(|from| (from.to_owned(), CLUSTER.to_owned())),
        required: Required::Nothing,
        places: places(rule, "prefix", options),
        keeps_token: rule.flag_of("forward_original_token"),
        forward: forward(rule),
        max_lifetime_s: None,
        leeway_s: CLOCK_SKEW_S,
        payload: "payload".to_owned(),
        words: words(rule),
        node: rule.clone(),
    };
    for other in rule.others(&[
        "issuer",
        "audiences",
        "jwks",
        "jwks_uri",
        "from_headers",
        "from_params",
        "from_cookies",
        "output_payload_to_header",
        "output_claim_to_headers",
        "forward_original_token",
        "space_delimited_claims",
        "timeout",
        "presence",
    ]) {
        other.stricter("this is not known here and may require more: the rule's tokens are denied");
        provider.keys.clear();
    }
    provider
}

/// A request without token passes authentication, unless a rule says otherwise.
pub(super) fn is_optional(rules: &[Node<'_>]) -> bool {
    let is_required = |rule: &&Node<'_>| {
        rule.text_of("presence")
            .is_some_and(|presence| presence != "OPTIONAL")
    };
    let required: Vec<_> = rules.iter().filter(is_required).collect();
    if let Some(rule) = required.first().filter(|_| required.len() < rules.len()) {
        rule.stricter("a token is required wherever one of the rules requires it");
    }
    required.is_empty()
}

fn name(iss: &str) -> String {
    let host = iss.strip_prefix("https://").or(iss.strip_prefix("http://"));
    let host = host.and_then(|rest| rest.split(['/', ':']).next());
    let name: String = host
        .unwrap_or(iss)
        .chars()
        .filter(|char| !char.is_control())
        .take(64)
        .collect();
    if name.is_empty() {
        "issuer".to_owned()
    } else {
        name
    }
}

fn words(rule: &Node<'_>) -> BTreeSet<String> {
    let words = WORDS.iter().map(|word| (*word).to_owned());
    words
        .chain(rule.texts_of("space_delimited_claims"))
        .collect()
}

fn forward(rule: &Node<'_>) -> BTreeMap<String, Option<Value>> {
    let mut forward = BTreeMap::new();
    if let Some(header) = rule.text_of("output_payload_to_header") {
        forward.insert(forward::header(rule, header), Some(json!("claims")));
    }
    for claim in rule.items_of("output_claim_to_headers") {
        let header = claim.text_of("header").unwrap_or_default();
        let name = claim.text_of("claim").unwrap_or_default();
        let header = forward::header(&claim, header);
        forward.insert(header, forward::claim(&claim, name));
    }
    forward
}
