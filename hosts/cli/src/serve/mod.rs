//! `countersign serve`: the decision server.

mod log;
mod quick;

use std::{path::PathBuf, thread};

use clap::Args;
use countersign_server::{CONFIG_SCHEMA, Config, ConfigError, Listener, Server};

use crate::{
    failure::Failure,
    files::read_bytes,
    output::{Exit, Output},
    style::GOOD,
};

#[derive(Args, Debug)]
#[command(after_help = "\
    It ends with SIGTERM or SIGINT, after it has answered what is under way. SIGHUP reads all files \
    again; so does a change of one. What is wrong then leaves the old one in force, and is in the log.")]
pub(crate) struct ServeArgs {
    /// The configuration: YAML, TOML or JSON
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["policy", "schema"])]
    config: Option<PathBuf>,
    /// Check the configuration and every file that it names, and end
    #[arg(long)]
    check: bool,
    /// Print the JSON Schema of the configuration, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
    /// How the log on the standard error is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log: log::Format,
    #[command(flatten, next_help_heading = "Without a configuration")]
    quick: quick::Quick,
}

pub(crate) fn run(args: &ServeArgs, output: Output) -> Result<Exit, Failure> {
    if args.schema {
        anstream::print!("{CONFIG_SCHEMA}");
        return Ok(Exit::Good);
    }
    let mut config = match &args.config {
        Some(path) => Config::parse(&path.display().to_string(), read_bytes(path)?),
        None => args.quick.config(),
    }
    .map_err(refused)?;
    if args.check {
        // It would be made, or begun.
        config.decision_log = None;
    } else {
        log::start(args.log);
    }
    // The runtime of the other commands has one thread.
    let served = thread::scope(|scope| scope.spawn(|| serve(config, args.check)).join());
    served.unwrap_or_else(|_| Err(Failure::usage("the server has crashed")))?;
    if args.check {
        match output.json {
            true => anstream::println!("{}", serde_json::json!({ "problems": [] })),
            false => anstream::println!("{GOOD}good{GOOD:#}"),
        }
    }
    Ok(Exit::Good)
}

#[tokio::main(flavor = "multi_thread")]
async fn serve(config: Config, only_checks: bool) -> Result<(), Failure> {
    let server = Server::open(config.clone()).await.map_err(refused)?;
    if only_checks {
        return Ok(());
    }
    let listener = Listener::bind(&config).await.map_err(refused)?;
    let failed = |error: std::io::Error| Failure::usage(error.to_string());
    tracing::info!(address = %listener.address().map_err(failed)?, "the decision server answers");
    if let Some(address) = listener.operations() {
        tracing::info!(%address, "operations: /livez, /readyz, /metrics");
    }
    if let Some(address) = listener.admin() {
        tracing::info!(%address, "administration: POST /reload, GET /status");
    }
    server.run_until_signalled(listener).await.map_err(failed)
}

fn refused(error: ConfigError) -> Failure {
    Failure::Problems(error.0)
}
