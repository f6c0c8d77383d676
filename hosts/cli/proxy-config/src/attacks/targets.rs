//! Targets, hosts and methods that a proxy and a backend can read in two ways.

use super::{Aim, Attack, MARK, Probe};

/// Requests that nobody has sent, so to speak.
pub(super) fn unidentified(aim: &Aim) -> Attack {
    let new = |name: &str| Probe::new(name, aim, &*aim.path);
    let mut probes = vec![
        new("without a credential"),
        new("with a token of nobody").header("Authorization", &format!("Bearer {MARK}")),
        new("with an empty credential").header("Authorization", "Bearer "),
    ];
    probes.extend(Probe::by_caller("with the credential", aim).map(Probe::control));
    if let Some(public) = &aim.public {
        probes.push(Probe::new("what is public", aim, public).control());
    }
    Attack {
        title: "the gate stands before the backend",
        fix: "ask the gate on this route; only its 2xx lets a request pass",
        probes,
    }
}

/// Paths that are normalised by one and not by the other.
pub(super) fn paths(aim: &Aim) -> Attack {
    let path = aim.path.split('?').next().unwrap_or_default();
    let inner = path.trim_start_matches('/');
    let mut targets = vec![
        format!("/{path}"),
        format!("/.{path}"),
        format!("{path}/."),
        format!("{path}/"),
        format!("{path};x"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}%23"),
        format!("{path}%3f"),
        format!("/%2e{path}"),
        format!("/\\{inner}"),
        format!("/%5c{inner}"),
        format!("/%2f{inner}"),
        path.to_ascii_uppercase(),
        escaped(path),
    ];
    if let Some(public) = &aim.public {
        let public = public.trim_end_matches('/');
        let depth = public.matches('/').count();
        for dots in ["..", "%2e%2e", "%2E.", "..;", "%252e%252e"] {
            for slash in ["/", "%2f", "%5c", "\\"] {
                let up = format!("{slash}{dots}").repeat(depth);
                targets.push(format!("{public}{up}{path}"));
            }
        }
        targets.push(format!("{public}#/..{path}"));
        targets.push(format!("{path}#{public}"));
        targets.push(format!("{path}?{public}"));
        targets.push(format!("{public}/..{path}?a=/../b"));
    }
    let probe = |target: &String| Probe::new(format!("`{target}`"), aim, target);
    let mut probes: Vec<_> = targets.iter().map(probe).collect();
    // What the backend gets must be what was sent: query, escapes and all.
    let query = format!("{path}?a=%7e&b=%2F&c=d;e&&f");
    let credential = aim.credential.as_ref();
    probes.extend(credential.map(|credential| {
        Probe::new(format!("`{query}` with the credential"), aim, &query)
            .header(&credential.name, &credential.value)
            .control()
    }));
    Attack {
        title: "a path is the same for gate and backend",
        fix: "pass the raw target on to the gate and to the backend, and rewrite before the gate only",
        probes,
    }
}

/// `/%6frders` for `/orders`.
fn escaped(path: &str) -> String {
    let mut letters = path.char_indices();
    match letters.find(|(_, letter)| letter.is_ascii_alphabetic()) {
        Some((index, letter)) => {
            let (before, after) = (&path[..index], &path[index + 1..]);
            format!("{before}%{:02x}{after}", letter as u32)
        }
        None => path.to_owned(),
    }
}

/// Other forms of a target (RFC 9112 §3.2), and none.
pub(super) fn forms(aim: &Aim) -> Attack {
    let Aim {
        authority, path, ..
    } = aim;
    let inner = path.trim_start_matches('/');
    let public = aim.public.as_deref().unwrap_or("/");
    let targets = [
        format!("http://{authority}{path}"),
        format!("http://{MARK}.example{path}"),
        format!("http://{authority}{public}/..{path}"),
        format!("x:{inner}"),
        format!("x:http://{authority}{path}"),
        format!("http:{inner}"),
        format!("{authority}{path}"),
        inner.to_owned(),
        "*".to_owned(),
        "?".to_owned(),
    ];
    let probe = |target: &String| Probe::new(format!("`{target}`"), aim, target);
    Attack {
        title: "a target has one form",
        fix: "refuse targets without a path, and use a version of the proxy that takes the host from an absolute target",
        probes: targets.iter().map(probe).collect(),
    }
}

/// Two hosts in one request.
pub(super) fn hosts(aim: &Aim) -> Attack {
    let other = format!("{MARK}.example");
    let new = |name: &str| Probe::new(name, aim, &*aim.path);
    let absolute = format!("http://{}{}", aim.authority, aim.path);
    let mut probes = vec![
        new("a second `Host`").line(format!("Host: {other}")),
        new("another `Host` first").first_line(format!("Host: {other}")),
        new("two hosts in one field").line(format!("Host: {}, {other}", aim.authority)),
        Probe::new("an absolute target and another `Host`", aim, absolute)
            .first_line(format!("Host: {other}")),
    ];
    for (name, line) in [
        (
            "a second `Host` with the credential",
            format!("Host: {other}"),
        ),
        (
            "a user in `Host` with the credential",
            format!("Host: {other}@{}", aim.authority),
        ),
    ] {
        probes.extend(Probe::by_caller(name, aim).map(|probe| probe.line(line)));
    }
    Attack {
        title: "a request has one host",
        fix: "refuse requests with two `Host` fields, and pass on the host that the proxy has routed by",
        probes,
    }
}

/// Methods that open tunnels, and protocols that do.
pub(super) fn methods_and_tunnels(aim: &Aim) -> Attack {
    let mut probes = vec![
        Probe::new("`CONNECT` with a path", aim, &*aim.path).method("CONNECT"),
        Probe::new("`CONNECT` with a host", aim, &*aim.authority).method("CONNECT"),
        Probe::new("`TRACE`", aim, &*aim.path).method("TRACE"),
        Probe::new("`OPTIONS`", aim, &*aim.path).method("OPTIONS"),
        Probe::new("`get`", aim, &*aim.path).method("get"),
        Probe::new("`HEAD`", aim, &*aim.path).method("HEAD"),
    ];
    let websocket = |probe: Probe| {
        probe
            .line("Connection: Upgrade")
            .line("Upgrade: websocket")
            .line("Sec-WebSocket-Version: 13")
            .line("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    };
    probes.push(websocket(Probe::new("a WebSocket", aim, &*aim.path)));
    let h2c = Probe::by_caller("`Upgrade: h2c` with the credential", aim);
    probes.extend(h2c.map(|probe| {
        probe
            .line("Connection: Upgrade, HTTP2-Settings")
            .line("Upgrade: h2c")
            .line("HTTP2-Settings: AAMAAABkAAQAAP__")
    }));
    Attack {
        title: "no method and no protocol opens a tunnel",
        fix: "pass on `Upgrade: websocket` only, and refuse `CONNECT`",
        probes,
    }
}

/// With the decision server down, nothing may pass.
pub(super) fn down(aim: &Aim) -> Attack {
    let mut probes = vec![Probe::new("without a credential", aim, &*aim.path)];
    probes.extend(Probe::by_caller("with the credential", aim));
    if let Some(public) = &aim.public {
        probes.push(Probe::new("what is public", aim, public));
    }
    Attack {
        title: "while the decision server is down, nothing passes",
        fix: "let an error of the gate refuse the request: no `failure_mode_allow`, no fallback, no `satisfy any`",
        probes,
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_letter_is_escaped() {
        assert_eq!(escaped("/orders/1"), "/%6frders/1");
        assert_eq!(escaped("/1"), "/1");
    }
}
