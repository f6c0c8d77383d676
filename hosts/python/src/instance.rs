//! One instance of the module without fetches and clock: for the runner of the
//! test vectors, which says what is fetched and what time it is.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use countersign_host::{
    Answer, FirstUse, Need, Outcome, Problem, Proof, Response, Signatures, Supplied, Trap,
};
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBytes, PyTuple},
};

use crate::{
    decision::decision,
    document::{fetches, needs},
    policy::not_open,
    request::{Owned, Parts, bytes},
};

/// A response as Python says it: its status, its `Cache-Control` and its body.
type Said = Option<(u16, String, Vec<u8>)>;

#[pyclass(frozen)]
pub(crate) struct Instance(Mutex<Open>);

struct Open {
    instance: countersign_host::Instance,
    /// Used proofs, with the moments at which they can be forgotten.
    proofs: HashMap<[u8; 32], u64>,
}

#[pymethods]
impl Instance {
    #[staticmethod]
    fn open(
        py: Python<'_>,
        policy: Vec<u8>,
        native: bool,
        secrets: BTreeMap<String, Vec<u8>>,
    ) -> PyResult<Self> {
        let signatures = if native {
            Signatures::Native
        } else {
            Signatures::Module
        };
        let source = countersign_policy_source::Source::from_json("", policy);
        let secrets = secrets.iter();
        let secrets: Vec<_> = secrets.map(|(name, secret)| (&**name, &**secret)).collect();
        let opened = countersign_host::Instance::open_with(&source.json, signatures, &secrets);
        Ok(Self(Mutex::new(Open {
            instance: opened.map_err(|error| not_open(py, &source, error))?,
            proofs: HashMap::new(),
        })))
    }

    fn due<'py>(&self, py: Python<'py>, now_ms: u64) -> PyResult<Bound<'py, PyTuple>> {
        fetches(py, self.lock().instance.due(now_ms).map_err(trapped)?)
    }

    fn next_due(&self, now_ms: u64) -> PyResult<Option<u64>> {
        self.lock().instance.next_due(now_ms).map_err(trapped)
    }

    /// The outcome of a fetch. The result is a kind and the problems.
    fn supply<'py>(
        &self,
        py: Python<'py>,
        source: u32,
        uri: &str,
        response: Said,
        now_ms: u64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let outcome = outcome(response);
        let instance = &mut self.lock().instance;
        let mut supplied = instance.supply(source, uri, &outcome, now_ms);
        let mut calls = 0;
        while let Ok(Supplied::Unfinished) = supplied {
            calls += 1;
            supplied = instance.resume(source, outcome.part(calls), now_ms);
        }
        let (kind, problems) = match supplied.map_err(trapped)? {
            Supplied::Accepted(accepted) => ("accepted", accepted.skipped),
            Supplied::Refused(problem) => ("refused", vec![problem]),
            Supplied::Outdated | Supplied::Unfinished => ("outdated", Vec::new()),
        };
        (kind, problems.into_iter().map(plain).collect::<Vec<_>>()).into_pyobject(py)
    }

    /// The outcome of a request that was sent, likewise.
    fn respond<'py>(
        &self,
        py: Python<'py>,
        ticket: u64,
        response: Said,
        now_ms: u64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut open = self.lock();
        let refused = open.instance.respond(ticket, &outcome(response), now_ms);
        let refused = refused.map_err(trapped)?;
        let kind = if refused.is_some() {
            "refused"
        } else {
            "accepted"
        };
        (kind, refused.into_iter().map(plain).collect::<Vec<_>>()).into_pyobject(py)
    }

    fn check<'py>(
        &self,
        py: Python<'py>,
        request: Parts<'py>,
        now_ms: u64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let request = Owned::read(&request)?;
        let headers = request.headers();
        let request = request.request(&headers);
        let mut open = self.lock();
        let checked = open.decide(now_ms, |instance| instance.check(request, now_ms));
        answer(py, checked.map_err(trapped)?)
    }

    fn ready(&self) -> PyResult<bool> {
        self.lock().instance.ready().map_err(trapped)
    }

    /// Facts about the last decision, with its effects.
    fn last_event<'py>(&self, py: Python<'py>, key: Vec<u8>) -> PyResult<Bound<'py, PyTuple>> {
        let facts = self.lock().instance.last_event(&key, true);
        let facts = facts.map_err(trapped)?;
        (
            facts.rule.map(|rule| (rule.index, rule.path, rule.name)),
            facts.issuer,
            facts.token_type,
            facts.remembered,
            facts.subject_ref,
            facts.effects.map(|effects| PyBytes::new(py, &effects)),
        )
            .into_pyobject(py)
    }

    fn prepare(&self, py: Python<'_>, requirement: Vec<u8>) -> PyResult<u32> {
        let prepared = self
            .lock()
            .instance
            .prepare(&requirement)
            .map_err(trapped)?;
        prepared.map_err(|problems| {
            let source = countersign_policy_source::Source::from_json("", requirement);
            not_open(py, &source, countersign_host::OpenError::Policy(problems))
        })
    }

    fn verify<'py>(
        &self,
        py: Python<'py>,
        token: &Bound<'py, PyAny>,
        requirement: u32,
        proven: bool,
        now_ms: u64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let token = bytes(token, <[u8]>::to_vec)?;
        let mut open = self.lock();
        let checked = open.decide(now_ms, |instance| {
            instance.check_token(&token, requirement, proven, now_ms)
        });
        answer(py, checked.map_err(trapped)?)
    }
}

