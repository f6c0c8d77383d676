//! `--verify`: attacks on a running proxy, and what has reached the backend.

use std::{path::PathBuf, process::Stdio, time::Duration};

use clap::Args;
use countersign_host::{Connection, Decision};
use countersign_policy_source::Source;
use countersign_proxy_config::{
    Aim, Attack, Credential, Expected, Probe, Seen, attacks, findings, while_down,
};
use serde_json::Value;
use tokio::{process::Command, time::timeout};

use super::{
    client::{self, Reply},
    report::{self, Row},
};
use crate::{
    arguments::{DocumentArgs, HostArgs},
    failure::Failure,
    files::read_bytes,
    moment::now_ms,
    output::{Exit, Output},
    request::Request,
    session::Session,
};

/// As long as the command that stops the server may take.
const STOPPING: Duration = Duration::from_secs(60);
/// Requests that are sent while the server stops, at least.
const MEANWHILE: usize = 20;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Attack this proxy, whose backend is `--echo`, and say what has come through
    #[arg(long, value_name = "URL", conflicts_with = "kind", value_parser = address)]
    verify: Option<Address>,
    /// A file with a token that may ask for `--path`: without it less can be said
    #[arg(long, value_name = "FILE", requires = "verify")]
    token: Option<PathBuf>,
    /// A target of the gate's route that the token may ask for
    #[arg(long, value_name = "TARGET", default_value = "/", value_parser = target)]
    path: String,
    /// A target of a route without the gate, if there is one
    #[arg(long, value_name = "TARGET", requires = "verify", value_parser = target)]
    open: Option<String>,
    /// The host of the requests, where it is not that of the URL
    #[arg(long, value_name = "HOST", requires = "verify", value_parser = host)]
    host: Option<String>,
    /// Only this: the decision server is down, and nothing may pass
    #[arg(long, requires = "verify", conflicts_with = "stop_command")]
    server_down: bool,
    /// At the end, stop the decision server with this command of the shell while requests run
    #[arg(long, value_name = "COMMAND", requires = "verify")]
    stop_command: Option<String>,
    #[command(flatten)]
    documents: DocumentArgs,
    #[command(flatten)]
    gate: HostArgs,
}

impl VerifyArgs {
    pub(crate) fn is_asked(&self) -> bool {
        self.verify.is_some()
    }
}

/// Of a proxy.
#[derive(Clone, Debug)]
struct Address {
    /// `HOST:PORT`.
    connect: String,
    authority: String,
}

fn address(url: &str) -> Result<Address, &'static str> {
    const EXPECTED: &str = "expected http://HOST:PORT: point it at a listener without TLS";
    let authority = url.strip_prefix("http://").ok_or(EXPECTED)?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    host(authority)?;
    Ok(Address {
        connect: match has_port {
            true => authority.to_owned(),
            false => format!("{authority}:80"),
        },
        authority: authority.to_owned(),
    })
}

fn host(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("expected HOST or HOST:PORT"),
    }
}

fn target(text: &str) -> Result<String, &'static str> {
    match text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("expected a target such as /orders/1"),
    }
}

pub(crate) async fn run(
    args: &VerifyArgs,
    source: &Source,
    policy: &Value,
    output: Output,
) -> Result<Exit, Failure> {
    let Some(address) = &args.verify else {
        return Err(Failure::usage("which proxy? `--verify URL`"));
    };
    let aim = aim(args, address, policy)?;
    let mut verifier = Verifier {
        address: address.connect.clone(),
        authority: aim.authority.clone(),
        session: Session::open(source, args.documents.read(source)?, &args.gate.read()?)?,
        managed: forwarded(policy),
    };
    let mut rows = Vec::new();
    if !args.server_down {
        for attack in attacks(policy, &aim) {
            rows.push(verifier.attack(attack).await?);
        }
    }
    if let Some(command) = &args.stop_command {
        rows.push(verifier.stop(command, &aim).await?);
    }
    if args.server_down || args.stop_command.is_some() {
        rows.push(verifier.down(&aim).await?);
    }
    report::print(&rows, output);
    let is_clean = rows.iter().all(|row| row.findings.is_empty());
    Ok(if is_clean { Exit::Good } else { Exit::Bad })
}

fn aim(args: &VerifyArgs, address: &Address, policy: &Value) -> Result<Aim, Failure> {
    let authority = args.host.as_ref().unwrap_or(&address.authority);
    let credential = match &args.token {
        None => None,
        Some(file) => {
            let token = read_bytes(file)?;
            let mut request = Request::new("GET".to_owned(), args.path.clone(), None);
            request.add_token(token.trim_ascii(), policy);
            let [(name, value)] = request.headers.as_slice() else {
                return Err(Failure::usage(
                    "this policy reads tokens from the query first: attacks need a header or a cookie",
                ));
            };
            let value = String::from_utf8(value.clone());
            Some(Credential {
                name: name.clone(),
                value: value.map_err(|_| Failure::usage("the token is no text"))?,
            })
        }
    };
    let aim = Aim {
        authority: authority.clone(),
        path: args.path.clone(),
        public: public(policy),
        open: args.open.clone(),
        credential,
    };
    match (&aim.credential, &aim.public) {
        (None, None) => Err(Failure::usage(
            "nothing could reach the backend, so nothing could be said: add `--token FILE`",
        )),
        _ => Ok(aim),
    }
}

