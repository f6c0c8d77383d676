//! The policy that results.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    access::Access,
    formula::Required,
    gateway::Gateway,
    input::Node,
    options::Options,
    place::Place,
    provider::{Issuer, Provider},
    requirement::Requirement,
    rule::Rule,
    tokens::Tokens,
};

/// A policy. Its members are in the order in which people read them.
#[derive(Debug, Serialize)]
pub(crate) struct Policy {
    contract: &'static str,
    leeway_s: u64,
    issuers: Vec<IssuerShape>,
    credentials: Vec<Value>,
    rules: Vec<RuleShape>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    forward: BTreeMap<String, &'static str>,
    strip_credential: bool,
}

#[derive(Debug, Serialize)]
struct IssuerShape {
    name: String,
    issuer: String,
    audiences: Value,
    algorithms: Vec<String>,
    keys: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_types: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct RuleShape {
    path: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    methods: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    public: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Requirement>,
}

/// The largest leeway that a policy allows.
const LEEWAY_MAX_S: u64 = 300;

impl Policy {
    /// `None` where nothing could be carried over; the notes say why.
    pub(crate) fn new(
        root: &Node<'_>,
        tokens: &Tokens<'_>,
        gateway: Gateway<'_>,
        options: &Options,
    ) -> Option<Self> {
        if tokens.issuers.is_empty() {
            root.refuse("no issuer could be carried over, so that there is no policy");
            return None;
        }
        let gateway = match options.whole_segments {
            true => gateway.with_whole_segments(),
            false => gateway,
        };
        let Some(rules) = gateway.rules() else {
            root.refuse("too many combinations of paths, hosts and methods for a policy");
            return None;
        };
        let providers: Vec<_> = tokens
            .providers
            .iter()
            .filter(|provider| provider.is_usable())
            .collect();
        let places = places(root, &providers, options.all_places)?;
        let leeway_s = leeway(&providers);
        let requires_subject = tokens.requires_subject.get();
        if requires_subject {
            root.stricter("a token without `sub` is denied wherever it is used");
        }
        Some(Self {
            contract: "1",
            leeway_s,
            issuers: tokens
                .issuers
                .iter()
                .map(|issuer| shape(issuer, requires_subject))
                .collect(),
            forward: forward(&providers, &places),
            strip_credential: strips(&providers),
            credentials: places.iter().map(Place::as_json).collect(),
            rules: rules.into_iter().map(RuleShape::from).collect(),
        })
    }
}

/// The places of tokens. A gate reads each place for every issuer.
fn places(root: &Node<'_>, providers: &[&Provider<'_>], all_places: bool) -> Option<Vec<Place>> {
    let mut all: Vec<Place> = Vec::new();
    for place in providers.iter().flat_map(|provider| &provider.places) {
        if !all.contains(place) {
            all.push(place.clone());
        }
    }
    if all_places {
        return Some(all);
    }
    let is_shared = |place: &Place| {
        providers
            .iter()
            .all(|provider| provider.places.contains(place))
    };
    let (shared, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_shared);
    if shared.is_empty() {
        root.refuse(
            "every provider reads tokens from another place, and a policy reads every place for \
             every issuer: use `--all-places` if that is good",
        );
        return None;
    }
    for place in others {
        root.stricter(format!(
            "only some providers read tokens from {}: this place is not read; `--all-places` reads it for all",
            place.as_json()
        ));
    }
    Some(shared)
}

