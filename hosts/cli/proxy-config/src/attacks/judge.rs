//! What must be true of a request that has reached the backend.

use serde_json::Value;

use super::{MARK, Probe};

/// A request as the backend has received it.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The target, as it came.
    pub target: String,
    /// Names as they came, and values.
    pub headers: Vec<(String, String)>,
    /// Trailers in the same form.
    pub trailers: Vec<(String, String)>,
}

/// What the gate says of the request as the backend has received it.
#[derive(Clone, Debug)]
pub enum Expected {
    /// It denies it, with this code.
    Denied(String),
    /// It allows it, and the headers that it manages have these values, others none.
    Allowed {
        /// Every header that the policy forwards.
        managed: Vec<String>,
        /// Those that it sets.
        set: Vec<(String, String)>,
    },
}

impl Seen {
    /// What an echo answers (`countersign proxy-config --echo`).
    pub fn from_json(echo: &Value) -> Option<Self> {
        let fields = |name: &str| -> Option<Vec<(String, String)>> {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let pair = |field: &Value| Some((text(&field[0])?, text(&field[1])?));
            echo[name].as_array()?.iter().map(pair).collect()
        };
        Some(Self {
            method: echo["method"].as_str()?.to_owned(),
            target: echo["target"].as_str()?.to_owned(),
            headers: fields("headers")?,
            trailers: fields("trailers")?,
        })
    }

    /// The values of all headers that a backend could take for this one.
    fn like(&self, name: &str) -> Vec<&str> {
        let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '.'], "-");
        let like = self
            .headers
            .iter()
            .filter(|(of, _)| plain(of) == plain(name));
        like.map(|(_, value)| &**value).collect()
    }
}

/// What is wrong with a request that has reached the backend: a sentence each, without any
/// value of a credential.
pub fn findings(probe: &Probe, seen: &Seen, expected: &Expected) -> Vec<String> {
    let name = &probe.name;
    let mut findings = Vec::new();
    match expected {
        Expected::Denied(_) if probe.is_open => {}
        Expected::Denied(code) => findings.push(format!(
            "{name}: the backend got `{} {}`, which the gate denies ({code})",
            seen.method,
            path(&seen.target)
        )),
        Expected::Allowed { managed, set } => {
            for header in managed {
                let values = seen.like(header);
                let wanted = set.iter().find(|(of, _)| of == header);
                let wanted: Vec<_> = wanted.iter().map(|(_, value)| &**value).collect();
                if !probe.is_open && values != wanted {
                    let sentence = match (values.len(), wanted.len()) {
                        (0, _) => "the gate's is gone",
                        (_, 0) => "the gate has set none",
                        _ => "it is not the gate's",
                    };
                    findings.push(format!(
                        "{name}: the backend got {} `{header}`: {sentence}",
                        values.len()
                    ));
                }
            }
        }
    }
    let credential = |of: &str| matches!(of, "authorization" | "cookie");
    for (of, value) in seen.headers.iter().chain(&seen.trailers) {
        let of = of.to_ascii_lowercase();
        if value.contains(MARK) && of != "host" && !credential(&of) {
            findings.push(format!("{name}: the backend got the client's `{of}`"));
        }
        if of == "upgrade" && !value.eq_ignore_ascii_case("websocket") {
            findings.push(format!("{name}: the backend got `Upgrade: {value}`"));
        }
    }
    if seen
        .headers
        .iter()
        .filter(|(of, _)| of.eq_ignore_ascii_case("host"))
        .count()
        > 1
    {
        findings.push(format!("{name}: the backend got two hosts"));
    }
    findings
}

/// Without the query, which may have a credential.
fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
