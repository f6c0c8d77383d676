//! `countersign bridge --dev`: a bridge to try, with a provider beside it. No file is needed.

mod folder;
mod people;
mod steps;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use countersign_bridge::{Bridge, Config, Listener};
use serde_json::json;
use tokio::net::TcpListener;

use self::{folder::Folder, people::Provider};
use super::refused;
use crate::{
    failure::Failure,
    output::Output,
    style::{FAINT, GOOD, STRONG, WARN},
};

#[derive(Args, Debug)]
pub(super) struct DevArgs {
    /// A bridge to try, and a provider at which anybody signs in as anybody: it needs no file
    #[arg(long, conflicts_with_all = ["config", "check"])]
    pub(super) dev: bool,
    // Where `--config` excludes `--dev`, clap does not ask for it: `requires` is not enough.
    /// Keep what `--dev` makes in this folder; without it, it is gone at the end
    #[arg(
        long,
        value_name = "FOLDER",
        requires = "dev",
        conflicts_with = "config"
    )]
    data: Option<PathBuf>,
    /// Where `--dev` listens, on this machine alone, by default at 127.0.0.1:8480; the
    /// provider is at the next port
    #[arg(
        long,
        value_name = "IP:PORT",
        requires = "dev",
        conflicts_with = "config"
    )]
    listen: Option<SocketAddr>,
}

/// Where it listens unless something else is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8480);

/// Where the two answer.
struct Sites {
    bridge: String,
    provider: String,
}

/// Runs until it is stopped.
pub(super) fn run(args: &DevArgs, output: Output) -> Result<(), Failure> {
    let address = args.listen.unwrap_or(LISTEN);
    // Without an exception: whoever reaches it is whoever they like.
    if !address.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "`{address}` can be reached from other machines, and anybody can sign in as anybody"
        )));
    }
    let folder = Folder::open(args.data.as_deref())?;
    serve(address, &folder, output)
}

#[tokio::main(flavor = "multi_thread")]
async fn serve(address: SocketAddr, folder: &Folder, output: Output) -> Result<(), Failure> {
    let mut beside = address;
    if address.port() != 0 {
        let next = address.port().checked_add(1);
        beside.set_port(next.ok_or_else(|| Failure::usage("the provider has no port"))?);
    }
    let socket = bind(address).await?;
    let provider_socket = bind(beside).await?;
    let sites = Sites {
        bridge: url(&socket)?,
        provider: url(&provider_socket)?,
    };
    let provider = Provider::open(&sites, folder.secret("provider")?)?;
    // Before the bridge, which may ask it at once.
    let answering = tokio::spawn(provider.answer(provider_socket));
    let bridge = Bridge::open(configure(&sites, &socket, folder)?).await;
    let bridge = bridge.map_err(refused)?;
    for person in people::all() {
        let tenant = person.organization.as_deref().unwrap_or_default();
        let who = (&*sites.provider, &*person.sub);
        let set = bridge.set_member(tenant, who, Some(&person.roles)).await;
        set.map_err(|error| Failure::usage(error.to_string()))?;
    }
    announce(&sites, folder.path(), output);
    let ended = bridge.run_until_signalled(Listener::of(socket)).await;
    answering.abort();
    ended.map_err(failed)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::Usage(format!("cannot listen on `{address}`: {error}")))
}

fn url(socket: &TcpListener) -> Result<String, Failure> {
    Ok(format!("http://{}", socket.local_addr().map_err(failed)?))
}

/// Writes the configuration, so that the other commands can be tried on it too, and reads it
/// as a bridge without `--dev` does.
fn configure(sites: &Sites, socket: &TcpListener, folder: &Folder) -> Result<Config, Failure> {
    let listen = socket.local_addr().map_err(failed)?;
    for secret in ["master", "pepper", "reader", "worker"] {
        folder.secret(secret)?;
    }
    let roles = json!({
        "admin": ["orders:read", "orders:write"],
        "editor": ["orders:read", "orders:write"],
        "viewer": ["orders:read"],
    });
    let config = json!({
        "issuer": sites.bridge,
        "listen": listen.to_string(),
        "database": { "sqlite": "bridge.db" },
        "master_keys": [{ "file": "master" }],
        "tokens": { "audiences": ["platform"] },
        "login": {
            "providers": { "dev": {
                "name": "the development provider",
                "issuer": sites.provider,
                "client_id": people::CLIENT,
                "client_secret": { "file": "provider" },
            } },
            "roles": roles,
        },
        "pairing": { "roles": ["admin"] },
        "api_keys": {
            "prefix": "sk_dev_",
            "peppers": [{ "version": "1", "secret": { "file": "pepper" } }],
            "readers": [{ "file": "reader" }],
        },
        "clients": {
            "web": {
                "public": true,
                "grants": ["token_exchange"],
                "scopes": ["orders:read", "orders:write"],
            },
            "press": {
                "public": true,
                "grants": ["device_code", "refresh_token"],
                "scopes": ["node:ingest"],
            },
            "worker": {
                "secrets": [{ "file": "worker" }],
                "grants": ["client_credentials"],
                "scopes": ["orders:read"],
                "tenant": "acme",
            },
        },
    });
    let text = format!("{config:#}\n");
    let path = folder.write(folder::CONFIG, &text)?;
    Config::parse(&path.display().to_string(), text.into_bytes()).map_err(refused)
}

fn announce(sites: &Sites, folder: &Path, output: Output) {
    let steps = steps::all(sites, folder);
    if output.json {
        let people: Vec<_> = people::all().iter().map(people::as_json).collect();
        let steps: Vec<_> = steps.iter().map(steps::Step::as_json).collect();
        anstream::println!(
            "{}",
            json!({
                "issuer": sites.bridge,
                "provider": sites.provider,
                "folder": folder,
                "people": people,
                "steps": steps,
            })
        );
        return;
    }
    anstream::println!("{WARN}DEVELOPMENT ONLY{WARN:#}: anybody can sign in as anybody");
    anstream::println!("{GOOD}bridge{GOOD:#}    {}", sites.bridge);
    anstream::println!("{GOOD}provider{GOOD:#}  {}", sites.provider);
    anstream::println!("{GOOD}folder{GOOD:#}    {}", folder.display());
    anstream::println!("\nWho can sign in:");
    for person in people::all() {
        let tenant = person.organization.as_deref().unwrap_or_default();
        let roles = person.roles.join(", ");
        anstream::println!(
            "  {:<8}{:<16}{tenant:<8}{FAINT}{roles}{FAINT:#}",
            person.sub,
            person.name
        );
    }
    for (index, step) in steps.iter().enumerate() {
        let number = index + 1;
        anstream::println!("\n{STRONG}{number}. {}{STRONG:#}", step.title);
        for line in &step.lines {
            anstream::println!("    {line}");
        }
    }
    anstream::println!("\n{FAINT}Ctrl-C ends it{FAINT:#}");
}

fn failed(error: io::Error) -> Failure {
    Failure::usage(error.to_string())
}
