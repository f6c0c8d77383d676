//! A first request, as `curl` would send it.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns a port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Waits until a server listens.
pub(crate) fn wait_for(port: u16) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        ensure!(start.elapsed() < PATIENCE, "nothing listens on port {port}");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Waits for a service whose rule binds `/orgs/{org}` to the tenant, and sends
/// it requests with this token of the tenant `acme`, and with none.
pub(crate) fn decides(port: u16, token: &str, greeting: &str) -> Result<()> {
    wait_for(port)?;
    for (path, token, status, part) in [
        ("/orgs/acme/seats", Some(token), 200, greeting),
        ("/orgs/globex/seats", Some(token), 403, "tenant_denied"),
        ("/orgs/acme/seats", None, 401, "token_missing"),
    ] {
        let response = get(port, path, token)?;
        let said = response.split(' ').nth(1).context("no response")?;
        if said != status.to_string() || !response.contains(part) {
            bail!("GET {path}: expected {status} with `{part}`, got {response}");
        }
    }
    Ok(())
}

fn get(port: u16, path: &str, token: Option<&str>) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut head =
        format!("GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n");
    if let Some(token) = token {
        head += &format!("authorization: Bearer {token}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    Ok(response)
}
