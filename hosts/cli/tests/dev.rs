//! `countersign dev`: a development issuer that says so.
#![allow(missing_docs)]

mod common;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use common::Folder;

#[test]
fn every_start_says_that_it_is_for_development_only() {
    let folder = Folder::with_issuer();
    for command in ["keys --force", "mint", "rotate", "policy"] {
        let run = folder.run(&format!("dev {command} --dir issuer")).expect(0);
        assert!(
            run.stderr.contains("DEVELOPMENT ONLY"),
            "{command}: {run:?}"
        );
        assert!(
            !run.stdout.contains("DEVELOPMENT ONLY"),
            "{command}: {run:?}"
        );
    }
}

#[test]
fn keys_are_private_and_are_not_replaced_by_accident() {
    let folder = Folder::with_issuer();
    let before = folder.read("issuer/issuer.json");
    let run = folder.run("dev keys --dir issuer").expect(2);
    assert!(run.stderr.contains("--force"), "{run:?}");
    assert_eq!(folder.read("issuer/issuer.json"), before);
    assert!(!folder.read("issuer/jwks.json").contains("\"d\""));
    assert_eq!(folder.read("issuer/.gitignore"), "*\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(folder.path.join("issuer/issuer.json")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_minted_token_has_the_claims_of_the_arguments() {
    let folder = Folder::with_issuer();
    folder.mint(
        "token",
        "--type nat --subject node-7 --tenant globex --audience a --audience b \
         --scope node:read --claim level=3 --claim note=plain --jose x=1 --expires 5m --without iat",
    );
    let token = folder.run("inspect --json --token token").expect(0).json();
    let claims = &token["claims"];
    assert_eq!(claims["typ"], "nat");
    assert_eq!(claims["sub"], "node-7");
    assert_eq!(claims["tenant_id"], "globex");
    assert_eq!(claims["aud"], serde_json::json!(["a", "b"]));
    assert_eq!(claims["scopes"], serde_json::json!(["node:read"]));
    assert_eq!(claims["level"], 3);
    assert_eq!(claims["note"], "plain");
    assert!(claims.get("iat").is_none());
    assert_eq!(token["header"]["x"], 1);
}

#[test]
fn tokens_of_every_algorithm_are_believed() {
    for algorithm in [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ] {
        let folder = Folder::new();
        folder
            .run(&format!("dev keys --dir issuer --algorithm {algorithm}"))
            .expect(0);
        folder.mint("token", "--type pat");
        folder.write(
            "policy.yaml",
            &folder.run("dev policy --dir issuer").expect(0).stdout,
        );
        let check = "check --policy policy.yaml --keys dev=issuer/jwks.json --token token";
        folder.run(check).expect(0);
        assert!(
            folder
                .run("inspect --token token")
                .stdout
                .contains(algorithm)
        );
    }
}

#[test]
fn a_rotated_issuer_signs_with_a_new_key_and_keeps_the_old_one_until_it_is_withdrawn() {
    let folder = Folder::with_issuer();
    folder.mint("old", "--type pat");
    folder.run("dev rotate --dir issuer").expect(0);
    folder.mint("new", "--type pat");
    let check = |token: &str| {
        folder.run(&format!(
            "check --policy policy.yaml --keys dev=issuer/jwks.json --token {token}"
        ))
    };
    check("old").expect(0);
    check("new").expect(0);
    folder.run("dev rotate --dir issuer --withdraw").expect(0);
    let run = check("old").expect(1);
    assert!(run.stdout.contains("key_unknown"), "{run:?}");
}

#[test]
fn a_served_key_set_is_fetched_from_its_url_and_through_discovery() {
    let folder = Folder::new();
    let port = free_port();
    folder
        .run(&format!(
            "dev keys --dir issuer --issuer http://127.0.0.1:{port}"
        ))
        .expect(0);
    let server = Server::start(&folder, &format!("--listen 127.0.0.1:{port}"));
    folder.mint("token", "--type pat");

    let quick = format!(
        "check --token token --issuer http://127.0.0.1:{port} --audience platform --algorithm RS256"
    );
    let url = format!("--jwks http://127.0.0.1:{port}/.well-known/jwks.json");
    folder
        .run(&format!("{quick} {url} --insecure-http"))
        .expect(0);
    folder
        .run(&format!("{quick} --discovery --insecure-http"))
        .expect(0);
    // Plain http is said out loud.
    folder.run(&format!("{quick} {url}")).expect(2);
    let run = folder.run(&format!(
        "{quick} --jwks http://127.0.0.1:{port}/nowhere --insecure-http"
    ));
    let run = run.expect(1);
    assert!(run.stdout.contains("keys_unavailable"), "{run:?}");
    assert!(run.stderr.contains("the server answered 404"), "{run:?}");

    // A rotation shows at once.
    folder.run("dev rotate --dir issuer --withdraw").expect(0);
    let run = folder
        .run(&format!("{quick} {url} --insecure-http"))
        .expect(1);
    assert!(run.stdout.contains("key_unknown"), "{run:?}");
    assert!(get(port, "/nowhere").starts_with("HTTP/1.1 404"));
    drop(server);
}

#[test]
fn an_address_that_others_reach_must_be_meant() {
    let folder = Folder::with_issuer();
    let run = folder
        .run("dev serve --dir issuer --listen 0.0.0.0:0")
        .expect(2);
    assert!(run.stderr.contains("--expose"), "{run:?}");
}

struct Server(Child);

impl Server {
    fn start(folder: &Folder, arguments: &str) -> Self {
        let mut command = folder.command(&format!("dev serve --dir issuer --json {arguments}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("listening"), "{line}");
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
