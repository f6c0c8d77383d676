//! What is decided about: a token alone, or a whole request.

use clap::Args;
use serde_json::{Value, json};

use crate::{arguments::TokenArgs, failure::Failure, session::Request, source::Source};

#[derive(Args, Debug)]
pub(crate) struct SubjectArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// A request: `GET /assets/1`, or with the host `GET https://api.example.com/assets/1`
    #[arg(long, short, value_name = "METHOD TARGET", help_heading = "Request")]
    request: Option<String>,
    /// The same in parts: the method, GET unless said
    #[arg(
        long,
        value_name = "METHOD",
        help_heading = "Request",
        conflicts_with = "request"
    )]
    method: Option<String>,
    /// The path, with a query if there is one
    #[arg(
        long,
        value_name = "TARGET",
        help_heading = "Request",
        conflicts_with = "request"
    )]
    path: Option<String>,
    /// The host that the request is for
    #[arg(long, value_name = "HOST", help_heading = "Request")]
    host: Option<String>,
    /// A header, repeatable
    #[arg(
        long,
        short = 'H',
        value_name = "NAME: VALUE",
        help_heading = "Request"
    )]
    #[arg(value_parser = header)]
    header: Vec<(String, String)>,
    /// Of a token alone: what it must have, in the words of a rule's `require`
    #[arg(long, value_name = "JSON", conflicts_with_all = ["request", "path"])]
    #[arg(value_parser = requirement)]
    require: Option<Value>,
}

/// What is decided about.
#[derive(Debug)]
pub(crate) enum Subject {
    /// A token, and what is required of it.
    Token(Vec<u8>, Option<Value>),
    /// A request, its token where the policy looks for it.
    Request(Request),
}

impl SubjectArgs {
    /// Reads the token and puts it where `policy` looks for one.
    pub(crate) fn read(&self, policy: &Source) -> Result<Subject, Failure> {
        let Some((method, target)) = self.line()? else {
            return Ok(Subject::Token(self.token.read()?, self.require.clone()));
        };
        let (authority, target) = split_authority(target);
        let mut request = Request {
            method,
            authority: self.host.clone().unwrap_or(authority),
            target,
            headers: Vec::new(),
        };
        for (name, value) in &self.header {
            request.push(name, value.as_bytes());
        }
        if let Some(token) = self.token.read_if_said()? {
            let policy = serde_json::from_slice(&policy.json).unwrap_or_default();
            request.carry(&token, &policy);
        }
        Ok(Subject::Request(request))
    }

    /// Method and target, if a request was said.
    fn line(&self) -> Result<Option<(String, String)>, Failure> {
        let Some(line) = &self.request else {
            let Some(path) = &self.path else {
                let is_alone =
                    self.method.is_none() && self.host.is_none() && self.header.is_empty();
                return if is_alone {
                    Ok(None)
                } else {
                    Err(Failure::usage("a request needs `--path`"))
                };
            };
            return Ok(Some((
                self.method.clone().unwrap_or_else(|| "GET".to_owned()),
                path.clone(),
            )));
        };
        parse_line(line).map(Some).map_err(Failure::Usage)
    }
}

/// `GET /assets/1`; a lone target means `GET`.
pub(crate) fn parse_line(line: &str) -> Result<(String, String), String> {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [target] => Ok(("GET".to_owned(), (*target).to_owned())),
        [method, target] => Ok(((*method).to_owned(), (*target).to_owned())),
        _ => Err(format!(
            "expected a method and a target such as `GET /assets/1`, not `{line}`"
        )),
    }
}

/// The host and the origin-form target of `https://host/path`.
pub(crate) fn split_authority(target: String) -> (String, String) {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(scheme));
    match rest {
        None => (String::new(), target),
        Some(rest) => {
            let start = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(start);
            let slash = if path.starts_with('/') { "" } else { "/" };
            (authority.to_owned(), format!("{slash}{path}"))
        }
    }
}

impl Request {
    /// Adds a header.
    pub(crate) fn push(&mut self, name: &str, value: &[u8]) {
        self.headers
            .push((name.to_ascii_lowercase(), value.to_vec()));
    }

    /// Puts `token` into the first place where `policy` looks for one.
    pub(crate) fn carry(&mut self, token: &[u8], policy: &Value) {
        let place = policy.pointer("/credentials/0").cloned();
        let place =
            place.unwrap_or_else(|| json!({ "header": "authorization", "scheme": "Bearer" }));
        let word = |name: &str| place.get(name).and_then(Value::as_str);
        match (word("cookie"), word("header"), word("scheme")) {
            (Some(cookie), _, _) => self.push("cookie", &[cookie.as_bytes(), b"=", token].concat()),
            (None, Some(header), None) => self.push(header, token),
            (None, header, scheme) => {
                let scheme = scheme.unwrap_or("Bearer");
                let value = [scheme.as_bytes(), b" ", token].concat();
                self.push(header.unwrap_or("authorization"), &value);
            }
        }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected `NAME: VALUE`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn requirement(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}
