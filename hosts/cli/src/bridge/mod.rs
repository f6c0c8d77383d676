//! `countersign bridge`: the auth bridge.

mod dev;
mod member;
mod revoke;

use std::{
    path::{Path, PathBuf},
    thread,
};

use clap::{Args, Subcommand};
use countersign_bridge::{
    Bridge, CONFIG_SCHEMA, Config, ConfigError, Listener, Rotated, gate_policy,
};
use countersign_policy_source::Source;
use serde_json::json;

use crate::{
    failure::Failure,
    files::read_bytes,
    moment,
    output::{Exit, Output},
    serve::log,
    style::{FAINT, GOOD},
};

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "It ends with SIGTERM or SIGINT, after it has answered what is under way."
)]
pub(crate) struct BridgeArgs {
    #[command(subcommand)]
    command: Option<Beside>,
    /// The configuration: YAML, TOML or JSON
    #[arg(long, short, value_name = "FILE", required_unless_present_any = ["dev", "schema"])]
    config: Option<PathBuf>,
    /// Check the configuration and every file that it names, and end
    #[arg(long)]
    check: bool,
    /// Print the JSON Schema of the configuration, for editors
    #[arg(long, exclusive = true)]
    schema: bool,
    #[command(flatten)]
    dev: dev::DevArgs,
    /// How the log on the standard error is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log: log::Format,
}

#[derive(Subcommand, Debug)]
enum Beside {
    /// Print a policy by which gates verify its tokens, to start from
    Policy(ConfigArgs),
    /// The keys that sign its tokens
    #[command(subcommand)]
    Keys(Keys),
    /// Who is a member of which organisation, in the bridge's own table
    #[command(subcommand)]
    Member(member::What),
    /// Revoke a token, or all tokens of a person, a node or a signing key, before their time
    #[command(subcommand)]
    Revoke(revoke::What),
}

#[derive(Subcommand, Debug)]
enum Keys {
    /// Publish a new key, which signs when everybody can have it; all replicas follow
    Rotate(ConfigArgs),
}

#[derive(Args, Debug)]
struct ConfigArgs {
    /// The configuration: YAML, TOML or JSON
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
}

pub(crate) fn run(args: &BridgeArgs, output: Output) -> Result<Exit, Failure> {
    if args.schema {
        anstream::print!("{CONFIG_SCHEMA}");
        return Ok(Exit::Good);
    }
    if args.dev.dev {
        log::start(args.log);
        alone(|| dev::run(&args.dev, output))?;
        return Ok(Exit::Good);
    }
    match (&args.command, &args.config) {
        (Some(Beside::Policy(args)), _) => policy(&read(&args.config)?, output),
        (Some(Beside::Keys(Keys::Rotate(args))), _) => {
            let config = read(&args.config)?;
            let rotated = alone(|| rotate(config))?;
            announce(&rotated, output);
            Ok(Exit::Good)
        }
        (Some(Beside::Member(what)), _) => member::run(what, output),
        (Some(Beside::Revoke(what)), _) => revoke::run(what, output),
        (None, Some(path)) => start(read(path)?, args, output),
        (None, None) => Err(Failure::usage("`--config` is missing")),
    }
}

fn start(config: Config, args: &BridgeArgs, output: Output) -> Result<Exit, Failure> {
    if args.check {
        alone(|| check(config))?;
        match output.json {
            true => anstream::println!("{}", json!({ "problems": [] })),
            false => anstream::println!("{GOOD}good{GOOD:#}"),
        }
        return Ok(Exit::Good);
    }
    log::start(args.log);
    alone(|| serve(config))?;
    Ok(Exit::Good)
}

/// The runtime of the other commands has one thread.
fn alone<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|_| Err(Failure::usage("the bridge has crashed")))
}

#[tokio::main(flavor = "multi_thread")]
async fn serve(config: Config) -> Result<(), Failure> {
    let bridge = Bridge::open(config.clone()).await.map_err(refused)?;
    let listener = Listener::bind(&config).await.map_err(refused)?;
    let failed = |error: std::io::Error| Failure::usage(error.to_string());
    let address = listener.address().map_err(failed)?;
    tracing::info!(%address, issuer = config.issuer.as_str(), "the auth bridge answers");
    if let Some(address) = listener.operations() {
        tracing::info!(%address, "operations: /livez, /readyz, /metrics");
    }
    bridge.run_until_signalled(listener).await.map_err(failed)
}

#[tokio::main(flavor = "multi_thread")]
async fn check(config: Config) -> Result<(), Failure> {
    Bridge::check(config).await.map_err(refused)
}

#[tokio::main(flavor = "multi_thread")]
async fn rotate(config: Config) -> Result<Rotated, Failure> {
    let bridge = Bridge::open(config).await.map_err(refused)?;
    let rotated = bridge.rotate_keys().await;
    rotated.map_err(|error| Failure::usage(error.to_string()))
}

fn policy(config: &Config, output: Output) -> Result<Exit, Failure> {
    let yaml = gate_policy(config);
    if output.json {
        let source = Source::from_yaml("policy.yaml", &yaml)?;
        anstream::println!("{}", String::from_utf8_lossy(&source.json));
    } else {
        anstream::print!("{yaml}");
    }
    Ok(Exit::Good)
}

fn announce(rotated: &Rotated, output: Output) {
    let (is_new, kid, signs_from) = match rotated {
        Rotated::Begun { kid, signs_from } => (true, kid, *signs_from),
        Rotated::Pending { kid, signs_from } => (false, kid, *signs_from),
    };
    if output.json {
        let rotated = json!({ "kid": kid, "is_new": is_new, "signs_from": signs_from / 1000 });
        anstream::println!("{rotated}");
        return;
    }
    let signs_from = moment::rfc3339(signs_from).unwrap_or_default();
    match is_new {
        true => anstream::println!("{GOOD}published{GOOD:#}  {kid}"),
        false => anstream::println!("published already  {kid}"),
    }
    anstream::println!("{FAINT}it signs from {signs_from} on{FAINT:#}");
}

fn read(path: &Path) -> Result<Config, Failure> {
    let bytes = read_bytes(path)?;
    Config::parse(&path.display().to_string(), bytes).map_err(refused)
}

fn refused(error: ConfigError) -> Failure {
    Failure::Problems(error.0)
}
