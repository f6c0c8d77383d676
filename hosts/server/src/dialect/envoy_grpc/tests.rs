//! Questions and replies as messages.

use std::collections::{BTreeMap, HashMap};

use countersign_host::{Answered, Change, Decision, Denial, Grant};
use envoy_types::pb::{
    envoy::{
        config::core::v3::{HeaderMap, HeaderValue, HeaderValueOption},
        service::auth::v3::{
            AttributeContext, CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
            attribute_context::{HttpRequest, Peer, Request},
            check_response::HttpResponse,
        },
    },
    google::rpc::Code,
};

use super::{policy, read, reply};
use crate::dialect::Asked;

/// A question as Envoy sends it with `encode_raw_headers`.
fn raw(fields: &[(&str, &[u8])]) -> CheckRequest {
    let field = |(key, value): &(&str, &[u8])| HeaderValue {
        key: (*key).to_owned(),
        raw_value: value.to_vec(),
        ..HeaderValue::default()
    };
    about(HttpRequest {
        header_map: Some(HeaderMap {
            headers: fields.iter().map(field).collect(),
        }),
        ..usual()
    })
}

/// The same without.
fn joined(fields: &[(&str, &str)]) -> CheckRequest {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    about(HttpRequest {
        headers: fields.iter().map(owned).collect(),
        ..usual()
    })
}

fn usual() -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        host: "api.example.com".into(),
        path: "/a?b".into(),
        scheme: "https".into(),
        ..HttpRequest::default()
    }
}

fn about(http: HttpRequest) -> CheckRequest {
    CheckRequest {
        attributes: Some(AttributeContext {
            request: Some(Request {
                http: Some(http),
                ..Request::default()
            }),
            context_extensions: HashMap::from([("policy".into(), "edge".into())]),
            ..AttributeContext::default()
        }),
    }
}

fn ambiguous(check: &CheckRequest) -> bool {
    read(check).is_err()
}

#[test]
fn a_question_has_the_request_byte_by_byte() {
    let check = raw(&[
        (":method", b"GET"),
        (":authority", b"api.example.com"),
        (":path", b"/a?b"),
        (":scheme", b"https"),
        ("x-note", b"a\xff"),
        ("x-note", b"b"),
    ]);
    let asked = read(&check).unwrap();
    assert_eq!(policy(&check), Some("edge"));
    assert_eq!(
        (asked.method, asked.authority),
        (&b"GET"[..], &b"api.example.com"[..])
    );
    assert_eq!(
        (asked.target, asked.connection.tls),
        (&b"/a?b"[..], Some(true))
    );
    let fields: [(&[u8], &[u8]); 2] = [(b"x-note", b"a\xff"), (b"x-note", b"b")];
    assert_eq!(asked.headers, fields);
}

#[test]
fn the_older_form_of_headers_is_read_too() {
    let check = joined(&[(":path", "/a?b"), ("x-note", "a,b")]);
    let asked = read(&check).unwrap();
    assert_eq!(asked.headers, [(&b"x-note"[..], &b"a,b"[..])]);
}

#[test]
fn a_protocol_of_an_extended_connect_is_a_field() {
    let check = raw(&[(":protocol", b"websocket")]);
    assert_eq!(
        read(&check).unwrap().headers,
        [(&b":protocol"[..], &b"websocket"[..])]
    );
}

#[test]
fn what_is_said_twice_and_differs_is_ambiguous() {
    assert!(ambiguous(&raw(&[(":path", b"/other")])));
    assert!(ambiguous(&raw(&[(":path", b"/a?b"), (":path", b"/a?b")])));
    assert!(ambiguous(&raw(&[(":method", b"POST")])));
    assert!(ambiguous(&raw(&[(":authority", b"other")])));
    let mut both = raw(&[("x-note", b"a")]);
    let request = both.attributes.as_mut().unwrap().request.as_mut().unwrap();
    request
        .http
        .as_mut()
        .unwrap()
        .headers
        .insert("x-note".into(), "b".into());
    assert!(ambiguous(&both));
}

#[test]
fn what_is_missing_or_no_lower_case_name_is_ambiguous() {
    assert!(ambiguous(&CheckRequest::default()));
    assert!(ambiguous(&about(HttpRequest {
        path: String::new(),
        ..usual()
    })));
    assert!(ambiguous(&about(HttpRequest {
        method: String::new(),
        ..usual()
    })));
    assert!(ambiguous(&raw(&[("X-Note", b"a")])));
    assert!(ambiguous(&raw(&[("", b"a")])));
}

