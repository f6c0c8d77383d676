//! An axum service behind the tower layer.

use std::{fs::File, net::SocketAddr, path::PathBuf};

use anyhow::{Result, anyhow};
use axum::{Router, routing::get, serve::ListenerExt};
use countersign_host::{DecisionLog, Gate, GateLayer};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

use super::{LOGS, Setting};

/// The servers of [`LOGS`], which end with this.
pub(super) struct Servers {
    pub(super) addresses: [SocketAddr; 3],
    _runtime: Runtime,
}

impl Servers {
    pub(super) fn start(host: &str, setting: &Setting) -> Result<Self> {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let mut addresses = Vec::new();
        for log in LOGS {
            let log = log.every().zip(setting.file(host, log));
            addresses.push(runtime.block_on(serve(setting, log))?);
        }
        let addresses = addresses.try_into().map_err(|_| anyhow!("three servers"))?;
        Ok(Self {
            addresses,
            _runtime: runtime,
        })
    }
}

async fn serve(setting: &Setting, log: Option<(u32, PathBuf)>) -> Result<SocketAddr> {
    let mut builder = Gate::builder().policy(setting.policy.as_bytes());
    if let Some((every, file)) = log {
        let log = DecisionLog::builder().allow_every(every.into());
        builder = builder.on_decision(log.write_to(File::create(file)?).hook());
    }
    let gate = builder.build().await?;
    let app = Router::new().route("/assets/{*name}", get(async || "ok"));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = app.layer(GateLayer::new(gate));
    // As Go and Node.js do it: a response does not wait for an acknowledgement.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}
