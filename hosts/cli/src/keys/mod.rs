//! API keys: makes them, and keeps the document that a gate fetches.

mod document;
mod key;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::{
    failure::Failure,
    moment,
    output::{Exit, Output},
    style::{BAD, FAINT, GOOD, STRONG, WARN},
};

use document::Locked;
use key::{KeyArgs, NewKey};

#[derive(Subcommand, Debug)]
pub(crate) enum Keys {
    /// Make a key, add it to the document, and print it: once, nobody stores it
    Create(CreateArgs),
    /// Print who has which key
    List(DocumentArgs),
    /// Switch a key off
    Revoke(RevokeArgs),
    /// Make a new key beside an old one, which expires after an overlap
    Rotate(RotateArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DocumentArgs {
    /// The document, or a directory with `api-keys.json`
    #[arg(long, value_name = "FILE", default_value = "api-keys.json")]
    document: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// Whose key it is
    #[arg(long, value_name = "NAME")]
    subject: String,
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Repeatable
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
    /// Repeatable
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// A further claim, as JSON or text, repeatable
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Value)>,
    #[command(flatten)]
    expiry: ExpiryArgs,
}

#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct ExpiryArgs {
    /// It expires after this time: 90days
    #[arg(long, value_name = "TIME", value_parser = moment::parse_duration)]
    expires: Option<Duration>,
    /// It expires then: 2027-01-01T00:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = moment::parse)]
    expires_at: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    document: DocumentArgs,
    /// The key's id: the part that `keys list` prints
    id: String,
}

#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    document: DocumentArgs,
    #[command(flatten)]
    key: KeyArgs,
    /// How long the old key stays good
    #[arg(long, value_name = "TIME", default_value = "7days", value_parser = moment::parse_duration)]
    overlap: Duration,
    #[command(flatten)]
    expiry: ExpiryArgs,
    /// The id of the old key: the part that `keys list` prints
    id: String,
}

pub(crate) fn run(command: &Keys, output: Output) -> Result<Exit, Failure> {
    match command {
        Keys::Create(args) => create(args, output),
        Keys::List(args) => list(args, output),
        Keys::Revoke(args) => revoke(args, output),
        Keys::Rotate(args) => rotate(args, output),
    }
}

fn create(args: &CreateArgs, output: Output) -> Result<Exit, Failure> {
    if args.subject.is_empty() || args.tenant.as_deref() == Some("") {
        return Err(Failure::usage("a subject and a tenant are not empty"));
    }
    let new = args.key.make()?;
    let mut entry = entry(&new, &args.key);
    entry.insert("subject".into(), json!(args.subject));
    if let Some(tenant) = &args.tenant {
        entry.insert("tenant".into(), json!(tenant));
    }
    for (name, words) in [("roles", &args.roles), ("scopes", &args.scopes)] {
        if !words.is_empty() {
            entry.insert(name.into(), json!(words));
        }
    }
    if let Some(at) = args.expiry.at_s() {
        entry.insert("expires_at".into(), json!(at));
    }
    if !args.claims.is_empty() {
        let claims: Map<String, Value> = args.claims.iter().cloned().collect();
        entry.insert("claims".into(), json!(claims));
    }
    let mut document = Locked::open(&args.document.document)?;
    document.keys.push(entry);
    document.write()?;
    print(&new, output);
    Ok(Exit::Good)
}

fn list(args: &DocumentArgs, output: Output) -> Result<Exit, Failure> {
    let mut keys = document::read(&args.document)?;
    if output.json {
        // A hash is nobody's business.
        keys.iter_mut()
            .for_each(|key| drop(key.shift_remove("hash")));
        anstream::println!("{}", json!({ "keys": keys }));
        return Ok(Exit::Good);
    }
    let now = moment::now_ms();
    for key in &keys {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default();
        let (style, state) = match text("status") {
            "" | "active" => match expiry_ms(key) {
                Some(at) if at <= i64::try_from(now).unwrap_or(i64::MAX) => (BAD, "expired"),
                _ => (GOOD, "active"),
            },
            other => (BAD, other),
        };
        anstream::print!("{STRONG}{}{STRONG:#}  {style}{state}{style:#}", text("id"));
        anstream::print!("  {}", text("subject"));
        for name in ["tenant", "pepper"] {
            if !text(name).is_empty() {
                anstream::print!("  {FAINT}{name}{FAINT:#} {}", text(name));
            }
        }
        for name in ["roles", "scopes"] {
            let words = key.get(name).and_then(Value::as_array);
            let words: Vec<_> = words
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if !words.is_empty() {
                anstream::print!("  {FAINT}{name}{FAINT:#} {}", words.join(" "));
            }
        }
        if let Some(at) = expiry_ms(key) {
            let moment = moment::rfc3339(at).unwrap_or_default();
            let relative = moment::relative(at, now);
            anstream::print!("  {FAINT}expires{FAINT:#} {moment} ({relative})");
        }
        anstream::println!();
    }
    Ok(Exit::Good)
}

