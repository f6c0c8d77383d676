//! The bridge on one core: this program starts itself as it, so that it is the same build.

use std::{
    env, fs,
    io::Read,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;
use countersign_bridge::{Bridge, Config, Listener};
use serde_json::json;

use crate::{
    server::{
        load::To,
        process::{self, Process},
    },
    token::{AUDIENCE, ISSUER, Signer},
};

/// The client that exchanges tokens, and its secret.
pub(super) const WORKER: &str = "worker";
pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The client of devices.
pub(super) const PRESS: &str = "press";

/// A bridge that was started.
pub(super) struct Ours {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
    /// SQLite's file.
    pub(super) database: PathBuf,
}

impl Ours {
    /// Starts it in this folder, with a database there. It trusts the tokens of `signer`.
    pub(super) fn start(folder: &Path, signer: &Signer) -> Result<Self> {
        let address = process::free_address()?;
        let (file, log) = (folder.join("bridge.json"), folder.join("bridge.log"));
        let database = folder.join("bridge.db");
        fs::write(folder.join("master"), "5a".repeat(32))?;
        fs::write(folder.join("worker"), SECRET)?;
        let config = json!({
            "issuer": format!("http://{address}"),
            "listen": address.to_string(),
            // Devices come from many addresses: each may begin a few times only.
            "trusted_proxies": ["127.0.0.1"],
            "database": { "sqlite": database },
            "master_keys": [{ "file": "master" }],
            "tokens": { "audiences": [AUDIENCE] },
            "clients": {
                WORKER: {
                    "secrets": [{ "file": "worker" }],
                    "grants": ["token_exchange"],
                    "audiences": [AUDIENCE],
                    "scopes": ["api:assets:read"],
                },
                PRESS: {
                    "public": true,
                    "grants": ["device_code", "refresh_token"],
                    "audiences": [AUDIENCE],
                    "scopes": ["node:ingest"],
                },
            },
            "pairing": { "roles": ["admin"], "interval_s": 1 },
            "exchange": { "issuers": { "idp": {
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "algorithms": [signer.algorithm],
                "keys": { "jwks": { "keys": [signer.public_jwk()] } },
                "header_typ": ["JWT"],
                "claims": { "tenant": "/tenant_id", "scopes": ["/scope"] },
                "clients": { WORKER: [AUDIENCE] },
            } } },
        });
        fs::write(&file, config.to_string())?;
        let mut command = Command::new(env::current_exe()?);
        let mut process = Process::start(command.arg("--bridge").arg(&file), &log)?;
        process.wait(&log, || process::accepts(address))?;
        Ok(Self {
            process,
            address,
            database,
        })
    }

    pub(super) fn to(&self) -> To {
        To::Tcp(self.address)
    }
}

/// A form, as a client sends it.
pub(super) fn form(path: &str, headers: &str, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(parameters);
    let body = body.finish();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bridge\r\nUser-Agent: bench\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// Is the bridge, until standard input ends: with the one that started it.
pub(crate) fn serve(config: &PathBuf) -> Result<()> {
    let config = Config::parse(&config.display().to_string(), fs::read(config)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let bridge = Bridge::open(config.clone()).await?;
        let listener = Listener::bind(&config).await?;
        let wait = || std::io::stdin().read_to_end(&mut Vec::new());
        let ended = async { drop(tokio::task::spawn_blocking(wait).await) };
        bridge.run(listener, ended).await;
        anyhow::Ok(())
    })?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}
