//! Starts and stops a real Envoy.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use super::{
    client::{self, Reply, Sent},
    eventually,
    setup::{MAIN, Setup},
};
use crate::dist;

/// A process that ends when this is dropped.
#[derive(Debug)]
pub struct Envoy {
    process: Child,
    folder: PathBuf,
    /// Of its admin interface.
    pub admin: SocketAddr,
    /// Of the main listener.
    pub address: SocketAddr,
}

impl Envoy {
    /// Starts Envoy and waits until it serves.
    ///
    /// # Panics
    /// Where it does not; with what it logged.
    #[must_use]
    pub fn start(binary: &Path, setup: &Setup) -> Self {
        let folder = folder();
        match Self::try_start(binary, setup, &folder) {
            Some(envoy) => envoy,
            None => panic!("Envoy does not start:\n{}", log(&folder)),
        }
    }

    /// The same with a bootstrap as an operator writes it, from the repository.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_yaml(binary: &Path, bootstrap: &str) -> Self {
        let folder = folder();
        let config = folder.join("envoy.yaml");
        fs::write(&config, bootstrap).unwrap();
        let mut command = Command::new(binary);
        command.current_dir(dist::root());
        let started = Self::launch(command, &config, &folder);
        started.unwrap_or_else(|| panic!("Envoy does not start:\n{}", log(&folder)))
    }

    /// What Envoy logs of a setup that it refuses.
    ///
    /// # Panics
    /// Where it takes it.
    #[must_use]
    pub fn refuse(binary: &Path, setup: &Setup) -> String {
        let folder = folder();
        let started = Self::try_start(binary, setup, &folder);
        assert!(started.is_none(), "Envoy has started");
        log(&folder)
    }

    fn try_start(binary: &Path, setup: &Setup, folder: &Path) -> Option<Self> {
        let config = folder.join("envoy.json");
        fs::write(&config, setup.bootstrap().to_string()).unwrap();
        let mut command = Command::new(binary);
        command.args(["--concurrency", &setup.concurrency.to_string()]);
        command.envs(setup.environment.iter().map(|(name, value)| (name, value)));
        Self::launch(command, &config, folder)
    }

    /// `None` if Envoy ends instead of serving.
    fn launch(mut command: Command, config: &Path, folder: &Path) -> Option<Self> {
        let admin_file = folder.join("admin");
        let mut process = command
            .args(["--disable-hot-restart", "--log-level", "warning"])
            .args(["--component-log-level", "wasm:info"])
            .arg("--config-path")
            .arg(config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("envoy.log")).unwrap())
            .spawn()
            .unwrap();
        let (mut admin, mut address) = (None, None);
        eventually("Envoy listens", || {
            if process.try_wait().unwrap().is_some() {
                return true;
            }
            let written = fs::read_to_string(&admin_file).unwrap_or_default();
            admin = written.trim().parse().ok();
            address = admin.and_then(ready);
            address.is_some()
        });
        let (admin, address) = admin.zip(address)?;
        Some(Self {
            process,
            folder: folder.to_owned(),
            admin,
            address,
        })
    }

    /// `None` where Envoy does not even answer.
    #[must_use]
    pub fn send(&self, method: &str, target: &str, headers: &[(&str, Vec<u8>)]) -> Option<Reply> {
        self.begin(method, target, headers)?.reply()
    }

    /// The same without waiting for the reply.
    #[must_use]
    pub fn begin(&self, method: &str, target: &str, headers: &[(&str, Vec<u8>)]) -> Option<Sent> {
        client::send(self.address, method, target, headers)
    }

    /// `GET` with a bearer token, or without any.
    ///
    /// # Panics
    /// Where no reply comes.
    #[must_use]
    pub fn get(&self, target: &str, token: Option<&str>) -> Reply {
        let headers: Vec<_> = token
            .map(|token| ("authorization", format!("Bearer {token}").into_bytes()))
            .into_iter()
            .collect();
        let reply = self.send("GET", target, &headers);
        reply.unwrap_or_else(|| panic!("{target}: no reply\n{}", self.log()))
    }

    /// Where its listeners are, by name.
    ///
    /// # Panics
    /// Where its admin interface does not say.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        listeners(self.admin).expect("Envoy names its listeners")
    }

    /// One metric, as the admin interface shows it.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        let reply = client::send(self.admin, "GET", "/stats?format=json", &[])?.reply()?;
        let body = reply
            .body
            .get(reply.body.find('{')?..=reply.body.rfind('}')?)?;
        let stats: Value = serde_json::from_str(body).ok()?;
        let mut all = stats["stats"].as_array()?.iter();
        all.find(|stat| stat["name"] == name)?["value"].as_u64()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        log(&self.folder)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the address of the first listener if Envoy is ready.
fn ready(admin: SocketAddr) -> Option<SocketAddr> {
    let ready = client::send(admin, "GET", "/ready", &[])?.reply()?;
    let address = listeners(admin)?.remove(MAIN)?;
    (ready.status == 200).then_some(address)
}

/// Returns the addresses of the listeners by name.
fn listeners(admin: SocketAddr) -> Option<BTreeMap<String, SocketAddr>> {
    let reply = client::send(admin, "GET", "/listeners", &[])?.reply()?;
    let named = reply.body.lines().filter_map(|line| line.split_once("::"));
    let bound = named.filter_map(|(name, address)| {
        let address: SocketAddr = address.trim().parse().ok()?;
        (address.port() != 0).then(|| (name.to_owned(), address))
    });
    Some(bound.collect())
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("envoy.log")).unwrap_or_default()
}

/// Makes a new folder in `target/`, so that the log of Envoy can be read after
/// the test.
fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{}-{count}", std::process::id());
    let folder = dist::root().join("target/envoy-tests").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
