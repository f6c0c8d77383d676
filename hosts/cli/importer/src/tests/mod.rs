//! What becomes of whole inputs.

mod decisions;
mod envoy;
mod istio;
mod sources;

use countersign_policy_source::Source;
use serde_json::{Value, json};

use super::{Error, Imported, Notes, Options, documents, made};

/// A secret, as a JWK Set.
const SECRET: &str = r#"'{"keys":[{"kty":"oct","alg":"HS256","kid":"s","k":"c2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXMtb3ItbW9yZSE"}]}'"#;

/// A policy, and what its import says, before the gate has seen it.
struct Made {
    policy: Value,
    notes: Vec<String>,
}

impl Made {
    fn says(&self, kind: &str, words: &str) -> bool {
        let mut notes = self.notes.iter();
        notes.any(|note| note.starts_with(kind) && note.contains(words))
    }

    /// The requirement of the rule that has this one path.
    fn required(&self, path: &str) -> &Value {
        &self.rule(path)["require"]
    }

    fn rule(&self, path: &str) -> &Value {
        let rules = self.policy["rules"].as_array().unwrap();
        let mut rules = rules.iter();
        rules.find(|rule| rule["path"] == path).unwrap()
    }
}

fn sources(text: &str) -> Vec<Source> {
    Source::parse_foreign("input.yaml", text.to_owned().into_bytes()).unwrap()
}

fn checked(imported: Result<Imported, Error>) -> Made {
    let imported = imported.unwrap();
    let notes = imported.notes.iter();
    Made {
        policy: imported.policy,
        notes: notes
            .map(|note| format!("{} {}: {}", note.code, note.pointer, note.message))
            .collect(),
    }
}

fn from_envoy(text: &str, options: &Options) -> Made {
    let notes = Notes::default();
    let documents = documents(sources(text)).unwrap();
    let plugin = super::envoy::plugin(&documents[0], &notes, options);
    checked(made(plugin, notes))
}

fn from_istio(text: &str) -> Made {
    let notes = Notes::default();
    let documents = documents(sources(text)).unwrap();
    let plugin = super::istio::plugin(&documents, &notes, &Options::default());
    checked(made(plugin, notes))
}

/// A filter chain of `jwt_authn` and RBAC, of which each part is one line.
fn chain(providers: &str, rules: &str, rbac: &str) -> String {
    let message = "type.googleapis.com/envoy.extensions.filters.http";
    let mut chain = format!(
        "http_filters:\n- typed_config:\n    \"@type\": {message}.jwt_authn.v3.JwtAuthentication\n    \
         providers: {providers}\n    rules: {rules}\n"
    );
    if !rbac.is_empty() {
        chain +=
            &format!("- typed_config:\n    \"@type\": {message}.rbac.v3.RBAC\n    rules: {rbac}\n");
    }
    chain
}

/// A provider with a secret, and further members.
fn provider(name: &str, members: &str) -> String {
    format!(
        "{name}: {{ issuer: 'https://{name}.example', local_jwks: {{ inline_string: {SECRET} }}, \
         payload_in_metadata: {name}, {members} }}"
    )
}

/// A chain of one provider, all of whose tokens pass `jwt_authn`.
fn of_one(members: &str, rbac: &str) -> String {
    chain(
        &format!("{{ {} }}", provider("a", members)),
        "[{ match: { prefix: / }, requires: { provider_name: a } }]",
        rbac,
    )
}

/// RBAC that admits or denies by one principal.
fn rbac(action: &str, principal: &str) -> String {
    format!(
        "{{ action: {action}, policies: {{ p: {{ permissions: [{{ any: true }}], principals: [{principal}] }} }} }}"
    )
}

/// A principal by a claim of provider `a`.
fn claim(path: &[&str], value: &str) -> String {
    let keys: Vec<_> = path.iter().map(|key| format!("{{ key: {key} }}")).collect();
    format!(
        "{{ metadata: {{ filter: envoy.filters.http.jwt_authn, path: [{{ key: a }}, {}], value: {value} }} }}",
        keys.join(", ")
    )
}

fn nobody() -> Value {
    json!({ "claims": { "/iss": { "equals": false } } })
}
