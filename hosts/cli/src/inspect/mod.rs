//! `inspect`: decodes a token without verifying it.

mod web;

use clap::Args;
use countersign_policy_source::pretty;
use serde_json::{Value, json};

use crate::{
    arguments::{Now, TokenArgs},
    failure::Failure,
    moment,
    output::{Exit, Output},
    style::{BAD, FAINT, NOTE, STRONG, WARN, visible},
};

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    now: Now,
    #[command(flatten)]
    web: web::WebArgs,
}

/// Claims that are moments, in seconds (RFC 7519 §4.1, OpenID Connect Core §2).
const MOMENTS: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

pub(crate) async fn run(args: &InspectArgs, output: Output) -> Result<Exit, Failure> {
    if args.web.web {
        return web::serve(&args.web, output).await;
    }
    let token = args.token.read()?;
    let inspection = countersign_host::inspect(&token);
    let parse = |text: &Option<String>| -> Option<Value> {
        text.as_deref()
            .and_then(|text| serde_json::from_str(text).ok())
    };
    let (header, claims) = (parse(&inspection.header), parse(&inspection.claims));
    if output.json {
        let shape = json!({
            "verified": false,
            "header": header,
            "claims": claims,
            "signature_bytes": inspection.signature_bytes,
            "fault": inspection.fault,
            "detail": inspection.detail,
        });
        anstream::println!("{shape}");
        return Ok(Exit::Good);
    }

    anstream::println!("{WARN}UNVERIFIED{WARN:#} {FAINT}anybody can write this{FAINT:#}");
    part("header", inspection.header.as_deref());
    part("claims", inspection.claims.as_deref());
    if let Some(bytes) = inspection.signature_bytes {
        anstream::println!("{STRONG}signature{STRONG:#} {bytes} bytes, not checked");
    }
    if let Some(fault) = &inspection.fault {
        anstream::println!("{BAD}fault{BAD:#} every gate denies it: {fault}");
    }
    if let Some(detail) = &inspection.detail {
        anstream::println!("      {}", visible(detail));
    }
    for line in claims
        .iter()
        .flat_map(|claims| times(claims, args.now.ms()))
    {
        anstream::println!("{line}");
    }
    Ok(Exit::Good)
}

fn part(name: &str, text: Option<&str>) {
    anstream::print!("{STRONG}{name}{STRONG:#} ");
    let Some(text) = text else {
        return anstream::println!("{FAINT}cannot be decoded{FAINT:#}");
    };
    let Ok(pretty) = pretty(text.as_bytes()) else {
        return anstream::println!("{FAINT}not JSON:{FAINT:#} {}", visible(text));
    };
    for line in pretty.lines() {
        anstream::println!("{NOTE}{}{NOTE:#}", visible(line));
    }
}

/// `expires in 4 minutes`, `issued 2 days ago`.
fn times(claims: &Value, now_ms: u64) -> Vec<String> {
    let moment = |name: &str| {
        let seconds = claims.get(name)?.as_f64()?;
        // The conversion saturates, which is still a time far away.
        Some((seconds * 1000.0) as i64)
    };
    MOMENTS
        .iter()
        .filter_map(|name| {
            let ms = moment(name)?;
            let is_past = ms <= i64::try_from(now_ms).unwrap_or(i64::MAX);
            let verb = match (*name, is_past) {
                ("exp", false) => "expires",
                ("exp", true) => "expired",
                ("nbf", false) => "not valid before",
                ("nbf", true) => "valid since",
                ("iat", _) => "issued",
                ("auth_time", _) => "signed in",
                _ => "updated",
            };
            let relative = moment::relative(ms, now_ms);
            let absolute = moment::rfc3339(ms).unwrap_or_else(|| "outside of the calendar".into());
            Some(format!(
                "{STRONG}{name}{STRONG:#} {verb} {relative} {FAINT}{absolute}{FAINT:#}"
            ))
        })
        .collect()
}
