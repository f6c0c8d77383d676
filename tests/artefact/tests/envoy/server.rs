//! A real Envoy with the file as its only filter, and an upstream that
//! answers with the head of the request that it got.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use countersign_artefact_tests::{cases::AUTHORITY, dist};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// Where `cargo xtask test` has put Envoy. A host that is absent is said to
/// be; in CI it fails the run.
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
    log: PathBuf,
    address: SocketAddr,
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    }
}

impl Envoy {
    /// Starts Envoy and waits until it listens, or refuses to.
    pub(crate) fn start(binary: &Path, policy: &Value, upstream: SocketAddr) -> Self {
        let policy = json!({
            "@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": policy.to_string(),
        });
        Self::start_with(binary, &policy, upstream)
    }

    /// The same with the plugin configuration as Envoy takes it.
    pub(crate) fn start_with(binary: &Path, policy: &Value, upstream: SocketAddr) -> Self {
        let address = free_address();
        let folder = dist::root()
            .join("target/envoy-tests")
            .join(address.port().to_string());
        fs::create_dir_all(&folder).unwrap();
        let (config, log) = (folder.join("envoy.json"), folder.join("envoy.log"));
        fs::write(
            &config,
            configuration(policy, address, upstream).to_string(),
        )
        .unwrap();

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
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut envoy = Self {
            process,
            log,
            address,
        };
        envoy.wait();
        envoy
    }

    fn wait(&mut self) {
        let start = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if self.process.try_wait().unwrap().is_some() {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "Envoy does not listen:\n{}",
                self.logged()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// `None` where Envoy does not even answer.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, Vec<u8>)],
    ) -> Option<Reply> {
        let mut request =
            format!("{method} {target} HTTP/1.1\r\nhost: {AUTHORITY}\r\nconnection: close\r\n")
                .into_bytes();
        for (name, value) in headers {
            request.extend(format!("{name}: ").as_bytes());
            request.extend(value);
            request.extend(b"\r\n");
        }
        request.extend(b"\r\n");
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&request).ok()?;
        read(stream)
    }

    /// Ends Envoy and gives what it has logged.
    pub(crate) fn stop(mut self) -> String {
        self.end();
        self.logged()
    }

    fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.end();
    }
}

/// Everything that comes until the connection is closed.
fn read(mut stream: TcpStream) -> Option<Reply> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": "));
    Some(Reply {
        status,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    })
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Answers every request with its own head, until the tests end.
pub(crate) fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || echo(stream));
        }
    });
    address
}

fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut reader = BufReader::new(stream.try_clone()?);
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    stream.write_all(&head)
}

fn configuration(policy: &Value, listen: SocketAddr, upstream: SocketAddr) -> Value {
    let address = |address: SocketAddr| {
        json!({ "socket_address": {
            "address": address.ip().to_string(), "port_value": address.port(),
        } })
    };
    json!({ "static_resources": {
        "listeners": [{
            "address": address(listen),
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network\
                              .http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "http",
                    "http_filters": [gate(policy), {
                        "name": "envoy.filters.http.router",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.router\
                                      .v3.Router",
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
        }],
        "clusters": [{
            "name": "upstream",
            "type": "STATIC",
            "load_assignment": {
                "cluster_name": "upstream",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(upstream) } }] }],
            },
        }],
    } })
}

/// The filter as the README shows it, with this configuration.
fn gate(configuration: &Value) -> Value {
    let readme = include_str!("../../../../README.md");
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
