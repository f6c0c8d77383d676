//! The secrets that a policy names by `secret_from`.

use std::fmt;

/// Names and bytes. `{:?}` shows the names.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    pub(crate) fn add(&mut self, name: String, secret: Vec<u8>) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, secret));
    }

    pub(crate) fn as_wit(&self) -> Vec<(&str, &[u8])> {
        let secrets = self.0.iter();
        secrets
            .map(|(name, secret)| (name.as_str(), secret.as_slice()))
            .collect()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}
