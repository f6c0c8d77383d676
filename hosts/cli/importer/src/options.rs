//! Choices that the input leaves open.

/// What the policy is for and how the input is read. Each default is the strict
/// choice.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The result configures the filter in Envoy: settings that only Envoy has
    /// (clusters, CORS preflights) are carried over too.
    pub plugin: bool,
    /// The signature algorithms (`alg`, RFC 7518 §3.1) of issuers whose keys are
    /// not in the input; empty: `RS256`.
    pub algorithm: Vec<String>,
    /// A prefix such as `/api` means `/api` and what is below it, not `/apis`.
    pub whole_segments: bool,
    /// Tokens are read from `access_token` in the query too, where the input names
    /// no place: so do Envoy and Istio.
    pub query_token: bool,
    /// Envoy: of several listeners, the one at this JSON Pointer or below.
    pub at: Option<String>,
    /// Istio: the workload's namespace.
    pub namespace: Option<String>,
    /// Istio: the workload's labels, as key and value.
    pub label: Vec<(String, String)>,
    /// Istio: what the resources are attached to, such as `Gateway/ingress`.
    pub target: Option<String>,
}
