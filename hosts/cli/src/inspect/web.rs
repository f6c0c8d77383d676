//! The inspector's page on a loopback port.

use std::{net::Ipv4Addr, sync::Arc};

use clap::Args;
use countersign_host::SHA256;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Bytes,
    header::{ALLOW, HOST, HeaderMap},
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    failure::Failure,
    output::{Exit, Output},
    server,
    style::{FAINT, GOOD},
};

#[derive(Args, Debug)]
pub(crate) struct WebArgs {
    /// Serve the inspector on this machine instead, a page that also decides
    /// and explains; a token is pasted there
    #[arg(long, conflicts_with_all = ["file", "literal", "now"])]
    pub(crate) web: bool,
    /// Its port; by default a free one
    #[arg(long, value_name = "PORT", requires = "web", default_value = "0")]
    #[arg(hide_default_value = true)]
    port: u16,
}

/// The page, if it existed when this was built.
const PAGE: Option<&str> = include!(concat!(env!("OUT_DIR"), "/page.rs"));

pub(crate) async fn serve(args: &WebArgs, output: Output) -> Result<Exit, Failure> {
    // A page of an earlier build would decide with another module.
    let of_module = format!("content=\"{SHA256}\"");
    let page = PAGE.filter(|page| page.contains(&of_module)).ok_or_else(|| {
        Failure::usage("this command was built without the page: `cargo xtask package` makes it, then build again")
    })?;
    let failed = |error: std::io::Error| {
        Failure::Usage(format!("cannot listen on port `{}`: {error}", args.port))
    };
    let address = (Ipv4Addr::LOCALHOST, args.port);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let url = format!("http://127.0.0.1:{port}/");
    if output.json {
        anstream::println!("{}", json!({ "url": url }));
    } else {
        anstream::println!("{GOOD}inspector{GOOD:#} {url}");
        anstream::eprintln!(
            "{FAINT}what is pasted there stays in the page, Ctrl-C ends it{FAINT:#}"
        );
    }
    let names = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let answer = move |request: &Request<_>| answer(request, &names, page);
    match server::serve(listener, Arc::new(answer)).await {}
}

/// The page, if the request names this machine. A page of another site whose name
/// was made to resolve to this machine (DNS rebinding) names that site.
fn answer<B>(request: &Request<B>, names: &[String], page: &'static str) -> Response<Full<Bytes>> {
    if !names
        .iter()
        .any(|name| is_only_host(request.headers(), name))
    {
        return server::refusal(StatusCode::MISDIRECTED_REQUEST, "another host was meant");
    }
    if request.uri().path() != "/" {
        return server::refusal(StatusCode::NOT_FOUND, "not found");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = server::refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET");
        let allowed = hyper::header::HeaderValue::from_static("GET, HEAD");
        refusal.headers_mut().insert(ALLOW, allowed);
        return refusal;
    }
    let answer = HEADERS
        .into_iter()
        .fold(Response::builder(), |answer, (name, value)| {
            answer.header(name, value)
        })
        .header("content-security-policy", content_policy(page));
    answer.body(Full::from(page)).unwrap_or_default()
}

fn is_only_host(headers: &HeaderMap, name: &str) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    hosts.next().is_some_and(|host| host == name) && hosts.next().is_none()
}

const HEADERS: [(&str, &str); 8] = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// The page's own policy, and a directive that only works in a header. A page
/// without a policy may load nothing.
fn content_policy(page: &str) -> String {
    let policy = page
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("default-src 'none'", |(policy, _)| policy);
    format!("{policy}; frame-ancestors 'none'")
}
