//! A bootstrap with `jwt_authn` and RBAC, and one with this filter instead.

use countersign_artefact_tests::{dist, token::Key};
use serde_json::{Value, json};

pub(crate) const SHOP: &str = "https://login.shop.example";
pub(crate) const PARTNER: &str = "https://id.partner.example";
pub(crate) const CARRIER: &str = "https://id.carrier.example";

/// Three providers, rules of most kinds, and what RBAC asks of claims.
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
        { "match": { "path_separated_prefix": "/vans" },
          "requires": { "provider_name": "carrier" } },
        { "match": { "path_separated_prefix": "/both" },
          "requires": { "requires_all": { "requirements": [shop, { "provider_name": "carrier" }] } } },
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
    let text = |how: &str, text: &str| json!({ "string_match": { how: text } });
    let item = |how: &str, of: &str| json!({ "list_match": { "one_of": text(how, of) } });
    let put = |path: &str, principals: Value| {
        json!({
            "permissions": [both(json!([method("PUT"), below(path)]))],
            "principals": principals,
        })
    };
    let not = |principal: Value| json!({ "not_id": principal });
    let policies = json!({
        "teams": put("/teams/", json!([claim("team", text("prefix", "eng-"))])),
        "mail": put("/mail/", json!([claim("email", text("suffix", "@shop.example"))])),
        "known": put("/known/", json!([claim("level", json!({ "present_match": true }))])),
        "members": put("/members/", json!([not(claim("role", text("exact", "guest")))])),
        "groups": put("/groups/", json!([claim("groups", item("suffix", "-ops"))])),
        "nested": put("/nested/", json!([claim_at(&["org", "unit", "name"], text("exact", "x"))])),
        "flag": put("/flag/", json!([claim("verified", json!({ "bool_match": true }))])),
        "quiet": put("/quiet/", json!([not(claim("scope", item("exact", "loud")))])),
        "either": put("/either/", json!([
            claim("role", text("exact", "clerk")), claim("role", text("prefix", "eng-")),
        ])),
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

/// Providers with the same key, of which one has places of its own, and these rules.
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
    let mut carrier = provider(CARRIER, json!([]));
    carrier["from_headers"] = json!([{ "name": "x-carrier" }]);
    carrier["from_cookies"] = json!(["carrier"]);
    carrier["payload_in_metadata"] = json!("carrier");
    json!({ "name": "envoy.filters.http.jwt_authn", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "shop": provider(SHOP, json!(["orders", "catalogue"])),
            "partner": provider(PARTNER, json!([])),
            "carrier": carrier,
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
    claim_at(&[name], value)
}

/// The same for a claim within others.
pub(crate) fn claim_at(names: &[&str], value: Value) -> Value {
    let names = ["jwt"].iter().chain(names);
    let path: Vec<_> = names.map(|name| json!({ "key": name })).collect();
    json!({ "metadata": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": path,
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
