//! `countersign serve`: the decision server as a process.
#![allow(missing_docs)]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use common::Folder;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Server {
    /// Starts it, and waits until it answers.
    fn start(folder: &Folder, arguments: &str) -> Self {
        let mut child = folder
            .command(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("the decision server answers") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it has ended");
        }
        Self { child, log }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Ends it, and returns its exit code and the rest of its log.
    fn end(mut self) -> (Option<i32>, String) {
        self.signal("TERM");
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

/// The status of what nginx asks about a request.
fn ask(socket: &Path, target: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    let question = format!(
        "GET /nginx/default HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
         x-countersign-method: GET\r\nx-countersign-target: {target}\r\n\
         x-countersign-authority: api.example.com\r\nx-countersign-host: api.example.com\r\n\
         x-countersign-scheme: https\r\nx-countersign-takes: authorization\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply[9..12].to_owned()
}

fn until(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never");
        thread::sleep(Duration::from_millis(20));
    }
}

const CONFIG: &str = "\
listen: unix:gate.sock
policies:
  default: { file: policy.yaml }
dialects: [nginx]
decision_log: { file: log/decisions }
";

/// `/healthz` is public if `open`.
fn policy(folder: &Folder, open: bool) -> String {
    let keys = folder.read("issuer/jwks.json").replace('\n', " ");
    let public = if open {
        "  - { path: /healthz, public: true }\n"
    } else {
        ""
    };
    format!(
        "contract: \"1\"\nissuers:\n  - name: dev\n    issuer: http://127.0.0.1:8181\n    audiences: [platform]\n    \
         algorithms: [RS256, ES256, EdDSA]\n    keys: {{ jwks: {keys} }}\nrules:\n{public}  - {{ path: \"/**\", require: {{}} }}\n"
    )
}

#[test]
fn a_server_answers_reloads_and_ends() {
    let folder = Folder::with_issuer();
    folder.write("policy.yaml", &policy(&folder, true));
    fs::create_dir(folder.path.join("log")).unwrap();
    folder.write("server.yaml", CONFIG);
    let server = Server::start(&folder, "serve --config server.yaml");
    let socket = folder.path.join("gate.sock");
    assert_eq!(ask(&socket, "/healthz"), "204");
    assert_eq!(ask(&socket, "/orders"), "401");

    folder.write("policy.yaml", &policy(&folder, false));
    fs::rename(
        folder.path.join("log/decisions"),
        folder.path.join("log/old"),
    )
    .unwrap();
    server.signal("HUP");
    until(|| ask(&socket, "/healthz") == "401");
    until(|| folder.path.join("log/decisions").exists());

    let (code, _) = server.end();
    assert_eq!(code, Some(0));
    assert!(!socket.exists());
    let log = folder.read("log/decisions");
    assert!(log.contains(r#""code":"token_missing""#), "{log}");
}

#[test]
fn a_policy_and_a_dialect_are_enough() {
    let folder = Folder::with_issuer();
    folder.write("policy.yaml", &policy(&folder, true));
    let arguments = "serve --policy policy.yaml --dialect nginx --listen unix:gate.sock --log json";
    let server = Server::start(&folder, arguments);
    assert_eq!(ask(&folder.path.join("gate.sock"), "/healthz"), "204");
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    // There is no default of who may ask.
    let run = folder
        .run("serve --policy policy.yaml --dialect nginx")
        .expect(2);
    assert!(run.stderr.contains("trusted_proxies"), "{run:?}");
}

#[test]
fn a_configuration_is_checked_with_every_file() {
    let folder = Folder::with_issuer();
    folder.write("policy.yaml", &policy(&folder, true));
    folder.write("server.yaml", CONFIG);
    let run = folder.run("serve --check --config server.yaml").expect(0);
    assert!(run.stdout.contains("good"), "{run:?}");
    assert!(!folder.path.join("log").exists() && !folder.path.join("gate.sock").exists());

    folder.write(
        "policy.yaml",
        &policy(&folder, true).replace("rules:", "rule:"),
    );
    let run = folder.run("serve --check --config server.yaml").expect(2);
    assert!(
        run.stderr
            .contains("policy.yaml:8:1: /rule: error[field_unknown]"),
        "{run:?}"
    );
    folder.write("server.yaml", &CONFIG.replace("[nginx]", "[nginy]"));
    let run = folder
        .run("serve --check --config server.yaml --json")
        .expect(2);
    let problem = &run.json()["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["pointer"]),
        (&4.into(), &"/dialects/0".into())
    );
}

#[test]
fn the_schema_of_the_configuration_is_printed() {
    let schema = Folder::new().run("serve --schema").expect(0).json();
    assert_eq!(
        schema["required"],
        serde_json::json!(["listen", "policies", "dialects"])
    );
}

#[test]
fn signed_policies_follow_each_other_and_an_older_one_never_comes_back() {
    let folder = Folder::with_issuer();
    let jwk = folder.run("policy key key.pem --kid a").expect(0).json();
    let trust = serde_json::json!({ "keys": [jwk], "policy": "shop", "audience": "edge" });
    folder.write("trust.json", &trust.to_string());
    let sign = |version: u32, open: bool| {
        folder.write("policy.yaml", &policy(&folder, open));
        let sign = "policy sign policy.yaml --key key.pem --kid a --name shop --audience edge";
        let run = folder.run(&format!("{sign} --version {version} --expires 1h"));
        run.expect(0).stdout
    };
    let (first, second) = (sign(1, true), sign(2, false));
    folder.write("policy.jws", &first);
    let signed = "{ signed: { file: policy.jws, trust: trust.json, state_file: state.json } }";
    let config = CONFIG.replace("{ file: policy.yaml }", signed);
    let config = config.replace("decision_log: { file: log/decisions }\n", "");
    folder.write("server.yaml", &config);
    let server = Server::start(&folder, "serve --config server.yaml");
    let socket = folder.path.join("gate.sock");
    assert_eq!(ask(&socket, "/healthz"), "204");
    folder.write("policy.jws", &second);
    until(|| ask(&socket, "/healthz") == "401");
    folder.write("policy.jws", &first);
    server.signal("HUP");
    for _ in 0..20 {
        assert_eq!(ask(&socket, "/healthz"), "401");
    }
    assert_eq!(server.end().0, Some(0));
    // Not after a restart either.
    let run = folder.run("serve --check --config server.yaml").expect(2);
    assert!(run.stderr.contains("policy.jws"), "{run:?}");
}
