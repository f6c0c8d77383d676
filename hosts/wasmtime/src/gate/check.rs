//! Decisions of a gate, and what its hooks and a candidate are told of them.

use std::{
    future::Future,
    sync::{Arc, atomic::AtomicBool},
};

use http::Extensions;

use super::Gate;
use crate::{
    decision::{Decision, Denial},
    event::{DecisionEvent, Mode},
    generation::{Decided, Generation, Interest, Purpose},
    problem::{OpenError, Trap},
    report::Step,
    request::{Head, Header, Names, Request},
    requirement::Requirement,
};

impl Gate {
    /// Decides whether this request may pass. Waits, within bounds, for documents
    /// that the decision needs. Never reads the body.
    pub fn check<B>(&self, request: &http::Request<B>) -> impl Future<Output = Decision> + Send {
        self.check_head(Head::of(request))
    }

    /// [`Self::check`] for a request whose body is elsewhere.
    pub fn check_parts(
        &self,
        parts: &http::request::Parts,
    ) -> impl Future<Output = Decision> + Send {
        let http::request::Parts {
            method,
            uri,
            headers,
            extensions,
            ..
        } = parts;
        self.check_head(Head {
            method,
            uri,
            headers,
            extensions,
        })
    }

    pub(crate) async fn check_head(&self, head: Head<'_>) -> Decision {
        self.check_head_with(head, None).await
    }

    /// `waits` is set before the decision waits for what it needs.
    pub(crate) async fn check_head_with(
        &self,
        head: Head<'_>,
        waits: Option<&AtomicBool>,
    ) -> Decision {
        let headers = |reads: &Names| head.headers(reads);
        self.check_with(head.request(), headers, head.extensions, waits)
            .await
    }

    /// [`Self::check`] for a request of another HTTP stack: bytes, which need not be
    /// valid.
    pub async fn check_bytes(&self, request: Request<'_>) -> Decision {
        self.check_bytes_with(request, &Extensions::new()).await
    }

    /// [`Self::check_bytes`], with what the hooks get beside the event: a request id,
    /// a trace.
    pub async fn check_bytes_with(
        &self,
        request: Request<'_>,
        extensions: &Extensions,
    ) -> Decision {
        let headers = |reads: &Names| reads.of(request.headers);
        self.check_with(request, headers, extensions, None).await
    }

