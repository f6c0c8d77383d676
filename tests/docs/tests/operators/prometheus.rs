//! The alerts and the dashboard in a real Prometheus, over the metrics of a real
//! service.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use countersign_artefact_tests::{
    cases, dist,
    stage::{
        TIMEOUT, eventually,
        service::{self, Service},
        within,
    },
    token::Key,
};
use serde_json::{Value, json};

use crate::{alerts, panel_queries, yaml};

const RULES: &str = "deploy/prometheus/countersign.rules.yaml";
const UNIT_TESTS: &str = "tests/docs/tests/operators/alerts.test.yaml";

#[test]
fn each_alert_has_a_unit_test_in_which_it_is_raised() {
    let text = fs::read_to_string(dist::root().join(UNIT_TESTS)).unwrap();
    let file: Value = serde_json::from_str(&yaml::Yaml::parse(&text).unwrap().json).unwrap();
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let asked = all(&file["tests"]).into_iter();
    let asked = asked.flat_map(|test| all(&test["alert_rule_test"]));
    let raised = asked.filter(|asked| !all(&asked["exp_alerts"]).is_empty());
    let raised: BTreeSet<_> = raised.map(|asked| asked["alertname"].to_string()).collect();
    let names = alerts().into_iter().map(|alert| alert["alert"].to_string());
    assert_eq!(raised, names.collect());
}

#[test]
fn the_unit_tests_of_the_alerts_pass() {
    let Some(programs) = programs() else {
        return;
    };
    for arguments in [["check", "rules", RULES], ["test", "rules", UNIT_TESTS]] {
        let mut command = Command::new(programs.join("promtool"));
        let output = command.current_dir(dist::root()).args(arguments).output();
        let output = output.unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}\n{text}");
    }
}

#[test]
fn prometheus_evaluates_the_alerts_and_each_panel_shows_what_a_service_did() {
    let (Some(programs), Some(service)) = (programs(), service::go()) else {
        return;
    };
    let shop = Shop::start(service);
    let prometheus = shop.prometheus(&programs);
    // It listens before it answers: until then every query gets a 503.
    eventually("Prometheus is ready", || {
        prometheus.page("/-/ready").contains("Ready")
    });
    let (mut labels, mut missing) = (String::new(), Vec::new());
    let is_whole = within(TIMEOUT, || {
        shop.visit();
        labels.clear();
        missing.clear();
        for (title, expr, _) in panel_queries("10s") {
            // There is no day before.
            let found = query(&prometheus, &expr.replace(" offset 1d", ""));
            labels += &found.to_string();
            let values = found.as_array().into_iter().flatten();
            let mut values = values.map(|series| series["value"][1].as_str().unwrap_or("NaN"));
            if found == json!([]) || values.any(|value| value == "NaN") {
                missing.push(format!("{title}: {found}"));
            }
        }
        missing.is_empty()
    });
    assert!(is_whole, "panels that show nothing: {missing:#?}");
    for shown in [
        "allow",
        "deny",
        "orders",
        "token_missing",
        "keys_unavailable",
        "agree",
        "would_deny",
        "role_denied",
        "jwks",
        "accepted",
        "refused",
        "failed",
        "status",
    ] {
        assert!(
            labels.contains(&format!("\"{shown}\"")),
            "{shown}: {labels}"
        );
    }
    // The alert for a candidate waits for nothing.
    eventually("an alert is raised", || {
        let found = query(&prometheus, "ALERTS{alertstate=\"firing\"}").to_string();
        found.contains("CountersignShadowWouldDeny") && found.contains("role_denied")
    });
    eventually("each alert was evaluated", || {
        let text = prometheus.page("/api/v1/rules");
        let rules: Value = serde_json::from_str(&text).unwrap();
        let groups = rules["data"]["groups"].as_array().unwrap().iter();
        let rules: Vec<_> = groups
            .flat_map(|group| group["rules"].as_array().unwrap())
            .collect();
        let is_wrong = |rule: &&&Value| rule["health"] == "err";
        let wrong: Vec<_> = rules.iter().filter(is_wrong).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        rules.len() == alerts().len() && rules.iter().all(|rule| rule["health"] == "ok")
    });
}

/// Where `cargo xtask test` has built Prometheus and promtool; in CI it has to be there.
fn programs() -> Option<PathBuf> {
    let folder = env::var_os("COUNTERSIGN_PROMETHEUS").map(PathBuf::from);
    let ci = env::var_os("CI").is_some();
    assert!(folder.is_some() || !ci, "COUNTERSIGN_PROMETHEUS is not set");
    if folder.is_none() {
        println!(
            "skipped: COUNTERSIGN_PROMETHEUS is not set; `cargo xtask test` installs Prometheus"
        );
    }
    folder
}

