//! The record of what was issued, changed and refused: a row, and a line of JSON.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::{
    clock::Clock,
    config::{self, ConfigError},
    metrics::Metrics,
    refusal::Refusal,
    seal,
    store::{AuditRow, Store},
};

/// The event of a token that was made.
pub(crate) const TOKEN_ISSUED: &str = "token.issued";

const DAY_MS: i64 = 86_400_000;

/// Writes entries.
#[derive(Debug)]
pub(crate) struct Audit {
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    keep_ms: i64,
    keep_tokens_ms: i64,
    lines: Option<Mutex<Lines>>,
}

#[derive(Debug)]
enum Lines {
    File(File),
    StandardOutput,
}

/// One entry. Names and ids only: never a token, a secret, a cookie or a claim.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry<'a> {
    /// What happened, such as [`TOKEN_ISSUED`].
    pub(crate) event: &'static str,
    /// Who did it: a person, a client, a node.
    pub(crate) actor: Option<&'a str>,
    /// To whom.
    pub(crate) subject: Option<&'a str>,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) jti: Option<&'a str>,
    /// Why not; absent where it was done.
    pub(crate) refused: Option<&'static str>,
    /// What else there is to say of this event.
    pub(crate) detail: Map<String, Value>,
}

impl Audit {
    /// Opens the file of lines.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn open(
        config: &config::Audit,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ConfigError> {
        let lines = match &config.file {
            None => None,
            Some(path) if path.as_path() == Path::new("-") => Some(Lines::StandardOutput),
            Some(path) => {
                let opened = OpenOptions::new().create(true).append(true).open(path);
                let file = opened.map_err(|error| {
                    let message = format!("it cannot be written: {error}");
                    let name = path.display().to_string();
                    ConfigError::of_file(name, "file_unwritable", message)
                })?;
                Some(Lines::File(file))
            }
        };
        Ok(Self {
            store,
            clock,
            metrics,
            keep_ms: i64::from(config.keep_days) * DAY_MS,
            keep_tokens_ms: i64::from(config.keep_tokens_days) * DAY_MS,
            lines: lines.map(Mutex::new),
        })
    }

    /// Records it. Where that fails, what is to be recorded must not happen.
    pub(crate) async fn record(&self, entry: &Entry<'_>) -> Result<(), Refusal> {
        let now = self.clock.now_ms();
        let id = seal::random::<16>()?;
        let outcome = entry.refused.unwrap_or("done");
        let detail = Value::Object(entry.detail.clone()).to_string();
        let keep_ms = match entry.event {
            TOKEN_ISSUED => self.keep_tokens_ms,
            _ => self.keep_ms,
        };
        let row = AuditRow {
            id: &id,
            at: now,
            event: entry.event,
            outcome,
            actor: entry.actor,
            subject: entry.subject,
            tenant: entry.tenant,
            client: entry.client,
            jti: entry.jti,
            detail: &detail,
            expires_at: now.saturating_add(keep_ms),
        };
        self.store.add_audit(&row).await?;
        self.metrics
            .recorded(entry.event, outcome, entry.detail.get("class"));
        if let Some(lines) = &self.lines {
            let line = json!({
                "id": id,
                "at_ms": now,
                "event": entry.event,
                "outcome": outcome,
                "actor": entry.actor,
                "subject": entry.subject,
                "tenant": entry.tenant,
                "client": entry.client,
                "jti": entry.jti,
                "detail": entry.detail,
            });
            let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = lines.write(&format!("{line}\n")) {
                // The row is there.
                tracing::error!(%error, "a line of the audit was not written");
            }
        }
        Ok(())
    }
}

impl Lines {
    fn write(&mut self, line: &str) -> io::Result<()> {
        match self {
            Self::File(file) => file.write_all(line.as_bytes()),
            Self::StandardOutput => {
                let mut output = io::stdout().lock();
                output.write_all(line.as_bytes())?;
                output.flush()
            }
        }
    }
}
