//! Caddy: as it is generated, and with one line less.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

use crate::scene::{Running, Scene, free_address, listens, program, through};

/// A Caddy with the configuration for its address.
fn caddy(
    scene: &Scene,
    configuration: impl Fn(SocketAddr) -> String,
) -> Option<(Running, SocketAddr)> {
    let binary = program("COUNTERSIGN_CADDY")?;
    let folder = &scene.folder.path;
    for _ in 0..5 {
        let address = free_address();
        let text = format!("{{\n\tadmin off\n}}\n{}", configuration(address));
        scene.folder.write("Caddyfile", &text);
        let log = fs::File::create(folder.join("caddy.log")).unwrap();
        let mut command = Command::new(&binary);
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(folder.join("Caddyfile"))
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut running = Running(command.spawn().unwrap());
        if listens(&mut running, address) {
            return Some((running, address));
        }
    }
    panic!("{}", scene.folder.read("caddy.log"));
}

/// A route without the gate, as the comment at the end of the file has it.
fn with_open_route(text: &str, echo: SocketAddr) -> String {
    let open = format!(
        "\thandle /open/* {{\n\t\troute {{\n\t\t\timport countersign_clean\n\t\t\treverse_proxy {echo}\n\t\t}}\n\t}}\n"
    );
    let site = "\t# `route` keeps the order of these lines.";
    assert!(text.contains(site), "{text}");
    // Beside it, the route with the gate must be for the rest only.
    text.replace(site, &format!("{open}{site}"))
        .replace(
            "\troute {\n\t\timport countersign_gate",
            "\thandle {\n\troute {\n\t\timport countersign_gate",
        )
        .replace(
            "\t# A route without the gate, above",
            "\t}\n\t# A route without the gate, above",
        )
}

#[test]
fn through_the_generated_configuration_nothing_comes() {
    let scene = Scene::new("caddy");
    let generated = |address| {
        let text = scene.configuration("caddy", address);
        with_open_route(&text, scene.echo)
    };
    let Some((_caddy, address)) = caddy(&scene, generated) else {
        return;
    };
    let run = scene.verify(address, &format!("--open /open/x {}", scene.stop_command()));
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.matches('✓').count() >= 15, "{run:?}");
    // The server is down now.
    let run = scene.verify(address, "--server-down");
    assert_eq!(run.code, 0, "{run:?}");
}

/// One hole: what is replaced by what, and which attack comes through then.
const HOLES: [(&str, &str, &str); 5] = [
    (
        "\trequest_header -X-Original-Url\n",
        "",
        "another target in a header reaches nobody",
    ),
    (
        "\trequest_header @no_websocket -Connection\n",
        "",
        "no client can take the identity away",
    ),
    (
        "\trequest_header @no_websocket -Upgrade\n\trequest_header @no_websocket -Connection\n",
        "",
        "no method and no protocol opens a tunnel",
    ),
    (
        "\t\timport countersign_gate\n",
        "\t\timport countersign_gate\n\t\trewrite /orgs/acme/seats /orgs/globex/seats\n",
        "a path is the same for gate and backend",
    ),
    (
        "\t\timport countersign_gate\n",
        "\t\timport countersign_clean\n",
        "the gate stands before the backend",
    ),
];

#[test]
fn every_hole_in_it_is_found() {
    let scene = Scene::new("caddy");
    for (line, by_hand, title) in HOLES {
        let changed = |address| {
            let text = scene.configuration("caddy", address);
            assert!(text.contains(line), "{line}: {text}");
            text.replace(line, by_hand)
        };
        let Some((_caddy, address)) = caddy(&scene, changed) else {
            return;
        };
        let run = scene.verify(address, "");
        assert_eq!(run.code, 1, "{line}: {run:?}");
        assert!(
            through(&run).iter().any(|through| through == title),
            "{title}: {run:?}"
        );
        assert!(run.stdout.contains("fix: "), "{run:?}");
    }
}

#[test]
fn a_configuration_by_hand_is_found_to_be_one() {
    let mut scene = Scene::new("caddy");
    let (server, echo) = (scene.server, scene.echo);
    // As a guide for another server has it, and with a page for errors that is the backend.
    let by_hand = |address: SocketAddr| {
        format!(
            "http://:{} {{\n\tbind 127.0.0.1\n\thandle /open/* {{\n\t\treverse_proxy {echo}\n\t}}\n\thandle {{\n\
         \t\tforward_auth {server} {{\n\t\t\turi /caddy/default?replaces=x-auth-subject,x-auth-tenant,_\n\
         \t\t\tcopy_headers X-Auth-Subject X-Auth-Tenant\n\t\t}}\n\t\treverse_proxy {echo}\n\t}}\n\
         \thandle_errors {{\n\t\treverse_proxy {echo}\n\t}}\n}}\n",
            address.port()
        )
    };
    let Some((_caddy, address)) = caddy(&scene, by_hand) else {
        return;
    };
    let run = scene.verify(address, "--open /open/x");
    assert_eq!(run.code, 1, "{run:?}");
    let found = through(&run);
    for title in [
        "no client can take the identity away",
        "another method in a header reaches nobody",
        "a certificate in a header reaches nobody",
        "no method and no protocol opens a tunnel",
        "no identity on the route without the gate",
    ] {
        assert!(found.iter().any(|found| found == title), "{title}: {run:?}");
    }
    scene.stop();
    let run = scene.verify(address, "--server-down");
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(
        through(&run),
        ["while the decision server is down, nothing passes"]
    );
}
