//! The policy that results.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    access::{Access, Optional},
    claim::{Claim, Form, Test},
    credentials::Credentials,
    forward::forward,
    gateway::Gateway,
    input::Node,
    options::Options,
    provider::{Issuer, Provider},
    required::{Fact, Required},
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credentials: Vec<Value>,
    rules: Vec<RuleShape>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    forward: BTreeMap<String, Value>,
    strip_credential: bool,
}

#[derive(Debug, Serialize)]
struct IssuerShape {
    name: String,
    issuer: Value,
    audiences: Value,
    algorithms: Vec<String>,
    keys: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    leeway_s: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    require: BTreeMap<String, Value>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    credentials: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    optional: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require: Option<Requirement>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    principals: BTreeMap<String, Requirement>,
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
        let providers: Vec<_> = tokens.usable().collect();
        let credentials = Credentials::new(root, tokens, &rules);
        let leeway_s = leeway(&tokens.issuers, &providers);
        let authn = || gateway.authn.iter().map(|(_, authn)| authn);
        Some(Self {
            contract: "1",
            leeway_s,
            issuers: tokens
                .issuers
                .iter()
                .map(|issuer| shape(issuer, leeway_s))
                .collect(),
            forward: forward(tokens, authn(), &credentials.places()),
            strip_credential: strips(&providers),
            credentials: credentials.of_policy(),
            rules: rules
                .into_iter()
                .map(|rule| RuleShape::new(rule, &credentials))
                .collect(),
        })
    }
}

/// The leeway of most issuers is the policy's.
fn leeway(issuers: &[Issuer], providers: &[&Provider<'_>]) -> u64 {
    for provider in providers {
        if provider.leeway_s > LEEWAY_MAX_S {
            let message = format!("a policy has a leeway of at most {LEEWAY_MAX_S} s");
            provider.node.stricter(message);
        }
    }
    let has = |leeway_s: u64| {
        let issuers = issuers.iter();
        issuers
            .filter(|issuer| issuer.leeway_s.min(LEEWAY_MAX_S) == leeway_s)
            .count()
    };
    let each = issuers
        .iter()
        .rev()
        .map(|issuer| issuer.leeway_s.min(LEEWAY_MAX_S));
    each.max_by_key(|leeway_s| has(*leeway_s))
        .unwrap_or_default()
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

fn shape(issuer: &Issuer, leeway_s: u64) -> IssuerShape {
    // A type of which every token is: its issuer is what it is found by.
    let is_of_issuer = match issuer.iss.as_str() {
        "" => json!({ "present": false }),
        iss => json!(iss),
    };
    let token_types = issuer.max_lifetime_s.map(|max_lifetime_s| {
        json!({ "name": "token", "claim": { "/iss": is_of_issuer }, "max_lifetime_s": max_lifetime_s })
    });
    let own_leeway_s = issuer.leeway_s.min(LEEWAY_MAX_S);
    let all = issuer.keys.iter().flat_map(|keys| &keys.algorithms);
    let mut algorithms: Vec<String> = Vec::new();
    for algorithm in all {
        if !algorithms.contains(algorithm) {
            algorithms.push(algorithm.clone());
        }
    }
    IssuerShape {
        name: issuer.name.clone(),
        issuer: match issuer.iss.as_str() {
            "" => json!({ "absent": true }),
            iss => json!(iss),
        },
        audiences: match &issuer.audiences {
            Some(audiences) => json!(audiences),
            None => json!("any"),
        },
        algorithms,
        keys: match issuer.keys.as_slice() {
            [keys] => keys.source.clone(),
            several => several
                .iter()
                .map(|keys| {
                    let mut source = keys.source.clone();
                    source["algorithms"] = json!(keys.algorithms);
                    source
                })
                .collect(),
        },
        leeway_s: (own_leeway_s != leeway_s).then_some(own_leeway_s),
        require: required(&issuer.required),
        token_types: token_types.into_iter().collect(),
    }
}

/// `require` of an issuer: conditions on claims, for which a policy has one object.
fn required(required: &Required) -> BTreeMap<String, Value> {
    match required {
        Required::Fact(Fact::Claim(claim)) => {
            BTreeMap::from([(claim.pointer.clone(), claim.condition())])
        }
        Required::Never => {
            let never = Claim::new("/iss".to_owned(), Form::Value, Test::Equals(json!(false)));
            BTreeMap::from([(never.pointer.clone(), never.condition())])
        }
        _ => BTreeMap::new(),
    }
}

impl RuleShape {
    fn new(rule: Rule, credentials: &Credentials) -> Self {
        let paths: Vec<_> = rule.paths.iter().map(ToString::to_string).collect();
        let mut shape = Self {
            path: match paths.as_slice() {
                [path] => json!(path),
                paths => json!(paths),
            },
            hosts: rule.hosts.iter().map(ToString::to_string).collect(),
            methods: rule.methods,
            public: rule.access == Access::Public,
            credentials: Vec::new(),
            optional: None,
            require: None,
            principals: BTreeMap::new(),
        };
        let Access::Token(verified) = &rule.access else {
            return shape;
        };
        shape.credentials = credentials.of_rule(verified);
        shape.optional = match verified.optional {
            Optional::Nothing => None,
            Optional::Missing => Some(json!(true)),
            Optional::Bad => Some(json!({ "bad_token": "ignore" })),
        };
        if shape.optional.is_none() || verified.required != Required::Nothing {
            shape.require = Some(Requirement::from(&verified.required));
        }
        shape.principals = verified
            .further
            .iter()
            .map(|further| (further.name.clone(), Requirement::from(&further.required)))
            .collect();
        shape
    }
}
