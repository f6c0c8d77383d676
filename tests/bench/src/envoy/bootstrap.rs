//! Listeners that differ only in their HTTP filters.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    policy,
    token::{AUDIENCE, ISSUER, Signer},
};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Filters {
    Ours,
    /// Ours, with the signatures verified by Envoy.
    OursNative,
    JwtAuthn,
    JwtAuthnCached,
    /// The server that is the cluster of this name is asked.
    ExtAuthz(&'static str),
    /// A module that allows every request.
    Empty,
    None,
}

/// The listeners, in the order of `filters`.
pub(crate) fn listeners(folder: &Path, filters: &[Filters], signer: &Signer) -> Result<Value> {
    let listener = |filters: &Filters| Ok(listener(http_filters(*filters, folder, signer)?));
    let listeners: Result<Vec<Value>> = filters.iter().map(listener).collect();
    Ok(listeners?.into())
}

fn http_filters(filters: Filters, folder: &Path, signer: &Signer) -> Result<Vec<Value>> {
    let sealed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/countersign.wasm");
    Ok(match filters {
        Filters::None => Vec::new(),
        Filters::Empty => vec![wasm(&folder.join("empty.wasm"), "")],
        Filters::Ours => vec![wasm(&sealed, &configuration(signer, "module")?)],
        Filters::OursNative => vec![wasm(&sealed, &configuration(signer, "native")?)],
        Filters::ExtAuthz(cluster) => vec![ext_authz(cluster)],
        Filters::JwtAuthn => vec![jwt_authn(signer, false)?, rbac()],
        Filters::JwtAuthnCached => vec![jwt_authn(signer, true)?, rbac()],
    })
}

fn configuration(signer: &Signer, signatures: &str) -> Result<String> {
    let policy: Value = serde_json::from_slice(&policy::deciding(signer)?)?;
    Ok(json!({ "policy": policy, "envoy": { "signatures": signatures } }).to_string())
}

fn wasm(file: &Path, configuration: &str) -> Value {
    json!({
        "name": "wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "wasm",
                "vm_config": {
                    "vm_id": file,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": file } },
                },
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration,
                },
            },
        },
    })
}

/// Asks a server about each request.
fn ext_authz(cluster: &str) -> Value {
    json!({
        "name": "ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "encode_raw_headers": true,
            "grpc_service": { "envoy_grpc": { "cluster_name": cluster }, "timeout": "5s" },
        },
    })
}

/// A server that [`Filters::ExtAuthz`] asks.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) address: Value,
}

impl Cluster {
    pub(super) fn config(&self) -> Value {
        json!({
            "name": self.name,
            "type": "STATIC",
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3\
                              .HttpProtocolOptions",
                    "explicit_http_config": { "http2_protocol_options": {} },
                },
            },
            "load_assignment": {
                "cluster_name": self.name,
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": self.address } }] }],
            },
        })
    }
}

/// Checks signature, issuer, audience and times.
fn jwt_authn(signer: &Signer, cache: bool) -> Result<Value> {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "clock_skew_seconds": 30,
        "local_jwks": { "inline_string": policy::jwks(signer)?.to_string() },
        "payload_in_metadata": "claims",
        "forward": true,
    });
    if cache {
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": 1000 });
    }
    Ok(json!({
        "name": "jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3\
                      .JwtAuthentication",
            "providers": { "platform": provider },
            "rules": [{
                "match": { "prefix": "/" },
                "requires": { "provider_name": "platform" },
            }],
        },
    }))
}

/// Checks token type, scope, tenant and method.
fn rbac() -> Value {
    let claim = |name: &str, value: Value| {
        json!({ "metadata": {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{ "key": "claims" }, { "key": name }],
            "value": value,
        } })
    };
    let exactly = |text: &str| json!({ "string_match": { "exact": text } });
    let get = json!({ "header": { "name": ":method", "string_match": { "exact": "GET" } } });
    let below = json!({ "url_path": { "path": { "prefix": "/assets/" } } });
    json!({
        "name": "rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": { "assets": {
                "permissions": [{ "and_rules": { "rules": [get, below] } }],
                "principals": [{ "and_ids": { "ids": [
                    claim("typ", exactly("pat")),
                    claim("scope", exactly("api:assets:read")),
                    claim("tenant_id", json!({ "present_match": true })),
                ] } }],
            } } },
        },
    })
}

fn listener(mut filters: Vec<Value>) -> Value {
    let asks = filters.iter().any(|filter| filter["name"] == "ext_authz");
    let per_filter = match asks {
        true => json!({ "ext_authz": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3\
                      .ExtAuthzPerRoute",
            "check_settings": { "context_extensions": { "policy": "bench" } },
        } }),
        false => json!({}),
    };
    filters.push(json!({
        "name": "router",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
        },
    }));
    json!({
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{
            "name": "http",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network\
                          .http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "http",
                "generate_request_id": false,
                "http_filters": filters,
                "route_config": { "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "typed_per_filter_config": per_filter,
                    "routes": [{
                        "match": { "prefix": "/" },
                        "direct_response": { "status": 200, "body": { "inline_string": "ok" } },
                    }],
                }] },
            },
        }] }],
    })
}

/// Reads nothing, so its time is the time of the calls into a module.
pub(super) fn empty_filter() -> Result<Vec<u8>> {
    wat::parse_str(
        r#"(module
            (memory (export "memory") 1)
            (func (export "_initialize"))
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
            (func (export "proxy_on_context_create") (param i32 i32))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
              (i32.const 0)))"#,
    )
    .context("the empty filter does not parse")
}
