//! The document of API keys for gates, and its bounds. It has only hashes of keys.

use serde_json::json;

use crate::{
    snapshot::Snapshot,
    store::{ApiKeyRow, KeysSummary},
};

/// The bounds of a gate (`api-keys.size`).
pub(super) const ENTRIES: i64 = 200_000;
const BYTES: i64 = 64 << 20;

/// What an entry has beside what is counted of it, at most: id, hash, the version of the
/// pepper, an end, names of members.
const AROUND: i64 = 320;

/// No key is made beyond these: replicas count on their own.
pub(super) const MOST_ENTRIES: i64 = 190_000;
const MOST_BYTES: i64 = 60 << 20;

/// Whether one more has a place.
pub(super) fn has_place(summary: &KeysSummary) -> bool {
    let bytes = summary.bytes + summary.entries * AROUND;
    summary.entries < MOST_ENTRIES && bytes < MOST_BYTES
}

/// The document of all good keys, or none: a gate would refuse a larger one as a whole.
pub(super) fn write(rows: &[ApiKeyRow]) -> Option<Snapshot> {
    let entries: Vec<_> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "hash": row.hash,
                "form": "hmac-sha256",
                "pepper": row.pepper,
                "subject": row.subject,
                "tenant": row.tenant,
                "roles": row.roles,
                "scopes": row.scopes,
                "expires_at": row.expires_at.div_euclid(1000),
                "status": "active",
            })
        })
        .collect();
    let body = json!({ "keys": entries }).to_string().into_bytes();
    let fits = i64::try_from(rows.len()).is_ok_and(|entries| entries <= ENTRIES)
        && i64::try_from(body.len()).is_ok_and(|bytes| bytes <= BYTES);
    fits.then(|| Snapshot::new(body))
}
