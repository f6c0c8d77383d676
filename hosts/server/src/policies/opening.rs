//! Opening a gate from what files contain.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use countersign_host::{Gate, GateBuilder, OpenError, PolicySource};
use countersign_policy_source::{Error, Source};

use crate::{
    config::{Config, ConfigError, PolicyFiles, PolicyFrom, Signed, SignedFrom},
    files,
    journal::Journal,
    metrics::Metrics,
    told::Told,
};

/// How long a gate that replaces another may take for its documents.
const WARM: Duration = Duration::from_secs(6);

/// Who is told of decisions.
#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) journal: Option<Journal>,
    pub(crate) metrics: Option<Arc<Metrics>>,
    pub(crate) embedding: Option<Embedding>,
}

/// What a program that embeds the server changes of each gate, by its policy's name.
pub(crate) type Embedding = Arc<dyn Fn(&str, GateBuilder) -> GateBuilder + Send + Sync>;

/// Everything with which gates are opened.
pub(super) struct Opening {
    pub(super) config: Arc<Config>,
    pub(super) hooks: Hooks,
}

/// The secrets of all policies.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Secrets {
    by_name: BTreeMap<String, Vec<u8>>,
    subject_key: Option<Vec<u8>>,
}

/// What the files of a policy contain.
#[derive(PartialEq, Eq)]
pub(super) struct Read {
    /// Absent where policies are signed.
    pub(super) policy: Option<Document>,
    pub(super) trust: Option<Vec<u8>>,
    pub(super) shadow: Option<Document>,
}

/// A policy, with the places of its values.
pub(super) struct Document(Source);

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.0.json == other.0.json
    }
}

impl Eq for Document {}

impl Document {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match Source::parse(&name, files::read(path)?) {
            Ok(source) => Ok(Self(source)),
            Err(Error::Invalid(problem)) => Err(ConfigError(vec![*problem])),
            Err(other) => Err(ConfigError::of_file(
                name,
                "policy_unreadable",
                other.to_string(),
            )),
        }
    }

    pub(super) fn json(&self) -> Vec<u8> {
        self.0.json.clone()
    }

    /// The gate's problems with it, each with its position.
    pub(super) fn refused(&self, error: OpenError) -> ConfigError {
        match error {
            OpenError::Policy(problems) => ConfigError(self.0.locate(problems)),
            other => refused(&self.0.name, other),
        }
    }
}

/// Problems of what has no positions.
pub(super) fn refused(name: &str, error: OpenError) -> ConfigError {
    match error {
        OpenError::Policy(problems) => {
            ConfigError(Source::from_json(name, Vec::new()).locate(problems))
        }
        other => ConfigError::of_file(name, "gate_failed", other.to_string()),
    }
}

impl Read {
    pub(super) fn of(files: &PolicyFiles) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut kept = |error: ConfigError| problems.extend(error.0);
        let (policy, trust) = match &files.policy {
            PolicyFrom::File(path) => (Document::read(path).map_err(&mut kept).ok(), None),
            PolicyFrom::Signed(signed) => {
                (None, files::read(&signed.trust).map_err(&mut kept).ok())
            }
        };
        let shadow = files.shadow.as_deref();
        let shadow = shadow.and_then(|path| Document::read(path).map_err(&mut kept).ok());
        match problems.is_empty() {
            true => Ok(Self {
                policy,
                trust,
                shadow,
            }),
            false => Err(ConfigError(problems)),
        }
    }
}

impl Secrets {
    pub(super) fn read(config: &Config) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut secrets = Self::default();
        for (name, secret) in &config.secrets {
            match secret.read() {
                Ok(bytes) => {
                    secrets.by_name.insert(name.clone(), bytes);
                }
                Err(error) => problems.extend(error.0),
            }
        }
        match config.subject_key.as_ref().map(|secret| secret.read()) {
            Some(Err(error)) => problems.extend(error.0),
            Some(Ok(key)) => secrets.subject_key = Some(key),
            None => {}
        }
        match problems.is_empty() {
            true => Ok(secrets),
            false => Err(ConfigError(problems)),
        }
    }
}

impl Opening {
    /// Opens a gate and its candidate.
    pub(super) async fn open(
        &self,
        name: &Arc<str>,
        files: &PolicyFiles,
        read: &Read,
        secrets: &Secrets,
    ) -> Result<Gate, ConfigError> {
        let builder = self.builder(name, secrets);
        let gate = match (&files.policy, &read.policy) {
            (PolicyFrom::Signed(signed), _) => {
                let trust = read.trust.as_deref().unwrap_or_default();
                let source = source(signed, trust);
                let opened = builder.policy_from(source).build().await;
                opened.map_err(|error| refused(&place(signed), error))?
            }
            (PolicyFrom::File(_), Some(document)) => {
                let opened = builder.policy(document.json()).build().await;
                opened.map_err(|error| document.refused(error))?
            }
            (PolicyFrom::File(path), None) => {
                let name = path.display().to_string();
                return Err(ConfigError::of_file(
                    name,
                    "file_unreadable",
                    "it was not read",
                ));
            }
        };
        if let Some(shadow) = &read.shadow {
            let opened = gate.reload_shadow(Some(shadow.json())).await;
            opened.map_err(|error| shadow.refused(error))?;
        }
        Ok(gate)
    }

    /// [`Self::open`], and waits a while for its documents: it is to replace one that has
    /// them.
    pub(super) async fn open_warm(
        &self,
        name: &Arc<str>,
        files: &PolicyFiles,
        read: &Read,
        secrets: &Secrets,
    ) -> Result<Gate, ConfigError> {
        let gate = self.open(name, files, read, secrets).await?;
        if !gate.until_ready(WARM).await {
            tracing::warn!(
                policy = &**name,
                "the new gate has not all of its documents"
            );
        }
        Ok(gate)
    }

    fn builder(&self, name: &Arc<str>, secrets: &Secrets) -> GateBuilder {
        let mut builder = Gate::builder()
            .signatures(self.config.signatures)
            .max_waiting(self.config.limits.waiting);
        for (name, secret) in &secrets.by_name {
            builder = builder.secret(name, secret.as_slice());
        }
        if let Some(key) = &secrets.subject_key {
            builder = builder.subject_key(key.as_slice());
        }
        if let Some(journal) = &self.hooks.journal {
            builder = builder.on_decision(journal.hook(name));
        }
        if let Some(metrics) = &self.hooks.metrics {
            builder = builder.telemetry(&metrics.telemetry(name));
        }
        if !self.config.dynamic_metadata.is_empty() {
            builder = builder.on_decision(Told::hear);
        }
        match &self.hooks.embedding {
            Some(embedding) => embedding(name, builder),
            None => builder,
        }
    }
}

fn source(signed: &Signed, trust: &[u8]) -> PolicySource {
    let source = match &signed.from {
        SignedFrom::File(path) => PolicySource::file(path, trust),
        SignedFrom::Url(url) => PolicySource::url(url, trust),
    };
    match &signed.state_file {
        Some(path) => source.state_file(path),
        None => source,
    }
}

/// The name of the place of signed policies.
pub(super) fn place(signed: &Signed) -> String {
    match &signed.from {
        SignedFrom::File(path) => path.display().to_string(),
        SignedFrom::Url(url) => url.split('?').next().unwrap_or_default().to_owned(),
    }
}
