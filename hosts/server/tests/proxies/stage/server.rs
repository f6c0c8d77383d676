//! The decision server, in this process.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::PathBuf,
    thread::{self, JoinHandle},
};

use countersign_server::{Address, Config, DialectName, Listener, PolicyFiles, Server};
use serde_json::Value;
use tokio::{runtime::Runtime, sync::oneshot};

use super::folder;

/// The name of the policy.
pub(crate) const POLICY: &str = "app";

/// A decision server with one policy, which can be stopped and started again at the same
/// address.
pub(crate) struct DecisionServer {
    pub(crate) address: SocketAddr,
    config: Config,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl DecisionServer {
    /// Starts it on a free port of loopback.
    pub(crate) fn start(policy: &Value, dialect: DialectName) -> Self {
        let file = folder("policy").join("policy.json");
        fs::write(&file, policy.to_string()).unwrap();
        let mut server = Self {
            address: ([127, 0, 0, 1], 0).into(),
            config: config(file, dialect),
            running: None,
        };
        server.restart();
        server
    }

    /// Starts it again, at the same address.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::open(self.config.clone())).unwrap();
        let listener = runtime
            .block_on(Listener::bind(&Address::Tcp(self.address)))
            .unwrap();
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

fn config(file: PathBuf, dialect: DialectName) -> Config {
    Config {
        listen: Address::Tcp(([127, 0, 0, 1], 0).into()),
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        policies: BTreeMap::from([(POLICY.to_owned(), PolicyFiles { file })]),
        dialects: vec![dialect],
    }
}
