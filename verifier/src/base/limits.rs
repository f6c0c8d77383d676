//! Every bound on attacker-controlled or fetched bytes, in one place.

/// Limits that a policy can lower but not raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a compact token.
    pub token_bytes: usize,
    /// Bytes of a decoded JOSE header.
    pub header_bytes: usize,
    /// Nesting of JSON in headers, claims and documents.
    pub json_depth: usize,
    /// Members of one JSON object in headers, claims and documents.
    pub json_members: usize,
    /// Bytes of a key document, or of OpenID Provider metadata.
    pub document_bytes: usize,
    /// Usable keys of one key document: those for one of its source's
    /// algorithms.
    pub document_keys: usize,
    /// Bytes of a revocation document.
    pub revocation_bytes: usize,
    /// Entries of a revocation document.
    pub revocation_entries: usize,
    /// Remembered tokens.
    pub remembered_tokens: usize,
}

impl Limits {
    /// The defaults, which are also the maxima.
    pub const DEFAULT: Limits = Limits {
        token_bytes: 16 * 1024,
        header_bytes: 4 * 1024,
        json_depth: 16,
        json_members: 256,
        document_bytes: 1024 * 1024,
        document_keys: 1_000,
        revocation_bytes: 32 * 1024 * 1024,
        revocation_entries: 500_000,
        remembered_tokens: 1000,
    };
}

/// Bytes of a policy.
pub(crate) const POLICY_BYTES: usize = 16 * 1024 * 1024;
/// Issuers in a policy.
pub(crate) const POLICY_ISSUERS: usize = 10_000;
/// Rules in a policy.
pub(crate) const POLICY_RULES: usize = 10_000;
/// Places of one list of credentials: each request is searched for all of them.
pub(crate) const PLACES: usize = 16;
/// Different places of all lists: grants remove their headers and cookies.
pub(crate) const ALL_PLACES: usize = 64;
/// Principals beside the user, of one rule.
pub(crate) const PRINCIPALS: usize = 4;
/// Bytes of a request target.
pub(crate) const TARGET_BYTES: usize = 16 * 1024;
/// Header fields of one request.
pub(crate) const FIELDS: usize = 1_000;
/// Path segments of a request target or a pattern.
pub(crate) const PATH_SEGMENTS: usize = 256;
/// Prepared requirements that one gate keeps; it drops the least recently used.
/// Hosts keep fewer, 1,000, so that the gate never drops one that a host still
/// uses.
pub(crate) const REQUIREMENTS: u32 = 1_024;
/// Claims in conditions of rules whose values a remembered token keeps. Others
/// are read from its text.
pub(crate) const KEPT: usize = 128;
/// Bytes of all remembered tokens together.
pub(crate) const REMEMBERED_BYTES: usize = 3 * 1024 * 1024;
/// Minimum freshness of a fetched document (ms).
pub(crate) const FRESH_MIN_MS: u64 = 60_000;
/// Maximum freshness of a fetched document (ms).
pub(crate) const FRESH_MAX_MS: u64 = 24 * 3_600_000;
/// Freshness without a `max-age` (ms).
pub(crate) const FRESH_DEFAULT_MS: u64 = 600_000;
/// How long keys stay usable after their freshness ends, while fetches fail
/// (s).
pub(crate) const STALE_DEFAULT_S: u64 = 24 * 3_600;
/// Minimum time between two fetches of one issuer for unknown `kid`s (ms).
pub(crate) const UNKNOWN_KID_MS: u64 = 30_000;
/// Documents that a source with a document for each `kid` keeps.
pub(crate) const KID_DOCUMENTS: usize = 4;
/// A fetch without a result counts as lost after this time (ms).
pub(crate) const IN_FLIGHT_MS: u64 = 15_000;
/// Timeout of one fetch (ms).
pub(crate) const FETCH_TIMEOUT_MS: u32 = 5_000;
/// First and longest pause after a failed fetch (ms). The pause doubles with
/// each failure.
pub(crate) const BACKOFF_MS: (u64, u64) = (1_000, 60_000);
