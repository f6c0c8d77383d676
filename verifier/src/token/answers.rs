//! What authorization servers say about opaque tokens (RFC 7662): the requests
//! that are open, their answers, and those that say no. An answer that says yes
//! is remembered as verified tokens are, so that nothing here can evict it.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};

use countersign_kernel::bytes;

use super::{
    Outgoing, Verified, response,
    server::{Server, left_ms},
};
use crate::{
    base::{Problem, hash, limits},
    documents::Outcome,
    model::{Introspection, Kind, Policy},
    refusal::{Code, Refusal},
};

/// A token about which its authorization server is asked.
pub(crate) struct Asked {
    pub(crate) token: Arc<[u8]>,
    /// Index into the policy's issuers.
    pub(crate) issuer: usize,
    /// Whether an answer about it is remembered that is too old.
    pub(crate) was_active: bool,
}

/// What the answer to a request says: the token's content, or why it is refused.
pub(crate) struct Learned {
    /// The number of the request.
    pub(crate) request: u64,
    pub(crate) answer: Result<Arc<Verified>, Refusal>,
}

/// What is known about a token.
pub(crate) enum Known<'a> {
    Nothing,
    /// A request is open.
    Asked,
    /// A signed answer, which is not verified yet.
    Signed(SignedAnswer<'a>),
    Active(&'a Arc<Verified>),
    Refused(Refusal),
}

pub(crate) struct SignedAnswer<'a> {
    pub(crate) request: u64,
    /// When the server was asked.
    pub(crate) asked_ms: u64,
    pub(crate) jws: &'a [u8],
}

pub(crate) struct Answers {
    open: Vec<Open>,
    /// Tokens that are refused, the oldest first.
    refused: Vec<Refused>,
    refused_bytes: usize,
    servers: Vec<Server>,
    seed: u64,
}

struct Open {
    number: u64,
    hash: u64,
    token: Arc<[u8]>,
    issuer: usize,
    asked_ms: u64,
    state: State,
    /// When it came to this state, and how long it stays there.
    since_ms: u64,
    length_ms: u64,
}

enum State {
    Asked,
    Signed(Box<[u8]>),
    /// Only until the waiting checks have used it, if the memory has no place for
    /// it.
    Active(Arc<Verified>),
}

struct Refused {
    hash: u64,
    token: Arc<[u8]>,
    refusal: Refusal,
    since_ms: u64,
    length_ms: u64,
}

