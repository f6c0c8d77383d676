//! A page, and the examples in it.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{case::Cases, yaml::Yaml};

/// A policy and its cases.
pub(crate) struct Example {
    /// The heading above it.
    pub(crate) title: String,
    /// Complete, as JSON.
    pub(crate) policy: Value,
    /// The codes in comments `# warning: CODE`.
    pub(crate) warnings: Vec<String>,
    pub(crate) cases: Cases,
}

/// The examples of a page. Its first policy is whole; the others are completed by it:
/// a member that is not there is as in the whole one, and a member of an issuer is as
/// in the issuer there.
pub(crate) fn examples(page: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut title = String::new();
    let mut whole: Option<Value> = None;
    let mut part: Option<(Value, Vec<String>)> = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            title = line.trim_start_matches(['#', ' ']).to_owned();
        }
        if line != "```yaml" {
            continue;
        }
        let block: String = lines
            .by_ref()
            .take_while(|line| *line != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        let parsed = read(&block).unwrap_or_else(|error| panic!("{title}: {error}\n{block}"));
        if parsed.get("cases").is_some() {
            let (policy, warnings) = part.take().expect(&title);
            let mut cases = parsed;
            cases["policy"] = "policy.yaml".into();
            examples.push(Example {
                title: title.clone(),
                policy,
                warnings,
                cases: Cases::deserialize(cases)
                    .unwrap_or_else(|error| panic!("{title}: {error}\n{block}")),
            });
            continue;
        }
        let warnings = block.split("# warning: ").skip(1);
        let warnings = warnings.filter_map(|rest| Some(rest.split_whitespace().next()?.to_owned()));
        let policy = complete(parsed, whole.as_ref());
        assert!(part.is_none() || examples.is_empty(), "{title}: no cases");
        whole.get_or_insert_with(|| policy.clone());
        part = Some((policy, warnings.collect()));
    }
    assert!(part.is_none(), "{title}: no cases");
    examples
}

pub(crate) fn read(block: &str) -> Result<Value, String> {
    let yaml = Yaml::parse(block).map_err(|error| error.to_string())?;
    serde_json::from_str(&yaml.json).map_err(|error| error.to_string())
}

fn complete(part: Value, whole: Option<&Value>) -> Value {
    let (Value::Object(mut part), Some(Value::Object(whole))) = (part.clone(), whole) else {
        return part;
    };
    let issuers = part.get_mut("issuers").and_then(Value::as_array_mut);
    for issuer in issuers.into_iter().flatten() {
        if let (Value::Object(issuer), Value::Object(model)) = (issuer, &whole["issuers"][0]) {
            fill(issuer, model);
        }
    }
    fill(&mut part, whole);
    Value::Object(part)
}

fn fill(part: &mut Map<String, Value>, whole: &Map<String, Value>) {
    for (name, value) in whole {
        part.entry(name).or_insert_with(|| value.clone());
    }
}

/// The anchor that GitHub makes of a heading.
pub(crate) fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}
