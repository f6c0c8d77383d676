//! The requests in their order, and the decision that is expected of each.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_dev_issuer::{Issuer, TokenSpec};
use serde_json::json;

use super::stage::{Act, Stage};
use crate::failure::Failure;

const READ: &str = "GET /assets/logo.svg";

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.warm_up().await?;
    let acts = [
        people(stage)?,
        organisations(stage)?,
        nodes(stage)?,
        odd_requests(stage)?,
    ];
    for act in acts.into_iter().flatten() {
        stage.play(act).await?;
    }
    keys(stage).await
}

fn people(stage: &Stage) -> Result<Vec<Act>, Failure> {
    let act = acts("an API");
    let good = stage.mint(&TokenSpec::of("pat"))?;
    let expired = stage.mint(&TokenSpec {
        age: Some(minutes(45)),
        ..TokenSpec::of("pat")
    })?;
    let elsewhere = stage.mint(&TokenSpec {
        audience: word("billing"),
        ..TokenSpec::of("pat")
    })?;
    let narrow = stage.mint(&TokenSpec {
        scope: word("api:profile:read"),
        ..TokenSpec::of("pat")
    })?;
    let njt = stage.mint(&TokenSpec::of("njt"))?;
    let (forged, unsigned) = (forged(stage)?, unsigned(&good));
    #[rustfmt::skip] // one request a line
    let acts = vec![
        act("a public path", "GET /healthz", &[], "allow"),
        act("no token", READ, &[], "token_missing"),
        act("a good pat", READ, &[&good], "allow"),
        act("the same pat again", READ, &[&good], "allow"),
        act("expired", READ, &[&expired], "token_expired"),
        act("for another audience", READ, &[&elsewhere], "audience_mismatch"),
        act("without the scope", READ, &[&narrow], "scope_insufficient"),
        act("an njt is no pat", READ, &[&njt], "type_denied"),
        act("forged: another key, same kid", READ, &[&forged], "signature_invalid"),
        act("forged: alg none", READ, &[&unsigned], "algorithm_not_allowed"),
    ];
    Ok(acts)
}

fn organisations(stage: &Stage) -> Result<Vec<Act>, Failure> {
    let act = acts("an organisation's path");
    let editor = stage.mint(&TokenSpec {
        role: word("admin"),
        ..TokenSpec::of("pat")
    })?;
    let viewer = stage.mint(&TokenSpec {
        role: word("viewer"),
        ..TokenSpec::of("pat")
    })?;
    #[rustfmt::skip] // one request a line
    let acts = vec![
        act("tenant acme at acme", "GET /orgs/acme/seats", &[&editor], "allow"),
        act("tenant acme at globex", "GET /orgs/globex/seats", &[&editor], "tenant_denied"),
        act("without the role", "GET /orgs/acme/seats", &[&viewer], "role_denied"),
    ];
    Ok(acts)
}

fn nodes(stage: &Stage) -> Result<Vec<Act>, Failure> {
    const INGEST: &str = "POST /ingest/metrics";
    let act = acts("nodes");
    let njt = stage.mint(&TokenSpec::of("njt"))?;
    let nat = stage.mint(&TokenSpec::of("nat"))?;
    let greedy = stage.mint(&TokenSpec {
        scope: word("api:assets:read"),
        ..TokenSpec::of("nat")
    })?;
    #[rustfmt::skip] // one request a line
    let acts = vec![
        act("an njt joins", "POST /nodes/join", &[&njt], "allow"),
        act("an njt may not ingest", INGEST, &[&njt], "type_denied"),
        act("a nat ingests", INGEST, &[&nat], "allow"),
        act("a nat with a scope of a pat", INGEST, &[&greedy], "claim_mismatch"),
    ];
    Ok(acts)
}

fn odd_requests(stage: &Stage) -> Result<Vec<Act>, Failure> {
    const TWO_READINGS: &str = "GET /orgs/acme%2fseats";
    let act = acts("odd requests");
    let pat = stage.mint(&TokenSpec::of("pat"))?;
    let other = stage.mint(&TokenSpec {
        subject: Some("mallory".to_owned()),
        ..TokenSpec::of("pat")
    })?;
    #[rustfmt::skip] // one request a line
    let acts = vec![
        act("a path with two readings", TWO_READINGS, &[&pat], "request_ambiguous"),
        act("two tokens", READ, &[&pat, &other], "token_multiple"),
        act("a path without a rule", "GET /admin", &[&pat], "rule_denied"),
    ];
    Ok(acts)
}

/// The only scene in which the clock moves and the issuer changes.
async fn keys(stage: &mut Stage) -> Result<(), Failure> {
    let act = acts("the issuer's keys over time");
    // An unknown `kid` is a reason to fetch, but only every 30 s.
    stage.skip(Duration::from_secs(31));
    let old = stage.mint(&TokenSpec::of("pat"))?;
    stage.issuer.rotate("RS256", false)?;
    stage.publish();
    let new = stage.mint(&TokenSpec::of("pat"))?;
    stage
        .play(act("rotated: the new key", READ, &[&new], "allow"))
        .await?;
    stage
        .play(act("rotated: the old key", READ, &[&old], "allow"))
        .await?;

    stage.issuer.rotate("RS256", true)?;
    stage.publish();
    stage.pass(minutes(2)).await?;
    stage
        .play(act("withdrawn: the old key", READ, &[&old], "key_unknown"))
        .await?;

    stage.shut_down().await;
    stage.pass(minutes(5)).await?;
    let late = stage.mint(&TokenSpec::of("pat"))?;
    stage
        .play(act(
            "issuer down: its keys are kept",
            READ,
            &[&late],
            "allow",
        ))
        .await?;
    stage.restart()?;
    stage
        .play(act(
            "issuer down, gate just started",
            READ,
            &[&late],
            "keys_unavailable",
        ))
        .await
}

/// Makes the acts of one scene.
fn acts(scene: &'static str) -> impl Fn(&'static str, &'static str, &[&str], &'static str) -> Act {
    move |what, line, tokens, expected| {
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        Act {
            scene,
            what,
            line,
            tokens,
            expected,
        }
    }
}

fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

fn word(word: &str) -> Vec<String> {
    vec![word.to_owned()]
}

/// Signed with a key that is not the issuer's, with the `kid` of one that is.
fn forged(stage: &Stage) -> Result<String, Failure> {
    let forged = stage.issuer.signer()?.forged()?;
    let (url, audience) = (stage.issuer.url.clone(), stage.issuer.audience.clone());
    let keys = vec![forged];
    let issuer = Issuer {
        url,
        audience,
        keys,
    };
    Ok(TokenSpec::of("pat").mint(&issuer, stage.now_ms)?)
}

/// The same claims under the header `{"alg":"none"}`, with no signature.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap_or_default();
    format!(
        "{}.{claims}.",
        URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string())
    )
}
