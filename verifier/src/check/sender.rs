//! Tokens that are bound to their sender (RFC 8705, RFC 9449): whether the
//! request proves that it is from the one that has the key.

use alloc::{boxed::Box, format, string::String};

use super::{Admitted, Checks, presented::Held};
use crate::{
    model::OfIssuer,
    refusal::{Code, Halt, Refusal, Trace},
    request::{Request, certificate},
    token::{Confirmation, Question, Shown, Verification},
};

/// How a request has proven that it is from the sender of its token.
#[derive(Default)]
pub(crate) struct Proven {
    /// The client's certificate is that of the token (RFC 8705).
    pub(crate) by_certificate: bool,
    /// A proof of the token's key (RFC 9449).
    pub(crate) by_key: bool,
    /// That proof, which may be used once. `None` for a token without a request.
    pub(crate) proof: Option<Box<Shown>>,
}

/// The thumbprint of a key, and of a certificate.
type Keys<'c> = (Option<&'c [u8; 32]>, Option<&'c [u8; 32]>);

impl Checks<'_> {
    /// Checks that the request is from the sender to whom its token is bound.
    pub(super) fn check_sender(
        &self,
        admitted: &Admitted<'_>,
        held: Held<'_>,
        request: &Request<'_>,
        trace: &mut Trace<'_>,
    ) -> Result<Proven, Halt> {
        let by_dpop = held.is_by_dpop();
        match admitted.verified.confirmation.is_none() && !by_dpop {
            true => Ok(Proven::default()),
            false => self.check_sender_of(admitted, by_dpop, request, trace),
        }
    }

    fn check_sender_of(
        &self,
        admitted: &Admitted<'_>,
        by_dpop: bool,
        request: &Request<'_>,
        trace: &mut Trace<'_>,
    ) -> Result<Proven, Halt> {
        let verified = &*admitted.verified;
        let issuer = self.policy.issuers.get(verified.issuer);
        if issuer.is_none_or(|issuer| issuer.sender == OfIssuer::Ignored) {
            trace.skip("sender", "the issuer says that its `cnf` is ignored");
            return Ok(Proven::default());
        }
        let confirmation = verified.confirmation.as_deref();
        let (jkt, x5t) = self.bound(confirmation, trace)?;
        let mut proofs = request.values("dpop");
        let (proof, second) = (proofs.next(), proofs.next());
        let missing = |why| {
            let cnf = Refusal::claim(Code::ProofMissing, "cnf");
            (cnf, why)
        };
        let asked = match (jkt, by_dpop, proof) {
            (None, true, _) => Err((
                Refusal::claim(Code::ProofInvalid, "cnf"),
                "the scheme is `DPoP`, and the token has no `cnf.jkt`",
            )),
            (Some(_), false, _) => Err(missing(
                "the token has `cnf.jkt`, and does not come by the scheme `DPoP`",
            )),
            (Some(_), true, None) => Err(missing("there is no header `dpop`")),
            _ => Ok(()),
        };
        explained(asked, trace)?;
        if let Some(x5t) = x5t {
            let certificate = self.certificate(request).map_err(|code| {
                let why = "the header of the client's certificate cannot be read, or has two";
                (code.into(), why)
            });
            let same = certificate.and_then(|found| match found {
                None => Err(missing("the request has no certificate of its client")),
                Some(found) if found == *x5t => Ok(()),
                Some(_) => Err((
                    Refusal::claim(Code::ProofInvalid, "cnf"),
                    "the client's certificate is not that of `cnf.x5t#S256`",
                )),
            });
            explained(same, trace)?;
            trace.record("certificate", Ok::<_, Halt>(()), || {
                "the client's certificate is that of the token".into()
            })?;
        }
        let mut shown = None;
        if let (Some(jkt), Some(proof)) = (jkt, proof) {
            let read = self.check_proof(&admitted.token, jkt, (proof, second), request);
            let why = read.as_ref().err().map(|(_, why)| *why);
            let read = read.map_err(|(refusal, _)| Halt::Deny(refusal));
            let read = read.map(Box::new);
            shown = Some(trace.record("proof", read, || describe(why, self.signed_here()))?);
        }
        Ok(Proven {
            by_certificate: x5t.is_some(),
            by_key: jkt.is_some(),
            proof: shown,
        })
    }

    /// Returns what a token is bound to.
    fn bound<'c>(
        &self,
        confirmation: Option<&'c Confirmation>,
        trace: &mut Trace<'_>,
    ) -> Result<Keys<'c>, Halt> {
        let (code, why) = match confirmation {
            Some(Confirmation::Unusable) => (
                Code::ProofInvalid,
                "`cnf` is no object, is empty, or has a member that the gate does not know",
            ),
            Some(Confirmation::Missing) => (
                Code::ProofMissing,
                "the issuer's tokens have `cnf.jkt`, and this one has not",
            ),
            Some(keys) => return Ok(keys.keys()),
            None => return Ok((None, None)),
        };
        explained(Err((Refusal::claim(code, "cnf"), why)), trace)?;
        Ok((None, None))
    }

    /// Returns the SHA-256 of the client's certificate. Behind a trusted proxy
    /// the connection has the certificate of that proxy.
    fn certificate(&self, request: &Request<'_>) -> Result<Option<[u8; 32]>, Code> {
        match &self.policy.sender.certificate {
            Some(wanted) if wanted.trusts(request.connection.peer) => {
                certificate::in_header(request, wanted)
            }
            _ => {
                let found = request.connection.certificate.try_into().ok();
                self.lacks_certificate.set(found.is_none());
                Ok(found)
            }
        }
    }

    /// The same for a token without a request. It is `proven` if a request with
    /// this token was allowed and this is a further check of that request.
    pub(super) fn check_bound(
        &self,
        admitted: &mut Admitted<'_>,
        proven: bool,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        let Some(confirmation) = admitted.verified.confirmation.as_deref() else {
            return Ok(());
        };
        let (jkt, x5t) = self.bound(Some(confirmation), trace)?;
        if !proven {
            let refusal = Refusal::claim(Code::ProofMissing, "cnf");
            explained(Err((refusal, "the token is bound to its sender")), trace)?;
        }
        admitted.proven.by_certificate = x5t.is_some();
        admitted.proven.by_key = jkt.is_some();
        Ok(())
    }

    /// Asks whether the proof of a request is used for the first time.
    pub(super) fn check_first_use(
        &self,
        proven: &mut Proven,
        trace: &mut Trace<'_>,
    ) -> Result<(), Halt> {
        let Some(shown) = proven.proof.take() else {
            return Ok(());
        };
        if self.explains {
            trace.skip(
                "first_use",
                "an explanation asks nothing and uses nothing up",
            );
            return Ok(());
        }
        match self.proofs.find(&shown.digest, self.now_ms) {
            Some(Verification::Valid) => Ok(()),
            Some(Verification::Invalid) => Err(Code::ProofReplayed.into()),
            Some(Verification::Failed) => Err(Code::ProofsUnavailable.into()),
            None => {
                self.question.set(Some(Question::Proof(shown)));
                Err(Halt::Ask)
            }
        }
    }

    fn signed_here(&self) -> String {
        let names = self.policy.sender.dpop.names();
        format!("the proof is of the token's key and of this request; `alg` can be {names}")
    }
}

/// Records a step that fails: there is none if it passes.
fn explained(
    result: Result<(), (Refusal, &'static str)>,
    trace: &mut Trace<'_>,
) -> Result<(), Halt> {
    match result {
        Ok(()) => Ok(()),
        Err((refusal, why)) => trace.record("sender", Err(refusal), || why.into()),
    }
}

fn describe(why: Option<&str>, passed: String) -> String {
    why.map_or(passed, |why| format!("the proof is not good: {why}"))
}