fn leeway(providers: &[&Provider<'_>]) -> u64 {
    let least = providers.iter().map(|provider| provider.leeway_s).min();
    let least = least.unwrap_or_default().min(LEEWAY_MAX_S);
    for provider in providers
        .iter()
        .filter(|provider| provider.leeway_s > least)
    {
        let message =
            format!("a policy has one leeway for all issuers: {least} s, the least of them");
        provider.node.stricter(message);
    }
    least
}

fn strips(providers: &[&Provider<'_>]) -> bool {
    let strips = providers.iter().any(|provider| !provider.keeps_token);
    for provider in providers
        .iter()
        .filter(|provider| strips && provider.keeps_token)
    {
        let message = "a policy strips the token for all issuers or for none, and others strip it: \
                       the backend does not get it";
        provider.node.stricter(message);
    }
    strips
}

/// The name of a claim in `forward`.
pub(crate) fn forwarded(claim: &str) -> Option<&'static str> {
    match claim {
        "sub" => Some("subject"),
        "iss" => Some("issuer"),
        "exp" => Some("expiry"),
        _ => None,
    }
}

/// A header that cannot be carried over must still be removed from requests: it
/// forwards the tenant, which is absent from every token, as no issuer maps one.
fn forward(providers: &[&Provider<'_>], places: &[Place]) -> BTreeMap<String, &'static str> {
    let headers: BTreeSet<_> = providers
        .iter()
        .flat_map(|provider| provider.forward.keys())
        .collect();
    let mut forward = BTreeMap::new();
    for header in headers {
        let mut values = providers
            .iter()
            .map(|provider| (provider, provider.forward.get(header)));
        let first = providers
            .first()
            .and_then(|provider| provider.forward.get(header))
            .copied()
            .flatten();
        if let Some(first) = first
            && values.clone().all(|(_, value)| value == Some(&Some(first)))
        {
            forward.insert(header.clone(), first);
            continue;
        }
        if let Some((provider, _)) = values.find(|(_, value)| value.is_some()) {
            provider.node.stricter(format!(
                "the header `{header}` is removed from requests and not set: a policy forwards \
                 `iss`, `sub`, `exp` and all claims, for every issuer alike"
            ));
        }
        forward.insert(header.clone(), "tenant");
    }
    let is_place = |name: &String| {
        let mut headers = places.iter();
        headers.any(|place| matches!(place, Place::Header { name: own, .. } if own == name))
    };
    for provider in providers {
        for header in provider.forward.keys().filter(|header| is_place(header)) {
            provider.node.refuse(format!(
                "tokens are read from `{header}`, so that it cannot be set for the backend"
            ));
        }
    }
    forward
}

fn shape(issuer: &Issuer, requires_subject: bool) -> IssuerShape {
    // A type of which every token is: its issuer is what it is found by.
    let mut token_type = json!({ "name": "token", "claim": { "/iss": issuer.iss } });
    if let Some(max_lifetime_s) = issuer.max_lifetime_s {
        token_type["max_lifetime_s"] = json!(max_lifetime_s);
    }
    if requires_subject {
        token_type["required_claims"] = json!(["/sub"]);
    }
    let is_needed = requires_subject || issuer.max_lifetime_s.is_some();
    IssuerShape {
        name: issuer.name.clone(),
        issuer: issuer.iss.clone(),
        audiences: match &issuer.audiences {
            Some(audiences) => json!(audiences),
            None => json!("any"),
        },
        algorithms: issuer.algorithms.clone(),
        keys: issuer.keys.clone(),
        token_types: if is_needed {
            vec![token_type]
        } else {
            Vec::new()
        },
    }
}

impl From<Rule> for RuleShape {
    fn from(rule: Rule) -> Self {
        let (public, optional, required) = match &rule.access {
            Access::Public => (true, false, None),
            Access::Token { optional, required } => (false, *optional, Some(required)),
        };
        let paths: Vec<_> = rule.paths.iter().map(ToString::to_string).collect();
        Self {
            path: match paths.as_slice() {
                [path] => json!(path),
                paths => json!(paths),
            },
            hosts: rule.hosts.iter().map(ToString::to_string).collect(),
            methods: rule.methods,
            public,
            optional,
            require: required
                .filter(|required| !optional || **required != Required::Nothing)
                .map(Requirement::from),
        }
    }
}
