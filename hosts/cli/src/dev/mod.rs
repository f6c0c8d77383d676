//! A development issuer: keys, a key set to fetch, tokens, rotation, sign-in.

mod bound;
mod listen;
mod provider;
mod token;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use countersign_dev_issuer::{Error, Issuer, PUBLISHABLE, id_token_policy, starter_policy};
use countersign_policy_source::Source;
use hyper::Request;
use serde_json::json;

use crate::{
    failure::Failure,
    moment,
    output::{Exit, Output},
    server,
    style::{FAINT, GOOD, WARN},
};

use provider::ProviderArgs;
use token::TokenArgs;

/// The default URL of the issuer.
const URL: &str = "http://127.0.0.1:8181";

#[derive(Subcommand, Debug)]
pub(crate) enum Dev {
    /// Make an issuer with one new key
    Keys(KeysArgs),
    /// Publish the key set and the discovery document
    Serve(ServeArgs),
    /// Sign people in: an OpenID provider with a page to pick them, without passwords
    Provider(ProviderArgs),
    /// Print a token
    Mint(Box<MintArgs>),
    /// Sign with a new key from now on; the old keys stay published
    Rotate(RotateArgs),
    /// Print a policy that trusts this issuer, to start from
    Policy(PolicyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DirectoryArgs {
    /// The issuer's directory
    #[arg(long, value_name = "DIR", default_value = "countersign-dev")]
    dir: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// Trust the ID tokens that `dev provider` gives this app instead, repeatable
    #[arg(long, value_name = "ID")]
    client: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// `iss` of its tokens, and the URL at which `dev serve` publishes
    #[arg(long, value_name = "URL", default_value = URL)]
    issuer: String,
    /// `aud` of its tokens
    #[arg(long, value_name = "NAME", default_value = "platform")]
    audience: String,
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = PUBLISHABLE)]
    algorithm: String,
    /// Replace an existing issuer: its tokens become invalid
    #[arg(long)]
    force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// Address to listen on; by default that of the issuer's URL
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Allow an address that other machines reach
    #[arg(long)]
    expose: bool,
}

#[derive(Args, Debug)]
pub(crate) struct MintArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    #[command(flatten)]
    token: TokenArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// Withdraw the old keys at once: their tokens become invalid
    #[arg(long)]
    withdraw: bool,
    /// Algorithm of the new key
    #[arg(long, value_name = "ALG", default_value = "RS256", value_parser = PUBLISHABLE)]
    algorithm: String,
}

pub(crate) async fn run(command: Dev, output: Output) -> Result<Exit, Failure> {
    // To the standard error, so that `$(countersign dev mint)` is the token alone.
    anstream::eprintln!(
        "{WARN}DEVELOPMENT ONLY{WARN:#} {FAINT}never trust this issuer in production{FAINT:#}"
    );
    match command {
        Dev::Keys(args) => keys(&args, output),
        Dev::Serve(args) => serve(args, output).await,
        Dev::Provider(args) => provider::serve(args, output).await,
        Dev::Mint(args) => mint(*args, output),
        Dev::Rotate(args) => rotate(&args, output),
        Dev::Policy(args) => print_policy(&args, output),
    }
}

fn keys(args: &KeysArgs, output: Output) -> Result<Exit, Failure> {
    let directory = &args.directory.dir;
    if !args.force && Issuer::exists(directory) {
        let directory = directory.display();
        return Err(Failure::Usage(format!(
            "`{directory}` already holds an issuer: `--force` replaces it"
        )));
    }
    let issuer = Issuer::new(&args.issuer, &args.audience, &args.algorithm)?;
    let path = issuer.write(directory)?;
    announce(&issuer, &format!("wrote {}", path.display()), output);
    Ok(Exit::Good)
}

