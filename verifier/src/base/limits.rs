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
    /// Bytes of a document of API keys.
    pub api_keys_bytes: usize,
    /// API keys of one document.
    pub api_keys: usize,
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
        api_keys_bytes: 64 * 1024 * 1024,
        api_keys: 200_000,
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
/// Open questions to the host about signatures.
pub(crate) const TICKETS: usize = 256;
/// How long such a question stays open (ms).
pub(crate) const TICKET_MS: u64 = 10_000;
/// Bytes of a token's content that such a question keeps.
pub(crate) const AHEAD_BYTES: usize = 16 * 1024;
/// Bytes of a proof of possession.
pub(crate) const PROOF_BYTES: usize = 8 * 1024;
/// Bytes of the `jti` of a proof.
pub(crate) const JTI_BYTES: usize = 256;
/// Open questions to the host about proofs; they stay open as long as those
/// about signatures.
pub(crate) const PROOFS: usize = 256;
/// Prepared keys of proofs that a gate keeps.
pub(crate) const PROOF_KEYS: usize = 256;
/// Bytes of a header that holds a client's certificate.
pub(crate) const CERTIFICATE_BYTES: usize = 16 * 1024;
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
/// Open requests to authorization servers about opaque tokens.
pub(crate) const REQUESTS: usize = 256;
/// Those of one issuer: a slow server takes no other one's places.
pub(crate) const REQUESTS_OF_ISSUER: usize = 128;
/// Bytes of an answer about a token.
pub(crate) const ANSWER_BYTES: u32 = 64 * 1024;
/// How long an answer is used at least (ms): the checks that wait for it are made
/// again within this time.
pub(crate) const ANSWER_MIN_MS: u64 = 1_000;
/// After so many failures in sequence an authorization server is not asked for a
/// while.
pub(crate) const ANSWER_FAILURES: u32 = 3;
/// First and longest such pause (ms). It doubles with each further failure.
pub(crate) const ANSWER_BACKOFF_MS: (u64, u64) = (1_000, 8_000);
/// Opaque tokens that are remembered as refused, and their bytes together.
pub(crate) const REFUSED: usize = 1_024;
pub(crate) const REFUSED_BYTES: usize = 1024 * 1024;
