//! The gate: the public state machine, without I/O. Uses all rooms except
//! `jose`. `README.md` lists the other files that a new host call changes.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{cell::Cell, fmt};

use crate::{
    base::Problem,
    check::{Admitted, Checks, Granted, Pass},
    decision::{Answer, Change, Decision, Grant, OtherPrincipal, Requirements, Strip, Used},
    documents::{DocumentStatus, Fetch, Issuers, Outcome, Supplied},
    json::Value,
    model::{Place, Policy},
    policy,
    refusal::{Halt, Step, Trace},
    request::{Request, Router, credential},
    token::{Memory, Verified},
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
    /// Opens a gate. `seed` should be random: it keeps an attacker from
    /// choosing tokens that collide in the table of remembered tokens. 0 is
    /// safe, but slower under such an attack.
    ///
    /// # Errors
    /// Every problem of the policy, in its order.
    pub fn open(policy: &[u8], seed: u64) -> Result<Self, Vec<Problem>> {
        Self::open_json(&policy::policy_json(policy)?, seed)
    }

    /// The same for parsed JSON, for example a part of a host's configuration.
    ///
    /// # Errors
    /// Every problem of the policy, in its order.
    pub fn open_json(policy: &Value<'_>, seed: u64) -> Result<Self, Vec<Problem>> {
        let (mut policy, warnings) = policy::parse(policy)?;
        let remembered = if policy.remember {
            policy.limits.remembered_tokens
        } else {
            0
        };
        Ok(Self {
            router: Router::new(&policy.rules, policy.exact_case),
            issuers: Issuers::new(&mut policy),
            memory: Memory::new(remembered, seed),
            granted: 0,
            requirements: Requirements::default(),
            warnings,
            strip: Strip::new(&policy),
            policy,
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
        self.policy.compared.iter().for_each(|name| add(name));
        if self.policy.set_headers().next().is_some() || !self.policy.compared.is_empty() {
            add("connection");
        }
        names
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
        self.forget_tokens_of_withdrawn_keys(supplied)
    }

    /// Continues to read a document. `part` is the next part of its body; it is
    /// empty after the last part.
    pub fn resume(&mut self, source: u32, part: &[u8], now_ms: u64) -> Supplied {
        let supplied = self.issuers.resume(&self.policy, source, part, now_ms);
        self.forget_tokens_of_withdrawn_keys(supplied)
    }

    /// Forgets the remembered tokens of withdrawn keys.
    fn forget_tokens_of_withdrawn_keys(&mut self, supplied: Supplied) -> Supplied {
        if let Supplied::Accepted { .. } = supplied {
            let (issuers, policy) = (&self.issuers, &self.policy);
            self.memory.retain(|known| {
                let issuer = policy.issuers.get(known.issuer);
                issuer.is_some_and(|issuer| {
                    issuers.still_reaches(known.issuer, issuer, &known.key, known.named_key)
                })
            });
        }
        supplied
    }

    /// Returns the state of every document.
    pub fn status(&self, now_ms: u64) -> Vec<DocumentStatus> {
        self.issuers.status(&self.policy, now_ms)
    }

    /// Decides about a request.
    pub fn check(&mut self, request: &Request<'_>, now_ms: u64) -> Decision {
        let admitted = self
            .checks(now_ms, true)
            .request(request, &mut Trace::off());
        let changes = match &admitted {
            Ok(Pass::Request(granted)) => self.changes(request, granted),
            _ => Vec::new(),
        };
        let mut decision = self.decide(admitted, now_ms);
        if let Decision::Allow(grant) = &mut decision {
            grant.changes = changes;
        }
        decision
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
        self.strip.grant(false)
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
    /// not return, or whose requirement was dropped, denies.
    pub fn check_token(&mut self, token: &[u8], requirement: u32, now_ms: u64) -> Decision {
        self.requirements.touch(requirement);
        let admitted = match self.requirements.get(requirement) {
            Some(requirement) => {
                self.checks(now_ms, true)
                    .token(token, requirement, &mut Trace::off())
            }
            None => Err(crate::refusal::Code::InternalError.into()),
        };
        self.decide(admitted, now_ms)
    }

    /// Returns every check of a request in order, with its details. It changes
    /// nothing and verifies remembered tokens again.
    pub fn explain(&self, request: &Request<'_>, now_ms: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        // The last step contains the result.
        let _ = self
            .checks(now_ms, false)
            .request(request, &mut Trace::on(&mut steps));
        steps
    }

    fn checks(&self, now_ms: u64, recall: bool) -> Checks<'_> {
        Checks {
            policy: &self.policy,
            router: &self.router,
            issuers: &self.issuers,
            memory: recall.then_some(&self.memory),
            number: Cell::new(self.granted.saturating_add(1)),
            now_ms,
        }
    }

    /// Turns the result of a check into a decision. It starts fetches and
    /// remembers tokens.
    fn decide(&mut self, admitted: Result<Pass<'_>, Halt>, now_ms: u64) -> Decision {
        match admitted {
            Err(Halt::Deny(refusal)) => Decision::Deny(refusal.into_denial(&self.policy.realm)),
            Err(Halt::Wait(wanted)) => {
                Decision::Wait(self.issuers.start(&wanted, &self.policy, now_ms))
            }
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
            self.memory
                .remember(&admitted.token, Arc::clone(verified), signed(now_ms));
        }
    }
}

/// Converts the host's time to the signed time of claims.
fn signed(now_ms: u64) -> i64 {
    i64::try_from(now_ms).unwrap_or(i64::MAX)
}
