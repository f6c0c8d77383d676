//! Lists of what is in an artefact, in CycloneDX's JSON.

use serde_json::Value;

use super::statement::Facts;

/// It is such a list, and names the module by its digest where the artefact
/// contains it.
pub(super) fn check(bytes: &[u8], with_module: bool, facts: &Facts) -> Result<(), String> {
    let list: Value = serde_json::from_slice(bytes).map_err(|_| "is not JSON")?;
    if list["bomFormat"] != "CycloneDX" {
        return Err("is not of the format CycloneDX".to_owned());
    }
    if with_module && !names(&list, &facts.module_sha256) {
        return Err("does not name the module by its SHA-256".to_owned());
    }
    Ok(())
}

/// `{ "alg": "SHA-256", "content": … }` anywhere: components may contain others.
/// The depth is limited by the parser.
fn names(value: &Value, sha256: &str) -> bool {
    match value {
        Value::Object(members) => {
            let is_it = value["alg"] == "SHA-256" && value["content"] == *sha256;
            is_it || members.values().any(|member| names(member, sha256))
        }
        Value::Array(items) => items.iter().any(|item| names(item, sha256)),
        _ => false,
    }
}
