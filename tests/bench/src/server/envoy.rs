//! What a request through Envoy costs with the filter in it, and with a server that it
//! asks: all of it on one core, so that a server beside Envoy is not free.

use std::{
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    cores,
    load::{self, Seen, To},
    ours::Ours,
};
use crate::{
    arguments::Scale,
    envoy::{Cluster, Envoy, Filters, listeners},
    figure::{Figure, Race, Unit},
    policy,
    progress::say,
    token::Signer,
};

const ENVOY: &str = "COUNTERSIGN_ENVOY";

/// The filters of a listener. The first is the one that the others are compared with.
const CONTESTANTS: [(&str, Filters); 4] = [
    ("filter", Filters::Ours),
    ("ext_authz, Unix socket", Filters::ExtAuthz("unix")),
    ("ext_authz, TCP", Filters::ExtAuthz("tcp")),
    ("no filter", Filters::None),
];

/// Whether Envoy is installed.
pub(super) fn is_possible() -> bool {
    env::var_os(ENVOY).is_some()
}

pub(super) fn run(
    scale: &Scale,
    folder: &Path,
    signer: &Signer,
    tokens: &[String],
) -> Result<Vec<Race>> {
    say("server: Envoy with the filter, and with servers that it asks");
    let binary: PathBuf = env::var_os(ENVOY)
        .context("COUNTERSIGN_ENVOY names no Envoy")?
        .into();
    let folder = folder.join("envoy");
    let mut servers = Vec::new();
    let mut clusters = Vec::new();
    for name in ["unix", "tcp"] {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let listen = match name {
            "unix" => format!("unix:{}", folder.join("gate.sock").display()),
            _ => "127.0.0.1:0".to_owned(),
        };
        let server = Ours::start(&folder, &listen, &policy::deciding(signer)?, "envoy-grpc")?;
        clusters.push(Cluster {
            name,
            address: address(&server.to),
        });
        servers.push(server);
    }
    let filters = CONTESTANTS.map(|(_, filters)| filters);
    let listeners = listeners(&folder, &filters, signer)?;
    let envoy = cores::on(cores::MEASURED, || {
        Envoy::start(&binary, &folder, &listeners, &clusters, 1)
    })??;

    let requests: Vec<_> = tokens.iter().map(|token| request(token)).collect();
    let time = Duration::from_secs(scale.load_s.into());
    let mut races = Vec::new();
    for (kind, count) in super::TOKENS {
        let mut seen: [Vec<Seen>; CONTESTANTS.len()] = Default::default();
        for _ in 0..scale.load_rounds {
            for (place, seen) in seen.iter_mut().enumerate() {
                let to = To::Tcp(envoy.listener(place)?);
                let run = load::run(
                    &to,
                    &requests[..count.min(requests.len())],
                    |status, _| status == 200,
                    time,
                );
                seen.push(run.with_context(|| CONTESTANTS[place].0)?);
            }
        }
        for (what, value) in [
            ("a request of Envoy", (|seen| seen.ns) as fn(&Seen) -> f64),
            ("p99 in Envoy", |seen| seen.p99_ns),
        ] {
            let figures = CONTESTANTS.iter().zip(&seen).map(|((name, _), seen)| {
                Figure::of((*name).into(), Unit::Ns, seen.iter().map(value).collect())
            });
            races.push(Race::new(
                "server",
                format!("{what}, {kind}"),
                figures.collect(),
                1,
            ));
        }
    }
    Ok(races)
}

fn address(to: &To) -> serde_json::Value {
    match to {
        To::Tcp(address) => json!({ "socket_address": {
            "address": address.ip().to_string(), "port_value": address.port(),
        } }),
        To::Unix(path) => json!({ "pipe": { "path": path } }),
    }
}

fn request(token: &str) -> Vec<u8> {
    let target = policy::TARGET;
    format!(
        "GET {target} HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into()
}
