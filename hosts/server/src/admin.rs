//! What an administrator of this machine asks: `POST /reload`, `GET /status`.

use countersign_host::{DocumentStatus, SHA256, ShadowStatus, SourceStatus, Status, Trap};
use countersign_policy_source::Problem;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    listen::Body,
    operations::text,
    policies::{Outcome, Reloaded},
    serve::Server,
};

pub(crate) async fn answer<B>(server: &Server, request: &Request<B>) -> Response<Body> {
    // A page in a browser on this machine can send requests here.
    let is_of_a_page = |name: &header::HeaderName| request.headers().contains_key(name);
    let of_a_page = [
        header::ORIGIN,
        header::REFERER,
        header::HeaderName::from_static("sec-fetch-site"),
    ];
    if of_a_page.iter().any(is_of_a_page) {
        return text(StatusCode::FORBIDDEN, "not for browsers\n");
    }
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/reload") => {
            let reloaded = server.reload().await;
            let status = match reloaded.problems.is_empty() {
                true => StatusCode::OK,
                false => StatusCode::UNPROCESSABLE_ENTITY,
            };
            document(status, &of_reload(&reloaded))
        }
        (&Method::GET, "/status") => document(StatusCode::OK, &status(server).await),
        (_, "/reload" | "/status") => text(
            StatusCode::METHOD_NOT_ALLOWED,
            "POST /reload, GET /status\n",
        ),
        _ => text(StatusCode::NOT_FOUND, "not found\n"),
    }
}

fn document(status: StatusCode, document: &Value) -> Response<Body> {
    let mut response = text(status, format!("{document:#}\n"));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn of_reload(reloaded: &Reloaded) -> Value {
    let policies = reloaded.policies.iter();
    let policies = policies.map(|(name, outcome)| (name.clone(), outcome.as_str().into()));
    json!({
        "policies": Value::Object(policies.collect()),
        "tls": reloaded.tls.map(Outcome::as_str),
        "problems": reloaded.problems.iter().map(of_problem).collect::<Vec<_>>(),
    })
}

fn of_problem(problem: &Problem) -> Value {
    json!({
        "file": problem.file,
        "pointer": problem.pointer,
        "line": problem.position.map(|position| position.line),
        "column": problem.position.map(|position| position.column),
        "code": problem.code,
        "message": problem.message,
    })
}

async fn status(server: &Server) -> Value {
    let mut policies = serde_json::Map::new();
    for policy in server.policies().all() {
        let status = policy.gate().status().await;
        policies.insert(policy.name.to_string(), of_gate(status));
    }
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "module_digest": SHA256,
        "ready": server.is_ready(),
        "policies": policies,
    })
}

fn of_gate(status: Result<Status, Trap>) -> Value {
    match status {
        Ok(status) => json!({
            "policy_digest": status.policy_digest,
            "ready": status.ready,
            "documents": of_documents(&status.documents),
            "source": status.source.as_ref().map(of_source),
            "shadow": status.shadow.as_ref().map(of_shadow),
        }),
        Err(trap) => json!({ "error": trap.to_string() }),
    }
}

/// Without the query of an address, which can contain a key.
fn of_documents(documents: &[DocumentStatus]) -> Value {
    let document = |document: &DocumentStatus| {
        json!({
            "issuer": document.issuer,
            "kind": document.kind.as_str(),
            "uri": document.uri.split('?').next(),
            "age_ms": document.age_ms,
            "failures": document.failures,
            "usable": document.usable,
            "needed": document.needed,
        })
    };
    documents.iter().map(document).collect()
}

fn of_source(source: &SourceStatus) -> Value {
    json!({
        "version": source.version,
        "expires_ms": source.expires_ms,
        "kid": source.kid,
        "last_success_ms": source.last_success_ms,
        "last_error": source.last_error,
    })
}

fn of_shadow(shadow: &ShadowStatus) -> Value {
    let counts = shadow.counts.iter().map(|count| {
        json!({
            "comparison": count.comparison.as_str(),
            "rule": count.rule,
            "code": count.code,
            "count": count.count,
        })
    });
    json!({
        "policy_digest": shadow.policy_digest,
        "ready": shadow.ready,
        "documents": of_documents(&shadow.documents),
        "counts": counts.collect::<Vec<_>>(),
        "other": shadow.other,
    })
}
