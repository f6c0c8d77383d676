//! Starts and stops a real Envoy.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use countersign_artefact_tests::dist;
use serde_json::Value;

use super::{
    client::{self, Reply, Sent},
    eventually,
    setup::{MAIN, Setup},
};

pub(crate) struct Envoy {
    process: Child,
    folder: PathBuf,
    pub(crate) admin: SocketAddr,
    /// The address of the main listener.
    pub(crate) address: SocketAddr,
}

impl Envoy {
    /// Starts Envoy and waits until it serves.
    pub(crate) fn start(binary: &Path, setup: &Setup) -> Self {
        let folder = folder();
        match Self::try_start(binary, setup, &folder) {
            Some(envoy) => envoy,
            None => panic!("Envoy does not start:\n{}", log(&folder)),
        }
    }

    /// The same with a YAML bootstrap from the repository.
    pub(crate) fn start_yaml(binary: &Path, bootstrap: &str) -> Self {
        let folder = folder();
        let config = folder.join("envoy.yaml");
        fs::write(&config, bootstrap).unwrap();
        let mut command = Command::new(binary);
        command.current_dir(dist::root());
        let started = Self::launch(command, &config, &folder);
        started.unwrap_or_else(|| panic!("Envoy does not start:\n{}", log(&folder)))
    }

    /// Returns the log of Envoy for a setup that it refuses.
    pub(crate) fn refuse(binary: &Path, setup: &Setup) -> String {
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

    /// Sends a request; `None` if Envoy does not answer.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, Vec<u8>)],
    ) -> Option<Reply> {
        self.begin(method, target, headers)?.reply()
    }

    /// Sends a request without waiting for the reply.
    pub(crate) fn begin(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, Vec<u8>)],
    ) -> Option<Sent> {
        client::send(self.address, method, target, headers)
    }

    /// Sends a `GET` with or without a bearer token.
    pub(crate) fn get(&self, target: &str, token: Option<&str>) -> Reply {
        let headers: Vec<_> = token
            .map(|token| ("authorization", format!("Bearer {token}").into_bytes()))
            .into_iter()
            .collect();
        let reply = self.send("GET", target, &headers);
        reply.unwrap_or_else(|| panic!("{target}: no reply\n{}", self.log()))
    }

    /// Returns the addresses of the listeners by name.
    pub(crate) fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        listeners(self.admin).expect("Envoy names its listeners")
    }

    /// Returns one metric from the admin interface.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let reply = client::send(self.admin, "GET", "/stats?format=json", &[])?.reply()?;
        let body = reply
            .body
            .get(reply.body.find('{')?..=reply.body.rfind('}')?)?;
        let stats: Value = serde_json::from_str(body).ok()?;
        let mut all = stats["stats"].as_array()?.iter();
        all.find(|stat| stat["name"] == name)?["value"].as_u64()
    }

    pub(crate) fn log(&self) -> String {
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
