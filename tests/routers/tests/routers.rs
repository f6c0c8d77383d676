//! The short run: a few thousand requests to each router, with the seed in
//! README.md.

use std::env;

use countersign_routers::{backend::BACKENDS, run::run};

const COUNT: usize = 3000;
const SEED: u64 = 13;

fn holds(name: &str) {
    let backend = BACKENDS
        .iter()
        .find(|backend| backend.name == name)
        .expect("a router");
    if let Some(reason) = backend.missing() {
        assert!(env::var_os("CI").is_none(), "{reason}");
        return println!("skipped: {reason}");
    }
    let outcome = run(backend, COUNT, SEED).expect("the router answers");
    outcome.slips.iter().for_each(|slip| println!("{slip}"));
    assert!(
        outcome.slips.is_empty(),
        "{} slips of {COUNT}",
        outcome.slips.len()
    );
}

#[test]
fn express_runs_what_was_judged() {
    holds("express");
}

#[test]
fn fastify_runs_what_was_judged() {
    holds("fastify");
}

#[test]
fn fastify_http2_runs_what_was_judged() {
    holds("fastify-http2");
}

#[test]
fn hono_runs_what_was_judged() {
    holds("hono");
}

#[test]
fn next_runs_what_was_judged() {
    holds("next");
}

#[test]
fn servemux_runs_what_was_judged() {
    holds("servemux");
}

#[test]
fn servemux_http2_runs_what_was_judged() {
    holds("servemux-http2");
}

#[test]
fn chi_runs_what_was_judged() {
    holds("chi");
}

#[test]
fn chi_group_runs_what_was_judged() {
    holds("chi-group");
}

#[test]
fn fileserver_runs_what_was_judged() {
    holds("fileserver");
}

#[test]
fn reverseproxy_runs_what_was_judged() {
    holds("reverseproxy");
}

#[test]
fn starlette_runs_what_was_judged() {
    holds("starlette");
}

#[test]
fn starlette_http2_runs_what_was_judged() {
    holds("starlette-http2");
}

#[test]
fn fastapi_runs_what_was_judged() {
    holds("fastapi");
}

#[test]
fn flask_runs_what_was_judged() {
    holds("flask");
}

#[test]
fn flask_gunicorn_runs_what_was_judged() {
    holds("flask-gunicorn");
}

#[test]
fn django_runs_what_was_judged() {
    holds("django");
}

#[test]
fn django_asgi_runs_what_was_judged() {
    holds("django-asgi");
}

#[test]
fn axum_runs_what_was_judged() {
    holds("axum");
}

#[test]
fn axum_http2_runs_what_was_judged() {
    holds("axum-http2");
}

#[test]
fn envoy_nginx_runs_what_was_judged() {
    holds("envoy-nginx");
}

#[test]
fn envoy_nginx_http2_runs_what_was_judged() {
    holds("envoy-nginx-http2");
}

#[test]
fn envoy_nginx_defaults_runs_what_was_judged() {
    holds("envoy-nginx-defaults");
}

#[test]
fn envoy_nginx_defaults_http2_runs_what_was_judged() {
    holds("envoy-nginx-defaults-http2");
}

#[test]
fn envoy_express_runs_what_was_judged() {
    holds("envoy-express");
}

#[test]
fn envoy_express_http2_runs_what_was_judged() {
    holds("envoy-express-http2");
}

#[test]
fn envoy_express_defaults_runs_what_was_judged() {
    holds("envoy-express-defaults");
}

#[test]
fn envoy_express_defaults_http2_runs_what_was_judged() {
    holds("envoy-express-defaults-http2");
}