/// A target of the first rule for everybody.
fn public(policy: &Value) -> Option<String> {
    let rules = policy["rules"].as_array()?;
    let is_for_all = |rule: &&Value| rule["public"] == true && rule.get("hosts").is_none();
    let reads = |rule: &&Value| match rule["methods"].as_array() {
        Some(methods) => methods.iter().any(|method| method == "GET"),
        None => true,
    };
    let rule = rules.iter().filter(is_for_all).find(reads)?;
    let pattern = rule["path"].as_str().or_else(|| rule["path"][0].as_str())?;
    let segment = |segment: &str| match segment.starts_with(['{', '*']) {
        true => "x".to_owned(),
        false => segment.to_owned(),
    };
    let segments: Vec<_> = pattern.split('/').map(segment).collect();
    Some(segments.join("/"))
}

/// The headers that the policy forwards.
fn forwarded(policy: &Value) -> Vec<String> {
    let names = policy["forward"].as_object().into_iter().flatten();
    names.map(|(name, _)| name.to_ascii_lowercase()).collect()
}

struct Verifier {
    address: String,
    authority: String,
    session: Session,
    managed: Vec<String>,
}

impl Verifier {
    async fn attack(&mut self, attack: Attack) -> Result<Row, Failure> {
        let mut found = Vec::new();
        for probe in &attack.probes {
            let reply = self.send(probe).await?;
            found.extend(self.judge(probe, reply).await?);
        }
        Ok(Row {
            title: attack.title,
            fix: attack.fix,
            sent: attack.probes.len(),
            findings: found,
        })
    }

    async fn send(&self, probe: &Probe) -> Result<Reply, Failure> {
        let sent = client::send(&self.address, &probe.bytes()).await;
        sent.map_err(|error| Failure::usage(format!("`{}`: {error}", self.address)))
    }

    async fn judge(&mut self, probe: &Probe, reply: Reply) -> Result<Vec<String>, Failure> {
        let name = &probe.name;
        let Some(echo) = reply.echo else {
            let unsaid = format!(
                "{name}: it has not reached the echo ({}), so nothing can be said",
                reply.status
            );
            return Ok(probe.is_control.then_some(unsaid).into_iter().collect());
        };
        let Some(seen) = Seen::from_json(&echo) else {
            return Ok(vec![format!(
                "{name}: it has reached the backend, which does not say what it got"
            )]);
        };
        let expected = self.expected(probe, &seen).await?;
        Ok(findings(probe, &seen, &expected))
    }

    /// What the gate says of the request that the backend has seen, with the headers that were
    /// sent.
    async fn expected(&mut self, probe: &Probe, seen: &Seen) -> Result<Expected, Failure> {
        let host = seen
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.map_or_else(|| self.authority.clone(), |(_, host)| host.clone());
        let mut request = Request {
            method: seen.method.clone(),
            authority: host,
            target: seen.target.clone(),
            headers: Vec::new(),
            connection: Connection::default(),
        };
        for (name, value) in &probe.headers {
            request.push(name, value.as_bytes());
        }
        Ok(match self.session.check(&request, now_ms()).await? {
            Decision::Allow(grant) => Expected::Allowed {
                managed: self.managed.clone(),
                set: grant.set_headers.to_vec(),
            },
            Decision::Deny(denial) => Expected::Denied(denial.code),
            Decision::Answer(_) => Expected::Denied("the gate answers it itself".to_owned()),
        })
    }

    /// Sends requests while the server stops: those without a credential must never pass, and
    /// at the end none.
    async fn stop(&mut self, command: &str, aim: &Aim) -> Result<Row, Failure> {
        let attack = while_down(aim);
        let mut stopping = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| Failure::usage(format!("the command to stop the server: {error}")))?;
        let mut row = Row {
            title: "while the decision server stops, nobody passes who should not",
            fix: attack.fix,
            sent: 0,
            findings: Vec::new(),
        };
        let ended = timeout(STOPPING, async {
            loop {
                for probe in &attack.probes {
                    let reply = self.send(probe).await?;
                    row.sent += 1;
                    row.findings.extend(self.judge(probe, reply).await?);
                }
                let has_ended = stopping.try_wait().ok().flatten().is_some();
                if has_ended && row.sent >= MEANWHILE {
                    return Ok::<_, Failure>(());
                }
            }
        });
        match ended.await {
            Ok(ended) => ended?,
            Err(_) => {
                return Err(Failure::usage(
                    "the command to stop the server does not end",
                ));
            }
        }
        row.findings.dedup();
        Ok(row)
    }

    /// Nothing may pass.
    async fn down(&mut self, aim: &Aim) -> Result<Row, Failure> {
        let attack = while_down(aim);
        let mut row = Row {
            title: attack.title,
            fix: attack.fix,
            sent: attack.probes.len(),
            findings: Vec::new(),
        };
        for probe in &attack.probes {
            let reply = self.send(probe).await?;
            if reply.echo.is_some() {
                row.findings
                    .push(format!("{}: it has reached the backend", probe.name));
            } else if (200..300).contains(&reply.status) {
                row.findings.push(format!(
                    "{}: the proxy answers {}",
                    probe.name, reply.status
                ));
            }
        }
        Ok(row)
    }
}
