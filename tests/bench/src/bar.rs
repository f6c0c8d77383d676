//! The bar: the largest permitted ratio of our time to the peer's time.

/// The bar for one kind of work and one peer.
pub(crate) struct Bar {
    host: &'static str,
    work: &'static str,
    peer: &'static str,
    /// Newer processors run native RSA much faster, but WebAssembly only a
    /// little faster. This bar is for old and new ones.
    pub(crate) must: f64,
    /// The ratio that would be a reason to change to Countersign.
    pub(crate) aim: Option<f64>,
}

pub(crate) fn find(host: &str, work: &str, peer: &str) -> Option<&'static Bar> {
    let fits = |bar: &&Bar| bar.host == host && bar.peer == peer && work.ends_with(bar.work);
    BARS.iter().find(fits)
}

const fn bar(
    host: &'static str,
    work: &'static str,
    peer: &'static str,
    must: f64,
    aim: f64,
) -> Bar {
    Bar {
        host,
        work,
        peer,
        must,
        aim: Some(aim),
    }
}

const fn bound(host: &'static str, work: &'static str, peer: &'static str, must: f64) -> Bar {
    Bar {
        host,
        work,
        peer,
        must,
        aim: None,
    }
}

static BARS: [Bar; 52] = [
    bar("node", "RS256, fresh", "fast-jwt", 1.15, 0.95),
    bar("node", "RS256, fresh", "aws-jwt-verify", 0.95, 0.8),
    bar("node", "RS256, fresh", "jose", 0.4, 0.25),
    bar("node", "RS256, fresh, native", "fast-jwt", 1.05, 0.95),
    bar("node", "RS256, fresh, native", "aws-jwt-verify", 0.9, 0.8),
    bar("node", "ES256, fresh", "aws-jwt-verify", 1.2, 0.9),
    bar("node", "EdDSA, fresh", "jose", 1.0, 0.6),
    bar(
        "node",
        "RS256, remembered",
        "fast-jwt with cache",
        0.5,
        0.25,
    ),
    bar("node", "mix of clients", "fast-jwt with cache", 1.0, 0.6),
    bar("node", "RSA-2048 alone", "OpenSSL speed", 2.2, 1.5),
    bound("node", "memory, 100 keys, 1,000 tokens", "goal", 1.0),
    bound("npm", "an edge bundle, gzip", "budget", 1.0),
    bar("wasmtime", "RS256, fresh", "jsonwebtoken", 2.2, 1.5),
    bar(
        "wasmtime",
        "RS256, fresh, native",
        "jsonwebtoken",
        1.25,
        1.0,
    ),
    bar("wasmtime", "RS256, remembered", "jsonwebtoken", 0.15, 0.05),
    bar("wasmtime", "RSA-2048 alone", "OpenSSL speed", 2.2, 1.5),
    bar("go", "RS256, fresh", "golang-jwt", 3.0, 2.0),
    bar("go", "RS256, remembered", "golang-jwt", 0.15, 0.05),
    bar("go", "mix of clients", "golang-jwt", 0.5, 0.3),
    bar("go", "RS256, fresh, native", "golang-jwt", 1.3, 1.0),
    bar("go", "mix of clients, native", "golang-jwt", 0.3, 0.2),
    bar("python", "RS256, fresh", "PyJWT", 1.2, 0.9),
    bar("python", "ES256, fresh", "PyJWT", 1.0, 0.8),
    bar("python", "RS256, remembered", "PyJWT", 0.1, 0.05),
    // Two cores give at least 1.7 times the tokens.
    bound("python", "new tokens, two threads", "one thread", 1.0 / 1.7),
    // The goals are for requests per second, so the ratios are inverted.
    bar(
        "envoy",
        "distinct tokens",
        "jwt_authn + RBAC",
        1.0,
        1.0 / 1.3,
    ),
    bar(
        "envoy",
        "one token",
        "jwt_authn with cache + RBAC",
        1.0 / 0.85,
        1.0 / 1.1,
    ),
    bound("wasmtime", "longest call, 1,000 P-521 keys", "goal", 1.0),
    bound("wasmtime", "longest call, 1,000 RSA keys", "goal", 1.0),
    bound("wasmtime", "longest call, 500,000 revocations", "goal", 1.0),
    bound("node", "longest call, 1,000 P-521 keys", "goal", 1.0),
    bound("node", "longest call, 1,000 RSA keys", "goal", 1.0),
    bound("node", "longest call, 500,000 revocations", "goal", 1.0),
    bound("go", "longest call, 1,000 P-521 keys", "goal", 1.0),
    bound("go", "longest call, 1,000 RSA keys", "goal", 1.0),
    bound("go", "longest call, 500,000 revocations", "goal", 1.0),
    // The log moves the median by at most 5 %.
    bound("wasmtime", "a request, decisions logged", "without", 1.05),
    bound(
        "wasmtime",
        "a request, every decision logged",
        "without",
        1.05,
    ),
    bound("node", "a request, decisions logged", "without", 1.05),
    bound("node", "a request, every decision logged", "without", 1.05),
    bound("go", "a request, decisions logged", "without", 1.05),
    bound("go", "a request, every decision logged", "without", 1.05),
    bound("native", "", "with 1", 1.2),
    bound("wasmtime", "", "with 1", 1.2),
    // The goals are for requests per second: three times the better peer's, and 1.5 times
    // for new tokens.
    bound("server", "a request, one token", "OPA", 1.0 / 3.0),
    bound("server", "a request, one token", "oauth2-proxy", 1.0 / 3.0),
    bound("server", "a request, new tokens", "OPA", 1.0 / 1.5),
    bound("server", "a request, new tokens", "oauth2-proxy", 1.0 / 1.5),
    bound("server", "p99, one token", "OPA", 1.0),
    bound("server", "p99, one token", "oauth2-proxy", 1.0),
    bound("server", "p99, new tokens", "OPA", 1.0),
    bound("server", "p99, new tokens", "oauth2-proxy", 1.0),
];
