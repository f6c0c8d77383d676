//! What a browser does with a provider: requests, forms, redirects.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    common::Folder,
    server::{Server, free_port, send},
};

pub(crate) const CALLBACK: &str = "http://127.0.0.1:3000/auth/callback?from=dev";
pub(crate) const VERIFIER: &str = "a-verifier-of-a-test-0123456789-0123456789._~";

/// Apps with and without a secret.
pub(crate) const CONFIG: &str = r#"
clients:
  - id: web
    redirect_uris: ["http://127.0.0.1:3000/auth/callback?from=dev"]
    post_logout_redirect_uris: ["http://127.0.0.1:3000/bye"]
  - id: "bridge:1"
    secret: "s3cret of + the % bridge"
    redirect_uris: ["http://127.0.0.1:3000/auth/callback?from=dev"]
"#;

/// A running provider.
pub(crate) struct Provider {
    pub(crate) folder: Folder,
    pub(crate) port: u16,
    pub(crate) url: String,
    _server: Server,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Lower-case names.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let port = free_port();
        let url = format!("http://127.0.0.1:{port}");
        folder
            .run(&format!(
                "dev keys --dir issuer --issuer {url} --algorithm ES256"
            ))
            .expect(0);
        folder.write("provider.yaml", CONFIG);
        let server = Server::start(&folder, "provider --config provider.yaml");
        Self {
            folder,
            port,
            url,
            _server: server,
        }
    }

    pub(crate) fn get(&self, target: &str, lines: &[&str]) -> Reply {
        self.send("GET", target, lines, "")
    }

    /// A form with these fields.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)], lines: &[&str]) -> Reply {
        let mut lines = lines.to_vec();
        lines.push("content-type: application/x-www-form-urlencoded");
        self.send("POST", path, &lines, &encode(fields))
    }

    pub(crate) fn send(&self, method: &str, target: &str, lines: &[&str], body: &str) -> Reply {
        let mut all = vec![format!("host: 127.0.0.1:{}", self.port)];
        all.extend(lines.iter().map(|line| (*line).to_owned()));
        Reply::parse(&send(self.port, method, target, &all, body))
    }

    /// Opens the page of a sign-in.
    pub(crate) fn authorize(&self, fields: &[(&str, &str)]) -> Reply {
        self.get(&format!("/authorize?{}", encode(fields)), &[])
    }

    /// Opens the page, presses a button, and returns the parameters of the redirect.
    pub(crate) fn pick(&self, fields: &[(&str, &str)], person: &str) -> HashMap<String, String> {
        let page = self.authorize(fields);
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains(&format!("value=\"{person}\"")));
        let mut form = page.hidden();
        form.push(("person".to_owned(), person.to_owned()));
        let form: Vec<_> = form
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let origin = format!("origin: {}", self.url);
        self.post("/authorize", &form, &[&origin])
            .redirected(CALLBACK)
    }

    /// Exchanges a code as the app without a secret.
    pub(crate) fn redeem(&self, code: &str) -> Reply {
        self.post("/token", &redemption(code), &[])
    }
}

/// What `web` sends to `/token`.
pub(crate) fn redemption(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "web"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// What `web` sends to `/authorize`, some of it replaced; an empty value leaves it out.
pub(crate) fn asked<'a>(replaced: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "a state & more"),
        ("nonce", "n-1"),
        ("code_challenge_method", "S256"),
        ("code_challenge", challenge()),
    ];
    for (name, value) in replaced {
        fields.retain(|(other, _)| other != name);
        if !value.is_empty() {
            fields.push((*name, *value));
        }
    }
    fields
}

fn challenge() -> &'static str {
    static CHALLENGE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    CHALLENGE.get_or_init(|| URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes())))
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap()[9..12].parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self {
            status,
            headers: headers.collect(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.json()["error"], error, "{}", self.body);
        assert_eq!(self.headers["cache-control"], "no-store");
    }

    /// The parameters that were added to a URI.
    #[track_caller]
    pub(crate) fn redirected(&self, uri: &str) -> HashMap<String, String> {
        assert_eq!(self.status, 303, "{}", self.body);
        let location = &self.headers["location"];
        let rest = location
            .strip_prefix(uri)
            .unwrap_or_else(|| panic!("{location}"));
        let rest = rest.trim_start_matches(['?', '&']);
        let pairs = rest.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect()
    }

    /// The hidden fields of the form.
    pub(crate) fn hidden(&self) -> Vec<(String, String)> {
        let fields = self.body.split("<input type=\"hidden\" name=\"").skip(1);
        let fields = fields.map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            let (value, _) = rest.split_once('"').unwrap();
            (name.to_owned(), unescape(value))
        });
        fields.collect()
    }
}

fn unescape(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&lt;", "<");
    text.replace("&gt;", ">").replace("&amp;", "&")
}

pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", percent(value)));
    fields.collect::<Vec<_>>().join("&")
}

pub(crate) fn percent(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
