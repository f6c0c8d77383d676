//! Files that people write (YAML, TOML, JSON), as the JSON that the gate reads.
//!
//! Where a value stood is kept, so that a problem at a JSON Pointer can be
//! shown at its line.

mod foreign;
mod toml;
mod write;

use std::{
    collections::HashMap,
    io::Read,
    path::{Path, PathBuf},
};

pub(crate) use countersign_host::yaml::Position;
use countersign_host::yaml::{Yaml, YamlError};
use serde::Serialize;

use crate::failure::{Failure, Problem};

/// One file, as JSON.
#[derive(Debug)]
pub(crate) struct Source {
    /// As the user named it: `-` is the standard input.
    pub(crate) name: String,
    /// JSON. Of a JSON file it is the file byte for byte: the gate is strict
    /// about what a lenient reader would smooth over.
    pub(crate) json: Vec<u8>,
    positions: Positions,
}

/// Where the value at each JSON Pointer stands; of a member, where its name does.
pub(crate) type Positions = HashMap<String, Position>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Yaml,
    Toml,
}

impl Source {
    /// Reads a file, or the standard input for `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let bytes = read_bytes(path)?;
        let Some(format) = Format::of(path, &bytes) else {
            let reason = format!("`{name}` is not UTF-8 text");
            return Err(Failure::usage(reason));
        };
        Self::parse(name, bytes, format)
    }

    /// Reads every document of another program's configuration; only YAML has
    /// several.
    pub(crate) fn read_documents(path: &Path) -> Result<Vec<Self>, Failure> {
        let name = path.display().to_string();
        let bytes = read_bytes(path)?;
        match Format::of(path, &bytes) {
            Some(Format::Yaml) => {}
            Some(format) => return Ok(vec![Self::parse(name, bytes, format)?]),
            None => return Err(Failure::usage(format!("`{name}` is not UTF-8 text"))),
        }
        let parsed = foreign::parse_all(&String::from_utf8_lossy(&bytes));
        let parsed = parsed.map_err(|invalid| invalid.of(&name, Format::Yaml))?;
        let source = |parsed: Parsed| Self {
            name: name.clone(),
            json: parsed.json.into_bytes(),
            positions: parsed.positions,
        };
        Ok(parsed.into_iter().map(source).collect())
    }

    /// A document that this program wrote itself.
    pub(crate) fn from_json(name: &str, json: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            json,
            positions: Positions::new(),
        }
    }

    /// YAML that this program wrote itself.
    pub(crate) fn from_yaml(name: &str, yaml: String) -> Result<Self, Failure> {
        Self::parse(name.to_owned(), yaml.into_bytes(), Format::Yaml)
    }

    /// The same JSON, indented, in the same order.
    pub(crate) fn pretty(&self) -> Result<String, Failure> {
        let pretty = pretty(&self.json);
        pretty.map_err(|error| Failure::Usage(format!("`{}` is not JSON: {error}", self.name)))
    }

    fn parse(name: String, bytes: Vec<u8>, format: Format) -> Result<Self, Failure> {
        // Anything but UTF-8 is left to the gate, which says so of JSON.
        let text = String::from_utf8_lossy(&bytes);
        let parsed = match format {
            Format::Json => {
                // YAML 1.2 contains JSON, so that its reader tells the lines;
                // what it cannot read has none.
                let documents = foreign::parse_all(&text).unwrap_or_default();
                let positions = documents.into_iter().next().map(|json| json.positions);
                return Ok(Self {
                    name,
                    positions: positions.unwrap_or_default(),
                    json: bytes,
                });
            }
            Format::Yaml => Yaml::parse(&text).map(Parsed::from).map_err(Invalid::from),
            Format::Toml => toml::parse(&text),
        };
        match parsed {
            Ok(Parsed { json, positions }) => Ok(Self {
                name,
                json: json.into_bytes(),
                positions,
            }),
            Err(invalid) => Err(invalid.of(&name, format)),
        }
    }

    /// The place of the value at `pointer`, or of what contains it.
    pub(crate) fn position(&self, pointer: &str) -> Option<Position> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.positions.get(pointer) {
                return Some(*position);
            }
            (pointer, _) = pointer.rsplit_once('/')?;
        }
    }
}

impl Format {
    /// By the name's extension; without a telling one, by the text.
    fn of(path: &Path, bytes: &[u8]) -> Option<Self> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => return Some(Self::Json),
            Some("yaml" | "yml") => return Some(Self::Yaml),
            Some("toml") => return Some(Self::Toml),
            _ => {}
        }
        let text = std::str::from_utf8(bytes).ok()?;
        Some(if text.trim_start().starts_with('{') {
            Self::Json
        } else if toml::parse(text).is_ok() {
            Self::Toml
        } else {
            Self::Yaml
        })
    }

    fn invalid(self) -> &'static str {
        match self {
            Self::Json => "json_invalid",
            Self::Yaml => "yaml_invalid",
            Self::Toml => "toml_invalid",
        }
    }
}

/// The bytes of a file, or of the standard input for `-`.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))
}

/// JSON indented, its members in the order that they have.
pub(crate) fn pretty(json: &[u8]) -> serde_json::Result<String> {
    let mut pretty = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let mut writer = serde_json::Serializer::pretty(&mut pretty);
    serde_transcode::transcode(&mut reader, &mut writer)?;
    reader.end()?;
    Ok(String::from_utf8_lossy(&pretty).into_owned())
}

/// JSON as YAML, its members in the order that they have.
pub(crate) fn to_yaml(json: &[u8]) -> Result<String, Failure> {
    let yaml = write::from_json(&String::from_utf8_lossy(json));
    yaml.ok_or_else(|| Failure::usage("the YAML cannot be written"))
}

/// A path that a file names, relative to that file.
pub(crate) fn beside(file: &Path, named: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(named)
}

/// What a reader made of a text.
#[derive(Debug, Default)]
struct Parsed {
    json: String,
    positions: Positions,
}

/// Why a text could not be read.
#[derive(Debug)]
struct Invalid {
    position: Option<Position>,
    message: String,
}

impl Invalid {
    fn of(self, file: &str, format: Format) -> Failure {
        Failure::Problems(vec![Problem {
            file: file.to_owned(),
            pointer: String::new(),
            position: self.position,
            code: format.invalid().to_owned(),
            message: self.message,
            is_error: true,
        }])
    }
}

impl From<Yaml> for Parsed {
    fn from(yaml: Yaml) -> Self {
        Self {
            json: yaml.json,
            positions: yaml.positions,
        }
    }
}

impl From<YamlError> for Invalid {
    fn from(error: YamlError) -> Self {
        Self {
            position: Some(error.position),
            message: error.message,
        }
    }
}

/// Values nest no deeper: the gate takes far less.
const DEPTH: usize = 64;

impl Parsed {
    /// Writes a scalar.
    fn scalar(&mut self, value: &impl Serialize) {
        // Strings, booleans and finite numbers always serialise.
        self.json
            .push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()));
    }

    /// Notes that the value at `pointer` stands here.
    fn place(&mut self, pointer: &str, position: Position) {
        self.positions.entry(pointer.to_owned()).or_insert(position);
    }
}

/// `pointer` with one more reference token (RFC 6901 §3).
pub(crate) fn child(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}