/// Two services with one policy: one enforces it, the other only observes, and its log
/// is on a full disk.
struct Shop {
    folder: PathBuf,
    services: [Service; 2],
    tokens: Vec<String>,
}

impl Shop {
    fn start(program: &Path) -> Self {
        let folder = dist::root().join("target/operators/shop");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let key = Key::read("rsa-2048-a");
        let issuer = format!("http://{}", issuer(&key));
        let in_force = policy(&issuer, json!({}));
        let candidate = policy(&issuer, json!({ "roles": ["clerk"] }));
        fs::write(folder.join("policy.json"), in_force.to_string()).unwrap();
        fs::write(folder.join("next.json"), candidate.to_string()).unwrap();
        let start = |name: &str, more: &[&str]| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            command.args(["-policy", "policy.json", "-shadow", "next.json"]);
            Service::start(command.args(more), &folder.join(name))
        };
        let full = if Path::new("/dev/full").exists() {
            "/dev/full"
        } else {
            "observed.jsonl"
        };
        let services = [
            start("enforced.said", &["-log", "enforced.jsonl"]),
            start("observed.said", &["-log", full, "-observe"]),
        ];
        let now = cases::now_ms() / 1000;
        let token = |path: &str| {
            key.sign(&json!({
                "iss": format!("{issuer}/{path}"), "aud": "orders", "sub": "u-1",
                "iat": now, "exp": now + 3600,
            }))
        };
        let tokens = ["keys", "missing"].map(token).into();
        Self {
            folder,
            services,
            tokens,
        }
    }

    /// A token that is good, one whose keys are missing, none.
    fn visit(&self) {
        for service in &self.services {
            for token in &self.tokens {
                let _ = service.get("/orders/1", Some(token));
            }
            let _ = service.get("/orders/1", None);
            let _ = service.get("/elsewhere", Some(&self.tokens[0]));
        }
    }

    fn prometheus(&self, programs: &Path) -> Service {
        let targets = self
            .services
            .each_ref()
            .map(|service| service.address.to_string());
        // JSON is YAML.
        let configuration = json!({
            "global": {
                "scrape_interval": "500ms", "scrape_timeout": "500ms",
                "evaluation_interval": "500ms",
            },
            "rule_files": [dist::root().join(RULES)],
            "scrape_configs": [
                { "job_name": "shop", "static_configs": [{ "targets": targets }] },
            ],
        });
        let file = self.folder.join("prometheus.yaml");
        fs::write(&file, configuration.to_string()).unwrap();
        let mut command = Command::new(programs.join("prometheus"));
        command
            .current_dir(&self.folder)
            .arg("--config.file")
            .arg(file);
        command.args([
            "--web.listen-address",
            "127.0.0.1:0",
            "--storage.tsdb.path",
            "data",
        ]);
        let said = self.folder.join("prometheus.said");
        Service::start_told(&mut command, &said, &["Listening on", "address="])
    }
}

/// Three issuers: one publishes its keys, one something else, one nothing.
fn policy(issuer: &str, require: Value) -> Value {
    let issuers = ["keys", "broken", "missing"].map(|path| {
        json!({
            "name": path, "issuer": format!("{issuer}/{path}"), "audiences": ["orders"],
            "algorithms": ["RS256"],
            "keys": { "jwks_uri": format!("{issuer}/{path}"), "insecure_http": true },
        })
    });
    json!({
        "contract": "1",
        "issuers": issuers,
        "rules": [{ "name": "orders", "path": "/orders/**", "require": require }],
    })
}

/// Serves `/keys` and `/broken` until the tests end, one request at a time.
fn issuer(key: &Key) -> SocketAddr {
    let keys = json!({ "keys": [key.public()] }).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let (status, body) = match head.split(' ').nth(1) {
                Some("/keys") => ("200 OK", &*keys),
                Some("/broken") => ("200 OK", "{"),
                _ => ("404 Not Found", ""),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

/// The series that a query finds now.
fn query(prometheus: &Service, expr: &str) -> Value {
    let encoded: String = expr.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let text = prometheus.page(&format!("/api/v1/query?query={encoded}"));
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{expr}: {text}"));
    assert_eq!(answer["status"], "success", "{expr}: {answer}");
    answer["data"]["result"].clone()
}
