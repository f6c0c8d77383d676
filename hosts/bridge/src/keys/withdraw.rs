//! A key that is revoked leaves at once: it is not published, and signs nothing more.

use super::{Keys, KeysError};

impl Keys {
    /// Takes a key out of the key set. Where it was the one that signs, the one before it
    /// signs again, or else the next one, or a new one. Whether there was one.
    pub(crate) async fn withdraw(&self, kid: &str) -> Result<bool, KeysError> {
        let is_removed = self.store.remove_key(kid).await?;
        self.refresh().await?;
        let (ring, now) = (self.ring(), self.clock.now_ms());
        if !is_removed || ring.signer(now).is_some() {
            return Ok(is_removed);
        }
        // Gates fetch the key set again where a token has a `kid` that they do not know.
        match ring.next(now) {
            Some(next) => {
                self.store.let_sign(next.generation, now).await?;
                self.refresh().await?;
            }
            None if self.files.is_empty() => drop(self.rotate().await?),
            None => tracing::error!("no key is left that signs: add a file, and start again"),
        }
        Ok(is_removed)
    }

    /// How many keys there are, and for how many seconds the one has signed that signs now.
    pub(crate) fn ages(&self) -> (usize, Option<i64>) {
        let (ring, now) = (self.ring(), self.clock.now_ms());
        let since = ring.signs_since(now);
        (ring.entries.len(), since.map(|since| (now - since) / 1000))
    }
}
