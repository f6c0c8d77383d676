//! One folder with an issuer, policies, logs, and the three hosts over them.

use std::{
    cell::RefCell,
    env, fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use countersign_artefact_tests::stage::{
    self, TIMEOUT, client,
    envoy::Envoy,
    service::{self, Service},
    setup::Setup,
    within,
};
use serde_json::{Value, json};

use crate::{
    common::{Folder, Run},
    page::{self, Session},
};

pub(crate) struct Scene {
    folder: Folder,
    issuer: Service,
    programs: (PathBuf, &'static Path),
    /// What the hosts and the commands have said.
    said: RefCell<String>,
}

impl Scene {
    /// `None` if a host is absent, which is said; in CI it fails.
    pub(crate) fn new() -> Option<Self> {
        let programs = (stage::binary()?, service::go()?);
        service::node()?;
        let folder = Folder::new();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", free.local_addr().unwrap());
        let keys = format!("dev keys --dir issuer --issuer {url} --audience orders");
        folder.run(&keys).expect(0);
        drop(free);
        let said = folder.path.join("issuer.said");
        let issuer = Service::start(&mut folder.command("dev serve --dir issuer"), &said);
        let old = policy(&url, "clerk");
        // The roles of globex were to be renamed, and its tokens have the old ones.
        let new = policy(&url, "purchaser");
        folder.write("policy.json", &old.to_string());
        folder.write("next.json", &new.to_string());
        folder.write("subject.key", "a subject key of this trial\n");
        Some(Self {
            folder,
            issuer,
            programs,
            said: RefCell::default(),
        })
    }

    pub(crate) fn mint(&self, arguments: &str) -> String {
        let mint = format!("dev mint --dir issuer --type access {arguments}");
        self.run(&mint).expect(0).stdout.trim().to_owned()
    }

    /// A token with the signature of another one.
    pub(crate) fn forge(&self, token: &str) -> String {
        let other = self.mint("--tenant acme --subject u-6666");
        let (signed, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        format!("{signed}.{signature}")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        self.folder.write(name, text);
    }

    pub(crate) fn run(&self, arguments: &str) -> Run {
        self.folder.run(arguments)
    }

    /// Runs the commands of a part of the page.
    pub(crate) fn follow_all(&self, part: usize) {
        for session in page::sessions(part) {
            self.follow(&session);
        }
    }

    /// Runs a command of the page, for the port of this issuer.
    fn follow(&self, session: &Session) {
        let port = self.issuer.address.port().to_string();
        let command = session.command.replace("8181", &port);
        let command_folder = Path::new(env!("CARGO_BIN_EXE_countersign"))
            .parent()
            .unwrap();
        let mut path = vec![command_folder.to_owned()];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap()));
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(&self.folder.path)
            .env("PATH", env::join_paths(path).unwrap())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        for line in &session.prints {
            assert!(
                text.contains(line),
                "`{command}` prints no `{line}`:\n{text}"
            );
        }
        self.note(&text);
    }

    /// How many lines of both logs match a pattern of `grep`.
    pub(crate) fn count(&self, pattern: &str) -> usize {
        let grep = format!("cat go.jsonl node.jsonl | grep -c '{pattern}'");
        let mut command = Command::new("sh");
        command.args(["-c", &grep]).current_dir(&self.folder.path);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse().unwrap()
    }

    /// The events of a person, found by the key as the page does it.
    pub(crate) fn events_of(&self, subject: &str) -> Vec<Value> {
        let mut sessions = page::sessions(3);
        sessions.retain(|session| session.command.starts_with("python3"));
        let mut makes_reference = sessions.pop().expect("the reference is made");
        makes_reference.command = makes_reference.command.replace("u-4711", subject);
        self.follow(&makes_reference);
        let reference = self.folder.read("reference");
        let logs = self.folder.read("go.jsonl") + &self.folder.read("node.jsonl");
        let lines = logs.lines().filter(|line| line.contains(reference.trim()));
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// How many lines of Envoy's access log have this rule and code.
    pub(crate) fn accesses(&self, rule: &str, code: &str) -> usize {
        let log = fs::read_to_string(self.folder.path.join("envoy.jsonl")).unwrap_or_default();
        let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
        // Values of the filter state are encoded like those of headers.
        let rule = rule.replace(' ', "%20");
        lines
            .filter(|line: &Value| {
                let details = line["details"].as_str().unwrap_or_default();
                line["rule"] == rule.as_str() && details.contains(code)
            })
            .count()
    }

    /// Keeps everything that was said, to be searched at the end.
    pub(crate) fn note(&self, text: &str) {
        self.said.borrow_mut().push_str(text);
    }

    /// Keeps what an operator can read from running hosts.
    pub(crate) fn keep(&self, fleet: &Fleet) {
        for page in ["/status", "/metrics"] {
            self.note(&fleet.go.page(page));
        }
        self.note(&fleet.node.page("/status"));
        self.note(&fleet.envoy.log());
        for page in ["/stats", "/stats/prometheus"] {
            let sent = client::send(fleet.envoy.admin, "GET", page, &[]);
            self.note(&sent.and_then(client::Sent::reply).unwrap().body);
        }
    }

    /// Fails if a part of a token is in anything that was said or logged, or the value
    /// of a claim in a log. (`explain` shows claims to whoever has the token.)
    pub(crate) fn leaks_nothing_of(&self, tokens: &[String]) {
        let logs = [
            "go.jsonl",
            "node.jsonl",
            "envoy.jsonl",
            "go.said",
            "node.said",
            "issuer.said",
        ];
        let logs: String = logs.iter().map(|name| self.folder.read(name)).collect();
        assert!(logs.len() > 5_000, "the logs are gone: {logs}");
        let everything = self.said.borrow().clone() + &logs;
        for part in tokens.iter().flat_map(|token| token.split('.')) {
            assert!(
                part.len() > 20 && !everything.contains(part),
                "{part} was said"
            );
        }
        for value in [
            "u-1001", "u-2002", "u-4711", "u-4712", "u-6666", "grace@", "billing",
        ] {
            assert!(!logs.contains(value), "{value} is in a log");
        }
    }
}

/// Each tenant has its rule, and its people have roles.
fn policy(issuer: &str, role_of_globex: &str) -> Value {
    let rule = |tenant: &str, role: &str| {
        json!({
            "name": format!("orders of {tenant}"),
            "path": format!("/orgs/{tenant}/orders/**"),
            "require": { "tenant": { "fixed": tenant }, "roles": { "any": [role] } },
        })
    };
    json!({
        "contract": "1",
        "issuers": [{
            "name": "people",
            "issuer": issuer,
            "audiences": ["orders"],
            "algorithms": ["RS256"],
            "keys": { "jwks_uri": format!("{issuer}/.well-known/jwks.json"), "insecure_http": true },
            "claims": { "tenant": "/tenant_id" },
        }],
        "rules": [rule("acme", "clerk"), rule("globex", role_of_globex)],
    })
}

/// The three hosts, with one policy.
pub(crate) struct Fleet {
    pub(crate) go: Service,
    pub(crate) node: Service,
    pub(crate) envoy: Envoy,
}

impl Fleet {
    /// Starts them and waits until each has its keys, those of the candidate too.
    pub(crate) fn start(scene: &Scene, policy: &str, shadow: Option<&str>) -> Self {
        let path = |name: &str| scene.folder.path.join(name);
        let mut go = Command::new(scene.programs.1);
        go.current_dir(&scene.folder.path);
        go.args([
            "-policy",
            policy,
            "-subject-key",
            "subject.key",
            "-log",
            "go.jsonl",
        ]);
        go.args(
            shadow
                .map(|candidate| ["-shadow", candidate])
                .into_iter()
                .flatten(),
        );
        let mut node = service::node().expect("it was there");
        node.current_dir(&scene.folder.path);
        node.args([policy, "node.jsonl", "subject.key"])
            .args(shadow);
        let envoy = envoy(scene, policy, shadow, &path("envoy.jsonl"));
        let fleet = Self {
            go: Service::start(&mut go, &path("go.said")).ready(),
            node: Service::start(&mut node, &path("node.said")).ready(),
            envoy: Envoy::start(&scene.programs.0, &envoy),
        };
        let mut late = Vec::new();
        let is_ready = within(TIMEOUT, || {
            late = fleet.late(shadow.is_some());
            late.is_empty()
        });
        assert!(is_ready, "without keys: {late:?}");
        fleet
    }

    /// Which policies have no keys yet.
    fn late(&self, has_candidate: bool) -> Vec<&'static str> {
        let of_envoy = |name: &str| {
            let gauge = format!("wasmcustom.countersign.{name}");
            self.envoy.metric(&gauge) == Some(1)
        };
        let mut all = vec![("Envoy", of_envoy("ready"))];
        if has_candidate {
            // In Node.js a candidate fetches its keys when a request comes. No rule has this.
            assert_eq!(self.node.get("/elsewhere", None).status, 403);
            let (go, node) = (status(&self.go), status(&self.node));
            all.extend([
                ("the candidate of Envoy", of_envoy("shadow.ready")),
                ("the candidate in Go", go["Shadow"]["Ready"] == true),
                ("the candidate in Node.js", node["shadow"]["ready"] == true),
            ]);
        }
        all.retain(|(_, is_ready)| !is_ready);
        all.into_iter().map(|(name, _)| name).collect()
    }

    /// What each host answers to a request.
    pub(crate) fn statuses(&self, target: &str, token: &str) -> [u16; 3] {
        let token = Some(token);
        let services = [&self.go, &self.node].map(|service| service.get(target, token).status);
        [
            services[0],
            services[1],
            self.envoy.get(target, token).status,
        ]
    }

    /// How many requests the candidate of each host would deny by a rule with a code.
    pub(crate) fn would_deny(&self, rule: &str, code: &str) -> [u64; 3] {
        let name = rule.replace(' ', "_");
        let counter = format!("wasmcustom.countersign.shadow.would_deny.{name}.{code}");
        let counted = |counts: &Value, names: [&str; 4]| {
            let [comparison, of, by, number] = names;
            let is_it = |count: &&Value| {
                count[comparison] == "would_deny" && count[of] == rule && count[by] == code
            };
            let counts = counts.as_array().into_iter().flatten();
            let mut found = counts.filter(is_it).map(|count| count[number].as_u64());
            found.next().flatten().unwrap_or(0)
        };
        let (go, node) = (status(&self.go), status(&self.node));
        [
            counted(
                &go["Shadow"]["Counts"],
                ["Comparison", "Rule", "Code", "Count"],
            ),
            counted(
                &node["shadow"]["counts"],
                ["comparison", "rule", "code", "count"],
            ),
            self.envoy.metric(&counter).unwrap_or(0),
        ]
    }

    /// How many requests were denied: by this rule with this code in the metrics of
    /// the Go service, with this code in those of Envoy.
    pub(crate) fn denied(&self, rule: &str, code: &str) -> [u64; 2] {
        let metrics = self.go.page("/metrics");
        let [rule, of_code] = [("rule", rule), ("code", code)]
            .map(|(name, value)| format!("countersign_{name}=\"{value}\""));
        let mut lines = metrics.lines().filter(|line| {
            line.starts_with("countersign_decisions_total{")
                && line.contains(&rule)
                && line.contains(&of_code)
        });
        let count = lines
            .next()
            .and_then(|line| line.rsplit(' ').next()?.parse().ok());
        let counter = format!("wasmcustom.countersign.denied.{code}");
        [count.unwrap_or(0), self.envoy.metric(&counter).unwrap_or(0)]
    }
}

fn status(service: &Service) -> Value {
    serde_json::from_str(&service.page("/status")).unwrap()
}

/// The filter before a response of Envoy itself, with an access log.
fn envoy(scene: &Scene, policy: &str, shadow: Option<&str>, log: &Path) -> Setup {
    let read = |name: &str| -> Value { serde_json::from_str(&scene.folder.read(name)).unwrap() };
    let mut configuration = json!({
        "policy": read(policy),
        "envoy": { "clusters": { "*": "issuer" }, "filter_state": ["rule"] },
    });
    if let Some(candidate) = shadow {
        configuration["shadow"] = read(candidate);
    }
    let nobody: SocketAddr = ([127, 0, 0, 1], 9).into();
    let setup = Setup::new(&configuration, nobody).cluster("issuer", scene.issuer.address);
    setup.manage(|manager| {
        let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0];
        *route = json!({
            "match": { "prefix": "/" },
            "direct_response": { "status": 200, "body": { "inline_string": "you may pass\n" } },
        });
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": log,
                "log_format": { "json_format": {
                    "status": "%RESPONSE_CODE%",
                    "details": "%RESPONSE_CODE_DETAILS%",
                    "rule": "%FILTER_STATE(wasm.countersign.rule:PLAIN)%",
                } },
            },
        }]);
    })
}
