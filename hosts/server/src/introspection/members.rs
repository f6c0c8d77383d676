//! The answer about a token (RFC 7662 §2.2): what its issuer says, and nothing that
//! it does not say.

use countersign_host::Principal;
use serde_json::{Map, Value, json};

/// Members that are texts, as they stand in the claims.
const TEXTS: [&str; 5] = ["client_id", "username", "sub", "iss", "jti"];

/// Members that are whole seconds.
const TIMES: [&str; 3] = ["exp", "iat", "nbf"];

/// A token that is not active for this caller, for whatever reason: the answer does not
/// say why (§2.2).
pub(super) fn inactive() -> Value {
    json!({ "active": false })
}

/// A token that is active. `None` if its claims are no object, which cannot be.
pub(super) fn active(principal: &Principal) -> Option<Value> {
    let claims: Map<String, Value> = serde_json::from_str(&principal.claims).ok()?;
    let mut members = Map::new();
    members.insert("active".into(), true.into());
    for name in TEXTS {
        if let Some(text @ Value::String(_)) = claims.get(name) {
            members.insert(name.into(), text.clone());
        }
    }
    for name in TIMES {
        // The contract allows fractions; an integer must not be later than what was signed.
        if let Some(seconds) = claims.get(name).and_then(whole) {
            members.insert(name.into(), seconds.into());
        }
    }
    if let Some(audience @ (Value::String(_) | Value::Array(_))) = claims.get("aud") {
        members.insert("aud".into(), audience.clone());
    }
    if !principal.scopes.is_empty() {
        members.insert("scope".into(), principal.scopes.join(" ").into());
    }
    // Whoever takes the token must check its sender (RFC 9449 §6.2, RFC 8705 §3.2).
    if let Some(confirmation) = claims.get("cnf") {
        members.insert("cnf".into(), confirmation.clone());
    }
    if let Some(kind) = token_type(&claims) {
        members.insert("token_type".into(), kind.into());
    }
    Some(members.into())
}

fn whole(number: &Value) -> Option<i64> {
    let float = || number.as_f64().map(|seconds| seconds.floor() as i64);
    number.as_i64().or_else(float)
}

/// How the token is to be presented (RFC 6749 §5.1): by its binding, or as its issuer
/// says.
fn token_type(claims: &Map<String, Value>) -> Option<&str> {
    match claims.get("cnf").and_then(|cnf| cnf.get("jkt")) {
        Some(_) => Some("DPoP"),
        None => claims.get("token_type").and_then(Value::as_str),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::active;

    fn about(claims: Value, scopes: &[&str]) -> Value {
        let principal = countersign_host::Principal {
            issuer: "platform".into(),
            iss: String::new(),
            subject: None,
            token_type: None,
            tenant: None,
            tenants: Vec::new(),
            roles: Vec::new(),
            scopes: scopes.iter().map(|scope| (*scope).into()).collect(),
            expires_at_ms: None,
            claims: claims.to_string(),
        };
        active(&principal).expect("the claims are an object")
    }

    #[test]
    fn the_registered_members_are_those_of_the_claims() {
        let claims = json!({
            "iss": "https://auth.example.com", "sub": "ada", "aud": ["orders"], "jti": "1",
            "exp": 1_900_000_000, "iat": 1_800_000_000.9, "nbf": 1_800_000_000,
            "client_id": "web", "cnf": { "x5t#S256": "…" }, "email": "ada@example.com",
        });
        let expected = json!({
            "active": true,
            "iss": "https://auth.example.com", "sub": "ada", "aud": ["orders"], "jti": "1",
            "exp": 1_900_000_000, "iat": 1_800_000_000, "nbf": 1_800_000_000,
            "client_id": "web", "cnf": { "x5t#S256": "…" }, "scope": "read write",
        });
        assert_eq!(about(claims, &["read", "write"]), expected);
    }

    #[test]
    fn nothing_is_invented() {
        assert_eq!(about(json!({}), &[]), json!({ "active": true }));
        let odd = json!({ "username": 7, "sub": null, "exp": "soon", "aud": 1 });
        assert_eq!(about(odd, &[]), json!({ "active": true }));
    }

    #[test]
    fn a_token_that_is_bound_to_a_key_is_of_the_type_dpop() {
        let claims = json!({ "cnf": { "jkt": "…" }, "token_type": "Bearer" });
        assert_eq!(about(claims, &[])["token_type"], "DPoP");
        let claims = json!({ "token_type": "Bearer" });
        assert_eq!(about(claims, &[])["token_type"], "Bearer");
    }
}