fn revoke(args: &RevokeArgs, output: Output) -> Result<Exit, Failure> {
    let mut document = Locked::open(&args.document.document)?;
    let key = document.find(&args.id)?;
    key.insert("status".into(), json!("revoked"));
    document.write()?;
    match output.json {
        true => anstream::println!("{}", json!({ "id": args.id, "status": "revoked" })),
        false => anstream::println!(
            "{} is revoked; gates refuse it when they have fetched the document again",
            args.id
        ),
    }
    Ok(Exit::Good)
}

fn rotate(args: &RotateArgs, output: Output) -> Result<Exit, Failure> {
    let new = args.key.make()?;
    let mut document = Locked::open(&args.document.document)?;
    let old = document.find(&args.id)?;
    let now = moment::now_ms();
    if !matches!(
        old.get("status").and_then(Value::as_str),
        None | Some("active")
    ) {
        return Err(Failure::usage(format!(
            "the key `{}` is not active",
            args.id
        )));
    }
    let now_ms = i64::try_from(now).unwrap_or(i64::MAX);
    let own_expiry = expiry_ms(old);
    if own_expiry.is_some_and(|at| at <= now_ms) && args.expiry.at_s().is_none() {
        let message = format!(
            "the key `{}` has expired: say `--expires` for the new one",
            args.id
        );
        return Err(Failure::usage(message));
    }
    let mut entry = entry(&new, &args.key);
    for name in [
        "subject",
        "tenant",
        "roles",
        "scopes",
        "expires_at",
        "claims",
    ] {
        if let Some(value) = old.get(name) {
            entry.insert(name.into(), value.clone());
        }
    }
    if let Some(at) = args.expiry.at_s() {
        entry.insert("expires_at".into(), json!(at));
    }
    let overlap = u64::try_from(args.overlap.as_millis()).unwrap_or(u64::MAX);
    let end_s = now.saturating_add(overlap) / 1000;
    if own_expiry.is_none_or(|at| at / 1000 > i64::try_from(end_s).unwrap_or(i64::MAX)) {
        old.insert("expires_at".into(), json!(end_s));
    }
    document.keys.push(entry);
    document.write()?;
    print(&new, output);
    Ok(Exit::Good)
}

/// The entry of a new key, as far as its text decides.
fn entry(new: &NewKey, args: &KeyArgs) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("id".into(), json!(new.id));
    entry.insert("hash".into(), json!(new.hash));
    entry.insert("form".into(), json!("hmac-sha256"));
    if let Some(version) = args.version() {
        entry.insert("pepper".into(), json!(version));
    }
    entry
}

/// The key alone goes to the standard output, so that `$(countersign keys
/// create …)` is the key.
fn print(new: &NewKey, output: Output) {
    if output.json {
        anstream::println!("{}", json!({ "id": new.id, "key": new.text }));
        return;
    }
    anstream::eprintln!(
        "the key with the id {STRONG}{}{STRONG:#} {WARN}is printed once and stored nowhere{WARN:#}",
        new.id
    );
    anstream::println!("{}", new.text);
}

fn expiry_ms(key: &Map<String, Value>) -> Option<i64> {
    let seconds = key.get("expires_at")?.as_f64()?;
    // `as` saturates.
    Some((seconds * 1000.0) as i64)
}

impl ExpiryArgs {
    fn at_s(&self) -> Option<u64> {
        let after = self.expires.map(|after| {
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            moment::now_ms().saturating_add(after)
        });
        after.or(self.expires_at).map(|ms| ms / 1000)
    }
}

fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if matches!(
        name,
        "" | "iss" | "sub" | "jti" | "exp" | "tenant" | "roles" | "scopes"
    ) {
        return Err("this claim comes from another argument".to_owned());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok((name.to_owned(), value))
}
