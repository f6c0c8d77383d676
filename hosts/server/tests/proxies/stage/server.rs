//! The decision server, in this process.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    thread::{self, JoinHandle},
};

use countersign_host::GateBuilder;
use countersign_server::{Address, Config, Listener, Server};
use serde_json::{Map, Value, json};
use tokio::{runtime::Runtime, sync::oneshot};

use super::{eventually, folder, own_host};

/// The name of the policy.
pub(crate) const POLICY: &str = "app";

/// A decision server, which can be stopped and started again at the same address.
pub(crate) struct DecisionServer {
    pub(crate) address: SocketAddr,
    /// With the policies, which may be changed.
    pub(crate) folder: PathBuf,
    config: Value,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl DecisionServer {
    /// Starts it on a free port of loopback, with this policy as [`POLICY`].
    pub(crate) fn start(policy: &Value, dialect: &str) -> Self {
        Self::start_with(&[(POLICY, policy.to_string())], dialect, |_, builder| {
            builder
        })
    }

    /// The same with these policies, and with other gates.
    pub(crate) fn start_with(
        policies: &[(&str, String)],
        dialect: &str,
        gate: impl Fn(&str, GateBuilder) -> GateBuilder + Send + Sync + 'static,
    ) -> Self {
        let folder = folder("server");
        let mut files = Map::new();
        for (name, policy) in policies {
            let file = folder.join(format!("{name}.json"));
            fs::write(&file, policy).unwrap();
            files.insert((*name).to_owned(), json!({ "file": file }));
        }
        let mut server = Self {
            address: (own_host(), 0).into(),
            folder,
            config: json!({
                "trusted_proxies": ["127.0.0.1"],
                "policies": files,
                "dialects": [dialect],
            }),
            running: None,
        };
        server.run(gate);
        server
    }

    /// Starts it again with this member of its configuration.
    pub(crate) fn configure(&mut self, member: &str, value: Value) {
        self.config[member] = value;
        self.restart();
    }

    /// Starts it again, at the same address.
    pub(crate) fn restart(&mut self) {
        self.stop();
        drop(listen(self.address));
        self.run(|_, builder| builder);
    }

    fn run(&mut self, gate: impl Fn(&str, GateBuilder) -> GateBuilder + Send + Sync + 'static) {
        self.config["listen"] = json!(self.address.to_string());
        let file = self.folder.join("server.json").display().to_string();
        let config = Config::parse(&file, self.config.to_string().into_bytes()).unwrap();
        let runtime = Runtime::new().unwrap();
        let opened = runtime.block_on(async {
            let listener = Listener::bind(&config).await.unwrap();
            (Server::open_with(config, gate).await.unwrap(), listener)
        });
        let (server, listener) = opened;
        if let Address::Tcp(address) = listener.address().unwrap() {
            self.address = address;
        }
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let ended = server.run(listener, async { drop(stopped.await) });
            runtime.block_on(ended).unwrap();
        });
        self.running = Some(Running { stop, thread });
    }

    /// Stops it: nobody listens at its address then.
    pub(crate) fn stop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }
}

impl Drop for DecisionServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens where the server was, as soon as the address is free.
pub(crate) fn listen(address: SocketAddr) -> TcpListener {
    let mut listener = None;
    eventually("the server's address is free", || {
        listener = TcpListener::bind(address).ok();
        listener.is_some()
    });
    listener.unwrap()
}
