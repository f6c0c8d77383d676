//! `countersign inspect`, and `inspect --web`: the page, for this machine alone.
#![allow(missing_docs)]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use common::Folder;
use serde_json::Value;

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../dist/inspector/index.html"
);

#[test]
fn what_is_wrong_with_a_token_is_said_in_its_words() {
    let folder = Folder::new();
    for (token, fault, sentence) in [
        (
            "a..b.c.d",
            "token_malformed",
            "5 parts: an encrypted token (JWE)",
        ),
        ("opaque", "token_malformed", "1 part: not a JWT"),
        (
            "eyJhbGciOiJFUzI1NiJ9.e30=.AA",
            "token_malformed",
            "`=` at byte 24",
        ),
        (
            "eyJhbGciOiJFUzI1NiJ9.\ne30.AA",
            "token_malformed",
            "`\\n` at byte 21",
        ),
        (
            "\"eyJhbGciOiJFUzI1NiJ9.e30.AA\"",
            "token_malformed",
            "`\\\"` at byte 0",
        ),
        (
            "Bearer eyJhbGciOiJFUzI1NiJ9.e30.AA",
            "token_malformed",
            "` ` at byte 6",
        ),
        // {"alg":"ES256","alg":"ES256"}
        (
            "eyJhbGciOiJFUzI1NiIsImFsZyI6IkVTMjU2In0.e30.AA",
            "header_invalid",
            "header: `alg` stands twice",
        ),
        // {"aud":"a","aud":"b"}
        (
            "eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJhIiwiYXVkIjoiYiJ9.AA",
            "claims_invalid",
            "claims: `aud` stands twice",
        ),
    ] {
        folder.write("token", token);
        let text = folder.run("inspect --token token").expect(0).stdout;
        assert!(text.contains(fault) && text.contains(sentence), "{text}");
        let said = folder.run("inspect --json --token token").expect(0).json();
        assert_eq!(said["fault"], fault);
        assert!(
            said["detail"].as_str().unwrap().contains(sentence),
            "{said}"
        );
    }
}

#[test]
fn the_page_is_served_as_it_was_made_with_strict_headers() {
    let folder = Folder::new();
    let Some(server) = Server::start(&folder) else {
        return;
    };
    let answer = server.ask("GET / HTTP/1.1", &server.name("127.0.0.1"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(body, std::fs::read_to_string(PAGE).unwrap());
    for header in [
        "content-type: text/html; charset=utf-8",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "cross-origin-resource-policy: same-origin",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    let policy = head.split_once("content-security-policy: ").unwrap().1;
    let policy = policy.lines().next().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("connect-src 'none'"), "{policy}");
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe-inline"), "{policy}");
}

#[test]
fn nothing_else_is_served_and_no_other_host() {
    let folder = Folder::new();
    let Some(server) = Server::start(&folder) else {
        return;
    };
    let own = server.name("127.0.0.1");
    let status = |request: &str, host: &str| {
        let answer = server.ask(&format!("{request} HTTP/1.1"), host);
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(status("GET /", &server.name("localhost")), "200");
    assert_eq!(status("HEAD /", &own), "200");
    assert_eq!(status("GET /favicon.ico", &own), "404");
    assert_eq!(status("POST /", &own), "405");
    for stranger in [
        "evil.example",
        "127.0.0.1",
        "",
        &server.name("evil.example"),
        &format!("{own}\r\nhost: evil.example"),
    ] {
        assert_eq!(status("GET /", stranger), "421", "{stranger}");
    }
}

#[test]
fn a_token_is_pasted_into_the_page_and_not_given_to_the_command() {
    let folder = Folder::with_issuer();
    let token = folder.mint("token", "--type pat");
    for arguments in [
        format!("inspect --web {token}"),
        "inspect --web --token token".to_owned(),
    ] {
        let run = folder.run(&arguments).expect(2);
        assert!(!run.text().contains(&token), "{run:?}");
    }
}

struct Server {
    child: Child,
    port: String,
}

impl Server {
    /// `None` where the command was built without the page, which is said.
    fn start(folder: &Folder) -> Option<Self> {
        let mut command = folder.command("inspect --web --json");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        if line.contains("built without the page") {
            println!("skipped: {line}");
            let _ = child.wait();
            return None;
        }
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let url = said["url"].as_str().unwrap_or_else(|| panic!("{line}"));
        let port = url.strip_prefix("http://127.0.0.1:").unwrap();
        let port = port.strip_suffix('/').unwrap().to_owned();
        Some(Self { child, port })
    }

    fn name(&self, host: &str) -> String {
        format!("{host}:{}", self.port)
    }

    fn ask(&self, line: &str, host: &str) -> String {
        let mut stream = TcpStream::connect(self.name("127.0.0.1")).unwrap();
        write!(
            stream,
            "{line}\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
