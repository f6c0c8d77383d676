//! Checks that a denial contains no token, no part of one, and no value of a
//! claim.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use countersign::Algorithm;
use serde_json::Value;

use crate::{protocol::Denial, vector::Event};

/// Minimum length of a value that is checked. Shorter values (`eu`, `1`) occur
/// in any sentence by chance.
const MIN_LENGTH: usize = 5;

/// Returns what the denial reveals: texts of the request that are in neither
/// the policy nor the sentence of the code.
pub(super) fn of(denial: &Denial, event: &Event, policy: &str) -> Vec<String> {
    let code = countersign::Code::ALL
        .iter()
        .find(|code| code.as_str() == denial.code);
    let sentence = code.map_or("", |code| code.sentence());
    if denial.message != sentence {
        return vec![format!(
            "`{}` is not the sentence of `{}`",
            denial.message, denial.code
        )];
    }
    // The text of the denial without the constant parts.
    let challenge = denial
        .challenge
        .as_deref()
        .unwrap_or_default()
        .replace(sentence, "");
    let said = [
        challenge.as_str(),
        denial.claim.as_deref().unwrap_or_default(),
        denial.principal.as_deref().unwrap_or_default(),
    ];
    // A challenge names the algorithms of proofs (RFC 9449 §7.1).
    let is_known = |word: &str| policy.contains(word) || Algorithm::from_name(word).is_some();
    let told = |word: &String| !is_known(word) && said.iter().any(|s| s.contains(word));
    secrets(event)
        .iter()
        .filter(|word| told(word))
        .map(|w| format!("it gives away `{w}`"))
        .collect()
}

fn secrets(event: &Event) -> Vec<String> {
    let mut words = Vec::new();
    let tokens: Vec<&[u8]> = match event {
        Event::Token { token, .. } => vec![&token.0],
        Event::Request { request, .. } => request.headers.iter().map(|(_, v)| &*v.0).collect(),
        Event::Due { .. } | Event::NextDue { .. } | Event::Supply { .. } | Event::Operation(_) => {
            Vec::new()
        }
    };
    for token in tokens {
        // A header can contain several: every sequence of token characters
        // counts.
        for part in token.split(|b| !b.is_ascii_alphanumeric() && !b"-_".contains(b)) {
            let text = String::from_utf8_lossy(part);
            if part.len() > 2 * MIN_LENGTH {
                words.push(text.into_owned());
            }
            let decoded = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            if let Ok(value) = serde_json::from_slice(&decoded) {
                strings(&value, &mut words);
            }
        }
    }
    words
}

fn strings(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= MIN_LENGTH => words.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, words)),
        Value::Object(members) => members.values().for_each(|value| strings(value, words)),
        Value::Number(number) if number.to_string().len() >= MIN_LENGTH => {
            words.push(number.to_string());
        }
        _ => {}
    }
}
