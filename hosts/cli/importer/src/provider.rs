//! The token providers of both inputs, and the issuers of the policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    input::Node,
    keys::Keys,
    place::{Place, Reads},
    required::{Fact, Required},
};

/// A provider of `jwt_authn`, or a JWT rule of Istio.
#[derive(Clone, Debug)]
pub(crate) struct Provider<'i> {
    /// Its place in the input.
    pub(crate) node: Node<'i>,
    pub(crate) name: String,
    /// Empty where the input has none: of tokens without `iss`.
    pub(crate) iss: String,
    /// Empty: any.
    pub(crate) audiences: Vec<String>,
    /// Further audiences that single rules require.
    pub(crate) other_audiences: Vec<String>,
    /// Empty where they are unusable.
    pub(crate) keys: Vec<Keys>,
    /// The host from which its keys are fetched, and Envoy's cluster for it.
    pub(crate) cluster: Option<(String, String)>,
    /// Further requirements on every token.
    pub(crate) required: Required,
    pub(crate) places: Vec<Place>,
    /// Whether the backend gets the token.
    pub(crate) keeps_token: bool,
    /// By header: the value in the policy's `forward`; `None` where it has none.
    pub(crate) forward: BTreeMap<String, Option<Value>>,
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
        !self.keys.is_empty() && !self.places.is_empty()
    }

    /// The requirements on a token of this provider. `audiences` of the rule
    /// replace those of the provider.
    pub(crate) fn required(&self, issuer: &Issuer, audiences: Option<&[String]>) -> Required {
        let own = audiences.unwrap_or(&self.audiences);
        let own: BTreeSet<_> = own.iter().cloned().collect();
        let mut all = vec![Fact::Issuers(BTreeSet::from([issuer.name.clone()])).into()];
        if issuer.required != self.required {
            all.push(self.required.clone());
        }
        if !own.is_empty() && issuer.audiences.as_ref() != Some(&own) {
            all.push(Fact::Audiences(own).into());
        }
        Required::all(all)
    }

    /// Adds its places.
    pub(crate) fn read_from(&self, issuer: &Issuer, reads: &mut Reads) {
        for place in &self.places {
            reads.add(place, &issuer.name);
        }
    }

    /// Whether tokens of one and of the other are the same but for their keys.
    fn is_like(&self, other: &Self) -> bool {
        let shape = |provider: &Self| {
            (
                provider.admitted(),
                provider.required.clone(),
                provider.payload.clone(),
                provider.words.clone(),
            )
        };
        let has_places = |provider: &Self, other: &Self| {
            let mut places = provider.places.iter();
            places.all(|place| other.places.contains(place))
        };
        shape(self) == shape(other) && has_places(self, other) && has_places(other, self)
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
    /// Empty: of tokens without `iss`.
    pub(crate) iss: String,
    /// `None`: any.
    pub(crate) audiences: Option<BTreeSet<String>>,
    pub(crate) keys: Vec<Keys>,
    /// Requirements on each of its tokens.
    pub(crate) required: Required,
    pub(crate) max_lifetime_s: Option<u64>,
    pub(crate) leeway_s: u64,
}

/// The most sources of keys that an issuer has in a policy.
const SOURCES: usize = 8;

/// One issuer for each `iss`, by which a token finds its issuer. Two providers of
/// one `iss` must have the same keys, unless a token of one is good wherever one of
/// the other is: `is_either` says that of their names.
pub(crate) fn issuers(
    providers: &mut [Provider<'_>],
    is_either: &dyn Fn(&str, &str) -> bool,
) -> Vec<Issuer> {
    let mut issuers: Vec<Issuer> = Vec::new();
    for index in 0..providers.len() {
        let (before, rest) = providers.split_at_mut(index);
        let Some(provider) = rest.first_mut().filter(|provider| provider.is_usable()) else {
            continue;
        };
        let audiences = provider.admitted();
        let Some(issuer) = issuers.iter_mut().find(|issuer| issuer.iss == provider.iss) else {
            issuers.push(Issuer {
                name: unique(&provider.name, &issuers),
                iss: provider.iss.clone(),
                audiences,
                keys: provider.keys.clone(),
                required: provider.required.clone(),
                max_lifetime_s: provider.max_lifetime_s,
                leeway_s: provider.leeway_s,
            });
            continue;
        };
        if provider.keys != issuer.keys {
            let mut of_issuer = before
                .iter()
                .filter(|other| other.is_usable() && other.iss == provider.iss);
            let is_joined = of_issuer
                .all(|other| other.is_like(provider) && is_either(&other.name, &provider.name));
            let mut all = issuer.keys.clone();
            let known = |keys: &Keys| issuer.keys.contains(keys);
            all.extend(provider.keys.iter().filter(|keys| !known(keys)).cloned());
            let is_discovered = |keys: &&Keys| !keys.source["discovery"].is_null();
            let is_sayable = all.len() <= SOURCES && all.iter().filter(is_discovered).count() <= 1;
            if !is_joined || !is_sayable {
                let message = format!(
                    "another provider has the issuer `{}` with other keys: tokens that only this \
                     one verifies are denied",
                    provider.iss
                );
                provider.node.stricter(message);
                provider.keys.clear();
                continue;
            }
            issuer.keys = all;
        }
        if issuer.required != provider.required {
            issuer.required = Required::Nothing;
        }
        if issuer.leeway_s != provider.leeway_s {
            provider
                .node
                .stricter("providers of one issuer share the least of their clock skews");
            issuer.leeway_s = issuer.leeway_s.min(provider.leeway_s);
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