impl Answers {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            open: Vec::new(),
            refused: Vec::new(),
            refused_bytes: 0,
            servers: Vec::new(),
            seed,
        }
    }

    /// Returns what is known about a token.
    pub(crate) fn find(&self, token: &[u8], now_ms: u64) -> Known<'_> {
        let hash = hash::of(token, self.seed);
        for open in &self.open {
            if open.hash == hash && open.is_alive(now_ms) && bytes::equal(&open.token, token) {
                return match &open.state {
                    State::Asked => Known::Asked,
                    State::Active(verified) => Known::Active(verified),
                    State::Signed(jws) => Known::Signed(SignedAnswer {
                        request: open.number,
                        asked_ms: open.asked_ms,
                        jws,
                    }),
                };
            }
        }
        // The newest counts.
        for refused in self.refused.iter().rev() {
            if refused.hash == hash && bytes::equal(&refused.token, token) {
                let left_ms = left_ms(refused.since_ms, refused.length_ms, now_ms);
                if left_ms == 0 {
                    break;
                }
                let mut refusal = refused.refusal.clone();
                refusal.retry_after_ms = left_ms;
                return Known::Refused(refusal);
            }
        }
        Known::Nothing
    }

    /// Refuses a request that may not be sent now: the server has failed, there
    /// is no place, or there are too many a second. A quarter of the rate is for
    /// tokens that were active.
    pub(crate) fn may_ask(
        &self,
        issuer: usize,
        introspection: &Introspection,
        was_active: bool,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        let unavailable = |after_ms| Err(Refusal::retry(Code::IntrospectionUnavailable, after_ms));
        let (mut all, mut own) = (0_usize, 0_usize);
        for open in &self.open {
            if open.is_alive(now_ms) {
                all = all.saturating_add(1);
                own = own.saturating_add(usize::from(open.issuer == issuer));
            }
        }
        if all >= limits::REQUESTS || own >= limits::REQUESTS_OF_ISSUER {
            return unavailable(limits::ANSWER_MIN_MS);
        }
        let Some(server) = self.servers.iter().find(|server| server.issuer == issuer) else {
            return Ok(());
        };
        let pause_ms = server.pause_ms(now_ms);
        if pause_ms > 0 {
            return unavailable(pause_ms);
        }
        let rate = u64::from(introspection.rate_per_s);
        let reserve = if was_active { 0 } else { rate / 4 };
        match server.wait_ms(rate, reserve, now_ms) {
            0 => Ok(()),
            after_ms => unavailable(after_ms),
        }
    }

    /// Opens a request, or returns the one about this token that is open.
    pub(crate) fn ask(
        &mut self,
        policy: &Policy,
        asked: Asked,
        number: u64,
        now_ms: u64,
    ) -> Result<Outgoing, Refusal> {
        let Asked {
            token,
            issuer: index,
            was_active,
        } = asked;
        let issuer = policy.issuers.get(index).ok_or(Code::InternalError)?;
        let Kind::Opaque(introspection) = &issuer.kind else {
            return Err(Code::InternalError.into());
        };
        self.open.retain(|open| open.is_alive(now_ms));
        let hash = hash::of(&token, self.seed);
        let mut open = self.open.iter();
        let same = open.find(|open| open.hash == hash && bytes::equal(&open.token, &token));
        let ticket = match same {
            Some(same) => same.number,
            None => {
                self.may_ask(index, introspection, was_active, now_ms)?;
                let rate = u64::from(introspection.rate_per_s);
                if let Some(server) = self.server(index, rate, now_ms) {
                    server.take(rate, now_ms);
                }
                self.open.push(Open {
                    number,
                    hash,
                    token: Arc::clone(&token),
                    issuer: index,
                    asked_ms: now_ms,
                    state: State::Asked,
                    since_ms: now_ms,
                    length_ms: limits::TICKET_MS,
                });
                number
            }
        };
        Ok(Outgoing::about(&token, ticket, &issuer.name, introspection))
    }

    /// Takes the response to a request: the first one, while it is open. Returns
    /// what it says, unless it is signed and has to be verified, and why it
    /// cannot be used, if so.
    pub(crate) fn respond(
        &mut self,
        policy: &Policy,
        request: u64,
        outcome: Outcome<'_>,
        number: u64,
        now_ms: u64,
    ) -> Option<(Learned, Option<Problem>)> {
        let mut open = self.open.iter_mut();
        let open = open.find(|open| open.number == request && open.is_alive(now_ms))?;
        let State::Asked = open.state else {
            return None;
        };
        let index = open.issuer;
        let Kind::Opaque(introspection) = &policy.issuers.get(index)?.kind else {
            return None;
        };
        let is_down = response::is_down(&outcome);
        let answer = match response::body(outcome, introspection.signed) {
            Ok((body, true)) => {
                open.state = State::Signed(body.into());
                open.since_ms = now_ms;
                return None;
            }
            Ok((body, false)) => {
                response::read(policy, index, number, &body, now_ms).map_err(String::from)
            }
            Err(why) => Err(why),
        };
        let rate = u64::from(introspection.rate_per_s);
        if let Some(server) = self.server(index, rate, now_ms) {
            server.end(is_down, now_ms);
        }
        let (answer, problem) = match answer {
            Ok(answer) => (answer, None),
            Err(why) => (
                Err(Code::IntrospectionUnavailable.into()),
                Some(Problem::error("", "introspection_unusable", why)),
            ),
        };
        Some((Learned { request, answer }, problem))
    }

    /// Keeps what an answer says. Returns the token, if the request is open.
    pub(crate) fn settle(
        &mut self,
        policy: &Policy,
        learned: &Learned,
        now_ms: u64,
    ) -> Option<Arc<[u8]>> {
        let mut open = self.open.iter();
        let at = open.position(|open| open.number == learned.request)?;
        match &learned.answer {
            Ok(verified) => {
                let open = self.open.get_mut(at)?;
                open.state = State::Active(Arc::clone(verified));
                open.since_ms = now_ms;
                open.length_ms = limits::ANSWER_MIN_MS;
                Some(Arc::clone(&open.token))
            }
            Err(refusal) => {
                let open = self.open.swap_remove(at);
                let length_ms = match (&policy.issuers.get(open.issuer)?.kind, refusal.code) {
                    (_, Code::IntrospectionUnavailable) => 0,
                    (Kind::Opaque(introspection), _) => introspection.negative_ms,
                    _ => 0,
                };
                let token = Arc::clone(&open.token);
                self.refuse(Refused {
                    hash: open.hash,
                    token: open.token,
                    refusal: refusal.clone(),
                    since_ms: now_ms,
                    length_ms: length_ms.max(limits::ANSWER_MIN_MS),
                });
                Some(token)
            }
        }
    }

    /// Drops an answer that the memory has.
    pub(crate) fn close(&mut self, request: u64) {
        self.open.retain(|open| open.number != request);
    }

    /// Remembers a refused token. It forgets the oldest ones, if there are too
    /// many, or too large ones.
    fn refuse(&mut self, refused: Refused) {
        self.refused_bytes = self.refused_bytes.saturating_add(refused.token.len());
        self.refused.push(refused);
        let mut kept = self.refused.len();
        let mut bytes = self.refused_bytes;
        self.refused.retain(|refused| {
            let is_kept = kept <= limits::REFUSED && bytes <= limits::REFUSED_BYTES;
            if !is_kept {
                kept = kept.saturating_sub(1);
                bytes = bytes.saturating_sub(refused.token.len());
            }
            is_kept
        });
        self.refused_bytes = bytes;
    }

    fn server(&mut self, issuer: usize, rate: u64, now_ms: u64) -> Option<&mut Server> {
        if !self.servers.iter().any(|server| server.issuer == issuer) {
            self.servers.push(Server::new(issuer, rate, now_ms));
        }
        let mut servers = self.servers.iter_mut();
        servers.find(|server| server.issuer == issuer)
    }
}

impl Open {
    fn is_alive(&self, now_ms: u64) -> bool {
        left_ms(self.since_ms, self.length_ms, now_ms) > 0
    }
}
