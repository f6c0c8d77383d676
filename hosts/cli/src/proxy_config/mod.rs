//! `countersign proxy-config`: the proxy's half of a decision server.

mod client;
mod echo;
mod report;
mod verify;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, builder::PossibleValuesParser, builder::TypedValueParser};
use countersign_policy_source::{Problem, Source};
use countersign_proxy_config::{
    self as proxy_config, Kind, Options, Refused, ServerAddress, Version, generate,
};
use serde_json::json;

use crate::{
    failure::{self, Failure},
    files::read_source,
    output::{Exit, Output},
};

#[derive(Args, Debug)]
#[command(after_help = "\
    The configuration goes to the standard output, warnings to the standard error. It belongs to \
    this policy: generate it anew where `forward` or `credentials` change. A policy that needs \
    what the proxy cannot do is refused, with the place.\n\n\
    `--verify` sends the attacks that have come through such proxies, and says what has reached the \
    backend. For that the backend is `countersign proxy-config --echo 127.0.0.1:8080`, which answers \
    with what it has received.")]
pub(crate) struct ProxyConfigArgs {
    /// The proxy
    #[arg(value_parser = PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
        .map(|name| name.parse::<Kind>().unwrap_or(Kind::ALL[0])),
        required_unless_present_any = ["verify", "echo"])]
    kind: Option<Kind>,
    /// The policy: YAML, TOML or JSON, `-` for the standard input
    #[arg(long, short, value_name = "FILE", required_unless_present = "echo")]
    policy: Option<PathBuf>,
    /// The policy's name in the server's configuration
    #[arg(long, value_name = "POLICY", default_value = "default", value_parser = name)]
    name: String,
    /// Where the decision server listens: HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value_t)]
    server: ServerAddress,
    /// The backend behind the proxy: HOST:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    origin: ServerAddress,
    /// Where the proxy listens, where its configuration has to say it: ADDRESS:PORT or unix:PATH
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:80")]
    listen: ServerAddress,
    /// The file of HAProxy's action, in HAProxy's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/haproxy/countersign.lua", value_parser = path)]
    action: String,
    /// The proxy's version: one that cannot be safe is refused
    #[arg(long, value_name = "V")]
    proxy_version: Option<Version>,
    /// Be a backend that answers with what it has received, until it is stopped
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["kind", "verify"])]
    echo: Option<SocketAddr>,
    #[command(flatten, next_help_heading = "Verify a running proxy")]
    verify: verify::VerifyArgs,
}

/// It becomes a word of a configuration.
fn path(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("expected a path of letters, digits, `/`, `.`, `_` and `-`"),
    }
}

/// It becomes a part of a path, and of a configuration.
fn name(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    match !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("expected up to 64 letters, digits, `-`, `_` and `.`"),
    }
}

pub(crate) async fn run(args: &ProxyConfigArgs, output: Output) -> Result<Exit, Failure> {
    if let Some(address) = args.echo {
        return echo::run(address).await;
    }
    let nothing = || Failure::usage("which proxy, and which policy?");
    let source = read_source(args.policy.as_deref().ok_or_else(nothing)?)?;
    let found = source.lint();
    if found.iter().any(|problem| problem.is_error) {
        return Err(Failure::Problems(found));
    }
    let policy =
        serde_json::from_slice(&source.json).map_err(|error| Failure::usage(error.to_string()))?;
    if args.verify.is_asked() {
        return verify::run(&args.verify, &source, &policy, output).await;
    }
    let options = Options {
        server: args.server.clone(),
        policy_name: args.name.clone(),
        origin: args.origin.clone(),
        listen: args.listen.clone(),
        action: args.action.clone(),
        version: args.proxy_version,
    };
    match generate(args.kind.ok_or_else(nothing)?, &policy, &options) {
        Ok(generated) => {
            let warnings = located(&source, &generated.warnings, false);
            if output.json {
                let mut shape = failure::as_json(&warnings);
                shape["configuration"] = json!(generated.text);
                anstream::println!("{shape}");
            } else {
                anstream::print!("{}", generated.text);
                anstream::eprint!("{}", failure::as_text(&warnings));
            }
            Ok(Exit::Good)
        }
        Err(Refused { problems, warnings }) => {
            let mut all = located(&source, &problems, true);
            all.extend(located(&source, &warnings, false));
            Err(Failure::Problems(all))
        }
    }
}

fn located(source: &Source, problems: &[proxy_config::Problem], is_error: bool) -> Vec<Problem> {
    let located = |problem: &proxy_config::Problem| Problem {
        file: source.name.clone(),
        pointer: problem.pointer.clone(),
        position: source.position(&problem.pointer),
        code: if is_error { "proxy_cannot" } else { "proxy" }.to_owned(),
        message: problem.message.clone(),
        is_error,
    };
    problems.iter().map(located).collect()
}
