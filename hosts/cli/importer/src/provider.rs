//! Who may sign, in the words of both inputs, and the issuers that it comes to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    formula::{Asked, Fact},
    input::Node,
    place::Place,
};

/// A provider of `jwt_authn`, or a JWT rule of Istio.
#[derive(Clone, Debug)]
pub(crate) struct Provider<'i> {
    /// Where it stands.
    pub(crate) node: Node<'i>,
    pub(crate) name: String,
    /// Empty where the input has none.
    pub(crate) iss: String,
    /// Empty: whatever the token says.
    pub(crate) audiences: Vec<String>,
    /// Further ones that the input asks for by the rule.
    pub(crate) other_audiences: Vec<String>,
    /// `keys` of the policy's issuer; `None` where no use can be made of them.
    pub(crate) keys: Option<Value>,
    /// As far as the keys tell.
    pub(crate) algorithms: Vec<String>,
    /// Where its keys are fetched, and Envoy's cluster for that.
    pub(crate) cluster: Option<(String, String)>,
    /// What every token must say beside that.
    pub(crate) asked: Asked,
    pub(crate) places: Vec<Place>,
    /// Whether the backend gets the token.
    pub(crate) keeps_token: bool,
    /// Header, and what `forward` of a policy calls it; `None` where nothing.
    pub(crate) forward: BTreeMap<String, Option<&'static str>>,
    /// Seconds from `iat` to `exp`.
    pub(crate) max_lifetime_s: Option<u64>,
    pub(crate) leeway_s: u64,
    /// The name under which conditions find its claims.
    pub(crate) payload: String,
    /// Claims of text that is split at spaces for conditions.
    pub(crate) words: BTreeSet<String>,
}

impl Provider<'_> {
    pub(crate) fn is_usable(&self) -> bool {
        self.keys.is_some() && !self.iss.is_empty() && !self.places.is_empty()
    }

    /// What a token of this provider is, with audiences of the rule's own
    /// instead of the provider's.
    pub(crate) fn asked(&self, issuer: &Issuer, audiences: Option<&[String]>) -> Asked {
        let own = audiences.unwrap_or(&self.audiences);
        let own: BTreeSet<_> = own.iter().cloned().collect();
        let mut all = vec![
            Fact::Issuers(BTreeSet::from([issuer.name.clone()])).into(),
            self.asked.clone(),
        ];
        if !own.is_empty() && issuer.audiences.as_ref() != Some(&own) {
            all.push(Fact::Audiences(own).into());
        }
        Asked::all(all)
    }

    /// Whether none of these audiences goes beyond the issuer's.
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

/// One issuer for each `iss`: that routes a token, so two providers of one must
/// have the same keys.
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
