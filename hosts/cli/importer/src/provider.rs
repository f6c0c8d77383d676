//! The token providers of both inputs, and the issuers of the policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    formula::{Fact, Required},
    input::Node,
    place::Place,
};

/// A provider of `jwt_authn`, or a JWT rule of Istio.
#[derive(Clone, Debug)]
pub(crate) struct Provider<'i> {
    /// Its place in the input.
    pub(crate) node: Node<'i>,
    pub(crate) name: String,
    /// Empty where the input has none.
    pub(crate) iss: String,
    /// Empty: any.
    pub(crate) audiences: Vec<String>,
    /// Further audiences that single rules require.
    pub(crate) other_audiences: Vec<String>,
    /// `keys` of the policy's issuer; `None` where they are unusable.
    pub(crate) keys: Option<Value>,
    /// As far as the keys name them.
    pub(crate) algorithms: Vec<String>,
    /// The host from which its keys are fetched, and Envoy's cluster for it.
    pub(crate) cluster: Option<(String, String)>,
    /// Further requirements on every token.
    pub(crate) required: Required,
    pub(crate) places: Vec<Place>,
    /// Whether the backend gets the token.
    pub(crate) keeps_token: bool,
    /// By header: the value that a policy's `forward` names; `None` where it has
    /// none.
    pub(crate) forward: BTreeMap<String, Option<&'static str>>,
    /// Seconds from `iat` to `exp`.
    pub(crate) max_lifetime_s: Option<u64>,
    pub(crate) leeway_s: u64,
    /// The name by which conditions refer to its claims.
    pub(crate) payload: String,
    /// Claims whose text conditions split at spaces.
    pub(crate) words: BTreeSet<String>,
}

impl Provider<'_> {
    pub(crate) fn is_usable(&self) -> bool {
        self.keys.is_some() && !self.iss.is_empty() && !self.places.is_empty()
    }

    /// The requirements on a token of this provider. `audiences` of the rule
    /// replace those of the provider.
    pub(crate) fn required(&self, issuer: &Issuer, audiences: Option<&[String]>) -> Required {
        let own = audiences.unwrap_or(&self.audiences);
        let own: BTreeSet<_> = own.iter().cloned().collect();
        let mut all = vec![
            Fact::Issuers(BTreeSet::from([issuer.name.clone()])).into(),
            self.required.clone(),
        ];
        if !own.is_empty() && issuer.audiences.as_ref() != Some(&own) {
            all.push(Fact::Audiences(own).into());
        }
        Required::all(all)
    }

    /// The audiences that the issuer accepts; `None`: any.
    fn admitted(&self) -> Option<BTreeSet<String>> {
        let all = self.audiences.iter().chain(&self.other_audiences);
        (!self.audiences.is_empty()).then(|| all.cloned().collect())
    }
}

/// An issuer of the policy.
#[derive(Clone, Debug)]
pub(crate) struct Issuer {
    pub(crate) name: String,
    pub(crate) iss: String,
    /// `None`: any.
    pub(crate) audiences: Option<BTreeSet<String>>,
    pub(crate) algorithms: Vec<String>,
    pub(crate) keys: Value,
    pub(crate) max_lifetime_s: Option<u64>,
}

/// One issuer for each `iss`, by which a token finds its issuer: two providers
/// with the same `iss` must have the same keys.
pub(crate) fn issuers(providers: &mut [Provider<'_>]) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for provider in providers {
        if !provider.is_usable() {
            continue;
        }
        let audiences = provider.admitted();
        let Some(issuer) = issuers.iter_mut().find(|issuer| issuer.iss == provider.iss) else {
            issuers.push(Issuer {
                name: unique(&provider.name, &issuers),
                iss: provider.iss.clone(),
                audiences,
                algorithms: provider.algorithms.clone(),
                keys: provider.keys.clone().unwrap_or_default(),
                max_lifetime_s: provider.max_lifetime_s,
            });
            continue;
        };
        if provider.keys.as_ref() != Some(&issuer.keys) {
            let message = format!(
                "another provider has the issuer `{}` with other keys: tokens that only this one \
                 verifies are denied",
                provider.iss
            );
            provider.node.stricter(message);
            provider.keys = None;
            continue;
        }
        issuer.audiences = match (issuer.audiences.take(), audiences) {
            (Some(a), Some(b)) => Some(a.union(&b).cloned().collect()),
            _ => None,
        };
        issuer.max_lifetime_s = match (issuer.max_lifetime_s, provider.max_lifetime_s) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    issuers
}

fn unique(name: &str, issuers: &[Issuer]) -> String {
    let is_taken = |name: &str| issuers.iter().any(|issuer| issuer.name == name);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !is_taken(name)).unwrap_or_default()
}
