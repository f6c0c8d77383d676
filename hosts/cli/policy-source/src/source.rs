//! One document with the position of every value.

use std::path::Path;

use countersign_host::{
    Severity,
    yaml::{Position, Yaml},
};

use crate::{
    foreign,
    parsed::{Invalid, Parsed, Positions},
    problem::{Error, Problem},
    toml, write,
};

/// One document, as JSON with positions.
#[derive(Clone, Debug)]
pub struct Source {
    /// As problems name it: a path, mostly.
    pub name: String,
    /// JSON. A JSON document stays as it is byte for byte: the gate is strict
    /// about what a lenient reader would accept.
    pub json: Vec<u8>,
    positions: Positions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Yaml,
    Toml,
}

impl Source {
    /// Reads a document. The extension of `name` is its format (`json`, `yaml`,
    /// `yml`, `toml`); with another or none, the text itself tells it.
    ///
    /// # Errors
    /// [`Error::NotText`], or [`Error::Invalid`]: the first thing that is no YAML
    /// of the strict subset, or no TOML. JSON is not checked here.
    pub fn parse(name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        let format = Format::of(name, &bytes)?;
        Self::parse_as(format, name, bytes)
    }

    /// Reads every document of another program's configuration: YAML 1.2 with
    /// anchors and several documents, of which empty ones are left out; of
    /// another format there is one.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_foreign(name: &str, bytes: Vec<u8>) -> Result<Vec<Self>, Error> {
        let format = Format::of(name, &bytes)?;
        if format != Format::Yaml {
            return Ok(vec![Self::parse_as(format, name, bytes)?]);
        }
        let parsed = foreign::parse_all(&String::from_utf8_lossy(&bytes));
        let parsed = parsed.map_err(|invalid| refused(invalid, name, format))?;
        let source = |parsed: Parsed| Self {
            name: name.to_owned(),
            json: parsed.json.into_bytes(),
            positions: parsed.positions,
        };
        Ok(parsed.into_iter().map(source).collect())
    }

    /// JSON that a program wrote: it has no positions.
    pub fn from_json(name: &str, json: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            json,
            positions: Positions::new(),
        }
    }

    /// YAML that a program wrote.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn from_yaml(name: &str, yaml: &str) -> Result<Self, Error> {
        Self::parse_as(Format::Yaml, name, yaml.as_bytes().to_vec())
    }

    /// The JSON indented, its members in the same order.
    ///
    /// # Errors
    /// [`Error::NotJson`].
    pub fn pretty(&self) -> Result<String, Error> {
        let pretty = write::pretty(&self.json);
        pretty.map_err(|error| Error::NotJson(self.name.clone(), error.to_string()))
    }

    /// The problems and warnings that the gate finds in this policy, each with
    /// its position.
    pub fn lint(&self) -> Vec<Problem> {
        self.locate(countersign_host::lint(&self.json))
    }

    /// The gate's problems with this document, each with its position.
    pub fn locate(&self, problems: Vec<countersign_host::Problem>) -> Vec<Problem> {
        let located = |problem: countersign_host::Problem| Problem {
            file: self.name.clone(),
            position: self.position(&problem.pointer),
            is_error: problem.severity == Severity::Error,
            pointer: problem.pointer,
            code: problem.code,
            message: problem.message,
        };
        problems.into_iter().map(located).collect()
    }

    /// The position of the value at `pointer` (RFC 6901), or of the innermost
    /// value around it that has one.
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.positions.get(pointer) {
                return Some(*position);
            }
            (pointer, _) = pointer.rsplit_once('/')?;
        }
    }

    fn parse_as(format: Format, name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        // The gate reports JSON that is not UTF-8.
        let text = String::from_utf8_lossy(&bytes);
        let parsed = match format {
            Format::Json => {
                // YAML 1.2 contains JSON, so that its reader finds the
                // positions; what it cannot read has none.
                let documents = foreign::parse_all(&text).unwrap_or_default();
                let positions = documents.into_iter().next().map(|json| json.positions);
                return Ok(Self {
                    name: name.to_owned(),
                    positions: positions.unwrap_or_default(),
                    json: bytes,
                });
            }
            Format::Yaml => Yaml::parse(&text).map(Parsed::from).map_err(Invalid::from),
            Format::Toml => toml::parse(&text),
        };
        match parsed {
            Ok(Parsed { json, positions }) => Ok(Self {
                name: name.to_owned(),
                json: json.into_bytes(),
                positions,
            }),
            Err(invalid) => Err(refused(invalid, name, format)),
        }
    }
}

impl Format {
    /// By the name's extension; where that is unknown, by the text.
    fn of(name: &str, bytes: &[u8]) -> Result<Self, Error> {
        let extension = Path::new(name)
            .extension()
            .and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => return Ok(Self::Json),
            Some("yaml" | "yml") => return Ok(Self::Yaml),
            Some("toml") => return Ok(Self::Toml),
            _ => {}
        }
        let text = str::from_utf8(bytes).map_err(|_| Error::NotText(name.to_owned()))?;
        Ok(if text.trim_start().starts_with('{') {
            Self::Json
        } else if toml::parse(text).is_ok() {
            Self::Toml
        } else {
            Self::Yaml
        })
    }

    fn error_code(self) -> &'static str {
        match self {
            Self::Json => "json_invalid",
            Self::Yaml => "yaml_invalid",
            Self::Toml => "toml_invalid",
        }
    }
}

fn refused(invalid: Invalid, file: &str, format: Format) -> Error {
    Error::Invalid(Box::new(Problem {
        file: file.to_owned(),
        pointer: String::new(),
        position: invalid.position,
        code: format.error_code().to_owned(),
        message: invalid.message,
        is_error: true,
    }))
}
