//! Random requests: mutations of real ones.

use std::fmt::Write;

use fastrand::Rng;

use crate::{
    own::Own,
    routes::{OPEN, PUBLIC, ROUTES},
};

/// A request, as it is sent byte by byte.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The target, which may be invalid.
    pub target: Vec<u8>,
    /// The hosts of the request, usually one. In HTTP/2 the first is
    /// `:authority`, and the second is `host`.
    pub hosts: Vec<&'static str>,
    /// Other header fields.
    pub fields: Vec<(&'static str, &'static str)>,
    /// The only scope of the caller's token, or `None` without a token.
    pub scope: Option<&'static str>,
}

impl Request {
    /// Whether the caller may reach the handler with this name.
    #[must_use]
    pub fn may_reach(&self, handler: &str) -> bool {
        handler == PUBLIC || self.scope == Some(handler)
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            method,
            target,
            hosts,
            fields,
            scope,
        } = self;
        let target = target.escape_ascii();
        write!(
            f,
            "{method} {target} of {hosts:?} with {fields:?}, scope {scope:?}"
        )
    }
}

/// Texts to put before, between or after the parts of a path.
const PIECES: [&str; 62] = [
    "/",
    "//",
    "/./",
    "/../",
    ".",
    "..",
    "%2f",
    "%2F",
    "%5c",
    "\\",
    "%2e",
    "%2E%2e",
    "%252f",
    "%25",
    "%00",
    "%",
    "%zz",
    "%2",
    ";",
    ";a=b",
    "%3b",
    "?",
    "?a=/admin/a",
    "%3f",
    "#",
    "%23",
    "%20",
    "+",
    "%09",
    "%0a",
    "%0d%0a",
    "\0",
    "\t",
    " ",
    "\u{e9}",
    "%e9",
    "%c3%a9",
    "%c0%af",
    "%e2%80%8b",
    "\u{17f}",
    "%c5%bf",
    "%e2%84%aa",
    "%c4%b1",
    "*",
    ":",
    "@",
    "%40",
    "%3a",
    "a",
    "A",
    "edit",
    "/edit",
    "index.html",
    "admin/a",
    "/admin/a",
    "/public/",
    "public/..",
    "items/",
    "/../admin",
    "/..;/",
    "~",
    "%7e",
];

const FRONTS: [&str; 20] = [
    "http://app.example.com",
    "http://app.example.com",
    "http://open.example.com",
    "HTTP://app.example.com",
    "http://app.example.com:80",
    "https://open.example.com",
    "x:",
    "x:y://z",
    "x:http://open.example.com",
    "http:",
    "http:/",
    "http://",
    "//app.example.com",
    "ftp://open.example.com",
    "*",
    "http://a@app.example.com",
    "http://open.example.com@app.example.com",
    "http://app.example.com?",
    "http://app.example.com#",
    "/http://app.example.com",
];

const METHODS: [&str; 14] = [
    "GET", "GET", "GET", "GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get",
    "PUT", "DELETE",
];

const HOSTS: [&str; 16] = [
    "app.example.com",
    "app.example.com",
    "app.example.com",
    "app.example.com",
    OPEN,
    OPEN,
    "OPEN.example.com",
    "open.example.com.",
    "open.example.com:80",
    "open.example.com.:80",
    "",
    "APP.example.com",
    "open.example.com, app.example.com",
    "a@open.example.com",
    "open.example.com:",
    "localhost",
];

/// Spoofed identities, and fields that frameworks may use instead of the target.
const FIELDS: [(&str, &str); 20] = [
    ("X-Auth-Subject", "eve"),
    ("X_Auth_Subject", "eve"),
    ("x-auth_subject", "eve"),
    ("Connection", "x-auth-subject"),
    ("Connection", "close, X_Auth_Subject"),
    ("X-Original-Url", "/public/a"),
    ("X-Original-Url", "/admin/a"),
    ("X-Rewrite-Url", "/admin/a"),
    ("X-Http-Method-Override", "GET"),
    ("X-Forwarded-Host", OPEN),
    ("X-Forwarded-Host", "app.example.com"),
    ("X-Forwarded-Prefix", "/admin"),
    ("X-Forwarded-Proto", "https"),
    ("Forwarded", "host=open.example.com"),
    ("X-Host", OPEN),
    ("Accept-Version", "1.0.0"),
    ("Origin", "https://open.example.com"),
    ("Upgrade", "websocket"),
    ("Sec-Fetch-Mode", "websocket"),
    ("Access-Control-Request-Method", "GET"),
];

