//! A real Envoy, and requests to it byte by byte.

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// Where `cargo xtask test` has put Envoy; in CI it has to be there.
pub(crate) fn binary() -> Option<PathBuf> {
    let path = env::var_os("COUNTERSIGN_ENVOY").map(PathBuf::from);
    let ci = env::var_os("CI").is_some();
    assert!(path.is_some() || !ci, "COUNTERSIGN_ENVOY is not set");
    if path.is_none() {
        println!("skipped: COUNTERSIGN_ENVOY is not set; `cargo xtask test` installs Envoy");
    }
    path
}

pub(crate) struct Envoy {
    process: Child,
    address: SocketAddr,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Envoy {
    /// Starts it and waits until it serves.
    pub(crate) fn start(binary: &Path, bootstrap: &Value) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("migration-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let [config, log, admin] =
            ["envoy.json", "envoy.log", "admin"].map(|name| folder.join(name));
        fs::write(&config, bootstrap.to_string()).unwrap();
        let process = Command::new(binary)
            .args([
                "--concurrency",
                "1",
                "--disable-hot-restart",
                "--log-level",
                "warning",
            ])
            .arg("--config-path")
            .arg(&config)
            .arg("--admin-address-path")
            .arg(&admin)
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut envoy = Self {
            process,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        let start = Instant::now();
        loop {
            let written = fs::read_to_string(&admin).unwrap_or_default();
            if let Some(address) = written.trim().parse().ok().and_then(listener) {
                envoy.address = address;
                return envoy;
            }
            let is_over = envoy.process.try_wait().unwrap().is_some();
            assert!(
                !is_over && start.elapsed() < PATIENCE,
                "Envoy does not serve:\n{}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, Vec<u8>)],
    ) -> Option<Reply> {
        send(self.address, method, target, headers)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where it listens, once it is ready.
fn listener(admin: SocketAddr) -> Option<SocketAddr> {
    let ready = send(admin, "GET", "/ready", &[])?;
    let listeners = send(admin, "GET", "/listeners", &[])?;
    let (_, address) = listeners
        .body
        .lines()
        .find_map(|line| line.split_once("::"))?;
    let address: SocketAddr = address.trim().parse().ok()?;
    (ready.status == 200 && address.port() != 0).then_some(address)
}

fn send(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(String, Vec<u8>)],
) -> Option<Reply> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n").into_bytes();
    if headers.iter().all(|(name, _)| name != "host") {
        request.extend(b"host: shop.example\r\n");
    }
    for (name, value) in headers {
        request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(&request).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        body: body.to_owned(),
    })
}
