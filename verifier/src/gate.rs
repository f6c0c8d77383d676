//! The gate: the public state machine, without I/O. Uses all rooms.
//! `README.md` lists the other files that a new host call changes.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{cell::Cell, fmt};

use crate::{
    base::Problem,
    check::{Admitted, Checks, Granted, Pass},
    decision::{
        self, Answer, Change, Decision, Event, Grant, Last, Need, OtherPrincipal, Requirements,
        Seen, Strip, Used,
    },
    documents::{DocumentStatus, Fetch, Issuers, Outcome, Supplied},
    jose::{HostKey, Native},
    json::Value,
    model::{Issuer, Kind, Place, Policy},
    policy::{self, Host, Opener},
    refusal::{Code, Halt, Refusal, Step, Trace},
    request::{Request, Router, credential},
    token::{Answers, Learned, Memory, Origin, Proofs, Question, Tickets, Verification, Verified},
};

/// Headers that show whether a request with a cookie has the same origin.
const SAME_ORIGIN: [&str; 5] = [
    "sec-fetch-site",
    "origin",
    "upgrade",
    ":protocol",
    "sec-fetch-mode",
];

/// An open gate: one policy and the documents supplied so far.
pub struct Gate {
    policy: Policy,
    router: Router,
    issuers: Issuers,
    memory: Memory,
    /// The number of the last grant with a principal.
    granted: u64,
    requirements: Requirements,
    warnings: Vec<Problem>,
    strip: Strip,
    native: Option<Native>,
    tickets: Tickets,
    answers: Answers,
    proofs: Proofs,
    lacks_certificate: bool,
    last: Last,
    digest: [u8; 32],
    /// Whether all needed documents were there at the same time.
    was_ready: bool,
}

