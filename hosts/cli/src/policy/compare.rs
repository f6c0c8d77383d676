//! What a case expects, beside what was decided.

use serde_json::{Map, Value};

/// A field that is not as expected.
pub(super) struct Difference {
    pub(super) field: String,
    pub(super) expected: Value,
    pub(super) got: Value,
}

/// Compares the fields of `expected` with a decision as JSON.
pub(super) fn compare(expected: &Map<String, Value>, decision: &Value) -> Vec<Difference> {
    let difference = |(field, expected): (&String, &Value)| {
        let got = match field.as_str() {
            "set_headers" | "headers" => headers(decision.get(field), expected),
            "principal" | "principals" => within(decision.get(field), expected),
            _ => {
                let own = decision.get(field);
                let of_principal = || decision.pointer(&format!("/principal/{field}"));
                own.or_else(of_principal).cloned().unwrap_or_default()
            }
        };
        (got != *expected).then(|| Difference {
            field: field.clone(),
            expected: expected.clone(),
            got,
        })
    };
    expected.iter().filter_map(difference).collect()
}

/// The part of a value whose members are expected.
fn within(got: Option<&Value>, expected: &Value) -> Value {
    let (Some(Value::Object(members)), Value::Object(expected)) = (got, expected) else {
        return got.cloned().unwrap_or_default();
    };
    let part = expected.iter().filter_map(|(name, expected)| {
        let member = members.get(name)?;
        Some((name.clone(), within(Some(member), expected)))
    });
    Value::Object(part.collect())
}

/// The headers of the decision, as an object; only those that are expected.
fn headers(pairs: Option<&Value>, expected: &Value) -> Value {
    let set = pairs.and_then(Value::as_array);
    let is_expected = |name: &str| expected.get(name).is_some();
    let pairs = set.into_iter().flatten().filter_map(|pair| {
        let name = pair.get(0)?.as_str().filter(|name| is_expected(name))?;
        Some((name.to_owned(), pair.get(1)?.clone()))
    });
    Value::Object(pairs.collect())
}
