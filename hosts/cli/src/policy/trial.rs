//! A policy on which cases are tried, with the keys made for their tokens.

use countersign_policy_source::Source;

use super::{
    case::{Case, Token},
    mint::Mint,
};
use crate::{
    arguments::Host,
    documents::{Documents, Given},
    failure::Failure,
    request::{Request, Subject, parse_line},
    session::Session,
};

pub(super) struct Trial {
    policy: Source,
    mint: Mint,
    given: Given,
    /// Nothing is fetched.
    pub(super) offline: bool,
}

impl Trial {
    pub(super) fn new(policy: Source, given: Given) -> Self {
        Self {
            mint: Mint::new(&policy.json),
            policy,
            given,
            offline: false,
        }
    }

    /// What a case sends, with its tokens signed. A sentence says why it cannot be.
    pub(super) fn subject(&mut self, case: &Case, now_ms: u64) -> Result<Subject, String> {
        let mut tokens = Vec::new();
        for sent in case.tokens() {
            let token = match &sent.token {
                Token::Literal(token) => token.clone(),
                Token::Claims(claims) => self.mint.sign(&sent, claims, now_ms)?,
            };
            tokens.push((sent.place, token.into_bytes()));
        }
        let Some(line) = &case.request else {
            let token = tokens.into_iter().next();
            let (_, token) = token.ok_or("a case has a `token`, a `request`, or both")?;
            return Ok(Subject::Token(token, case.require.clone()));
        };
        let (method, target) = parse_line(line)?;
        let mut request = Request::new(method, target, case.host.clone());
        for (name, value) in &case.headers {
            request.push(name, value.as_bytes());
        }
        for (place, token) in tokens {
            match place {
                Some(place) => request.put(&token, &place),
                None => request.add_token(&token, self.mint.policy()),
            }
        }
        Ok(Subject::Request(request))
    }

    /// Takes the keys of another policy, so that its tokens are good here too.
    pub(super) fn adopt(&mut self, other: &Self) {
        self.mint.adopt(&other.mint);
    }

    /// How many keys were made or taken: with more of them a gate is opened anew.
    pub(super) fn keys(&self) -> usize {
        self.mint.keys()
    }

    /// A gate that knows the keys made so far.
    pub(super) fn open(&self, host: &Host) -> Result<Session, Failure> {
        Session::open(&self.policy(), self.documents()?, host)
    }

    /// The policy with the keys made so far.
    pub(super) fn policy(&self) -> Source {
        let own_keys = self.mint.with_own_keys();
        own_keys.map_or_else(
            || self.policy.clone(),
            |json| Source::from_json(&self.policy.name, json.to_string().into_bytes()),
        )
    }

    /// The given documents, and the key sets with this run's keys in them.
    pub(super) fn documents(&self) -> Result<Documents, Failure> {
        let mut given = self.given.clone();
        for issuer in self.mint.issuers() {
            let before = given.keys.get(issuer).map(Vec::as_slice);
            let document = self.mint.publish(issuer, before);
            given.keys.insert(issuer.to_owned(), document);
        }
        let mut documents = Documents::new(&self.policy, given)?;
        documents.offline = self.offline;
        Ok(documents)
    }
}
