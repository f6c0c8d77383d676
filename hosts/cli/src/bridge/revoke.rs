//! `countersign bridge revoke`: what gates are to refuse from now on.

use clap::{Args, Subcommand};
use countersign_bridge::{Bridge, Config, Revoke};
use serde_json::json;

use super::{ConfigArgs, alone, read, refused};
use crate::{
    failure::Failure,
    output::{Exit, Output},
    style::GOOD,
};

#[derive(Subcommand, Debug)]
pub(super) enum What {
    /// A token, and all that were made of it, by its `jti`
    Token(RevokeArgs),
    /// All tokens of a person until now, the sessions, the API keys
    Person(RevokeArgs),
    /// All tokens of a node until now; it cannot renew
    Node(RevokeArgs),
    /// All tokens that a signing key has signed or will sign; it leaves the key set
    Key(RevokeArgs),
}

#[derive(Args, Debug)]
pub(super) struct RevokeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Its id: `jti` of a token, `sub` of a person or a node, `kid` of a key
    id: String,
}

pub(super) fn run(what: &What, output: Output) -> Result<Exit, Failure> {
    let (args, kind, what) = match what {
        What::Token(args) => (args, "token", Revoke::Token(args.id.clone())),
        What::Person(args) => (args, "person", Revoke::Person(args.id.clone())),
        What::Node(args) => (args, "node", Revoke::Node(args.id.clone())),
        What::Key(args) => (args, "key", Revoke::Key(args.id.clone())),
    };
    let config = read(&args.config.config)?;
    alone(|| revoke(config, &what))?;
    match output.json {
        true => anstream::println!("{}", json!({ "revoked": kind, "id": args.id })),
        false => anstream::println!(
            "{GOOD}revoked{GOOD:#}  {kind} {}; gates refuse it when they have fetched the document \
             again",
            args.id
        ),
    }
    Ok(Exit::Good)
}

#[tokio::main(flavor = "multi_thread")]
async fn revoke(config: Config, what: &Revoke) -> Result<(), Failure> {
    let bridge = Bridge::open(config).await.map_err(refused)?;
    let revoked = bridge.revoke(what).await;
    revoked.map_err(|error| Failure::usage(error.to_string()))
}
