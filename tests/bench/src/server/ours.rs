//! Our server: this program starts itself as it, so that it is the same build.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result};
use countersign_server::{Address, Config, Listener, Server};
use serde_json::{Value, json};

use super::{load::To, process::Process};

/// The name of the policy.
const POLICY: &str = "bench";

/// A server that was started.
pub(super) struct Ours {
    pub(super) process: Process,
    pub(super) to: To,
}

impl Ours {
    /// Starts it in this folder, with a policy and a dialect.
    pub(super) fn start(folder: &Path, listen: &str, policy: &[u8], dialect: &str) -> Result<Self> {
        let name = folder.join(POLICY);
        fs::write(name.with_extension("json"), policy)?;
        let mut config = json!({
            "listen": listen,
            "policies": { POLICY: { "file": name.with_extension("json") } },
            "dialects": [dialect],
        });
        // The mode of a Unix socket says who may ask.
        if !listen.starts_with("unix:") {
            config["trusted_proxies"] = json!(["127.0.0.1"]);
        }
        Self::start_with(folder, &config)
    }

    /// Starts it with a configuration.
    pub(super) fn start_with(folder: &Path, config: &Value) -> Result<Self> {
        let (file, log) = (folder.join("server.yaml"), folder.join("server.log"));
        fs::write(&file, config.to_string())?;
        let mut command = Command::new(env::current_exe()?);
        let mut process = Process::start(command.arg("--serve").arg(&file), &log)?;
        let out = process
            .child()
            .stdout
            .take()
            .context("no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address: Result<Address, _> = line.trim().parse();
        let address = address.ok().with_context(|| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            format!("the server does not start:\n{said}")
        })?;
        let to = match address {
            Address::Tcp(address) => To::Tcp(address),
            Address::Unix(path) => To::Unix(path),
        };
        Ok(Self { process, to })
    }
}

/// A request of nginx about a request with this token, or without one.
pub(super) fn question(target: &str, token: Option<&str>) -> Vec<u8> {
    let credential = token.map_or(String::new(), |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    format!(
        "GET /nginx/{POLICY} HTTP/1.1\r\nHost: gate\r\nX-Countersign-Method: GET\r\n\
         X-Countersign-Scheme: https\r\nX-Countersign-Authority: api.example.com\r\n\
         X-Countersign-Host: api.example.com\r\nX-Countersign-Takes: target x-auth-subject x-auth-tenant x-auth-scopes\r\n\
         X-Countersign-Target: {target}\r\nAccept: application/json\r\nUser-Agent: bench\r\n\
         {credential}\r\n"
    )
    .into()
}

pub(super) fn allows(status: u16, _: &[u8]) -> bool {
    (200..300).contains(&status)
}

/// Is the server, until standard input ends: with the one that started it.
pub(crate) fn serve(config: &PathBuf) -> Result<()> {
    let config = Config::parse(&config.display().to_string(), fs::read(config)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = Listener::bind(&config).await?;
        let server = Server::open(config).await?;
        println!("{}", listener.address()?);
        server.run(listener, ended()).await?;
        anyhow::Ok(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

async fn ended() {
    let wait = || std::io::stdin().read_to_end(&mut Vec::new());
    let _ = tokio::task::spawn_blocking(wait).await;
}
