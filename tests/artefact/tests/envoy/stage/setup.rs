//! Makes configurations of Envoy: the filter from the README, an upstream, and
//! a cluster for each issuer.

use std::{net::SocketAddr, path::PathBuf};

use countersign_artefact_tests::dist;
use serde_json::{Value, json};

use super::clock::Clock;

/// The name of the first listener.
pub(crate) const MAIN: &str = "main";

/// A bootstrap under construction.
pub(crate) struct Setup {
    pub(crate) concurrency: u32,
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
    bootstrap: Value,
}

impl Setup {
    /// Makes a setup with this configuration of the plugin as text.
    pub(crate) fn new(configuration: &Value, upstream: SocketAddr) -> Self {
        Self::with_any(&text(configuration), upstream)
    }

    /// The same with the configuration as the `Any` that Envoy expects.
    pub(crate) fn with_any(configuration: &Value, upstream: SocketAddr) -> Self {
        let bootstrap = json!({
            "admin": { "address": address(([127, 0, 0, 1], 0).into()) },
            "static_resources": {
                "listeners": [listener(MAIN, filter(configuration))],
                "clusters": [cluster("upstream", upstream)],
            },
        });
        Self {
            concurrency: 1,
            environment: Vec::new(),
            bootstrap,
        }
    }

    /// Adds a copy of the current first listener, with another configuration as
    /// text.
    pub(crate) fn listen(mut self, name: &str, configuration: &str) -> Self {
        let manager = self.connection_manager().clone();
        let any = json!({
            "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration,
        });
        let mut listener = listener(name, json!({}));
        listener["filter_chains"][0]["filters"][0]["typed_config"] = manager;
        let filters = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        filters["http_filters"][0]["typed_config"]["config"]["configuration"] = any;
        let listeners = &mut self.bootstrap["static_resources"]["listeners"];
        listeners.as_array_mut().unwrap().push(listener);
        self
    }

    /// Adds a cluster with this name.
    pub(crate) fn cluster(mut self, name: &str, to: SocketAddr) -> Self {
        let clusters = &mut self.bootstrap["static_resources"]["clusters"];
        clusters.as_array_mut().unwrap().push(cluster(name, to));
        self
    }

    /// Sets the number of workers.
    pub(crate) fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Makes Envoy use this clock.
    pub(crate) fn clock(mut self, clock: &Clock) -> Self {
        self.environment = clock.environment().into();
        self
    }

    /// Changes the cluster of the upstream.
    pub(crate) fn upstream(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.bootstrap["static_resources"]["clusters"][0]);
        self
    }

    /// Adds a filter after this one.
    pub(crate) fn then(mut self, filter: Value) -> Self {
        let filters = self.connection_manager()["http_filters"].as_array_mut();
        filters.unwrap().insert(1, filter);
        self
    }

    /// Changes the connection manager's configuration.
    pub(crate) fn manage(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.connection_manager());
        self
    }

    /// Changes the `PluginConfig` of the filter.
    pub(crate) fn plugin(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.connection_manager()["http_filters"][0]["typed_config"]["config"]);
        self
    }

    /// Moves the filter from the listener to the upstream's cluster. There it
    /// sees the request that the router has rewritten.
    pub(crate) fn behind_the_router(mut self) -> Self {
        let filters = self.connection_manager()["http_filters"].as_array_mut();
        let filter = filters.unwrap().remove(0);
        let codec = json!({
            "name": "envoy.filters.http.upstream_codec",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3\
                          .UpstreamCodec",
            },
        });
        self.upstream(|upstream| {
            let mut options = http1(&json!({}));
            options["http_filters"] = json!([filter, codec]);
            protocol(upstream, options);
        })
    }

    /// Enables HTTP/1 trailers on both sides.
    pub(crate) fn with_trailers(self) -> Self {
        let trailers = json!({ "enable_trailers": true });
        self.manage(|manager| manager["http_protocol_options"] = trailers.clone())
            .upstream(|upstream| protocol(upstream, http1(&trailers)))
    }

    /// Makes Envoy read the listener from this file. Returns the content of the
    /// file.
    pub(crate) fn dynamic(mut self, file: &str) -> (Self, Value) {
        let listener = self.bootstrap["static_resources"]["listeners"][0].take();
        self.bootstrap["static_resources"]["listeners"] = json!([]);
        self.bootstrap["dynamic_resources"] = json!({ "lds_config": {
            "resource_api_version": "V3", "path_config_source": { "path": file },
        } });
        self.bootstrap["node"] = json!({ "id": "test", "cluster": "test" });
        (self, discovered(&listener))
    }

    pub(crate) fn bootstrap(&self) -> &Value {
        &self.bootstrap
    }

    fn connection_manager(&mut self) -> &mut Value {
        let listener = &mut self.bootstrap["static_resources"]["listeners"][0];
        &mut listener["filter_chains"][0]["filters"][0]["typed_config"]
    }
}

/// Makes a configuration as text in the `Any` that Envoy expects.
pub(crate) fn text(configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    })
}

/// Makes a configuration as the `Struct` that Istio sends.
pub(crate) fn structure(configuration: &Value) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": configuration })
}

fn discovered(listener: &Value) -> Value {
    let mut listener = listener.clone();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    json!({ "resources": [listener] })
}

fn listener(name: &str, filter: Value) -> Value {
    json!({
        "name": name,
        "address": address(([127, 0, 0, 1], 0).into()),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network\
                          .http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "http",
                "http_filters": [filter, {
                    "name": "envoy.filters.http.router",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3\
                                  .Router",
                    },
                }],
                "route_config": { "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{
                        "match": { "prefix": "/" },
                        "route": { "cluster": "upstream" },
                    }],
                }] },
            },
        }] }],
    })
}

fn cluster(name: &str, to: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(to) } }] }],
        },
    })
}

/// Makes the options of a cluster for HTTP/1.
fn http1(options: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http_protocol_options": options },
    })
}

fn protocol(cluster: &mut Value, options: Value) {
    const NAME: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    cluster["typed_extension_protocol_options"][NAME] = options;
}

fn address(address: SocketAddr) -> Value {
    json!({ "socket_address": {
        "address": address.ip().to_string(), "port_value": address.port(),
    } })
}

/// Makes the filter from the README with this configuration.
fn filter(configuration: &Value) -> Value {
    let readme = include_str!("../../../../../README.md");
    let (_, block) = readme
        .split_once("```json\n")
        .expect("the README shows the filter");
    let (block, _) = block.split_once("```").expect("the block ends");
    let mut filter: Value = serde_json::from_str(block).expect("the block is JSON");
    let config = &mut filter["typed_config"]["config"];
    config["vm_config"]["code"]["local"]["filename"] = json!(dist::path("countersign.wasm"));
    config["configuration"] = configuration.clone();
    filter
}
