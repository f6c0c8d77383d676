//! The documents of issuers: from files that the user gave, or else from the
//! network.

use std::{collections::HashMap, time::Duration};

use countersign_host::{
    DocumentKind, Fetch, FetchError, Fetcher, Fetching, HttpsFetcher, Outgoing, Response,
};
use countersign_policy_source::Source;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Documents that the user gave, and whether others may be fetched.
#[derive(Default)]
pub(crate) struct Documents {
    given: Given,
    /// `iss` by the issuer's name in the policy, for metadata that is made here.
    issuers: HashMap<String, String>,
    /// Nothing is fetched: documents that are not given count as unreachable.
    pub(crate) offline: bool,
    network: HttpsFetcher,
}

/// Documents by the issuer's name in the policy.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) keys: HashMap<String, Vec<u8>>,
    pub(crate) revocations: HashMap<String, Vec<u8>>,
    pub(crate) api_keys: HashMap<String, Vec<u8>>,
}

impl Documents {
    /// Refuses documents for issuers that the policy does not have.
    pub(crate) fn new(policy: &Source, given: Given) -> Result<Self, Failure> {
        let policy: Value = serde_json::from_slice(&policy.json).unwrap_or_default();
        let listed = policy.get("issuers").and_then(Value::as_array);
        let issuers: HashMap<_, _> = listed
            .into_iter()
            .flatten()
            .filter_map(|issuer| {
                let word = |name| issuer.get(name).and_then(Value::as_str).map(str::to_owned);
                // A template has no metadata: its keys have an address.
                Some((word("name")?, word("issuer").unwrap_or_default()))
            })
            .collect();
        let (keys, revocations) = (given.keys.keys(), given.revocations.keys());
        match keys
            .chain(revocations)
            .chain(given.api_keys.keys())
            .find(|name| !issuers.contains_key(*name))
        {
            Some(unknown) => Err(Failure::Usage(format!(
                "the policy has no issuer of the name `{unknown}`"
            ))),
            None => Ok(Self {
                given,
                issuers,
                ..Self::default()
            }),
        }
    }

    pub(crate) async fn fetch(&self, fetch: &Fetch) -> Result<Response, FetchError> {
        if let Some(body) = self.given(fetch) {
            return Ok(Response {
                status: 200,
                cache_control: String::new(),
                body,
            });
        }
        self.within(self.network.fetch(fetch), fetch.timeout_ms)
            .await
    }

    pub(crate) async fn send(&self, request: &Outgoing) -> Result<Response, FetchError> {
        self.within(self.network.send(request), request.timeout_ms)
            .await
    }

    async fn within(
        &self,
        fetching: Fetching<'_>,
        timeout_ms: u32,
    ) -> Result<Response, FetchError> {
        if self.offline {
            return Err(FetchError::new(
                "not given, and `--offline` fetches nothing",
            ));
        }
        let bound = Duration::from_millis(timeout_ms.into());
        tokio::time::timeout(bound, fetching)
            .await
            .unwrap_or_else(|_| Err(FetchError::new(format!("no answer within {timeout_ms} ms"))))
    }

    fn given(&self, fetch: &Fetch) -> Option<Vec<u8>> {
        match fetch.kind {
            DocumentKind::Jwks => self.given.keys.get(&fetch.issuer).cloned(),
            DocumentKind::Revocations => self.given.revocations.get(&fetch.issuer).cloned(),
            DocumentKind::ApiKeys => self.given.api_keys.get(&fetch.issuer).cloned(),
            // With given keys no metadata is needed, but the gate fetches it
            // first. The URL in it is never used.
            DocumentKind::Discovery => {
                self.given.keys.get(&fetch.issuer)?;
                let issuer = self.issuers.get(&fetch.issuer)?;
                let jwks_uri = "https://given.invalid/jwks.json";
                Some(
                    json!({ "issuer": issuer, "jwks_uri": jwks_uri })
                        .to_string()
                        .into_bytes(),
                )
            }
        }
    }
}
