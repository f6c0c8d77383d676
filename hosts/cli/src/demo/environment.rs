//! The issuer, the gate and the clock of the demo.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use countersign_dev_issuer::{Issuer, TokenSpec, starter_policy};
use countersign_policy_source::Source;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use super::row::Row;
use crate::{
    arguments::Host, decision, documents::Documents, failure::Failure, moment, request::Request,
    server, session::Session,
};

pub(super) struct Environment {
    pub(super) issuer: Issuer,
    /// YAML.
    pub(super) policy: String,
    pub(super) session: Session,
    /// How long it elapsed to compile the module and to open the policy.
    pub(super) start_ms: u128,
    /// The demo's clock: it starts with the system's and is then moved.
    pub(super) now_ms: u64,
    pub(super) rows: Vec<Row>,
    /// The key set that the issuer's server publishes.
    published: Arc<Mutex<Value>>,
    server: JoinHandle<std::convert::Infallible>,
}

/// One request, and the decision that is expected.
pub(super) struct Case {
    pub(super) scene: &'static str,
    pub(super) what: &'static str,
    /// Method and target.
    pub(super) line: &'static str,
    /// Values of `Authorization`, without the scheme.
    pub(super) tokens: Vec<String>,
    /// `allow`, or the code of a denial.
    pub(super) expected: &'static str,
}

impl Environment {
    pub(super) async fn open() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::Usage(format!("no loopback port: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let issuer = Issuer::new(&format!("http://{address}"), "platform", "RS256")?;

        let published = Arc::new(Mutex::new(issuer.jwks()));
        let documents = Arc::clone(&published);
        let answer = move |request: &hyper::Request<_>| {
            let jwks = documents.lock().unwrap_or_else(PoisonError::into_inner);
            let is_key_set = request.uri().path().ends_with("/jwks.json");
            server::document(is_key_set.then(|| jwks.clone()))
        };
        let server = tokio::spawn(server::serve(listener, Arc::new(answer)));

        let policy = starter_policy(&issuer);
        let start = Instant::now();
        let session = open(&policy)?;
        let start_ms = start.elapsed().as_millis();
        let now_ms = moment::now_ms();
        Ok(Self {
            issuer,
            policy,
            session,
            start_ms,
            now_ms,
            rows: Vec::new(),
            published,
            server,
        })
    }

    /// A token of this issuer, minted now.
    pub(super) fn mint(&self, token: &TokenSpec) -> Result<String, Failure> {
        Ok(token.mint(&self.issuer, self.now_ms)?)
    }

    /// One decision without a row: the first call into a new instance allocates
    /// its memory and fetches the keys.
    pub(super) async fn warm_up(&mut self) -> Result<(), Failure> {
        let token = TokenSpec {
            subject: Some("warm-up".to_owned()),
            ..TokenSpec::of("pat")
        };
        let tokens = vec![self.mint(&token)?];
        let line = "GET /assets/1";
        let case = Case {
            scene: "",
            what: "",
            line,
            tokens,
            expected: "allow",
        };
        self.session
            .check(&case.request(), self.now_ms)
            .await
            .map(drop)
    }

    /// Decides and writes the row.
    pub(super) async fn run(&mut self, case: Case) -> Result<(), Failure> {
        let request = case.request();
        let decision = self.session.check(&request, self.now_ms).await?;
        let denial = decision.denial();
        self.rows.push(Row {
            scene: case.scene,
            what: case.what,
            request: case.line.to_owned(),
            decision: decision::word(&decision),
            code: denial.map(|denial| denial.code.clone()),
            status: denial.map(|denial| denial.status),
            challenge: denial.and_then(|denial| denial.challenge.clone()),
            microseconds: self.session.elapsed.as_secs_f64() * 1e6,
            expected: case.expected,
        });
        Ok(())
    }

    /// Moves the clock, and lets the gate fetch the documents that are then due.
    pub(super) async fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        self.now_ms += u64::try_from(time.as_millis()).unwrap_or_default();
        self.session.refresh(self.now_ms).await
    }

    /// Moves the clock and fetches nothing.
    pub(super) fn skip(&mut self, time: Duration) {
        self.now_ms += u64::try_from(time.as_millis()).unwrap_or_default();
    }

    /// Has the server publish the issuer's present keys.
    pub(super) fn publish(&self) {
        *self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.issuer.jwks();
    }

    /// Stops the issuer's server.
    pub(super) async fn shut_down(&mut self) {
        self.server.abort();
        // The port is closed only when the task has ended.
        let _ = (&mut self.server).await;
    }

    /// A gate that starts now, with no documents yet.
    pub(super) fn restart(&mut self) -> Result<(), Failure> {
        self.session = open(&self.policy)?;
        Ok(())
    }
}

fn open(policy: &str) -> Result<Session, Failure> {
    let policy = Source::from_yaml("demo.yaml", policy)?;
    Session::open(&policy, Documents::default(), &Host::default())
}

impl Case {
    fn request(&self) -> Request {
        let (method, target) = self.line.split_once(' ').unwrap_or(("GET", self.line));
        let host = "api.example.com".to_owned();
        let mut request = Request::new(method.to_owned(), target.to_owned(), Some(host));
        for token in &self.tokens {
            request.push("authorization", format!("Bearer {token}").as_bytes());
        }
        request
    }
}
