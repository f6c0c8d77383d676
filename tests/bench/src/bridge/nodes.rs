//! Nodes that renew. Pairing a hundred thousand takes people and hours, so their rows are
//! written into the database as pairing leaves them.

use std::{
    ops::Range,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::ours::{PRESS, form};
use crate::{
    server::load::{Connection as Http, To, histogram, nanoseconds},
    token::{AUDIENCE, now_ms},
};

/// What a node renews with at first, and its id.
fn renewal(number: usize) -> (String, String) {
    let half = |of: &str| format!("{of}{number:021}");
    (
        format!("nrt_{}{}", half("a"), half("b")),
        format!("n_bench{number:08}"),
    )
}

/// Writes nodes that are paired already.
pub(super) async fn write(database: &Path, count: usize) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let now = i64::try_from(now_ms())?;
    let mut transaction = connection.begin().await?;
    for number in 0..count {
        let (renewal, id) = renewal(number);
        let family = renewal.get(4..26).context("a renewal has two halves")?;
        let sql = "INSERT INTO nodes (id, tenant, name, client, person, scopes, audience, state, \
                   created_at, seen_at) \
                   VALUES ($1, 'acme', 'Press', $2, 'p_ada', $3, $4, 'active', $5, $5)";
        sqlx::query(sql)
            .bind(&id)
            .bind(PRESS)
            .bind(json!(["node:ingest"]).to_string())
            .bind(AUDIENCE)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        let sql = "INSERT INTO node_renewals (node, family_hash, hash, generation, created_at, \
                   expires_at) VALUES ($1, $2, $3, 1, $4, $5)";
        sqlx::query(sql)
            .bind(&id)
            .bind(hash(family))
            .bind(hash(&renewal))
            .bind(now)
            .bind(now + 86_400_000)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(connection.close().await?)
}

/// Each node of these, which have not renewed before, renews again and again, one after the
/// other, on so many connections. With a `pace`, that many renew within a second at most.
pub(super) async fn renew(
    to: &To,
    nodes: Range<usize>,
    connections: usize,
    pace: Option<f64>,
    time: Duration,
) -> Result<Histogram<u64>> {
    let mut tasks = JoinSet::new();
    let end = Instant::now() + time;
    for number in 0..connections {
        let mut own: Vec<String> = nodes
            .clone()
            .skip(number)
            .step_by(connections)
            .map(|number| renewal(number).0)
            .collect();
        let mut connection = Http::open(to).await?;
        tasks.spawn(async move {
            let mut times = histogram()?;
            let mut ticks =
                pace.map(|pace| interval(Duration::from_secs_f64(connections as f64 / pace)));
            if let Some(ticks) = &mut ticks {
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            }
            'renewing: loop {
                for renewal in &mut own {
                    if let Some(ticks) = &mut ticks {
                        ticks.tick().await;
                    }
                    let sent = Instant::now();
                    if sent >= end {
                        break 'renewing;
                    }
                    let authorization = format!("Authorization: Bearer {renewal}\r\n");
                    let request = form("/v1/nodes/renew", &authorization, &[("client_id", PRESS)]);
                    let response = connection.ask(&request).await?;
                    let (status, body) = (response.status, response.body);
                    ensure!(status == 200, "a renewal was refused: {status}");
                    times.saturating_record(nanoseconds(sent.elapsed()));
                    let body: Value = serde_json::from_slice(body)?;
                    let next = body["refresh_token"].as_str();
                    *renewal = next.context("a renewal has no next one")?.to_owned();
                }
            }
            anyhow::Ok(times)
        });
    }
    let mut times = histogram()?;
    while let Some(own) = tasks.join_next().await {
        times.add(own??)?;
    }
    Ok(times)
}

/// How many rows a table of the database has.
pub(super) async fn rows(database: &Path) -> Result<Vec<(&'static str, i64)>> {
    let options = SqliteConnectOptions::new().filename(database);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut found = Vec::new();
    for (table, sql) in [
        ("nodes", "SELECT COUNT(*) FROM nodes"),
        ("node_renewals", "SELECT COUNT(*) FROM node_renewals"),
        ("issued", "SELECT COUNT(*) FROM issued"),
        ("used_jtis", "SELECT COUNT(*) FROM used_jtis"),
        ("audit", "SELECT COUNT(*) FROM audit"),
    ] {
        let count: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await?;
        found.push((table, count));
    }
    connection.close().await?;
    Ok(found)
}

fn hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