    /// `headers` are those of the request among the names that a policy reads.
    async fn check_with<'r>(
        &self,
        request: Request<'r>,
        headers: impl Fn(&Names) -> Vec<Header<'r>> + Send,
        extensions: &Extensions,
        waits: Option<&AtomicBool>,
    ) -> Decision {
        let generation = self.generation();
        let shadow = self.shadow();
        let interest = match &shadow {
            Some(_) => Interest::Comparison,
            None => self.interest(),
        };
        let fields = headers(&generation.reads);
        let decided = generation
            .decide(self.purpose(interest, waits), |reader, now_ms| {
                let headers = &fields;
                reader
                    .instance
                    .check(Request { headers, ..request }, now_ms)
            })
            .await;
        self.tell(&generation, &decided, extensions);
        if let Some(shadow) = shadow {
            let fields = headers(shadow.reads());
            let headers = &fields;
            let hooks = &self.shared.settings.hooks;
            shadow.compare(Request { headers, ..request }, &decided, hooks, extensions);
        }
        decided.decision
    }

    /// Denies a request that cannot be checked.
    #[cfg(feature = "tower")]
    pub(crate) fn deny(&self, denial: Denial, extensions: &Extensions) -> Decision {
        let decided = Decided {
            decision: Decision::Deny(denial),
            course: crate::generation::Course::default(),
        };
        self.tell(&self.generation(), &decided, extensions);
        decided.decision
    }

    fn interest(&self) -> Interest {
        match self.shared.settings.hooks.want_decisions() {
            true => Interest::Event,
            false => Interest::Nothing,
        }
    }

    fn purpose<'a>(&self, interest: Interest, waits: Option<&'a AtomicBool>) -> Purpose<'a> {
        Purpose {
            interest,
            is_observed: self.mode == Mode::Observed,
            waits,
        }
    }

    fn tell(&self, generation: &Generation, decided: &Decided, extensions: &Extensions) {
        let hooks = &self.shared.settings.hooks;
        if hooks.want_decisions() {
            let Decided { decision, course } = decided;
            let facts = course.facts.clone();
            let digest = generation.digest.clone();
            let event = DecisionEvent::new(decision, facts, course.waited, self.mode, digest);
            hooks.decided(&event, extensions);
        }
    }

    /// The lower-case names of the headers that decisions read now: a reload can
    /// change them.
    pub fn reads(&self) -> Vec<String> {
        self.generation().reads.to_vec()
    }

    /// Decides whether this token is valid and meets the requirement: the same as
    /// [`Self::check`] without HTTP, for tokens from another protocol.
    pub async fn check_token(
        &self,
        token: impl AsRef<[u8]>,
        requirement: &Requirement,
    ) -> Decision {
        self.check_token_if(token.as_ref(), requirement, false)
            .await
    }

    /// [`Self::check_token`] as a further check of a request that a gate of this
    /// process has allowed with this very token. A token that is bound to its sender
    /// (DPoP, mTLS) passes only so: its proof was checked then.
    pub async fn check_proven_token(
        &self,
        token: impl AsRef<[u8]>,
        requirement: &Requirement,
    ) -> Decision {
        self.check_token_if(token.as_ref(), requirement, true).await
    }

    async fn check_token_if(
        &self,
        token: &[u8],
        requirement: &Requirement,
        proven: bool,
    ) -> Decision {
        if !requirement.is_of(self.shared.id) {
            return Decision::Deny(Denial::internal_error());
        }
        let generation = self.generation();
        let decided = generation
            .decide(self.purpose(self.interest(), None), |reader, now_ms| {
                let number = match requirement.text() {
                    None => Ok(0),
                    Some(text) => reader.number(text)?,
                };
                match number {
                    Ok(number) => reader.instance.check_token(token, number, proven, now_ms),
                    Err(_) => Ok(Decision::Deny(Denial::internal_error()).into()),
                }
            })
            .await;
        self.tell(&generation, &decided, &Extensions::new());
        decided.decision
    }

    /// Parses a requirement (JSON, as `require` of a rule) for
    /// [`Self::check_token`]. It stays valid after a reload.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub async fn prepare(&self, requirement: &[u8]) -> Result<Requirement, OpenError> {
        let text = Arc::from(requirement);
        let mut in_use = self.shared.requirements.lock().await;
        self.generation().prepare(&text).await?;
        in_use.add(&text);
        Ok(Requirement::new(self.shared.id, text))
    }

    /// Every check in order, with its details: for people, and only for those
    /// who may see claims. Fetches nothing, except where the host verifies
    /// signatures: then it decides first.
    ///
    /// # Errors
    /// The instance trapped.
    pub fn explain<B>(
        &self,
        request: &http::Request<B>,
    ) -> impl Future<Output = Result<Vec<Step>, Trap>> + Send {
        let head = Head::of(request);
        async move {
            let generation = self.generation();
            let headers = &head.headers(&generation.reads);
            let request = head.request();
            self.explain_in(&generation, Request { headers, ..request })
                .await
        }
    }

    /// [`Self::explain`] for a request of another HTTP stack.
    ///
    /// # Errors
    /// The instance trapped.
    pub async fn explain_bytes(&self, request: Request<'_>) -> Result<Vec<Step>, Trap> {
        let generation = self.generation();
        let headers = &generation.reads.of(request.headers);
        self.explain_in(&generation, Request { headers, ..request })
            .await
    }

    async fn explain_in(
        &self,
        generation: &Arc<Generation>,
        request: Request<'_>,
    ) -> Result<Vec<Step>, Trap> {
        if self.shared.settings.provider.is_some()
            && let Some(steps) = generation.decide_and_explain(request).await
        {
            return Ok(steps);
        }
        let now_ms = generation.now_ms()?;
        generation
            .pool
            .call(|reader| reader.instance.explain(request, now_ms))
            .await
    }
}