/// Makes a random request. Half of them start from a target of the caller's own
/// handler, so that one mutation may lead to another handler.
pub fn random(random: &mut Rng) -> Request {
    let own = &ROUTES[random.usize(..ROUTES.len())];
    let scope = (own.name != PUBLIC).then_some(own.name);
    let start = if random.bool() {
        own
    } else {
        &ROUTES[random.usize(..ROUTES.len())]
    };
    let mut target = pick(random, start.targets).as_bytes().to_vec();
    for _ in 0..[0, 1, 1, 1, 2, 2, 3, 4][random.usize(..8)] {
        mutate(random, &mut target);
    }
    let mut hosts = vec![if start.name == "hosted" && random.bool() {
        OPEN
    } else {
        pick(random, &HOSTS)
    }];
    match random.u8(..16) {
        0 => hosts.push(pick(random, &HOSTS)),
        1 => hosts.push(hosts[0]),
        2 => hosts.clear(),
        _ => {}
    }
    let fields =
        (0..random.usize(..6).saturating_sub(3)).map(|_| FIELDS[random.usize(..FIELDS.len())]);
    Request {
        target,
        hosts,
        fields: fields.collect(),
        scope,
        method: pick(random, &METHODS),
    }
}

/// Adds the mutations for one router to a third of its requests. Without such
/// mutations it uses no random numbers, so that a seed gives the same requests.
pub fn mutate_as(random: &mut Rng, own: &Own, request: &mut Request) {
    if own.pieces.is_empty() || random.u8(..3) != 0 {
        return;
    }
    let target = &mut request.target;
    match random.u8(..4) {
        0 => drop(target.splice(0..0, pick(random, own.fronts).bytes())),
        1 => target.extend(pick(random, own.pieces).bytes()),
        // The data of a page has an address with both.
        2 => {
            target.splice(0..0, pick(random, own.fronts).bytes());
            target.extend(pick(random, own.pieces).bytes());
        }
        _ => {
            let at = random.usize(..=target.len());
            target.splice(at..at, pick(random, own.pieces).bytes());
        }
    }
    if random.bool() {
        request
            .fields
            .push(own.fields[random.usize(..own.fields.len())]);
    }
}

fn pick(random: &mut Rng, of: &[&'static str]) -> &'static str {
    of[random.usize(..of.len())]
}

fn mutate(random: &mut Rng, target: &mut Vec<u8>) {
    let at = random.usize(..=target.len());
    let here = at..target.len().min(at + 1);
    match random.u8(..12) {
        0..3 => drop(target.splice(at..at, pick(random, &PIECES).bytes())),
        3 => target.extend(pick(random, &PIECES).bytes()),
        4 => drop(target.drain(here)),
        5..7 => {
            let mut escaped = String::new();
            for byte in &target[here.clone()] {
                let upper = random.bool();
                let written = if upper {
                    write!(escaped, "%{byte:02X}")
                } else {
                    write!(escaped, "%{byte:02x}")
                };
                written.expect("a string takes it");
            }
            target.splice(here, escaped.bytes());
        }
        7 => target[here]
            .iter_mut()
            .for_each(|byte| *byte ^= if byte.is_ascii_alphabetic() { 0x20 } else { 0 }),
        8 => match random.bool() {
            true => target[at..].make_ascii_uppercase(),
            false => target[at..].make_ascii_lowercase(),
        },
        // Another path after the target or before it.
        9 => {
            let other = ROUTES[random.usize(..ROUTES.len())].targets;
            let end = if random.bool() { 0 } else { target.len() };
            target.splice(end..end, pick(random, other).bytes());
        }
        10 => drop(target.splice(0..0, pick(random, &FRONTS).bytes())),
        // A line break would end this request and start another one.
        _ => {
            let byte = random.u8(..);
            target.splice(here, (!matches!(byte, b'\r' | b'\n')).then_some(byte));
        }
    }
}
