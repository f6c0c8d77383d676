//! A request as bytes.

use std::fmt;

/// Where attacks go.
#[derive(Clone, Debug)]
pub struct Aim {
    /// `Host`.
    pub authority: String,
    /// A target of the gate's route that the credential may ask for.
    pub path: String,
    /// A target of the gate's route that everybody may ask for.
    pub public: Option<String>,
    /// A target of a route without the gate.
    pub open: Option<String>,
    /// What lets a request pass.
    pub credential: Option<Credential>,
}

/// A header that identifies the caller. `{:?}` shows only its name.
#[derive(Clone)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// Its value: a secret.
    pub value: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One request of an attack. `{:?}` shows no credential.
#[derive(Clone)]
pub struct Probe {
    /// What is special about it.
    pub name: String,
    /// Its headers that are not framing: the gate is asked about these.
    pub headers: Vec<(String, String)>,
    /// Whether it goes to the route without the gate.
    pub is_open: bool,
    /// Whether it has to reach the backend: if it does not, nothing can be said.
    pub is_control: bool,
    method: String,
    target: String,
    lines: Vec<String>,
    body: &'static str,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Probe {
    /// A `GET` without a credential.
    pub(crate) fn new(name: impl Into<String>, aim: &Aim, target: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            headers: Vec::new(),
            is_open: false,
            is_control: false,
            method: "GET".to_owned(),
            target: target.into(),
            lines: vec![format!("Host: {}", aim.authority)],
            body: "",
        }
    }

    /// The same by the caller; `None` if there is no credential.
    pub(crate) fn by_caller(name: impl Into<String>, aim: &Aim) -> Option<Self> {
        let credential = aim.credential.as_ref()?;
        let probe = Self::new(name, aim, &*aim.path);
        Some(probe.header(&credential.name, &credential.value))
    }

    #[must_use]
    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.lines.push(format!("{name}: {value}"));
        self.headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// A line of the head before all others.
    #[must_use]
    pub(crate) fn first_line(mut self, line: String) -> Self {
        self.lines.insert(0, line);
        self
    }

    /// A line of the head that is framing.
    #[must_use]
    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// What stands behind the head.
    #[must_use]
    pub(crate) fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }

    #[must_use]
    pub(crate) fn control(mut self) -> Self {
        self.is_control = true;
        self
    }

    #[must_use]
    pub(crate) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// The request.
    pub fn bytes(&self) -> Vec<u8> {
        let Self {
            method,
            target,
            lines,
            body,
            ..
        } = self;
        let is_framed = |line: &String| line.to_ascii_lowercase().starts_with("connection:");
        let close = match lines.iter().any(is_framed) {
            true => "",
            false => "Connection: close\r\n",
        };
        let lines = lines.join("\r\n");
        format!("{method} {target} HTTP/1.1\r\n{lines}\r\n{close}\r\n{body}").into_bytes()
    }
}
