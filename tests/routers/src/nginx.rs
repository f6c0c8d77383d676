//! nginx as a router: its locations answer with their names.

use std::{
    env, fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::process::Process;

const TIMEOUT: Duration = Duration::from_secs(10);

/// `$handler` is the name that a location has set, or `spoofed` if nginx gets an
/// identity that the gate has not set. As in CGI, `X_Auth_Subject` is the same
/// variable, and several values are joined. By default, nginx decodes paths, and
/// removes dot segments and double slashes.
const CONFIGURATION: &str = r#"
daemon off;
master_process off;
pid nginx.pid;
error_log stderr crit;
events {}
http {
    access_log off;
    client_body_temp_path body;
    underscores_in_headers on;
    keepalive_requests 1000000;
    map $http_x_auth_subject $handler {
        ""      $name;
        ada     $name;
        default spoofed;
    }
    add_header x-handler $handler always;
    server {
        listen unix:nginx.sock default_server;
        include locations.conf;
    }
    server {
        listen unix:nginx.sock;
        server_name open.example.com;
        location = /hosted { set $name hosted; return 200 "handler=$handler"; }
        include locations.conf;
    }
}
"#;

const LOCATIONS: &str = r#"
location = /public               { set $name public; return 200 "handler=$handler"; }
location /public/                { set $name public; return 200 "handler=$handler"; }
location ~ ^/items/[^/]+/edit/?$ { set $name edit;   return 200 "handler=$handler"; }
location ~ ^/items/[^/]+/?$      { set $name item;   return 200 "handler=$handler"; }
location = /admin                { set $name admin;  return 200 "handler=$handler"; }
location /admin/                 { set $name admin;  return 200 "handler=$handler"; }
location ~ ^/Reports/[^/]+/?$    { set $name report; return 200 "handler=$handler"; }
location = "/a b"                { set $name space;  return 200 "handler=$handler"; }
location = /a@b:c                { set $name mail;   return 200 "handler=$handler"; }
location /a@b:c/                 { set $name mail;   return 200 "handler=$handler"; }
location /                       { set $name rest;   return 200 "handler=$handler"; }
"#;

/// Starts nginx in a folder, and returns its address in Envoy's format. nginx
/// cannot report a port that the system chose, so it listens on a Unix socket.
pub(crate) fn start(folder: &Path) -> Result<(Process, Value)> {
    let program = env::var_os("COUNTERSIGN_NGINX").context("there is no nginx")?;
    fs::write(folder.join("nginx.conf"), CONFIGURATION)?;
    fs::write(folder.join("locations.conf"), LOCATIONS)?;
    let mut command = Command::new(program);
    // Relative paths begin at the prefix, but those of sockets at the current
    // directory.
    command
        .current_dir(folder)
        .args(["-p", ".", "-c", "nginx.conf", "-e", "stderr"]);
    let mut process = Process::start(&mut command)?;
    let socket = folder.join("nginx.sock");
    let start = Instant::now();
    while !socket.exists() {
        let is_late = start.elapsed() > TIMEOUT;
        ensure!(!process.has_ended() && !is_late, "nginx does not start");
        thread::sleep(Duration::from_millis(10));
    }
    Ok((process, json!({ "pipe": { "path": socket } })))
}

pub(crate) fn missing() -> Option<&'static str> {
    env::var_os("COUNTERSIGN_NGINX")
        .is_none()
        .then_some("COUNTERSIGN_NGINX is not set; `cargo xtask test` installs nginx")
}