/// Verifies a signed policy. The result is `(text, version, expires_ms, kid)` and
/// `None`, or `None` and the problem.
#[pyfunction]
pub(crate) fn open_signed<'py>(
    py: Python<'py>,
    signed: &[u8],
    trust: &[u8],
    now_ms: u64,
) -> PyResult<Bound<'py, PyTuple>> {
    match countersign_host::open_signed(signed, trust, now_ms) {
        Ok(opened) => {
            let text = PyBytes::new(py, &opened.policy);
            let opened = (text, opened.version, opened.expires_ms, opened.kid);
            (opened, py.None()).into_pyobject(py)
        }
        Err(problem) => (py.None(), plain(problem)).into_pyobject(py),
    }
}

impl Instance {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Decides, and looks up the proofs for which the gate asks.
    fn decide(
        &mut self,
        now_ms: u64,
        mut check: impl FnMut(&mut countersign_host::Instance) -> Result<Answer, Trap>,
    ) -> Result<Answer, Trap> {
        loop {
            let answer = check(&mut self.instance)?;
            let Answer::Wait(needs) = &answer else {
                return Ok(answer);
            };
            let mut is_answered = true;
            for need in needs {
                if let Need::Proof(proof) = need {
                    let first = self.first_use(proof, now_ms);
                    self.instance.proven(proof.ticket, first)?;
                    is_answered = false;
                }
            }
            if is_answered {
                return Ok(answer);
            }
        }
    }

    fn first_use(&mut self, proof: &Proof, now_ms: u64) -> FirstUse {
        self.proofs.retain(|_, expires_ms| *expires_ms > now_ms);
        match self.proofs.insert(proof.id, proof.expires_ms) {
            None => FirstUse::Yes,
            Some(_) => FirstUse::No,
        }
    }
}

fn outcome(response: Said) -> Outcome {
    match response {
        Some((status, cache_control, body)) => Outcome::Response(Response {
            status,
            cache_control,
            body,
        }),
        None => Outcome::Failed,
    }
}

fn answer(py: Python<'_>, answer: Answer) -> PyResult<Bound<'_, PyTuple>> {
    match answer {
        Answer::Decided(decided) => decision(py, &decided),
        Answer::Wait(asked) => ("wait", needs(py, asked)?).into_pyobject(py),
    }
}

fn plain(problem: Problem) -> (String, String, String, &'static str) {
    let severity = match problem.severity {
        countersign_host::Severity::Error => "error",
        countersign_host::Severity::Warning => "warning",
    };
    (problem.pointer, problem.code, problem.message, severity)
}

fn trapped(error: Trap) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}
