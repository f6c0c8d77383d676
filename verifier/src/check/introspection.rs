//! Opaque tokens: their authorization server says what they are (RFC 7662).

use alloc::{format, string::String, sync::Arc};

use super::Checks;
use crate::{
    base::{Limits, limits},
    jose::{Asked as AskedKey, Jws},
    model::{Introspection, Issuer},
    refusal::{Code, Halt, Refusal, Trace},
    token::{Asked, Known, Learned, Question, SignedAnswer, Verified, read_signed},
};

/// The `typ` of a signed answer (RFC 9701 §5).
const TYP: &str = "token-introspection+jwt";

impl Checks<'_> {
    /// Returns what the authorization server said about a token, or asks it.
    pub(super) fn look_up(
        &self,
        token: &[u8],
        index: usize,
        introspection: &Introspection,
        trace: &mut Trace<'_>,
    ) -> Result<Arc<Verified>, Halt> {
        let said = self.said(token, index, introspection);
        let code = match &said {
            Err(Halt::Deny(refusal)) => Some(refusal.code),
            _ => None,
        };
        let check = match code {
            None
            | Some(
                Code::TokenInactive
                | Code::TokenMalformed
                | Code::IntrospectionUnavailable
                | Code::KeysUnavailable,
            ) => "introspection",
            Some(Code::AudienceMismatch) => "audience",
            Some(_) => "claims",
        };
        trace.record(check, said, || describe(code))
    }

    fn said(
        &self,
        token: &[u8],
        index: usize,
        introspection: &Introspection,
    ) -> Result<Arc<Verified>, Halt> {
        // RFC 6749, Appendix A.12. No server has issued another token.
        if !token.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Code::TokenMalformed.into());
        }
        let remembered = self.memory.recall(token);
        if let Some(known) = remembered
            && self.explains
            && self.is_usable(known)
        {
            return Ok(Arc::clone(known));
        }
        match self.answers.find(token, self.now_ms) {
            Known::Active(verified) => return Ok(Arc::clone(verified)),
            Known::Refused(refusal) => return Err(refusal.into()),
            Known::Signed(answer) => return self.verify_answer(&answer, index),
            Known::Asked => {}
            Known::Nothing => {
                let was_active = remembered.is_some();
                self.answers
                    .may_ask(index, introspection, was_active, self.now_ms)?;
            }
        }
        self.question.set(Some(Question::Introspection(Asked {
            token: token.into(),
            issuer: index,
            was_active: remembered.is_some(),
        })));
        Err(Halt::Ask)
    }

    /// Verifies a signed answer, and tells the gate what it says.
    fn verify_answer(
        &self,
        answer: &SignedAnswer<'_>,
        index: usize,
    ) -> Result<Arc<Verified>, Halt> {
        let issuer = self.policy.issuers.get(index).ok_or(Code::InternalError)?;
        let said = match self.open_answer(answer, index, issuer) {
            Ok(verified) => Ok(verified),
            // Without keys it can be verified later.
            Err(Halt::Deny(refusal)) if refusal.code != Code::KeysUnavailable => Err(refusal),
            Err(halt) => return Err(halt),
        };
        self.question.set(Some(Question::Learned(Learned {
            request: answer.request,
            answer: said.clone(),
        })));
        if let Ok(verified) = &said {
            self.number.set(verified.number.saturating_add(1));
        }
        said.map_err(Halt::Deny)
    }

    fn open_answer(
        &self,
        answer: &SignedAnswer<'_>,
        index: usize,
        issuer: &Issuer,
    ) -> Result<Arc<Verified>, Halt> {
        const UNUSABLE: Code = Code::IntrospectionUnavailable;
        let bounds = Limits {
            token_bytes: limits::ANSWER_BYTES as usize,
            ..self.policy.limits
        };
        let jws = Jws::parse(answer.jws, &bounds).map_err(|_| UNUSABLE)?;
        if jws.typ.as_deref() != Some(TYP) || !issuer.algorithms.contains(&jws.algorithm) {
            return Err(UNUSABLE.into());
        }
        let asked = AskedKey {
            kid: jws.kid.as_deref(),
            algorithm: jws.algorithm,
            serves: None,
        };
        let found = self.issuers.candidates(index, issuer, &asked, self.now_ms);
        let key = match found.fitting {
            0 => None,
            _ => self.verifying(answer.jws, &jws, &found)?,
        };
        if key.is_none() {
            let why = self
                .issuers
                .without_key(index, issuer, &asked, &found, self.now_ms);
            return Err(match why {
                Halt::Deny(refusal) if refusal.code != Code::KeysUnavailable => UNUSABLE.into(),
                halt => halt,
            });
        }
        let (number, now_ms) = (self.number.get(), self.now_ms);
        let said = read_signed(
            self.policy,
            index,
            number,
            &jws.payload,
            answer.asked_ms,
            now_ms,
        );
        Ok(said.unwrap_or(Err(Refusal::from(UNUSABLE)))?)
    }
}

fn describe(code: Option<Code>) -> String {
    match code {
        None => "what the authorization server says".into(),
        Some(Code::TokenInactive) => "the authorization server says that it is not active".into(),
        Some(Code::TokenMalformed) => "a byte that no token has, so nobody is asked".into(),
        Some(Code::IntrospectionUnavailable) => {
            "the authorization server gave no answer that can be used, or may not be asked now"
                .into()
        }
        Some(code) => format!("of what the authorization server says: {}", code.sentence()),
    }
}
