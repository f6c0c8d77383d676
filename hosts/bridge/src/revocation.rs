//! Revocation: what is written, for the document that gates read.

use crate::{app::App, config::LONGEST_S, refusal::Refusal};

/// The most leeway that a gate may give (`leeway_s`), and a minute for clocks.
const AFTER_MS: i64 = 360_000;

/// Revokes a subject for good, such as a node: all tokens that it has. The entry may go
/// when the last of them is expired, as the subject gets no new ones.
///
/// # Errors
/// It is not written. May be repeated.
pub(crate) async fn subject(app: &App, subject: &str, reason: &str) -> Result<(), Refusal> {
    let now = app.clock.now_ms();
    let expires_at = now + i64::from(LONGEST_S) * 1000 + AFTER_MS;
    let revoked = app.store.revoke_subject(subject, reason, now, expires_at);
    Ok(revoked.await?)
}
