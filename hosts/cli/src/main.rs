//! The `countersign` command.
//!
//! It holds no verification logic: every decision comes from the sealed module,
//! through `countersign-host`. Documents, imports and development tokens come from
//! the libraries beside it. Here are arguments, files, messages and colours; each
//! module uses those above it in the list of `tests/rooms`.

mod arguments;
mod certificate;
mod check;
mod decision;
mod demo;
mod dev;
mod digest;
mod documents;
mod explain;
mod failure;
mod files;
mod import;
mod init;
mod inspect;
mod keys;
mod moment;
mod output;
mod place;
mod policy;
mod proxy_config;
mod request;
mod sealed;
mod serve;
mod server;
mod session;
mod style;
mod verify_release;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    failure::Failure,
    output::{Exit, Output},
};

/// One token verifier and policy gate: the same sealed WebAssembly file decides
/// here, in Envoy, in Node and in every other host.
#[derive(Parser, Debug)]
#[command(name = "countersign", version, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 allow, 1 deny, 2 wrong arguments or a wrong file.\n\
    Colours follow the terminal; NO_COLOR turns them off."
)]
struct Cli {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Decide about a token or a whole request
    Check(check::CheckArgs),
    /// Find out why: every check in order, its details, and where it stopped
    Explain(explain::ExplainArgs),
    /// Decode a token without verifying it
    Inspect(inspect::InspectArgs),
    /// Lint, show and test policies
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Print a first policy for an identity provider, with comments
    Init(init::InitArgs),
    /// Turn the token checks of Envoy or Istio into a policy
    #[command(subcommand)]
    Import(import::Import),
    /// Print the configuration of a proxy that asks a decision server
    ProxyConfig(proxy_config::ProxyConfigArgs),
    /// Print the SHA-256 of the module that decides, or compare a file with it
    Digest(digest::DigestArgs),
    /// Check a release: its signature, its files, and the one module in each of them
    VerifyRelease(verify_release::VerifyReleaseArgs),
    /// API keys: make, list, revoke and rotate them
    #[command(subcommand)]
    Keys(keys::Keys),
    /// The decision server: proxies ask it, each in its own way
    Serve(serve::ServeArgs),
    /// A development issuer: keys, tokens, a key set to fetch
    #[command(subcommand)]
    Dev(dev::Dev),
    /// Show it working: an issuer, three types of tokens, a table of requests
    Demo(demo::DemoArgs),
    /// Print a completion script, such as `countersign completions bash`
    Completions {
        /// The shell it is for
        shell: Shell,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let output = Output { json: cli.json };
    match run(cli.command, output).await {
        Ok(Exit::Good) => ExitCode::SUCCESS,
        Ok(Exit::Bad) => ExitCode::from(1),
        Err(failure) => {
            failure.print(output.json);
            ExitCode::from(2)
        }
    }
}

/// Prints help, the version, or the error in the arguments. A token among them is
/// not repeated.
fn refuse(error: &clap::Error) -> ExitCode {
    let mut text = error.render().ansi().to_string();
    let arguments: Vec<_> = std::env::args().collect();
    let words = arguments
        .iter()
        .flat_map(|argument| argument.split(char::is_whitespace));
    for token in words.filter(|word| arguments::looks_like_a_token(word)) {
        text = text.replace(token, "[token]");
    }
    if error.use_stderr() {
        anstream::eprint!("{text}");
    } else {
        anstream::print!("{text}");
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

async fn run(command: Command, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Check(args) => check::run(args, output).await,
        Command::Explain(args) => explain::run(args, output).await,
        Command::Inspect(args) => inspect::run(&args, output).await,
        Command::Policy(command) => policy::run(command, output).await,
        Command::Init(args) => init::run(args, output),
        Command::Import(command) => import::run(&command, output),
        Command::ProxyConfig(args) => proxy_config::run(&args, output).await,
        Command::Digest(args) => digest::run(args, output),
        Command::VerifyRelease(args) => verify_release::run(&args, output),
        Command::Keys(command) => keys::run(&command, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Dev(command) => dev::run(command, output).await,
        Command::Demo(args) => demo::run(args, output).await,
        Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "countersign", &mut std::io::stdout());
            Ok(Exit::Good)
        }
    }
}
