//! The requests in their order, and the decision that is expected of each.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_dev_issuer::{Issuer, TokenSpec};
use serde_json::json;

use super::environment::{Case, Environment};
use crate::failure::Failure;

const READ: &str = "GET /assets/logo.svg";

pub(super) async fn run(environment: &mut Environment) -> Result<(), Failure> {
    environment.warm_up().await?;
    let cases = [
        people(environment)?,
        organisations(environment)?,
        nodes(environment)?,
        odd_requests(environment)?,
    ];
    for case in cases.into_iter().flatten() {
        environment.run(case).await?;
    }
    keys(environment).await
}

fn people(environment: &Environment) -> Result<Vec<Case>, Failure> {
    let case = cases("an API");
    let good = environment.mint(&TokenSpec::of("pat"))?;
    let expired = environment.mint(&TokenSpec {
        age: Some(minutes(45)),
        ..TokenSpec::of("pat")
    })?;
    let elsewhere = environment.mint(&TokenSpec {
        audience: word("billing"),
        ..TokenSpec::of("pat")
    })?;
    let narrow = environment.mint(&TokenSpec {
        scope: word("api:profile:read"),
        ..TokenSpec::of("pat")
    })?;
    let njt = environment.mint(&TokenSpec::of("njt"))?;
    let (forged, unsigned) = (forged(environment)?, unsigned(&good));
    #[rustfmt::skip] // one request a line
    let cases = vec![
        case("a public path", "GET /healthz", &[], "allow"),
        case("no token", READ, &[], "token_missing"),
        case("a good pat", READ, &[&good], "allow"),
        case("the same pat again", READ, &[&good], "allow"),
        case("expired", READ, &[&expired], "token_expired"),
        case("for another audience", READ, &[&elsewhere], "audience_mismatch"),
        case("without the scope", READ, &[&narrow], "scope_insufficient"),
        case("an njt is no pat", READ, &[&njt], "type_denied"),
        case("forged: another key, same kid", READ, &[&forged], "signature_invalid"),
        case("forged: alg none", READ, &[&unsigned], "algorithm_not_allowed"),
    ];
    Ok(cases)
}

fn organisations(environment: &Environment) -> Result<Vec<Case>, Failure> {
    let case = cases("an organisation's path");
    let editor = environment.mint(&TokenSpec {
        role: word("admin"),
        ..TokenSpec::of("pat")
    })?;
    let viewer = environment.mint(&TokenSpec {
        role: word("viewer"),
        ..TokenSpec::of("pat")
    })?;
    #[rustfmt::skip] // one request a line
    let cases = vec![
        case("tenant acme at acme", "GET /orgs/acme/seats", &[&editor], "allow"),
        case("tenant acme at globex", "GET /orgs/globex/seats", &[&editor], "tenant_denied"),
        case("without the role", "GET /orgs/acme/seats", &[&viewer], "role_denied"),
    ];
    Ok(cases)
}

fn nodes(environment: &Environment) -> Result<Vec<Case>, Failure> {
    const INGEST: &str = "POST /ingest/metrics";
    let case = cases("nodes");
    let njt = environment.mint(&TokenSpec::of("njt"))?;
    let nat = environment.mint(&TokenSpec::of("nat"))?;
    let greedy = environment.mint(&TokenSpec {
        scope: word("api:assets:read"),
        ..TokenSpec::of("nat")
    })?;
    #[rustfmt::skip] // one request a line
    let cases = vec![
        case("an njt joins", "POST /nodes/join", &[&njt], "allow"),
        case("an njt may not ingest", INGEST, &[&njt], "type_denied"),
        case("a nat ingests", INGEST, &[&nat], "allow"),
        case("a nat with a scope of a pat", INGEST, &[&greedy], "claim_mismatch"),
    ];
    Ok(cases)
}

fn odd_requests(environment: &Environment) -> Result<Vec<Case>, Failure> {
    const TWO_READINGS: &str = "GET /orgs/acme%2fseats";
    let case = cases("odd requests");
    let pat = environment.mint(&TokenSpec::of("pat"))?;
    let other = environment.mint(&TokenSpec {
        subject: Some("mallory".to_owned()),
        ..TokenSpec::of("pat")
    })?;
    #[rustfmt::skip] // one request a line
    let cases = vec![
        case("a path with two readings", TWO_READINGS, &[&pat], "request_ambiguous"),
        case("two tokens", READ, &[&pat, &other], "token_multiple"),
        case("a path without a rule", "GET /admin", &[&pat], "rule_denied"),
    ];
    Ok(cases)
}

/// The only scene in which the clock moves and the issuer changes.
async fn keys(environment: &mut Environment) -> Result<(), Failure> {
    let case = cases("the issuer's keys over time");
    // An unknown `kid` is a reason to fetch, but only every 30 s.
    environment.skip(Duration::from_secs(31));
    let old = environment.mint(&TokenSpec::of("pat"))?;
    environment.issuer.rotate("RS256", false)?;
    environment.publish();
    let new = environment.mint(&TokenSpec::of("pat"))?;
    environment
        .run(case("rotated: the new key", READ, &[&new], "allow"))
        .await?;
    environment
        .run(case("rotated: the old key", READ, &[&old], "allow"))
        .await?;

    environment.issuer.rotate("RS256", true)?;
    environment.publish();
    environment.pass(minutes(2)).await?;
    environment
        .run(case("withdrawn: the old key", READ, &[&old], "key_unknown"))
        .await?;

    environment.shut_down().await;
    environment.pass(minutes(5)).await?;
    let late = environment.mint(&TokenSpec::of("pat"))?;
    environment
        .run(case(
            "issuer down: its keys are kept",
            READ,
            &[&late],
            "allow",
        ))
        .await?;
    environment.restart()?;
    environment
        .run(case(
            "issuer down, gate just started",
            READ,
            &[&late],
            "keys_unavailable",
        ))
        .await
}

/// Makes the cases of one scene.
fn cases(
    scene: &'static str,
) -> impl Fn(&'static str, &'static str, &[&str], &'static str) -> Case {
    move |what, line, tokens, expected| {
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        Case {
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
fn forged(environment: &Environment) -> Result<String, Failure> {
    let forged = environment.issuer.signer()?.forged()?;
    let (url, audience) = (
        environment.issuer.url.clone(),
        environment.issuer.audience.clone(),
    );
    let keys = vec![forged];
    let issuer = Issuer {
        url,
        audience,
        keys,
    };
    Ok(TokenSpec::of("pat").mint(&issuer, environment.now_ms)?)
}

/// The same claims under the header `{"alg":"none"}`, with no signature.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).unwrap_or_default();
    format!(
        "{}.{claims}.",
        URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string())
    )
}
