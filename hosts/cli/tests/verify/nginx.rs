//! nginx: as it is generated, and with holes that are often in one by hand.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

use crate::scene::{Running, Scene, free_address, listens, program, through};

fn nginx(
    scene: &Scene,
    configuration: impl Fn(SocketAddr) -> String,
) -> Option<(Running, SocketAddr)> {
    let binary = program("COUNTERSIGN_NGINX")?;
    let folder = &scene.folder.path;
    for _ in 0..5 {
        let address = free_address();
        let at = |name: &str| folder.join(name).display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("  {name}_temp_path {};\n", at(name)))
            .collect();
        let server = configuration(address);
        let main = format!(
            "daemon off;\npid {};\nerror_log stderr notice;\nevents {{}}\n\
             http {{\n  access_log off;\n{temporary}{server}\n}}\n",
            at("nginx.pid"),
        );
        scene.folder.write("nginx.conf", &main);
        let log = fs::File::create(folder.join("nginx.log")).unwrap();
        let mut command = Command::new(&binary);
        command
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let mut running = Running(command.spawn().unwrap());
        if listens(&mut running, address) {
            return Some((running, address));
        }
    }
    panic!("{}", scene.folder.read("nginx.log"));
}

#[test]
fn through_the_generated_configuration_nothing_comes() {
    let scene = Scene::new("nginx");
    let Some((_nginx, address)) = nginx(&scene, |address| scene.configuration("nginx", address))
    else {
        return;
    };
    let run = scene.verify(address, &scene.stop_command());
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn the_usual_holes_by_hand_are_found() {
    let mut scene = Scene::new("nginx");
    let text = scene.configuration("nginx", free_address());
    let line = |begins: &str| {
        let mut lines = text.lines();
        let found = lines.find(|line| line.trim_start().starts_with(begins));
        found
            .unwrap_or_else(|| panic!("{begins}: {text}"))
            .to_owned()
    };
    let subject = line("proxy_set_header     X-Auth-Subject");
    let holes = [
        // The identity is what the client says.
        (
            subject,
            String::new(),
            "the identity comes from the gate only",
        ),
        (
            line("auth_request     /_countersign"),
            String::new(),
            "the gate stands before the backend",
        ),
    ];
    for (line, by_hand, title) in holes {
        let changed = |address| {
            let text = scene.configuration("nginx", address);
            assert!(text.contains(&line), "{line}: {text}");
            text.replace(&line, &by_hand)
        };
        let Some((_nginx, address)) = nginx(&scene, changed) else {
            return;
        };
        let run = scene.verify(address, "");
        assert_eq!(run.code, 1, "{line}: {run:?}");
        assert!(
            through(&run).iter().any(|through| through == title),
            "{title}: {run:?}"
        );
    }
    let Some((_nginx, address)) = nginx(&scene, |address| two_readings(&scene, address)) else {
        return;
    };
    let run = scene.verify(address, "");
    assert_eq!(run.code, 1, "{run:?}");
    let title = "a path is the same for gate and backend";
    assert!(
        through(&run).iter().any(|through| through == title),
        "{run:?}"
    );
    let Some((_nginx, address)) = nginx(&scene, |address| fail_open(&scene, address)) else {
        return;
    };
    scene.stop();
    let run = scene.verify(address, "--server-down");
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(
        through(&run),
        ["while the decision server is down, nothing passes"]
    );
}

/// The gate is asked about nginx's own reading of the path, and the backend gets the
/// client's.
fn two_readings(scene: &Scene, address: SocketAddr) -> String {
    let text = scene.configuration("nginx", address);
    assert!(text.contains("X-Countersign-Target $request_uri"), "{text}");
    assert!(text.contains("_origin$countersign_target"), "{text}");
    text.replace(
        "X-Countersign-Target $request_uri",
        "X-Countersign-Target $uri",
    )
    .replace("_origin$countersign_target", "_origin$request_uri")
}

/// With an error page that is the backend.
fn fail_open(scene: &Scene, address: SocketAddr) -> String {
    let text = scene.configuration("nginx", address);
    let denied = "    location @countersign_denied {";
    assert!(text.contains(denied), "{text}");
    let open = format!(
        "    location @open {{\n        proxy_pass http://{};\n    }}\n",
        scene.echo
    );
    text.replace(denied, &format!("{open}{denied}")).replace(
        "        satisfy          all;",
        "        satisfy          all;\n        error_page 500 = @open;",
    )
}
