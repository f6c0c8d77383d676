//! The signature of a token: verified here, or by the host's own cryptography.

use alloc::{sync::Arc, vec::Vec};

use super::Checks;
use crate::{
    jose::{Candidates, Jws, Key},
    refusal::{Code, Halt},
    token::{OfSignature, Origin, Question, Verification},
};

impl Checks<'_> {
    /// Returns the first key that verifies a token, or asks the host.
    pub(super) fn verifying<'k>(
        &self,
        token: &[u8],
        jws: &Jws<'_>,
        found: &Candidates<'k>,
    ) -> Result<Option<&'k Arc<Key>>, Halt> {
        let Some(native) = self.native else {
            return Ok(found.verifying(jws.signing_input, &jws.signature));
        };
        let mut asked = Vec::new();
        for key in found.tried() {
            let answer = match native.verifies(key) {
                _ if !key.admits(&jws.signature) => Some(Verification::Invalid),
                true => self.answer(token, key),
                // A key before it may verify the token too.
                false if !asked.is_empty() => continue,
                false if key.verify(jws.signing_input, &jws.signature) => Some(Verification::Valid),
                false => Some(Verification::Invalid),
            };
            match answer {
                None => asked.push(Arc::clone(key)),
                Some(Verification::Valid) if asked.is_empty() => return Ok(Some(key)),
                Some(Verification::Valid | Verification::Invalid) => {}
                Some(Verification::Failed) => return Err(Code::InternalError.into()),
            }
        }
        if asked.is_empty() {
            return Ok(None);
        }
        self.question.set(Some(Question::Signature(OfSignature {
            token: token.into(),
            signed: jws.signing_input.len(),
            signature: (&*jws.signature).into(),
            keys: asked,
            verified: None,
        })));
        Err(Halt::Ask)
    }

    /// Returns what is known about this token and key. An explanation uses up
    /// no answer of the host: it looks at what the last decision used, and at what
    /// is remembered. A key that stands before that of a remembered token did not
    /// verify it.
    fn answer(&self, token: &[u8], key: &Arc<Key>) -> Option<Verification> {
        if !self.explains {
            return self.tickets.find(token, key, self.now_ms);
        }
        let spent = self.tickets.find_spent(token, key);
        spent.or_else(|| {
            let known = self.memory.recall(token)?;
            Some(match &known.origin {
                Origin::Key { key: by, .. } if Arc::ptr_eq(by, key) => Verification::Valid,
                _ => Verification::Invalid,
            })
        })
    }
}
