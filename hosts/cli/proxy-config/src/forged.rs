//! Headers that a client must not be able to write, whatever the policy says: backends and
//! their frameworks believe them.

/// Another target than that of the request line.
pub(crate) const TARGETS: [&str; 7] = [
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
    "x-replaced-path",
];

/// Another method than that of the request line.
pub(crate) const METHODS: [&str; 5] = [
    "x-forwarded-method",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
];

/// Another host or client. `X-Forwarded-For`, `-Host` and `-Proto` are not here: proxies
/// set these themselves.
pub(crate) const PLACES: [&str; 4] = ["forwarded", "x-host", "x-original-host", "x-real-ip"];

/// The certificate of a client.
pub(crate) const CERTIFICATES: [&str; 9] = [
    "client-cert",
    "client-cert-chain",
    "ssl-client-cert",
    "x-client-cert",
    "x-forwarded-client-cert",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-ssl-client-cert",
    "x-ssl-client-verify",
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    let lists = [&TARGETS[..], &METHODS, &PLACES, &CERTIFICATES];
    lists.into_iter().flatten().copied()
}
