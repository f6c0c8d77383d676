//! Caddy and Traefik: what their configurations hold, and what is refused.
#![allow(missing_docs)]

use countersign_proxy_config::{Kind, Options, Refused, ServerAddress, Version, generate};
use serde_json::{Value, json};

const BOTH: [Kind; 2] = [Kind::Caddy, Kind::Traefik];

fn policy(more: Value) -> Value {
    let mut policy = json!({
        "contract": "1",
        "rules": [{ "path": "/**", "require": {} }],
        "forward": { "x-auth-subject": "subject", "x-auth-tenant": "tenant" },
    });
    policy
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    policy
}

fn text(kind: Kind, more: Value) -> String {
    generate(kind, &policy(more), &Options::default())
        .unwrap()
        .text
}

/// The places of what is refused.
fn refused(kind: Kind, more: Value, options: &Options) -> Vec<String> {
    match generate(kind, &policy(more), options) {
        Ok(generated) => panic!("{kind}: {}", generated.text),
        Err(Refused { problems, .. }) => problems
            .into_iter()
            .map(|problem| problem.pointer)
            .collect(),
    }
}

#[test]
fn what_the_gate_sets_is_removed_first_and_then_replaced() {
    let caddy = text(Kind::Caddy, json!({}));
    let removed = caddy.find("request_header -X-Auth-Subject").unwrap();
    let aliases = caddy.find("request_header -*_*").unwrap();
    let asked = caddy.find("forward_auth 127.0.0.1:9191 {").unwrap();
    let copied = caddy
        .find("\t\t\tX-Auth-Subject\n\t\t\tX-Auth-Tenant\n")
        .unwrap();
    assert!(
        removed < asked && aliases < asked && asked < copied,
        "{caddy}"
    );
    assert!(
        caddy.contains("uri /caddy/default?replaces=x-auth-subject,x-auth-tenant,_\n"),
        "{caddy}"
    );
    let traefik = text(Kind::Traefik, json!({}));
    assert!(
        traefik.contains("          X-Auth-Subject: \"\"\n"),
        "{traefik}"
    );
    assert!(
        traefik.contains("          - X-Auth-Subject\n          - X-Auth-Tenant\n"),
        "{traefik}"
    );
    let address = "address: \"http://127.0.0.1:9191/traefik/default?replaces=x-auth-subject,x-auth-tenant,_\"\n";
    assert!(traefik.contains(address), "{traefik}");
    assert!(traefik.contains("trustForwardHeader: false\n"), "{traefik}");
    for text in [caddy, traefik] {
        assert!(!text.contains('%'), "{text}");
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    }
}

#[test]
fn without_anything_to_replace_there_is_no_list() {
    let empty = json!({ "forward": {} });
    let caddy = text(Kind::Caddy, empty.clone());
    assert!(
        caddy.contains("?replaces=_\n") && !caddy.contains("copy_headers {"),
        "{caddy}"
    );
    let traefik = text(Kind::Traefik, empty);
    assert!(traefik.contains("?replaces=_\"\n"), "{traefik}");
    assert!(
        !traefik.contains("        authResponseHeaders:\n"),
        "{traefik}"
    );
}

#[test]
fn what_credentials_leave_behind_is_replaced_too() {
    let more = json!({
        "strip_credential": true,
        "credentials": [
            { "header": "authorization", "scheme": "Bearer" },
            { "cookie": "session" },
            { "websocket_protocol": { "after": "bearer" } },
        ],
    });
    for kind in BOTH {
        let text = text(kind, more.clone());
        let list =
            "?replaces=x-auth-subject,x-auth-tenant,authorization,cookie,sec-websocket-protocol,_";
        assert!(text.contains(list), "{text}");
        assert!(text.contains("Sec-Websocket-Protocol"), "{text}");
    }
}

