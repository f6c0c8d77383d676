//! A first policy for an identity provider.

mod dialog;
mod values;

use std::{
    io::{IsTerminal, stderr, stdin},
    path::Path,
};

use clap::{Args, builder::PossibleValuesParser};
use countersign_init::{PROVIDERS, Provider, Value, provider};
use serde_json::json;

use crate::{
    failure::Failure,
    files::read_bytes,
    output::{Exit, Output},
};
use dialog::Dialog;
use values::ValueArgs;

#[derive(Args, Debug)]
#[command(after_help = providers())]
pub(crate) struct InitArgs {
    /// Whose tokens come: one of the list below. Without it, and on a terminal, it asks
    #[arg(long, value_name = "NAME", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(PROVIDERS.iter().map(|provider| provider.name)))]
    provider: Option<String>,
    #[command(flatten)]
    values: ValueArgs,
}

/// The providers, and the options that each needs.
fn providers() -> String {
    let mut text = String::from("Providers, and what they need:\n");
    for Provider {
        name,
        title,
        values,
        ..
    } in PROVIDERS
    {
        let option = |value: &Value| match value.can_be_left_out() {
            true => format!(" [--{}]", value.name),
            false => format!(" --{}", value.name),
        };
        let options: String = values.iter().map(option).collect();
        text.push_str(&format!("\n  {name}\n      {title}\n     {options}\n"));
    }
    text
}

pub(crate) fn run(args: InitArgs, output: Output) -> Result<Exit, Failure> {
    let asks = stdin().is_terminal() && stderr().is_terminal() && !output.json;
    let mut dialog = asks.then(|| Dialog::new(stdin().lock(), anstream::stderr()));
    let provider = match (args.provider.as_deref().and_then(provider), &mut dialog) {
        (Some(provider), _) => provider,
        (None, Some(dialog)) => dialog.provider()?,
        (None, None) => return Err(Failure::Usage(nothing_said())),
    };
    let said = match dialog {
        Some(mut dialog) => dialog.values(provider, args.values.given)?,
        None => args.values.given,
    };
    let said = with_secrets(provider, said)?;
    let given: Vec<_> = said
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let policy = provider
        .policy(&given)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    if output.json {
        let shape = json!({ "provider": provider.name, "policy": policy });
        anstream::println!("{shape}");
    } else {
        anstream::print!("{policy}");
    }
    Ok(Exit::Good)
}

fn nothing_said() -> String {
    let names: Vec<_> = PROVIDERS.iter().map(|provider| provider.name).collect();
    format!(
        "which provider? `--provider NAME`, one of {}",
        names.join(", ")
    )
}

/// The values, and in place of a file's name what it contains.
fn with_secrets(
    provider: &Provider,
    said: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, Failure> {
    let is_secret = |name: &str| {
        let value = provider.values.iter().find(|value| value.name == name);
        value.is_some_and(Value::is_secret)
    };
    said.into_iter()
        .map(|(name, value)| match is_secret(&name) {
            true => Ok((name, secret(&value)?)),
            false => Ok((name, value)),
        })
        .collect()
}

/// The secret in a file, without the line break that editors put at its end.
fn secret(path: &str) -> Result<String, Failure> {
    let bytes = read_bytes(Path::new(path))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("`{path}` has a secret that is no text")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
