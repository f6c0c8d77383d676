//! What the configurations of nginx and HAProxy say of a policy, and which policies are
//! refused.

use countersign_proxy_config::{Kind, Options, Refused, generate};
use serde_json::{Value, json};

fn policy() -> Value {
    json!({
        "contract": "1",
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "__Host-session", "same_origin": true },
        ],
        "strip_credential": true,
        "forward": { "x-auth-subject": "subject", "x-tenant": "tenant" },
        "client_certificate": { "header": "X-Client-Cert", "format": "pem", "trusted_proxies": ["10.0.0.0/8"] },
        "rules": [
            {
                "path": "/mcp/**",
                "require": {},
                "challenge": { "resource_metadata": {
                    "resource": "https://api.example.com/mcp",
                    "authorization_servers": ["https://id.example.com"],
                } },
            },
            { "path": "/**", "require": {} },
        ],
    })
}

fn text(kind: Kind, policy: &Value) -> String {
    generate(kind, policy, &Options::default()).unwrap().text
}

/// The sentences with which nginx's configuration is refused, after these changes of the
/// policy.
fn refused(change: impl FnOnce(&mut Value), options: &Options) -> Refused {
    let mut policy = policy();
    change(&mut policy);
    generate(Kind::Nginx, &policy, options).unwrap_err()
}

#[test]
fn nginx_takes_every_header_that_a_grant_can_change() {
    let text = text(Kind::Nginx, &policy());
    let takes =
        "X-Countersign-Takes \"target x-auth-subject x-tenant authorization cookie x-client-cert\"";
    assert!(text.contains(takes), "{text}");
    for name in [
        "X-Auth-Subject",
        "X-Tenant",
        "Authorization",
        "Cookie",
        "X-Client-Cert",
    ] {
        let variable = name.to_lowercase().replace('-', "_");
        let set = format!("proxy_set_header     {name} $countersign_set_{variable};");
        assert!(text.contains(&set), "{set}\n{text}");
        let reply = format!(
            "auth_request_set $countersign_set_{variable} $upstream_http_x_countersign_set_{variable};"
        );
        assert!(text.contains(&reply), "{reply}\n{text}");
    }
    assert!(text.contains("X-Countersign-Peer $realip_remote_addr"));
}

#[test]
fn no_place_of_a_template_is_left() {
    for kind in [Kind::Nginx, Kind::Haproxy, Kind::HaproxyLua] {
        let text = text(kind, &policy());
        let left = text.lines().filter(|line| {
            let inner = line.split('%').nth(1).unwrap_or_default();
            !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        assert_eq!(left.collect::<Vec<_>>(), Vec::<&str>::new(), "{kind}");
    }
}

#[test]
fn a_policy_that_needs_what_nginx_cannot_do_is_refused_with_its_place() {
    let options = Options::default();
    let dot = refused(
        |policy| policy["forward"]["x.auth"] = json!("subject"),
        &options,
    );
    assert_eq!(dot.problems[0].pointer, "/forward/x.auth");
    let host = refused(
        |policy| policy["forward"]["host"] = json!("subject"),
        &options,
    );
    assert_eq!(host.problems[0].pointer, "/forward/host");
    let ours = refused(
        |policy| policy["forward"]["x-countersign-target"] = json!("subject"),
        &options,
    );
    assert_eq!(ours.problems[0].pointer, "/forward/x-countersign-target");
}

#[test]
fn a_proxy_that_is_too_old_is_refused() {
    let old = |version: &str| Options {
        version: Some(version.parse().unwrap()),
        ..Options::default()
    };
    let nginx = refused(|_| {}, &old("1.20.2"));
    assert!(nginx.to_string().contains("1.21.1"), "{nginx}");
    assert!(generate(Kind::Nginx, &policy(), &old("1.21.1")).is_ok());
    assert!(generate(Kind::Haproxy, &policy(), &old("2.4.22")).is_err());
    assert!(generate(Kind::HaproxyLua, &policy(), &old("2.4.22")).is_err());
    let trailers = generate(Kind::Haproxy, &policy(), &old("3.2")).unwrap();
    assert!(trailers.warnings.is_empty());
    assert!(
        trailers
            .text
            .contains("\n    option http-drop-request-trailers\n")
    );
    assert_eq!(
        generate(Kind::Haproxy, &policy(), &old("2.8"))
            .unwrap()
            .warnings
            .len(),
        1
    );
}

#[test]
fn the_addresses_are_written_as_each_proxy_writes_them() {
    let options = Options {
        server: "unix:/run/countersign/gate.sock".parse().unwrap(),
        origin: "unix:/run/app.sock".parse().unwrap(),
        ..Options::default()
    };
    let nginx = generate(Kind::Nginx, &policy(), &options).unwrap().text;
    assert!(
        nginx.contains("server unix:/run/countersign/gate.sock;"),
        "{nginx}"
    );
    let haproxy = generate(Kind::Haproxy, &policy(), &options).unwrap().text;
    assert!(
        haproxy.contains("server origin unix@/run/app.sock"),
        "{haproxy}"
    );
    for wrong in [
        "",
        "127.0.0.1",
        "127.0.0.1:x",
        "unix:relative",
        "a b:80",
        "a;b:80",
        "unix:/a;b",
        "a$b:80",
    ] {
        assert!(
            wrong
                .parse::<countersign_proxy_config::ServerAddress>()
                .is_err(),
            "{wrong}"
        );
    }
}
