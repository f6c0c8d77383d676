//! A bootstrap with `jwt_authn` and RBAC, and one with this filter instead.

use countersign_artefact_tests::{dist, token::Key};
use serde_json::{Value, json};

pub(crate) const SHOP: &str = "https://login.shop.example";
pub(crate) const PARTNER: &str = "https://id.partner.example";

/// Two providers, rules of most kinds, and what RBAC asks of claims.
pub(crate) fn original(key: &Key) -> Value {
    let any = |requirements: Value| json!({ "requires_any": { "requirements": requirements } });
    let shop = json!({ "provider_name": "shop" });
    let rules = json!([
        { "match": { "path_separated_prefix": "/healthz" } },
        { "match": { "path_separated_prefix": "/orders" },
          "requires": { "provider_and_audiences":
              { "provider_name": "shop", "audiences": ["orders"] } } },
        { "match": { "path_separated_prefix": "/feed" },
          "requires": any(json!([shop, { "allow_missing": {} }])) },
        { "match": { "path_separated_prefix": "/hints" },
          "requires": any(json!([shop, { "allow_missing_or_failed": {} }])) },
        { "match": { "path": "/exact" }, "requires": shop },
        { "match": { "prefix": "/files/" }, "requires": shop },
        { "match": { "prefix": "/" },
          "requires": any(json!([shop, { "provider_name": "partner" }])) },
    ]);
    let method =
        |name: &str| json!({ "header": { "name": ":method", "string_match": { "exact": name } } });
    let below = |path: &str| json!({ "url_path": { "path": { "prefix": path } } });
    let both = |rules: Value| json!({ "and_rules": { "rules": rules } });
    let admin = json!({ "list_match": { "one_of": { "string_match": { "exact": "admin" } } } });
    let policies = json!({
        "readers": {
            "permissions": [both(json!([method("GET"), { "not_rule": below("/admin/") }]))],
            "principals": [{ "any": true }],
        },
        "clerks": {
            "permissions": [both(json!([method("POST"), below("/orders/")]))],
            "principals": [claim("role", json!({ "string_match": { "exact": "clerk" } }))],
        },
        "admins": {
            "permissions": [below("/admin/")],
            "principals": [claim("scope", admin)],
        },
    });
    bootstrap(json!([
        jwt_authn(key, rules),
        rbac(json!({ "action": "ALLOW", "policies": policies })),
    ]))
}

/// Two providers with the same key, and these rules.
pub(crate) fn jwt_authn(key: &Key, rules: Value) -> Value {
    let jwks = json!({ "keys": [key.public()] }).to_string();
    let provider = |issuer: &str, audiences: Value| {
        json!({
            "issuer": issuer,
            "audiences": audiences,
            "local_jwks": { "inline_string": jwks },
            "payload_in_metadata": "jwt",
            "normalize_payload_in_metadata": { "space_delimited_claims": ["scope"] },
            "forward": true,
        })
    };
    json!({ "name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "shop": provider(SHOP, json!(["orders", "catalogue"])),
            "partner": provider(PARTNER, json!([])),
        },
        "rules": rules,
    } })
}

pub(crate) fn rbac(rules: Value) -> Value {
    json!({ "name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": rules,
    } })
}

/// A principal by a claim.
pub(crate) fn claim(name: &str, value: Value) -> Value {
    json!({ "metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{ "key": "jwt" }, { "key": name }],
        "value": value,
    } })
}

/// This filter with the policy.
pub(crate) fn with_policy(policy: &Value) -> Value {
    bootstrap(json!([{ "name": "countersign", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "countersign",
            "fail_open": false,
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": policy.to_string(),
            },
            "vm_config": {
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": dist::path("countersign.wasm") } },
            },
        },
    } }]))
}

/// Envoy answers what passes itself.
pub(crate) fn bootstrap(filters: Value) -> Value {
    let mut filters = filters.as_array().cloned().unwrap_or_default();
    filters.push(
        json!({ "name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
    } }),
    );
    json!({
        "admin": { "address": loopback() },
        "static_resources": { "listeners": [{
            "name": "requests",
            "address": loopback(),
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network\
                              .http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "http",
                    // The client reads until the end, and waits for nothing.
                    "delayed_close_timeout": "0s",
                    "http_filters": filters,
                    "route_config": { "virtual_hosts": [{
                        "name": "all",
                        "domains": ["*"],
                        "routes": [{ "match": { "prefix": "/" }, "direct_response": { "status": 200 } }],
                    }] },
                },
            }] }],
        }] },
    })
}

/// A port that the system chooses.
fn loopback() -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } })
}