fn mint(args: MintArgs, output: Output) -> Result<Exit, Failure> {
    let issuer = read(&args.directory.dir)?;
    let minted = bound::mint(args.token, &issuer, moment::now_ms())?;
    match (output.json, minted) {
        (true, (token, None)) => anstream::println!("{}", json!({ "token": token })),
        (true, (token, proof)) => {
            anstream::println!("{}", json!({ "token": token, "proof": proof }));
        }
        (false, (token, None)) => anstream::println!("{token}"),
        (false, (token, Some(proof))) => {
            anstream::println!("authorization: DPoP {token}\ndpop: {proof}");
        }
    }
    Ok(Exit::Good)
}

fn rotate(args: &RotateArgs, output: Output) -> Result<Exit, Failure> {
    let mut issuer = read(&args.directory.dir)?;
    issuer.rotate(&args.algorithm, args.withdraw)?;
    issuer.write(&args.directory.dir)?;
    let what = if args.withdraw {
        "old keys withdrawn"
    } else {
        "old keys still published"
    };
    announce(&issuer, what, output);
    Ok(Exit::Good)
}

fn print_policy(args: &PolicyArgs, output: Output) -> Result<Exit, Failure> {
    let issuer = read(&args.directory.dir)?;
    let yaml = match args.client.as_slice() {
        [] => starter_policy(&issuer),
        clients => id_token_policy(&issuer, clients),
    };
    if output.json {
        let source = Source::from_yaml("policy.yaml", &yaml)?;
        anstream::println!("{}", String::from_utf8_lossy(&source.json));
    } else {
        anstream::print!("{yaml}");
    }
    Ok(Exit::Good)
}

async fn serve(args: ServeArgs, output: Output) -> Result<Exit, Failure> {
    let directory = args.directory.dir;
    let issuer = read(&directory)?;
    let address = listen::address(&issuer, args.listen)?;
    if !address.ip().is_loopback() && !args.expose {
        return Err(Failure::Usage(format!(
            "`{address}` can be reached from other machines: use `--expose` to allow it"
        )));
    }
    let (listener, bound) = listen::bind(address).await?;
    if output.json {
        anstream::println!(
            "{}",
            json!({ "issuer": issuer.url, "listening": bound.to_string() })
        );
    } else {
        anstream::eprintln!("{GOOD}issuer{GOOD:#}   {}", issuer.url);
        anstream::eprintln!("{GOOD}key set{GOOD:#}  {}", issuer.jwks_uri());
        anstream::eprintln!("{FAINT}listening on {bound}, Ctrl-C ends it{FAINT:#}");
    }
    // Read again for every request, so that a rotation takes effect at once.
    let answer = move |request: &Request<_>| {
        let path = request.uri().path();
        let issuer = Issuer::read(&directory).ok();
        let answer = server::document(issuer.and_then(|issuer| issuer.document(path)));
        if !output.json {
            anstream::eprintln!("{FAINT}{} {path}{FAINT:#}", answer.status().as_u16());
        }
        answer
    };
    match server::serve(listener, Arc::new(answer)).await {}
}

fn announce(issuer: &Issuer, what: &str, output: Output) {
    let kids: Vec<_> = issuer
        .keys
        .iter()
        .filter_map(|key| key.kid.as_deref())
        .collect();
    if output.json {
        anstream::println!("{}", json!({ "issuer": issuer.url, "kids": kids }));
        return;
    }
    anstream::println!("{what}");
    anstream::println!("{FAINT}issuer{FAINT:#}  {}", issuer.url);
    for (index, kid) in kids.iter().enumerate() {
        let note = if index + 1 == kids.len() {
            "signs"
        } else {
            "published"
        };
        anstream::println!("{FAINT}key{FAINT:#}     {kid} {FAINT}{note}{FAINT:#}");
    }
}

fn read(directory: &Path) -> Result<Issuer, Failure> {
    Issuer::read(directory).map_err(|error| match error {
        Error::Read(..) => {
            let directory = directory.display();
            Failure::Usage(format!(
                "{error}; `countersign dev keys --dir {directory}` makes it"
            ))
        }
        other => other.into(),
    })
}
