//! `countersign bridge member`: who is a member of what, in the bridge's own table.

use clap::{Args, Subcommand};
use countersign_bridge::{Bridge, Config};
use serde_json::json;

use super::{ConfigArgs, alone, read, refused};
use crate::{
    failure::Failure,
    output::{Exit, Output},
    style::GOOD,
};

#[derive(Subcommand, Debug)]
pub(super) enum What {
    /// Make a person a member of an organisation, or change the roles
    Set(SetArgs),
    /// Make a person no member any more, and revoke what the person has for it
    Remove(MemberArgs),
}

#[derive(Args, Debug)]
pub(super) struct SetArgs {
    #[command(flatten)]
    member: MemberArgs,
    /// A role there; may be repeated
    #[arg(long, value_name = "ROLE")]
    role: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct MemberArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The organisation
    #[arg(long)]
    tenant: String,
    /// `iss` of the person's provider
    #[arg(long)]
    issuer: String,
    /// `sub` of the person there
    #[arg(long)]
    subject: String,
}

pub(super) fn run(what: &What, output: Output) -> Result<Exit, Failure> {
    let (member, roles) = match what {
        What::Set(args) => (&args.member, Some(&*args.role)),
        What::Remove(args) => (args, None),
    };
    let config = read(&member.config.config)?;
    alone(|| set(config, member, roles))?;
    let MemberArgs {
        tenant, subject, ..
    } = member;
    match (output.json, roles) {
        (true, roles) => anstream::println!(
            "{}",
            json!({ "tenant": tenant, "subject": subject, "roles": roles })
        ),
        (false, Some(_)) => anstream::println!("{GOOD}member{GOOD:#}  {subject} of {tenant}"),
        (false, None) => anstream::println!("{GOOD}removed{GOOD:#}  {subject} of {tenant}"),
    }
    Ok(Exit::Good)
}

#[tokio::main(flavor = "multi_thread")]
async fn set(config: Config, member: &MemberArgs, roles: Option<&[String]>) -> Result<(), Failure> {
    let bridge = Bridge::open(config).await.map_err(refused)?;
    let person = (member.issuer.as_str(), member.subject.as_str());
    let set = bridge.set_member(&member.tenant, person, roles).await;
    set.map_err(|error| Failure::usage(error.to_string()))
}
