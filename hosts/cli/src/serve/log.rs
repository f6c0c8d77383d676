//! The log of a server, on the standard error.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Text,
    /// A JSON object in each line
    Json,
}

/// All later events are written. Events of a decision are in the decision log.
pub(crate) fn start(format: Format) {
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(LevelFilter::INFO)
        .with_target(false);
    match format {
        Format::Text => log.with_ansi(false).init(),
        Format::Json => log.json().flatten_event(true).init(),
    }
}
