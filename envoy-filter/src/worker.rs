//! The plugins of this worker, and the plugin of each request.

use std::{cell::RefCell, collections::HashMap};

use countersign::{Code, Problem};

use crate::{
    answer::{self, Answer, Format},
    config::{Configuration, cluster_unknown, report},
    host::{self, Level, request, shared},
    native,
    plugin::Plugin,
    provider,
    spread::ContextHash,
};

const OBSERVES: &str =
    "countersign: `observe` is set: this filter protects nothing, every request passes";

#[derive(Default)]
struct Worker {
    /// A plugin without an entry has a refused configuration.
    plugins: Vec<(u32, Plugin)>,
    /// The plugin of each active request.
    requests: HashMap<u32, u32, ContextHash>,
}

impl Worker {
    fn plugin(&mut self, id: u32) -> Option<&mut Plugin> {
        let mut all = self.plugins.iter_mut();
        all.find(|(known, _)| *known == id)
            .map(|(_, plugin)| plugin)
    }
}

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::default();
}

/// Calls a function with the worker. `None` for a callback inside a callback,
/// which Envoy never makes.
fn with<T>(call: impl FnOnce(&mut Worker) -> Option<T>) -> Option<T> {
    WORKER.with(|worker| call(&mut *worker.try_borrow_mut().ok()?))
}

pub(crate) fn begin(context: u32, parent: u32) {
    if parent != 0 {
        with(|worker| worker.requests.insert(context, parent));
    }
}

pub(crate) fn end(context: u32) {
    with(|worker| {
        match worker.requests.remove(&context) {
            Some(plugin) => worker.plugin(plugin)?.forget(context),
            None => {
                worker.plugin(context)?.close();
                worker.plugins.retain(|(id, _)| *id != context);
            }
        }
        Some(())
    });
}

/// Opens a plugin, or logs all problems of its configuration.
pub(crate) fn configure(id: u32, size: usize) -> bool {
    with(|worker| {
        let seed = host::now_ns().unwrap_or(0);
        let bytes = host::configuration(size)?;
        // Without a clock every signed policy has expired.
        let now_ms = host::now_ms().unwrap_or(u64::MAX);
        let read =
            Configuration::read(&bytes, seed, now_ms, native::provider).and_then(|configuration| {
                check_clusters_once(&bytes, &configuration)?;
                Ok(configuration)
            });
        match read {
            Ok(configuration) => {
                if !configuration.warnings.is_empty() {
                    let title = "countersign: the configuration has warnings:";
                    log_once(Level::Warn, &report(title, &configuration.warnings));
                }
                log_once(
                    Level::Info,
                    &provider::describe(configuration.provider.as_ref()),
                );
                if configuration.settings.observe {
                    log_once(Level::Warn, OBSERVES);
                }
                let plugin = Plugin::open(id, configuration, seed);
                worker.plugins.push((id, plugin));
                Some(())
            }
            Err(problems) => {
                let title = "countersign: the configuration is refused:";
                host::log(Level::Error, &report(title, &problems));
                None
            }
        }
    })
    .is_some()
}

/// Checks that Envoy has the clusters. Envoy configures one instance only to
/// test the configuration, and discards it. The check runs only in that
/// instance, not in each worker.
fn check_clusters_once(bytes: &[u8], configuration: &Configuration) -> Result<(), Vec<Problem>> {
    let tried = ["countersign.tried\n", &fingerprint(bytes).to_string()].concat();
    if shared::get(&tried).is_none() {
        let missing = Plugin::missing_clusters(configuration);
        if !missing.is_empty() {
            return Err(missing.iter().map(|name| cluster_unknown(name)).collect());
        }
        shared::set(&tried, b"");
    }
    Ok(())
}

/// The FNV-1a hash. The author of the configurations is trusted, so a collision
/// is no attack.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Logs a message once for all workers.
fn log_once(level: Level, message: &str) {
    if shared::get(message).is_none() {
        shared::set(message, b"");
        host::log(level, message);
    }
}

pub(crate) fn tick(plugin: u32) {
    with(|worker| worker.plugin(plugin)?.tick());
}

pub(crate) fn fetched(plugin: u32, call: u32, body_size: Option<usize>) {
    with(|worker| worker.plugin(plugin)?.fetched(call, body_size));
}

/// Handles a new request. Returns whether it continues; if not, it is answered
/// or waits.
pub(crate) fn admit(context: u32) -> bool {
    let passes = with(|worker| {
        let plugin = *worker.requests.get(&context)?;
        Some(worker.plugin(plugin)?.admit(context))
    });
    passes.unwrap_or_else(|| {
        let denial = answer::unavailable(Code::InternalError, 1);
        request::respond(&Answer::to(&denial, Format::default()));
        false
    })
}

/// Removes protected names from the trailers of a request. Returns `false` on
/// failure: then the request does not continue.
pub(crate) fn clean_trailers(context: u32) -> bool {
    let cleaned = with(|worker| {
        let plugin = *worker.requests.get(&context)?;
        worker.plugin(plugin)?.clean_trailers()
    });
    if cleaned.is_none() {
        let denial = answer::unavailable(Code::InternalError, 1);
        request::respond(&Answer::to(&denial, Format::default()));
    }
    cleaned.is_some()
}