#[test]
fn only_the_connection_says_a_certificate() {
    let mut check = raw(&[("x-forwarded-client-cert", b"Hash=00")]);
    assert_eq!(read(&check).unwrap().connection.certificate, None);
    let mut say = |certificate: String| {
        check.attributes.as_mut().unwrap().source = Some(Peer {
            certificate,
            ..Peer::default()
        });
        check.clone()
    };
    let pem = "-----BEGIN%20CERTIFICATE-----%0AAAEC%0A-----END%20CERTIFICATE-----%0A";
    let said = say(pem.into());
    let certificate = read(&said).unwrap().connection.certificate.unwrap();
    // The SHA-256 of the bytes 0, 1, 2.
    assert_eq!(certificate[..4], [0xae, 0x4b, 0x32, 0x80]);
    assert!(ambiguous(&say("nonsense".into())));
}

fn grant(remove: &[&str], set: &[(&str, &str)], changes: Vec<Change>) -> Decision {
    let owned = |text: &str| text.to_owned();
    Decision::Allow(Grant {
        principal: None,
        principals: BTreeMap::new(),
        remove_headers: remove.iter().copied().map(owned).collect(),
        set_headers: set
            .iter()
            .map(|(name, value)| (owned(name), owned(value)))
            .collect(),
        changes,
    })
}

fn denial(code: &str, status: u16) -> Decision {
    Decision::Deny(Denial {
        code: code.into(),
        status,
        message: "no".into(),
        challenge: Some("Bearer".into()),
        claim: None,
        principal: None,
        retry_after_s: Some(5),
        nonce: Some("n".into()),
    })
}

fn ok(reply: CheckResponse) -> OkHttpResponse {
    assert_eq!(reply.status.unwrap().code, Code::Ok as i32);
    match reply.http_response {
        Some(HttpResponse::OkResponse(ok)) => ok,
        other => panic!("{other:?}"),
    }
}

fn denied(reply: CheckResponse) -> DeniedHttpResponse {
    assert_ne!(reply.status.unwrap().code, Code::Ok as i32);
    match reply.http_response {
        Some(HttpResponse::DeniedResponse(denied)) => denied,
        other => panic!("{other:?}"),
    }
}

fn pairs(headers: &[HeaderValueOption]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|option| {
            // Overwrite, or add.
            assert_eq!(option.append_action, 2);
            let header = option.header.as_ref().unwrap();
            (&*header.key, &*header.value)
        })
        .collect()
}

#[test]
fn a_grant_overwrites_and_removes_every_alias() {
    let check = raw(&[("x_auth_subject", b"root"), ("x-auth-subject", b"root")]);
    let asked = read(&check).unwrap();
    let decision = grant(
        &["x-auth-subject", "x-auth-tenant"],
        &[("x-auth-subject", "ada")],
        vec![],
    );
    let ok = ok(reply(Some(&asked), &decision, None));
    assert_eq!(pairs(&ok.headers), [("x-auth-subject", "ada")]);
    assert_eq!(ok.headers_to_remove, ["x-auth-tenant", "x_auth_subject"]);
}

#[test]
fn another_target_is_a_pseudo_header() {
    let decision = grant(&[], &[], vec![Change::SetTarget(b"/a?c=1&c=2&b".to_vec())]);
    let ok = ok(reply(None, &decision, None));
    assert_eq!(pairs(&ok.headers), [(":path", "/a?c=1&c=2&b")]);
}

#[test]
fn bytes_that_protobuf_cannot_carry_deny() {
    let decision = grant(
        &[],
        &[],
        vec![Change::SetHeader("cookie".into(), b"a=\xff".to_vec())],
    );
    let denied = denied(reply(None, &decision, None));
    assert_eq!(denied.status.unwrap().code, 503);
    assert!(denied.body.contains("internal_error"));
}

#[test]
fn a_denial_is_a_denied_response_with_everything_that_clients_need() {
    for (code, status) in [
        ("token_missing", 401),
        ("rule_denied", 403),
        ("keys_unavailable", 503),
    ] {
        let denied = denied(reply(None, &denial(code, status), None));
        assert_eq!(denied.status.unwrap().code, i32::from(status));
        let headers = [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-countersign-code", code),
            ("www-authenticate", "Bearer"),
            ("dpop-nonce", "n"),
            ("retry-after", "5"),
        ];
        assert_eq!(pairs(&denied.headers), headers);
        assert_eq!(
            denied.body,
            format!(r#"{{"code":"{code}","message":"no"}}"#)
        );
    }
}

#[test]
fn a_grpc_client_gets_the_code_as_the_message() {
    let check = raw(&[("content-type", b"application/grpc+proto")]);
    let asked: Asked<'_> = read(&check).unwrap();
    let denied = denied(reply(Some(&asked), &denial("token_missing", 401), None));
    assert_eq!(denied.body, "token_missing");
}

#[test]
fn an_answer_of_the_gate_is_no_allow() {
    let decision = Decision::Answer(Answered {
        status: 200,
        headers: vec![("content-type".into(), "application/json".into())],
        body: b"{}".into(),
    });
    let denied = denied(reply(None, &decision, None));
    assert_eq!((denied.status.unwrap().code, &*denied.body), (200, "{}"));
}
