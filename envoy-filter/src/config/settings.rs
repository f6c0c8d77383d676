//! The settings for Envoy.

use std::ops::RangeInclusive;

use countersign::{
    Forward, Problem,
    json::{Number, Value},
};

use super::{
    Clusters,
    problem::{below, error, type_wrong, value_invalid},
    secrets::Secrets,
};

/// The member `envoy` of a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The clusters that fetch documents.
    pub(crate) clusters: Clusters,
    /// Timeout of one fetch.
    pub(crate) fetch_timeout_ms: u32,
    /// Maximum number of requests of one worker that wait for documents of one
    /// issuer.
    pub(crate) max_waiting: usize,
    /// Maximum total time that a request waits for documents.
    pub(crate) max_wait_ms: u64,
    /// The prefix of the names of metrics.
    pub(crate) metrics_prefix: String,
    /// The properties of the filter state to set.
    pub(crate) filter_state: Vec<Property>,
    /// Whether CORS preflight requests pass without a check.
    pub(crate) bypass_cors_preflight: bool,
    /// Whether a denial has the header `x-countersign-code`.
    pub(crate) code_header: bool,
    /// Whether Envoy verifies signatures.
    pub(crate) native: bool,
    /// Whether the filter only looks on: every request passes as it came.
    pub(crate) observe: bool,
    pub(crate) secrets: Secrets,
}

/// A property of the filter state, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) value: PropertyValue,
}

/// The value of a property: a part of the principal, the code of a denial, or what
/// has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PropertyValue {
    Caller(Forward),
    Code,
    /// Its name, or `/rules/<index>`.
    Rule,
    RuleIndex,
    /// In hexadecimal.
    PolicyDigest,
}

const FIELDS: &str = "`clusters`, `fetch_timeout_ms`, `max_waiting`, `max_wait_ms`, \
     `metrics_prefix`, `filter_state`, `bypass_cors_preflight`, `code_header`, `signatures`, \
     `secrets`, `observe`";
const PROPERTIES: &str = "this has to be one of `issuer`, `subject`, `type`, `tenant`, `tenants`, \
     `roles`, `scopes`, `expiry`, `claims`, `code`, `rule`, `rule_index`, `policy_digest`";

impl Default for Settings {
    fn default() -> Self {
        Self {
            clusters: Clusters::default(),
            fetch_timeout_ms: 5_000,
            max_waiting: 1_024,
            max_wait_ms: 6_000,
            metrics_prefix: "countersign".to_owned(),
            filter_state: Vec::new(),
            bypass_cors_preflight: false,
            code_header: false,
            native: false,
            observe: false,
            secrets: Secrets::default(),
        }
    }
}

impl Settings {
    /// Reads the valid parts and adds problems to `problems`.
    pub(super) fn read(value: &Value<'_>, pointer: &str, problems: &mut Vec<Problem>) -> Self {
        let mut settings = Self::default();
        let Some(members) = value.as_object() else {
            problems.push(type_wrong(pointer, "an object"));
            return settings;
        };
        for (name, value) in members.iter() {
            let pointer = &below(pointer, name);
            let read = match name {
                "clusters" => {
                    settings.clusters = Clusters::read(value, pointer, problems);
                    continue;
                }
                "secrets" => {
                    settings.secrets = Secrets::read(value, pointer, problems);
                    continue;
                }
                "filter_state" => {
                    settings.filter_state = properties(value, pointer, problems);
                    continue;
                }
                "fetch_timeout_ms" => {
                    integer(value, pointer, 1..=10_000).map(|ms| settings.fetch_timeout_ms = ms)
                }
                "max_waiting" => integer(value, pointer, 0..=100_000)
                    .map(|count| settings.max_waiting = usize::try_from(count).unwrap_or(0)),
                "max_wait_ms" => {
                    integer(value, pointer, 0..=60_000).map(|ms| settings.max_wait_ms = ms.into())
                }
                "metrics_prefix" => {
                    prefix(value, pointer).map(|prefix| settings.metrics_prefix = prefix)
                }
                "bypass_cors_preflight" => {
                    flag(value, pointer).map(|flag| settings.bypass_cors_preflight = flag)
                }
                "observe" => flag(value, pointer).map(|flag| settings.observe = flag),
                "code_header" => flag(value, pointer).map(|flag| settings.code_header = flag),
                "signatures" => signatures(value, pointer).map(|native| settings.native = native),
                _ => {
                    problems.push(error(
                        pointer,
                        "field_unknown",
                        ["there is no such field; there are ", FIELDS].concat(),
                    ));
                    continue;
                }
            };
            problems.extend(read.err());
        }
        settings
    }
}

impl Property {
    /// Finds a property by a word of the policy's `forward`, or one of its own.
    fn of(word: &str) -> Option<Self> {
        let known = Forward::ALL.iter().find(|(known, _)| *known == word);
        let value = match (known, word) {
            (Some((_, part)), _) => PropertyValue::Caller(*part),
            (None, "code") => PropertyValue::Code,
            (None, "rule") => PropertyValue::Rule,
            (None, "rule_index") => PropertyValue::RuleIndex,
            (None, "policy_digest") => PropertyValue::PolicyDigest,
            (None, _) => return None,
        };
        let name = ["countersign.", word].concat();
        Some(Self { name, value })
    }
}

fn integer(value: &Value<'_>, pointer: &str, range: RangeInclusive<u32>) -> Result<u32, Problem> {
    let Value::Number(number) = value else {
        return Err(type_wrong(pointer, "a number"));
    };
    match *number {
        Number::Unsigned(number) => u32::try_from(number).ok(),
        _ => None,
    }
    .filter(|number| range.contains(number))
    .ok_or_else(|| {
        let [least, most] = [range.start(), range.end()].map(u32::to_string);
        let message = ["this has to be a whole number from ", &least, " to ", &most].concat();
        error(pointer, "value_out_of_range", message)
    })
}

fn flag(value: &Value<'_>, pointer: &str) -> Result<bool, Problem> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        _ => Err(type_wrong(pointer, "`true` or `false`")),
    }
}

/// Returns whether Envoy verifies signatures.
fn signatures(value: &Value<'_>, pointer: &str) -> Result<bool, Problem> {
    match value.as_str() {
        Some("module") => Ok(false),
        Some("native") => Ok(true),
        _ => Err(value_invalid(
            pointer,
            "this has to be `module`, or `native` for the cryptography of Envoy",
        )),
    }
}

/// Reads a prefix of characters that are valid in metric names of Envoy and
/// Prometheus.
fn prefix(value: &Value<'_>, pointer: &str) -> Result<String, Problem> {
    let text = value
        .as_str()
        .ok_or_else(|| type_wrong(pointer, "a string"))?;
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    if text.bytes().all(is_valid) && text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        Ok(text.to_owned())
    } else {
        let message = "this has to begin with a letter, and to be letters, digits, `_` and `.`";
        Err(value_invalid(pointer, message))
    }
}

fn properties(value: &Value<'_>, pointer: &str, problems: &mut Vec<Problem>) -> Vec<Property> {
    let Some(items) = value.as_array() else {
        problems.push(type_wrong(pointer, "an array"));
        return Vec::new();
    };
    let mut properties = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().and_then(Property::of) {
            Some(property) if properties.contains(&property) => {}
            Some(property) => properties.push(property),
            None => problems.push(value_invalid(
                &below(pointer, &index.to_string()),
                PROPERTIES,
            )),
        }
    }
    properties
}
