//! Many paths and methods.

use countersign_artefact_tests::token::Key;
use serde_json::json;

use super::{Request, good, saying};
use crate::configuration::PARTNER;

pub(super) fn all(key: &Key) -> Vec<Request<'_>> {
    let request = |name, method, target| Request {
        name,
        method,
        target,
        headers: good(key),
    };
    let anonymous = |name, method, target| Request {
        headers: Box::new(|_| Vec::new()),
        ..request(name, method, target)
    };
    vec![
        anonymous("public", "GET", "/healthz"),
        anonymous("public, below", "GET", "/healthz/live?full=1"),
        anonymous("public, but POST", "POST", "/healthz"),
        anonymous("only begins like the public path", "GET", "/healthzz"),
        anonymous(
            "out of the public path by ..",
            "GET",
            "/healthz/../orders/1",
        ),
        anonymous(
            "out of the public path by %2e%2e",
            "GET",
            "/healthz/%2e%2e/orders/1",
        ),
        anonymous("a parameter after the public path", "GET", "/healthz/;x"),
        request("another path", "GET", "/elsewhere"),
        request("another method", "DELETE", "/elsewhere"),
        request("HEAD where GET is admitted", "HEAD", "/elsewhere"),
        request("the root", "GET", "/"),
        request("a double slash", "GET", "//orders/1"),
        request("an encoded slash", "GET", "/elsewhere/a%2Fb"),
        request("exact path", "GET", "/exact"),
        request("exact path with a query", "GET", "/exact?x=1"),
        request("exact path with a slash", "GET", "/exact/"),
        request("below a folder", "GET", "/files/a/b"),
        request("the folder itself", "GET", "/files"),
        Request {
            name: "the folder itself, partner",
            method: "GET",
            target: "/files",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
        Request {
            name: "exact path with a slash, partner",
            method: "GET",
            target: "/exact/",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
        Request {
            name: "elsewhere, partner",
            method: "GET",
            target: "/elsewhere",
            headers: saying(key, |_, claims| claims["iss"] = json!(PARTNER)),
        },
    ]
}
