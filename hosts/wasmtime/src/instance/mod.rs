//! One instance of the sealed module with one open gate, and nothing else.

mod alone;
mod decide;

use std::{fmt, sync::Arc};

use crate::{
    bindings::{convert, exports::countersign::gate::gate as wit},
    decision::Answer,
    document::{DocumentStatus, Fetch, Outcome, Supplied},
    event::Facts,
    grants::Grants,
    module::{Guest, Module},
    problem::{OpenError, Problem, Trap},
    proofs::FirstUse,
    report::Step,
    request::Request,
    signatures::{Cryptography, Native, Provider, Signatures},
};

pub(crate) use alone::policy_digest_in;
pub use alone::{SignedPolicy, inspect, lint, open_signed, policy_digest};

/// The module's own functions: no fetches, no clock, no pool. Every time is
/// an argument, in milliseconds since 1970.
///
/// For runners of test vectors, benches, and hosts of another kind than
/// [`Gate`](crate::Gate). After a [`Trap`] every further call fails too.
pub struct Instance {
    guest: Guest,
    gate: u32,
    /// `None`: the module verifies signatures itself.
    native: Option<Native>,
    grants: Grants,
    /// Of the principals beside the user. They are kept apart: a token that is
    /// both has one number, but only the user's grant has its headers.
    others: Grants,
}

impl Instance {
    /// Opens a gate whose signatures the module verifies.
    ///
    /// # Errors
    /// Every problem of the policy, or why the module does not run here.
    pub fn open(policy: &[u8]) -> Result<Self, OpenError> {
        Self::open_with(policy, Signatures::Module, &[])
    }

    /// Opens a gate. `secrets` are the names and bytes of those that the policy names
    /// by `secret_from`.
    ///
    /// # Errors
    /// Every problem of the policy, or why the module does not run here.
    pub fn open_with(
        policy: &[u8],
        signatures: Signatures,
        secrets: &[(&str, &[u8])],
    ) -> Result<Self, OpenError> {
        let provider = signatures.provider();
        Self::open_in(&*Module::sealed()?, policy, provider, secrets)
    }

    pub(crate) fn open_in(
        module: &Module,
        policy: &[u8],
        provider: Option<Arc<dyn Provider>>,
        secrets: &[(&str, &[u8])],
    ) -> Result<Self, OpenError> {
        let mut guest = module.instantiate()?;
        let seed = crate::random::u64();
        let native = provider.as_ref().map(|provider| wit::Native {
            fips: provider.cryptography().fips,
            algorithms: provider.algorithms(),
        });
        let opened =
            guest.call(|gate, store| gate.call_open(store, policy, seed, native, secrets))?;
        match opened {
            Ok(gate) => Ok(Self {
                guest,
                gate,
                native: provider.map(Native::new),
                grants: Grants::default(),
                others: Grants::default(),
            }),
            Err(problems) => Err(OpenError::Policy(convert(problems))),
        }
    }

    /// What verifies signatures.
    pub fn cryptography(&self) -> Cryptography {
        Cryptography::of(self.native.as_ref().map(|native| &native.provider))
    }

