//! Requests that were recorded, or made on purpose: a case on each line, as those of
//! `policy test`, or a whole file of cases.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::{case::Case, suite::read_cases};
use crate::{failure::Failure, files::read_bytes};

/// The cases, each with its own time where it has one.
pub(super) fn read(file: &Path) -> Result<Vec<Case>, Failure> {
    let extension = file.extension().and_then(|extension| extension.to_str());
    if matches!(extension, Some("yaml" | "yml" | "toml" | "json")) {
        let mut read = read_cases(file)?;
        for case in &mut read.cases {
            case.now = case.now.or(read.now);
        }
        return Ok(read.cases);
    }
    let name = file.display();
    let text = String::from_utf8(read_bytes(file)?)
        .map_err(|_| Failure::Usage(format!("`{name}` is not UTF-8 text")))?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let case = |(index, line): (usize, &str)| {
        let number = index + 1;
        let read = serde_json::from_str::<Map<_, _>>(line).and_then(|mut case| {
            case.entry("name")
                .or_insert_with(|| json!(format!("line {number}")));
            // What is expected is what the other policy decides.
            case.insert("expect".to_owned(), json!("allow"));
            serde_json::from_value(Value::Object(case))
        });
        read.map_err(|error| Failure::Usage(format!("{name}:{number}: {error}")))
    };
    lines.map(case).collect()
}
