//! Makes configurations of Envoy: the filter from the README, an upstream, and
//! a cluster for each issuer.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::{Value, json};

use crate::{dist, yaml};

/// The name of the first listener.
pub const MAIN: &str = "main";

/// The first listener's connection manager.
const MANAGER: &str = "/listeners/0/filter_chains/0/filters/0/typed_config";

/// A bootstrap in the making.
#[derive(Debug)]
pub struct Setup {
    pub(super) concurrency: u32,
    pub(super) environment: Vec<(&'static str, PathBuf)>,
    bootstrap: Value,
}

impl Setup {
    /// With this configuration of the plugin as text.
    #[must_use]
    pub fn new(configuration: &Value, upstream: SocketAddr) -> Self {
        Self::at(configuration, &address(upstream))
    }

    /// The same, before an upstream at an address as Envoy writes one.
    #[must_use]
    pub fn at(configuration: &Value, upstream: &Value) -> Self {
        Self::with_both(&text(configuration), upstream)
    }

    /// The same as [`Self::new`], with the `Any` that Envoy takes.
    #[must_use]
    pub fn with_any(configuration: &Value, upstream: SocketAddr) -> Self {
        Self::with_both(configuration, &address(upstream))
    }

    fn with_both(configuration: &Value, upstream: &Value) -> Self {
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

    /// A listener like the first, as that now is, with another configuration
    /// as text.
    #[must_use]
    pub fn listen(mut self, name: &str, configuration: &str) -> Self {
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

    /// A cluster of this name.
    #[must_use]
    pub fn cluster(mut self, name: &str, to: SocketAddr) -> Self {
        let clusters = &mut self.bootstrap["static_resources"]["clusters"];
        clusters
            .as_array_mut()
            .unwrap()
            .push(cluster(name, &address(to)));
        self
    }

    /// So many workers.
    #[must_use]
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// An Envoy with these variables of the environment.
    #[must_use]
    pub fn environment(mut self, variables: impl Into<Vec<(&'static str, PathBuf)>>) -> Self {
        self.environment = variables.into();
        self
    }

    /// Changes the cluster of the upstream.
    #[must_use]
    pub fn upstream(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.bootstrap["static_resources"]["clusters"][0]);
        self
    }

    /// Another filter after this one.
    #[must_use]
    pub fn then(mut self, filter: Value) -> Self {
        let filters = self.connection_manager()["http_filters"].as_array_mut();
        filters.unwrap().insert(1, filter);
        self
    }

    /// Changes the connection manager's configuration.
    #[must_use]
    pub fn manage(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.connection_manager());
        self
    }

    /// The connection manager's settings of the shipped bootstrap.
    ///
    /// # Panics
    /// Where that file has none.
    #[must_use]
    pub fn as_shipped(self) -> Self {
        let bootstrap = include_str!("../../../../deploy/envoy/bootstrap.yaml");
        let bootstrap = yaml::parse(bootstrap).remove(0);
        let shipped = bootstrap.pointer(&format!("/static_resources{MANAGER}"));
        let shipped = shipped
            .and_then(Value::as_object)
            .expect("a connection manager");
        self.manage(|manager| {
            // Filters and routes are those of the test.
            let manager = manager.as_object_mut().expect("a connection manager");
            for (name, setting) in shipped {
                manager.entry(name).or_insert_with(|| setting.clone());
            }
        })
    }

    /// Changes the first filter chain of the last listener.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn chain(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let listeners = self.bootstrap["static_resources"]["listeners"].as_array_mut();
        let last = listeners.and_then(|all| all.last_mut());
        change(&mut last.expect("a listener")["filter_chains"][0]);
        self
    }

    /// Changes the `PluginConfig` of the filter.
    #[must_use]
    pub fn plugin(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.connection_manager()["http_filters"][0]["typed_config"]["config"]);
        self
    }

    /// Moves the filter from the listener to the upstream's cluster: there it
    /// sees what the router has made of a request.
    #[must_use]
    pub fn behind_the_router(mut self) -> Self {
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

    /// Trailers of HTTP/1 are not dropped, on both sides.
    #[must_use]
    pub fn with_trailers(self) -> Self {
        let trailers = json!({ "enable_trailers": true });
        self.manage(|manager| manager["http_protocol_options"] = trailers.clone())
            .upstream(|upstream| protocol(upstream, http1(&trailers)))
    }

    /// Takes the listener from this file, and gives what belongs into it.
    #[must_use]
    pub fn dynamic(mut self, file: &str) -> (Self, Value) {
        let listener = self.bootstrap["static_resources"]["listeners"][0].take();
        self.bootstrap["static_resources"]["listeners"] = json!([]);
        self.bootstrap["dynamic_resources"] = json!({ "lds_config": {
            "resource_api_version": "V3", "path_config_source": { "path": file },
        } });
        self.bootstrap["node"] = json!({ "id": "test", "cluster": "test" });
        (self, discovered(&listener))
    }

    /// As Envoy takes it.
    #[must_use]
    pub fn bootstrap(&self) -> &Value {
        &self.bootstrap
    }

    fn connection_manager(&mut self) -> &mut Value {
        let resources = &mut self.bootstrap["static_resources"];
        resources.pointer_mut(MANAGER).expect("a first listener")
    }
}

/// A configuration as text in the `Any` that Envoy takes.
#[must_use]
pub fn text(configuration: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        "value": configuration.to_string(),
    })
}

/// A configuration as the `Struct` that Istio sends.
#[must_use]
pub fn structure(configuration: &Value) -> Value {
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

fn cluster(name: &str, to: &Value) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": to } }] }],
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

/// As Envoy writes it.
#[must_use]
pub fn address(address: SocketAddr) -> Value {
    json!({ "socket_address": {
        "address": address.ip().to_string(), "port_value": address.port(),
    } })
}

/// Makes the filter from the README with this configuration.
fn filter(configuration: &Value) -> Value {
    let readme = include_str!("../../../../envoy-filter/README.md");
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
