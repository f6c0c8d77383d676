//! A server of one policy, without a configuration.

use std::path::PathBuf;

use clap::Args;
use countersign_server::{Config, ConfigError};
use serde_json::{Map, Value, json};

/// As `proxy-config` names it, too.
const POLICY: &str = "default";

#[derive(Args, Debug)]
pub(crate) struct Quick {
    /// One policy, which has the name `default`: YAML, TOML or JSON
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "config",
        requires = "dialect"
    )]
    policy: Option<PathBuf>,
    /// Which proxy asks, such as nginx; repeatable
    #[arg(long, value_name = "NAME", requires = "policy")]
    dialect: Vec<String>,
    /// Where it listens: ADDRESS:PORT or unix:PATH
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9191",
        conflicts_with = "config"
    )]
    listen: String,
    /// An address or a network of proxies that may ask over TCP; repeatable
    #[arg(long, value_name = "NETWORK", requires = "policy")]
    trusted_proxy: Vec<String>,
    /// A secret that the policy names by `secret_from`: from a file, or from a variable
    /// of the environment as `NAME=env:VARIABLE`; repeatable
    #[arg(long, value_name = "NAME=FILE", value_parser = secret, requires = "policy")]
    secret: Vec<(String, Value)>,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, value_name = "ADDRESS", requires = "policy")]
    operations: Option<String>,
}

impl Quick {
    /// The same configuration as a file would say.
    pub(crate) fn config(&self) -> Result<Config, ConfigError> {
        let secrets: Map<_, _> = self.secret.iter().cloned().collect();
        let mut config = json!({
            "listen": self.listen,
            "policies": { POLICY: { "file": self.policy } },
            "dialects": self.dialect,
            "secrets": secrets,
        });
        if !self.trusted_proxy.is_empty() {
            config["trusted_proxies"] = json!(self.trusted_proxy);
        }
        if let Some(address) = &self.operations {
            config["operations"] = json!(address);
        }
        Config::parse("arguments", config.to_string().into_bytes())
    }
}

fn secret(text: &str) -> Result<(String, Value), String> {
    let (name, from) = text
        .split_once('=')
        .ok_or("expected NAME=FILE or NAME=env:VARIABLE")?;
    let from = match from.strip_prefix("env:") {
        Some(variable) => json!({ "env": variable }),
        None => json!({ "file": from }),
    };
    Ok((name.to_owned(), from))
}
