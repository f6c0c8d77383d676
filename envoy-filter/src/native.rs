//! Signatures that Envoy verifies.

use countersign::{Gate, Signature, Verification};

use crate::{host::foreign, provider::Provider, signature};

const VERIFY: &str = "verify_signature";
/// How Envoy was built (`envoy.config.core.v3.BuildVersion`).
const LIBRARY: &str = "xds.node.user_agent_build_version.metadata['ssl.version']";

/// Maximum number of keys that are kept. They need at most 300 KB.
const KEYS: usize = 256;

/// Returns the cryptography of this Envoy. `None` if it offers none.
pub(crate) fn provider() -> Option<Provider> {
    foreign::exists(VERIFY).then(|| Provider::of(&foreign::expression(LIBRARY).unwrap_or_default()))
}

/// Verifies the signatures of one gate.
#[derive(Default)]
pub(crate) struct Native {
    /// The keys by their numbers, each as the beginning of the arguments.
    keys: Vec<(u32, Vec<u8>)>,
}

impl Native {
    pub(crate) fn verify(&mut self, gate: &Gate, signature: &Signature) -> Verification {
        let verified = self.key(gate, signature).and_then(|key| {
            let arguments = signature::complete(key, signature);
            foreign::call(VERIFY, &arguments).ok()
        });
        verified.map_or(Verification::Failed, |result| signature::result(&result))
    }

    fn key(&mut self, gate: &Gate, signature: &Signature) -> Option<&[u8]> {
        let is_wanted = |(number, _): &(u32, Vec<u8>)| *number == signature.key;
        let place = match self.keys.iter().position(is_wanted) {
            Some(place) => place,
            None => {
                let begun = signature::begin(signature.algorithm, &gate.key(signature.key)?)?;
                if self.keys.len() >= KEYS {
                    self.keys.clear();
                }
                self.keys.push((signature.key, begun));
                self.keys.len() - 1
            }
        };
        Some(&self.keys.get(place)?.1)
    }
}