#[test]
fn a_header_that_the_gate_reads_is_not_removed_before_it() {
    let certificate = json!({ "client_certificate": {
        "header": "x-forwarded-client-cert", "format": "xfcc", "trusted_proxies": ["10.0.0.0/8"],
    } });
    for kind in BOTH {
        assert!(text(kind, json!({})).contains("X-Forwarded-Client-Cert"));
        let text = text(kind, certificate.clone());
        assert!(
            !text.contains("request_header -X-Forwarded-Client-Cert\n"),
            "{text}"
        );
        assert!(!text.contains("X-Forwarded-Client-Cert: \"\""), "{text}");
        assert!(text.contains("x-forwarded-client-cert,_"), "{text}");
    }
}

#[test]
fn a_metadata_document_has_a_route_of_its_own() {
    let more = json!({ "challenge": { "resource_metadata": {
        "resource": "https://api.example.com/mcp", "authorization_servers": [],
    } } });
    let path = "/.well-known/oauth-protected-resource/mcp";
    let caddy = text(Kind::Caddy, more.clone());
    let route = "host api.example.com api.example.com.\n\t\tvars_regexp {http.request.uri} \
                 `^/\\.well-known/oauth-protected-resource/mcp(\\?.*)?$`\n";
    assert!(caddy.contains(route), "{caddy}");
    assert!(
        caddy.contains(&format!("rewrite /answer/default{path}\n")),
        "{caddy}"
    );
    let traefik = text(Kind::Traefik, more);
    assert!(
        traefik.contains(&format!("Host(`api.example.com`) && Path(`{path}`)")),
        "{traefik}"
    );
    assert!(traefik.contains("prefix: /answer/default\n"), "{traefik}");
    // It would be more than an address in a configuration.
    for resource in [
        "https://api.example.com/a`b",
        "https://api.example.com/{env.HOME}",
    ] {
        let more = json!({ "challenge": { "resource_metadata": { "resource": resource } } });
        for kind in BOTH {
            let places = refused(kind, more.clone(), &Options::default());
            assert_eq!(places, ["/challenge/resource_metadata"], "{kind}");
        }
    }
}

#[test]
fn what_the_proxy_cannot_do_is_refused_with_its_place() {
    let query = json!({ "rules": [
        { "path": "/a", "require": {} },
        { "path": "/socket", "credentials": [{ "query": "access_token" }], "require": {} },
    ] });
    let own = json!({ "forward": { "x-forwarded-uri": "subject" } });
    let odd = json!({ "forward": { "x-auth{subject": "subject" } });
    for kind in BOTH {
        let options = Options::default();
        assert_eq!(
            refused(kind, query.clone(), &options),
            ["/rules/1/credentials/0"]
        );
        assert_eq!(
            refused(kind, own.clone(), &options),
            ["/forward/x-forwarded-uri"]
        );
        assert_eq!(
            refused(kind, odd.clone(), &options),
            ["/forward/x-auth{subject"]
        );
    }
    let unix = Options {
        server: ServerAddress::Unix("/run/gate.sock".to_owned()),
        ..Options::default()
    };
    assert_eq!(refused(Kind::Traefik, json!({}), &unix), [""]);
    let caddy = generate(Kind::Caddy, &policy(json!({})), &unix)
        .unwrap()
        .text;
    assert!(
        caddy.contains("forward_auth unix//run/gate.sock {"),
        "{caddy}"
    );
}

#[test]
fn a_version_that_cannot_be_safe_is_refused() {
    let at = |text: &str| Options {
        version: Some(text.parse::<Version>().unwrap()),
        ..Options::default()
    };
    for (kind, old, new) in [
        (Kind::Caddy, "2.11.1", "2.11.2"),
        (Kind::Traefik, "3.7.12", "3.7.13"),
    ] {
        assert_eq!(refused(kind, json!({}), &at(old)), [""]);
        assert!(generate(kind, &policy(json!({})), &at(new)).is_ok());
    }
}
