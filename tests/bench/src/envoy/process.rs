//! A real Envoy process.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::bootstrap::Cluster;

const START: Duration = Duration::from_secs(30);

pub(crate) struct Envoy {
    process: Child,
    listeners: Vec<SocketAddr>,
}

impl Envoy {
    /// Starts Envoy, and waits until it listens.
    pub(crate) fn start(
        binary: &Path,
        folder: &Path,
        listeners: &Value,
        clusters: &[Cluster],
        workers: u32,
    ) -> Result<Self> {
        let (config, admin_file) = (folder.join("envoy.json"), folder.join("admin"));
        let clusters: Vec<Value> = clusters.iter().map(Cluster::config).collect();
        let bootstrap = json!({
            "admin": { "address": {
                "socket_address": { "address": "127.0.0.1", "port_value": 0 },
            } },
            "static_resources": { "listeners": listeners, "clusters": clusters },
        });
        fs::write(&config, bootstrap.to_string())?;
        let _ = fs::remove_file(&admin_file);
        let log = folder.join("envoy.log");
        let process = Command::new(binary)
            .args(["--disable-hot-restart", "--log-level", "warning"])
            .args(["--concurrency", &workers.to_string(), "--config-path"])
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin_file)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()
            .context("Envoy cannot be started")?;
        let mut envoy = Self {
            process,
            listeners: Vec::new(),
        };
        let wanted = listeners.as_array().map_or(0, Vec::len);
        let start = Instant::now();
        while envoy.listeners.len() < wanted {
            if envoy.process.try_wait()?.is_some() || start.elapsed() > START {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("Envoy does not start:\n{said}");
            }
            thread::sleep(Duration::from_millis(50));
            let admin = fs::read_to_string(&admin_file).unwrap_or_default();
            if let Ok(admin) = admin.trim().parse() {
                envoy.listeners = listening(admin).unwrap_or_default();
            }
        }
        Ok(envoy)
    }

    pub(crate) fn listener(&self, place: usize) -> Result<SocketAddr> {
        let address = self.listeners.get(place).copied();
        address.context("Envoy has fewer listeners")
    }

    /// The resident memory, as the operating system reports it.
    pub(super) fn resident_bytes(&self) -> Result<f64> {
        // The workers load their modules shortly after the listeners start.
        thread::sleep(Duration::from_secs(2));
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib: f64 = kib.context("the system tells no VmRSS")?.trim().parse()?;
        Ok(kib * 1024.0)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The addresses of the listeners, in the configured order.
fn listening(admin: SocketAddr) -> Option<Vec<SocketAddr>> {
    let text = get(admin, "/listeners?format=json").ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    let start = body.find('{')?;
    let end = body.rfind('}')?;
    let answer: Value = serde_json::from_str(body.get(start..=end)?).ok()?;
    let mut listeners = Vec::new();
    for status in answer["listener_statuses"].as_array()? {
        let address = &status["local_address"]["socket_address"];
        let port = u16::try_from(address["port_value"].as_u64()?).ok()?;
        listeners.push(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    Some(listeners)
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