    /// The lower-case names of the headers that decisions read: others, `_` in
    /// their names read as `-`, need not be in a [`Request`].
    ///
    /// # Errors
    /// The instance trapped.
    pub fn reads(&mut self) -> Result<Vec<String>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_reads(store, handle))
    }

    /// Documents to fetch now. They count as started.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn due(&mut self, now_ms: u64) -> Result<Vec<Fetch>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_due(store, handle, now_ms))
            .map(convert)
    }

    /// Milliseconds from now until a document is due ([`Self::due`]); 0 if one is,
    /// `None` if none will be.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn next_due(&mut self, now_ms: u64) -> Result<Option<u64>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_next_due(store, handle, now_ms))
    }

    /// Supplies the outcome of a fetch. `uri` is that of the [`Fetch`]. Of a large
    /// body this call reads the first part ([`Outcome::part`]).
    ///
    /// # Errors
    /// The instance trapped.
    pub fn supply(
        &mut self,
        source: u32,
        uri: &str,
        outcome: &Outcome,
        now_ms: u64,
    ) -> Result<Supplied, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| {
                gate.call_supply(store, handle, source, uri, outcome.as_wit(), now_ms)
            })
            .map(Supplied::from)
    }

    /// Continues with a document that was not read completely: a few milliseconds of
    /// work. `part` is the next part of its body; empty after the last one.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: u64) -> Result<Supplied, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_resume(store, handle, source, part, now_ms))
            .map(Supplied::from)
    }

    /// The state of every document.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn status(&mut self, now_ms: u64) -> Result<Vec<DocumentStatus>, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_status(store, handle, now_ms))
            .map(convert)
    }

    /// Whether every document was accepted once that the policy does not allow to be
    /// missing at the start. It stays true.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn ready(&mut self) -> Result<bool, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_ready(store, handle))
    }

    /// Facts about the last decision of [`Self::check`] or [`Self::check_token`].
    /// `subject_key` is empty, or the host's secret for [`Facts::subject_ref`];
    /// `effects` asks for them.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn last_event(&mut self, subject_key: &[u8], effects: bool) -> Result<Facts, Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_last_event(store, handle, subject_key, effects))
            .map(Facts::from)
    }

    /// Decides whether this request may pass.
    ///
    /// # Errors
    /// The instance trapped: deny the request with `internal_error`.
    pub fn check(&mut self, request: Request<'_>, now_ms: u64) -> Result<Answer, Trap> {
        request.as_wit(|request| {
            self.decide(|gate, store, handle| {
                gate.call_check(store, handle, request.clone(), now_ms)
            })
        })
    }

    /// Parses a requirement (as `require` of a rule) once, for
    /// [`Self::check_token`]. The numbers of the 1,024 used last stay valid. The
    /// inner error has every problem of it.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn prepare(&mut self, requirement: &[u8]) -> Result<Result<u32, Vec<Problem>>, Trap> {
        let handle = self.gate;
        let prepared = self
            .guest
            .call(|gate, store| gate.call_prepare(store, handle, requirement))?;
        Ok(prepared.map_err(convert))
    }

    /// The same as [`Self::check`] without HTTP. With requirement 0 a
    /// valid token of one of the issuers is enough. A token that is bound to its
    /// sender is denied unless it is `proven`: a gate of this process has allowed a
    /// request with it, and this is a further check of that request.
    ///
    /// # Errors
    /// The instance trapped: deny with `internal_error`.
    pub fn check_token(
        &mut self,
        token: &[u8],
        requirement: u32,
        proven: bool,
        now_ms: u64,
    ) -> Result<Answer, Trap> {
        self.decide(|gate, store, handle| {
            gate.call_check_token(store, handle, token, requirement, proven, now_ms)
        })
    }

    /// Takes the response to a [`Need::Request`](crate::Need) of this instance; the
    /// result is why it cannot be used, if so.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn respond(
        &mut self,
        ticket: u64,
        outcome: &Outcome,
        now_ms: u64,
    ) -> Result<Option<Problem>, Trap> {
        let handle = self.gate;
        let refused = self.guest.call(|gate, store| {
            gate.call_respond(store, handle, ticket, outcome.as_wit(), now_ms)
        })?;
        Ok(refused.map(Problem::from))
    }

    /// Takes whether a [`Need::Proof`](crate::Need) of this instance is used for the
    /// first time.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn proven(&mut self, ticket: u64, first: FirstUse) -> Result<(), Trap> {
        let handle = self.gate;
        self.guest
            .call(|gate, store| gate.call_verified(store, handle, ticket, first.into()))
    }

    /// Every check in order, with its details. Changes nothing. Where the host
    /// verifies signatures, [`Self::check`] the same request before.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn explain(&mut self, request: Request<'_>, now_ms: u64) -> Result<Vec<Step>, Trap> {
        let handle = self.gate;
        let explained = request.as_wit(|request| {
            self.guest
                .call(|gate, store| gate.call_explain(store, handle, request, now_ms))
        });
        explained.map(convert)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance").finish_non_exhaustive()
    }
}
