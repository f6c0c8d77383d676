//! The plugins of this worker, and whose each request is.

use std::{cell::RefCell, collections::HashMap};

use countersign::{Code, Problem};

use crate::{
    answer::{self, Answer, Form},
    config::{Configuration, cluster_unknown, report},
    host::{self, Level, request, shared},
    plugin::Plugin,
    spread::Numbered,
};

#[derive(Default)]
struct Worker {
    /// Without an entry, a plugin's configuration was refused.
    plugins: Vec<(u32, Plugin)>,
    /// The plugin of each request under way.
    requests: HashMap<u32, u32, Numbered>,
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

/// `None` where a callback came within a callback, which Envoy never does.
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

/// Opens the plugin, or says in the log everything that is wrong with its
/// configuration.
pub(crate) fn configure(id: u32, size: usize) -> bool {
    with(|worker| {
        let seed = host::now_ns().unwrap_or(0);
        let bytes = host::configuration(size)?;
        let read = Configuration::read(&bytes, seed).and_then(|configuration| {
            is_tried_out(&bytes, &configuration)?;
            Ok(configuration)
        });
        match read {
            Ok(configuration) => {
                warn(&configuration.warnings);
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

/// Envoy configures a plugin once to see whether that works, and throws this
/// instance away: only then, and not in each worker, clusters are asked for.
fn is_tried_out(bytes: &[u8], configuration: &Configuration) -> Result<(), Vec<Problem>> {
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

/// FNV-1a. Whoever writes configurations has no use for two with the same.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Says it once for all workers.
fn warn(warnings: &[Problem]) {
    let message = report("countersign: the configuration has warnings:", warnings);
    if !warnings.is_empty() && shared::get(&message).is_none() {
        shared::set(&message, b"");
        host::log(Level::Warn, &message);
    }
}

pub(crate) fn tick(plugin: u32) {
    with(|worker| worker.plugin(plugin)?.tick());
}

pub(crate) fn fetched(plugin: u32, call: u32, body_size: Option<usize>) {
    with(|worker| worker.plugin(plugin)?.fetched(call, body_size));
}

/// Whether the request may go on; if not, it was answered or waits.
pub(crate) fn admit(context: u32) -> bool {
    let passes = with(|worker| {
        let plugin = *worker.requests.get(&context)?;
        Some(worker.plugin(plugin)?.admit(context))
    });
    passes.unwrap_or_else(|| {
        let denial = answer::unavailable(Code::InternalError, 1);
        request::respond(&Answer::to(&denial, Form::default()));
        false
    })
}

/// Takes out of a request's trailers what only the gate may say; `false` where
/// that fails: the request does not go on.
pub(crate) fn clean_trailers(context: u32) -> bool {
    let cleaned = with(|worker| {
        let plugin = *worker.requests.get(&context)?;
        worker.plugin(plugin)?.clean_trailers()
    });
    if cleaned.is_none() {
        let denial = answer::unavailable(Code::InternalError, 1);
        request::respond(&Answer::to(&denial, Form::default()));
    }
    cleaned.is_some()
}
