//! What a gate is opened with beside its options: a policy or a source of signed ones,
//! a candidate, a log.

use std::path::PathBuf;

use countersign_host::{Gate, GateBuilder, OpenError, PolicySource};
use countersign_policy_source::Source;
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    decision_log::Log,
    options::{Options, seconds},
    policy::{refusal, source},
    process::speak,
};

/// A name, whose extension says the format, and a text.
type Text = (String, Vec<u8>);

/// As the class `Opening` has it.
#[derive(FromPyObject)]
pub(crate) struct Opening {
    policy: Option<Text>,
    signed: Option<Signed>,
    shadow: Option<Text>,
    log: Option<Py<Log>>,
    options: Options,
}

/// As the class `Signed` has it.
#[derive(FromPyObject)]
struct Signed {
    url: Option<String>,
    path: Option<PathBuf>,
    trust: Vec<u8>,
    poll_s: f64,
    state_file: Option<PathBuf>,
    insecure_http: bool,
    on_error: Option<Py<PyAny>>,
}

pub(crate) struct Prepared {
    pub(crate) builder: GateBuilder,
    /// `None`: it is signed, and not here yet.
    pub(crate) policy: Option<Source>,
    pub(crate) shadow: Option<Source>,
    /// Whether hooks of Python are told of decisions.
    pub(crate) tells: bool,
}

impl Opening {
    /// # Errors
    /// An option is wrong, or a text is no policy.
    pub(crate) fn prepare(self, py: Python<'_>) -> PyResult<Prepared> {
        let read =
            |text: Option<Text>| text.map(|(name, text)| source(py, &name, text)).transpose();
        let (policy, shadow) = (read(self.policy)?, read(self.shadow)?);
        let mut builder = Gate::builder();
        if let Some(policy) = &policy {
            builder = builder.policy(policy.json.clone());
        }
        if let Some(signed) = self.signed {
            builder = builder.policy_from(signed.source()?);
        }
        let mut tells = self.options.tells();
        builder = self.options.apply(builder)?;
        if let Some(log) = self.log {
            let log = log.get();
            tells |= log.asks();
            builder = log.attach(py, builder);
        }
        Ok(Prepared {
            builder,
            policy,
            shadow,
            tells,
        })
    }
}

impl Signed {
    fn source(self) -> PyResult<PolicySource> {
        let mut source = match (self.url, self.path) {
            (Some(url), _) => PolicySource::url(url, self.trust).insecure_http(self.insecure_http),
            (None, Some(path)) => PolicySource::file(path, self.trust),
            (None, None) => return Err(PyValueError::new_err("no place of the policy")),
        };
        source = source.poll(seconds(self.poll_s, "poll_s")?);
        if let Some(path) = self.state_file {
            source = source.state_file(path);
        }
        if let Some(hook) = self.on_error {
            source = source.on_error(move |error| tell(&hook, error));
        }
        Ok(source)
    }
}

/// A hook that raises changes nothing: Python's `sys.unraisablehook` gets the error.
fn tell(hook: &Py<PyAny>, error: &OpenError) {
    speak(|py| {
        if let Err(error) = hook.call1(py, (refusal(py, error.clone()).value(py),)) {
            error.write_unraisable(py, Some(hook.bind(py)));
        }
    });
}
