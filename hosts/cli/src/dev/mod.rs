//! A development issuer: keys, a key set to fetch, tokens, rotation.

mod bound;
mod token;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, Subcommand};
use countersign_dev_issuer::{Error, Issuer, PUBLISHABLE, starter_policy};
use countersign_policy_source::Source;
use hyper::Request;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    failure::Failure,
    moment,
    output::{Exit, Output},
    server,
    style::{FAINT, GOOD, WARN},
};

use token::TokenArgs;

/// The default URL of the issuer.
const URL: &str = "http://127.0.0.1:8181";

#[derive(Subcommand, Debug)]
pub(crate) enum Dev {
    /// Make an issuer with one new key
    Keys(KeysArgs),
    /// Publish the key set and the discovery document
    Serve(ServeArgs),
    /// Print a token
    Mint(Box<MintArgs>),
    /// Sign with a new key from now on; the old keys stay published
    Rotate(RotateArgs),
    /// Print a policy that trusts this issuer, to start from
    Policy(DirectoryArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DirectoryArgs {
    /// The issuer's directory
    #[arg(long, value_name = "DIR", default_value = "countersign-dev")]
    dir: PathBuf,
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

fn print_policy(args: &DirectoryArgs, output: Output) -> Result<Exit, Failure> {
    let issuer = read(&args.dir)?;
    let yaml = starter_policy(&issuer);
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
    let address = match args.listen {
        Some(address) => address,
        None => address_of(&issuer.url).ok_or_else(|| {
            let url = &issuer.url;
            Failure::Usage(format!(
                "`{url}` names no local address: use `--listen IP:PORT`"
            ))
        })?,
    };
    if !address.ip().is_loopback() && !args.expose {
        return Err(Failure::Usage(format!(
            "`{address}` can be reached from other machines: use `--expose` to allow it"
        )));
    }
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen on `{address}`: {error}")))?;
    let bound = listener.local_addr().unwrap_or(address);
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

/// The address of an `http` URL with an IP address or `localhost`.
fn address_of(url: &str) -> Option<SocketAddr> {
    let uri: hyper::Uri = url.parse().ok()?;
    let authority = uri.authority()?.as_str().replace("localhost", "127.0.0.1");
    authority
        .parse()
        .ok()
        .or_else(|| format!("{authority}:80").parse().ok())
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
