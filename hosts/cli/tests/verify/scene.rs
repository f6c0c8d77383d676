//! A proxy under attack: the decision server before it, and the echo behind it, all by
//! the command itself.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use countersign_dev_issuer::Issuer;
use serde_json::{Map, Value, json};

use crate::common::{Folder, Run};

/// A process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Killed, a master would leave its workers behind.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(5);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Scene {
    pub(crate) folder: Folder,
    pub(crate) echo: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) token: String,
    serving: Running,
    _echoing: Running,
}

/// The path of a proxy, which the test command has put into this variable.
pub(crate) fn program(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    assert!(
        path.is_some() || env::var_os("CI").is_none(),
        "{variable} is not set"
    );
    if path.is_none() {
        println!("skipped: {variable} is not set; `cargo xtask test` installs the proxy");
    }
    path
}

/// An address that is free now. Whoever finds it taken takes another one.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Waits until somebody listens there; `false` if the process ends before that.
pub(crate) fn listens(running: &mut Running, address: SocketAddr) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if running.0.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("nobody listens at {address}");
}

impl Scene {
    /// With the server for this dialect.
    pub(crate) fn new(dialect: &str) -> Self {
        let folder = Folder::new();
        let issuer = Issuer::new("https://id.example.com", "api", "ES256").unwrap();
        let policy = json!({
            "contract": "1",
            "issuers": [{
                "name": "dev", "issuer": "https://id.example.com", "audiences": ["api"],
                "algorithms": ["ES256"], "keys": { "jwks": issuer.jwks() },
                "claims": { "tenant": "/tenant_id" },
            }],
            "rules": [
                { "path": "/public/**", "public": true },
                { "path": "/orgs/{org}/**", "require": { "tenant": "{org}" } },
            ],
            "forward": { "x-auth-subject": "subject", "x-auth-tenant": "tenant" },
        });
        folder.write("policy.json", &policy.to_string());
        let token = token(&issuer);
        folder.write("token", &token);
        let (echoing, echo) = echo(&folder);
        let (serving, server) = serve(&folder, dialect);
        Self {
            folder,
            echo,
            server,
            token,
            serving,
            _echoing: echoing,
        }
    }

    /// The generated configuration of a proxy that listens here.
    pub(crate) fn configuration(&self, kind: &str, listen: SocketAddr) -> String {
        let Self { echo, server, .. } = self;
        let generated = self.folder.run(&format!(
            "proxy-config {kind} --policy policy.json --server {server} --origin {echo} \
             --listen {listen}"
        ));
        generated.expect(0).stdout
    }

    /// Attacks a proxy.
    pub(crate) fn verify(&self, proxy: SocketAddr, more: &str) -> Run {
        let run = self.folder.run(&format!(
            "proxy-config --verify http://{proxy} --policy policy.json --token token \
             --path /orgs/acme/seats {more}"
        ));
        let signature = self.token.rsplit('.').next().unwrap();
        assert!(!run.text().contains(signature), "a token was printed");
        run
    }

    /// The command that stops the decision server.
    pub(crate) fn stop_command(&self) -> String {
        format!("--stop-command 'kill {}'", self.serving.0.id())
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.serving.0.kill();
        let _ = self.serving.0.wait();
    }
}

/// The attacks of a run that have come through.
pub(crate) fn through(run: &Run) -> Vec<String> {
    let lines = run.stdout.lines();
    let titles = lines.filter_map(|line| line.strip_prefix("✗ "));
    let title = |line: &str| line.split("  ").next().unwrap_or_default().to_owned();
    titles.map(title).collect()
}

fn token(issuer: &Issuer) -> String {
    let signer = issuer.signer().unwrap();
    let kid = signer.kid.iter().map(|kid| ("kid".to_owned(), json!(kid)));
    let claims = json!({
        "iss": "https://id.example.com", "aud": "api", "sub": "ada", "tenant_id": "acme",
        "exp": 4_000_000_000_u64,
    });
    let header: Map<String, Value> = kid.collect();
    signer.sign(&header, claims.as_object().unwrap()).unwrap()
}

fn echo(folder: &Folder) -> (Running, SocketAddr) {
    let mut command = folder.command("proxy-config --echo 127.0.0.1:0");
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    let stdout = running.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let address = line
        .trim_start_matches("http://")
        .split(' ')
        .next()
        .unwrap();
    (running, address.parse().unwrap())
}

fn serve(folder: &Folder, dialect: &str) -> (Running, SocketAddr) {
    // Somebody else may take a port that was free: then there is another one.
    for _ in 0..5 {
        let address = free_address();
        let log = fs::File::create(folder.path.join("server.log")).unwrap();
        let mut command = folder.command(&format!(
            "serve --policy policy.json --dialect {dialect} --listen {address} \
             --trusted-proxy 127.0.0.1"
        ));
        let mut running = Running(command.stderr(log).stdin(Stdio::null()).spawn().unwrap());
        if listens(&mut running, address) {
            return (running, address);
        }
    }
    panic!("{}", folder.read("server.log"));
}