/// Shows no content: a policy can contain secrets, and the memory contains
/// tokens.
impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("issuers", &self.policy.issuers.len())
            .field("rules", &self.policy.rules.len())
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Opens a gate for a host that brings nothing but a `seed`.
    ///
    /// # Errors
    /// Every problem of the policy, in its order.
    pub fn open(policy: &[u8], seed: u64) -> Result<Self, Vec<Problem>> {
        let host = Host {
            seed,
            ..Host::default()
        };
        Self::open_json(&policy::policy_json(policy)?, host)
    }

    /// Opens a gate for parsed JSON, for example a part of a host's
    /// configuration. With cryptography of the host, decisions
    /// [`Wait`](Decision::Wait) for signatures that it verifies.
    ///
    /// # Errors
    /// Every problem of the policy, in its order. One is that it demands
    /// cryptography or a secret that the host does not have.
    pub fn open_json(policy: &Value<'_>, host: Host<'_>) -> Result<Self, Vec<Problem>> {
        let digest = policy::digest(policy);
        let opener = Opener::Host(&host);
        let (mut policy, warnings) = policy::parse(policy, opener)?;
        let has_opaque = |issuer: &Issuer| matches!(issuer.kind, Kind::Opaque(_));
        let remembered = if policy.remember || policy.issuers.iter().any(has_opaque) {
            policy.limits.remembered_tokens
        } else {
            0
        };
        Ok(Self {
            router: Router::new(&policy.rules, policy.exact_case),
            issuers: Issuers::new(&mut policy),
            memory: Memory::new(remembered, host.seed),
            granted: 0,
            requirements: Requirements::default(),
            warnings,
            strip: Strip::new(&policy),
            policy,
            tickets: Tickets::new(host.seed),
            answers: Answers::new(host.seed),
            proofs: Proofs::default(),
            lacks_certificate: false,
            last: Last::default(),
            digest,
            was_ready: false,
            native: host.native,
        })
    }

    /// Returns the warnings of the policy: the policy works, but the operator
    /// should review them.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Returns the lower-case names of the headers that decisions read. A host
    /// passes every field whose name, with `_` read as `-`, is one of them.
    pub fn reads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::from(["host"]);
        let mut add = |name| {
            if !names.contains(&name) {
                names.push(name);
            }
        };
        for credential in self.policy.places() {
            match &credential.place {
                Place::Header { name, .. } => add(name),
                Place::Cookie { same_origin, .. } => {
                    add("cookie");
                    if *same_origin {
                        SAME_ORIGIN.into_iter().for_each(&mut add);
                    }
                }
                Place::Query(_) => {}
                Place::Protocol { .. } => add(credential::PROTOCOLS),
            }
        }
        if self.policy.places().any(|place| place.has_scheme("dpop")) {
            add("dpop");
        }
        if let Some(certificate) = &self.policy.sender.certificate {
            add(&certificate.header);
        }
        self.policy.compared.iter().for_each(|name| add(name));
        if self.policy.set_headers().next().is_some() || !self.policy.compared.is_empty() {
            add("connection");
        }
        names
    }

    /// Returns every document whose address is known, as it is fetched. No fetch
    /// starts.
    pub fn documents(&self) -> Vec<Fetch> {
        self.issuers.named(&self.policy)
    }

    /// Returns the addresses to which requests go that decisions need.
    pub fn asks(&self) -> Vec<&str> {
        let issuers = self.policy.issuers.iter();
        issuers
            .filter_map(|issuer| match &issuer.kind {
                Kind::Opaque(introspection) => Some(&*introspection.uri),
                Kind::Signed | Kind::ApiKeys(_) => None,
            })
            .collect()
    }

    /// Returns whether the last [`Self::check`] has looked for the certificate of
    /// the client and the host had told none. A host that learns it at a cost gets
    /// it then, and checks again.
    pub fn lacks_certificate(&self) -> bool {
        self.lacks_certificate
    }

    /// Returns the documents to fetch now, and marks their fetches as started.
    pub fn due(&mut self, now_ms: u64) -> Vec<Fetch> {
        let now = signed(now_ms);
        self.memory
            .retain(|verified| verified.times.exp.is_none_or(|exp| exp > now));
        self.issuers.due(&self.policy, now_ms)
    }

    /// Returns the milliseconds until [`Self::due`] returns a fetch (0: now),
    /// or `None` if the policy has no documents to fetch.
    pub fn next_due(&self, now_ms: u64) -> Option<u64> {
        self.issuers.due_in_ms(now_ms)
    }

    /// Takes the outcome of a fetch from `uri`. The gate reads a large document
    /// in slices: see [`Supplied::Unfinished`].
    pub fn supply(
        &mut self,
        source: u32,
        uri: &str,
        outcome: Outcome<'_>,
        now_ms: u64,
    ) -> Supplied {
        let supplied = self
            .issuers
            .supply(&self.policy, source, uri, outcome, now_ms);
        self.forget_tokens_of_withdrawn_keys(supplied, source)
    }

    /// Continues to read a document. `part` is the next part of its body; it is
    /// empty after the last part.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: u64) -> Supplied {
        let supplied = self.issuers.resume(&self.policy, source, part, now_ms);
        self.forget_tokens_of_withdrawn_keys(supplied, source)
    }

    /// Forgets the remembered tokens of withdrawn keys, and the API keys of an
    /// issuer with a new document: each is found in it again.
    fn forget_tokens_of_withdrawn_keys(&mut self, supplied: Supplied, source: u32) -> Supplied {
        if let Supplied::Accepted { .. } = supplied {
            self.tickets.forget_contents();
            let (issuers, policy) = (&self.issuers, &self.policy);
            let renewed = issuers.issuer_of_api_keys(source);
            self.memory.retain(|known| {
                let issuer = policy.issuers.get(known.issuer);
                issuer.is_some_and(|issuer| match &known.origin {
                    Origin::Key { key, named } => {
                        issuers.still_reaches(known.issuer, issuer, key, *named)
                    }
                    Origin::ApiKeys => renewed != Some(known.issuer),
                    Origin::Introspection { .. } => true,
                })
            });
        }
        supplied
    }

    /// Returns the key with this number, in the form that a host's cryptography
    /// takes. `None` unless a question about it is open.
    pub fn key(&self, number: u32) -> Option<HostKey> {
        self.tickets.key(number)
    }

    /// Takes what the host found out about a signature or a proof. Only the first
    /// answer to an open question counts; a question is open for ten seconds.
    pub fn verified(&mut self, ticket: u64, verification: Verification) {
        self.tickets.answer(ticket, verification);
        self.proofs.answer(ticket, verification);
    }

    /// Takes the response to a request: the first one, while the question is
    /// open. Returns why it cannot be used, if so.
    pub fn respond(&mut self, ticket: u64, outcome: Outcome<'_>, now_ms: u64) -> Option<Problem> {
        let number = self.granted.saturating_add(1);
        let answers = &mut self.answers;
        let (learned, problem) = answers.respond(&self.policy, ticket, outcome, number, now_ms)?;
        self.learn(learned, now_ms);
        problem
    }

    /// Keeps what an authorization server said about a token.
    fn learn(&mut self, learned: Learned, now_ms: u64) {
        let Some(token) = self.answers.settle(&self.policy, &learned, now_ms) else {
            return;
        };
        self.memory.forget_token(&token);
        if let Ok(verified) = learned.answer {
            self.granted = self.granted.max(verified.number);
            self.memory.remember(&token, verified, signed(now_ms));
            // The memory's is then the only reference to the content.
            if self.memory.recall(&token).is_some() {
                self.answers.close(learned.request);
            }
        }
    }

    /// Returns the state of every document.
    pub fn status(&self, now_ms: u64) -> Vec<DocumentStatus> {
        self.issuers.status(&self.policy, now_ms)
    }

    /// Returns the SHA-256 of the policy in its canonical form, as
    /// [`policy_digest`](crate::policy_digest) has it.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Returns whether every document was accepted once that the policy does not
    /// allow to be missing. It stays true: whether a document is recent enough is
    /// said by [`Self::status`].
    pub fn ready(&mut self) -> bool {
        self.was_ready = self.was_ready || self.issuers.are_ready(&self.policy);
        self.was_ready
    }

    /// Returns facts about the last decision of [`Self::check`] or
    /// [`Self::check_token`], for logs and metrics. With a `subject_key`, which is
    /// the host's secret, the event identifies the subject.
    pub fn last_event(&self, subject_key: &[u8], effects: bool) -> Event {
        self.last.event(&self.policy, subject_key, effects)
    }

    /// Decides about a request.
    pub fn check(&mut self, request: &Request<'_>, now_ms: u64) -> Decision {
        let checks = self.checks(now_ms, false);
        let admitted = checks.request(request, &mut Trace::off());
        let question = checks.question.take();
        let lacks_certificate = checks.lacks_certificate.get();
        let seen = checks.seen;
        let mut changes = match &admitted {
            Ok(Pass::Request(granted)) => self.changes(request, granted),
            _ => Vec::new(),
        };
        // Only a proxy that is trusted says which certificate a client has.
        if let Some(certificate) = &self.policy.sender.certificate
            && !certificate.trusts(request.connection.peer)
        {
            decision::remove(request, &certificate.header, &mut changes);
        }
        self.lacks_certificate = lacks_certificate;
        let mut decision = self.decide(admitted, question, now_ms);
        if let Decision::Allow(grant) = &mut decision {
            grant.changes = changes;
        }
        self.keep(seen, &decision);
        decision
    }

    fn keep(&mut self, seen: Seen, decision: &Decision) {
        let grant = match decision {
            Decision::Allow(grant) => Some(grant),
            _ => None,
        };
        self.last = Last::new(seen, grant);
    }

    /// Returns the changes to this request: what goes of it, and the headers of
    /// the principals beside the user.
    fn changes(&self, request: &Request<'_>, granted: &Granted<'_>) -> Vec<Change> {
        let Some(rule) = self.policy.rules.get(granted.rule) else {
            return Vec::new();
        };
        let list = self.policy.credentials_of(rule);
        let is_plain = granted.others.is_empty() && !granted.ignored && !list.takes_out();
        if is_plain && !self.strip.has_cookies() {
            return Vec::new();
        }
        let named = || rule.tokens.principals.iter().zip(&granted.others);
        let user = granted.user.iter().map(|user| (None, &*user.token));
        let others = named().map(|((name, _), other)| (Some(&**name), &*other.token));
        let used = Used {
            list,
            tokens: user.chain(others).collect(),
            ignored: granted.ignored,
        };
        let strips = self.policy.strip_credential;
        let mut changes = self.strip.changes(request, &used, strips);
        for ((name, _), other) in named() {
            let mut headers = self
                .policy
                .forward_of
                .iter()
                .zip(&other.verified.headers_of);
            if let Some((_, headers)) = headers.find(|((known, _), _)| known == name) {
                changes.extend(headers.iter().map(|(name, value)| {
                    Change::SetHeader(String::from(&**name).into(), value.as_bytes().into())
                }));
            }
        }
        changes
    }

    /// Returns the grant for a request that a host allows without a check, such
    /// as a CORS preflight. It has no principal.
    pub fn anonymous(&self) -> Grant {
        let mut grant = self.strip.grant(false);
        // It is not known from whom the request is.
        if let Some(certificate) = &self.policy.sender.certificate {
            let mut names = grant.remove_headers.to_vec();
            names.push(certificate.header.clone());
            grant.remove_headers = names.into();
        }
        grant
    }

    /// Parses a requirement for [`Self::check_token`]. The same text gives the
    /// same number while it is one of the 1,024 most recently used
    /// requirements.
    ///
    /// # Errors
    /// Every problem of the requirement.
    pub fn prepare(&mut self, requirement: &[u8]) -> Result<u32, Vec<Problem>> {
        self.requirements.prepare(&self.policy, requirement)
    }

    /// Decides about a token without a request. Requirement 0 requires only a
    /// valid token of one of the issuers. A number that [`Self::prepare`] did
    /// not return, or whose requirement was dropped, denies. A token that is bound
    /// to its sender is denied, unless it is `proven`: a decision of this process
    /// has allowed a request with it, and this is a further check of that request.
    pub fn check_token(
        &mut self,
        token: &[u8],
        requirement: u32,
        proven: bool,
        now_ms: u64,
    ) -> Decision {
        self.requirements.touch(requirement);
        let checks = self.checks(now_ms, false);
        let admitted = match self.requirements.get(requirement) {
            Some(requirement) => checks.token(token, requirement, proven, &mut Trace::off()),
            None => Err(Code::InternalError.into()),
        };
        let question = checks.question.take();
        let seen = checks.seen;
        let decision = self.decide(admitted, question, now_ms);
        self.keep(seen, &decision);
        decision
    }

    /// Returns every check of a request in order, with its details. It changes
    /// nothing and verifies remembered tokens again. Only where the host verifies
    /// signatures, it waits for those that the last decision did not use, of tokens
    /// that are not remembered.
    pub fn explain(&self, request: &Request<'_>, now_ms: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        // The last step contains the result.
        let _ = self
            .checks(now_ms, true)
            .request(request, &mut Trace::on(&mut steps));
        steps
    }

    fn checks(&self, now_ms: u64, explains: bool) -> Checks<'_> {
        Checks {
            policy: &self.policy,
            router: &self.router,
            issuers: &self.issuers,
            memory: &self.memory,
            explains,
            native: self.native.as_ref(),
            tickets: &self.tickets,
            answers: &self.answers,
            proofs: &self.proofs,
            question: Cell::new(None),
            lacks_certificate: Cell::new(false),
            seen: Seen::default(),
            number: Cell::new(self.granted.saturating_add(1)),
            now_ms,
        }
    }

    /// Turns the result of a check into a decision. It starts fetches, asks the
    /// host about signatures and remembers tokens.
    fn decide(
        &mut self,
        admitted: Result<Pass<'_>, Halt>,
        question: Option<Question>,
        now_ms: u64,
    ) -> Decision {
        let question = match question {
            Some(Question::Learned(learned)) => {
                self.learn(learned, now_ms);
                None
            }
            question => question,
        };
        let waits = matches!(admitted, Err(Halt::Wait(_) | Halt::Ask));
        if self.native.is_some() {
            self.tickets.end_check(waits);
        }
        self.proofs.end_check(waits);
        match admitted {
            Err(Halt::Deny(refusal)) => self.deny(refusal),
            Err(Halt::Wait(wanted)) => {
                let fetches = self.issuers.start(&wanted, &self.policy, now_ms);
                Decision::Wait(fetches.into_iter().map(Need::Document).collect())
            }
            Err(Halt::Ask) => self.ask(question, now_ms),
            Ok(Pass::Metadata(index)) => Decision::Answer(Answer {
                status: 200,
                // Browsers of any origin may read it: it is public.
                headers: &[
                    ("content-type", "application/json"),
                    ("access-control-allow-origin", "*"),
                ],
                body: self.policy.metadata.body(index).into(),
            }),
            Ok(Pass::Anonymous) => Decision::Allow(self.strip.grant(false)),
            Ok(Pass::Token(admitted)) => {
                let mut grant = self.strip.grant(self.policy.strip_credential);
                self.set_user(&mut grant, admitted, now_ms);
                Decision::Allow(grant)
            }
            Ok(Pass::Request(granted)) => {
                let strips = granted.user.is_some() && self.policy.strip_credential;
                let mut grant = self.strip.grant(strips);
                for (index, other) in granted.others.into_iter().enumerate() {
                    self.use_token(&other, now_ms);
                    let verified = other.verified;
                    let rule = self.policy.rules.get(granted.rule);
                    let asked = rule.and_then(|rule| rule.tokens.principals.get(index));
                    grant.others.extend(asked.map(|(name, _)| OtherPrincipal {
                        name: name.clone(),
                        number: verified.number,
                        principal: Arc::clone(&verified.principal),
                    }));
                }
                if let Some(user) = granted.user {
                    self.set_user(&mut grant, user, now_ms);
                }
                Decision::Allow(grant)
            }
        }
    }

    /// Asks the host what a check needs of it.
    fn ask(&mut self, question: Option<Question>, now_ms: u64) -> Decision {
        match question {
            Some(Question::Signature(asked)) => {
                // The number of a content that was read ahead is used up.
                let ahead = asked.verified.as_ref();
                self.granted = self
                    .granted
                    .max(ahead.map_or(0, |verified| verified.number));
                match self.tickets.ask(asked, now_ms) {
                    Some(asked) => Decision::Wait(asked.into_iter().map(Need::Signature).collect()),
                    None => self.deny(Code::InternalError.into()),
                }
            }
            Some(Question::Introspection(asked)) => {
                let number = self.tickets.number();
                match self.answers.ask(&self.policy, asked, number, now_ms) {
                    Ok(request) => Decision::Wait(Vec::from([Need::Request(request)])),
                    Err(refusal) => self.deny(refusal),
                }
            }
            Some(Question::Proof(asked)) => {
                let number = self.tickets.number();
                match self.proofs.ask(*asked, number, now_ms) {
                    Some(proof) => Decision::Wait(Vec::from([Need::Proof(proof)])),
                    None => self.deny(Code::ProofsUnavailable.into()),
                }
            }
            Some(Question::Learned(_)) | None => self.deny(Code::InternalError.into()),
        }
    }

    fn deny(&self, refusal: Refusal) -> Decision {
        Decision::Deny(refusal.into_denial(&self.policy.realm))
    }

    /// Makes a grant that of the user: of the token, or of a request for one of
    /// its tenants.
    fn set_user(&mut self, grant: &mut Grant, user: Admitted<'_>, now_ms: u64) {
        self.use_token(&user, now_ms);
        let Admitted {
            token,
            verified,
            tenant,
            ..
        } = user;
        grant.number = verified.number;
        grant.principal = Some(Arc::clone(&verified.principal));
        grant.set_headers = Arc::clone(&verified.headers);
        if let Some(tenant) = tenant {
            self.set_tenant(grant, &token, verified, tenant);
        }
    }

    /// Makes a grant that of a request for one of the token's tenants. It has a
    /// number of its own, as its principal and headers differ.
    fn set_tenant(
        &mut self,
        grant: &mut Grant,
        token: &[u8],
        verified: Arc<Verified>,
        tenant: usize,
    ) {
        let mut view = verified.view(tenant).cloned();
        if view.is_none() {
            let number = self.granted.saturating_add(1);
            self.granted = number;
            view = verified.make_view(&self.policy, tenant, number);
            // The memory's is then the only reference to the token.
            drop(verified);
            self.memory
                .amend(token, &mut |known| known.remember_view(tenant, &view));
        }
        if let Some(view) = view {
            grant.number = view.number;
            grant.principal = Some(view.principal);
            grant.set_headers = view.headers;
        }
    }

    /// Remembers an admitted token that is not remembered yet.
    fn use_token(&mut self, admitted: &Admitted<'_>, now_ms: u64) {
        if admitted.fresh {
            let verified = &admitted.verified;
            self.granted = self.granted.max(verified.number);
            if self.policy.remember {
                self.memory
                    .remember(&admitted.token, Arc::clone(verified), signed(now_ms));
            }
            // Other checks that wait for the same signature need it no more.
            if self.native.is_some() && self.memory.recall(&admitted.token).is_some() {
                self.tickets.close(&admitted.token);
            }
        }
    }
}

/// Converts the host's time to the signed time of claims.
fn signed(now_ms: u64) -> i64 {
    i64::try_from(now_ms).unwrap_or(i64::MAX)
}
