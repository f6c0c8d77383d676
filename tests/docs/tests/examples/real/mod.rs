//! Real cases, whose tokens and keys are in a folder beside the repository: they are
//! read there when present. A file of `tests/docs/cases` has the name of such a folder,
//! perhaps with `+variant`, and in it:
//!
//! - `policy` as a user writes it from `docs/policy.md`, or the name of a file there. A
//!   text in it that ends in `.bin` or `.pem` is replaced by that file;
//! - `warnings` of it, which are the point of the case;
//! - `keys`: the documents of each issuer, which are tried in turn;
//! - `skipped`: the codes of the problems that these documents have;
//! - `lint`: policies that were tried, and the codes that they get now;
//! - `cases` as for `countersign policy test`, where a token is a file or claims. They
//!   can also expect `changes` of the request, and a text in what `explain` says.

mod scene;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::lint;
use serde::Deserialize;
use serde_json::Value;

use crate::{case::Case, page};
use scene::Scene;

const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: Value,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    keys: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    skipped: BTreeSet<String>,
    #[serde(default)]
    lint: BTreeMap<String, Vec<String>>,
    cases: Vec<Value>,
}

/// A case, with what only these files expect.
struct Real {
    case: Case,
    changes: Option<Value>,
    explain: Option<String>,
}

/// The folder of the cases. `None`, with a message, if it is not there.
fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");
    let folders = ["/work/shared/cases", beside].map(PathBuf::from);
    let found = folders.into_iter().find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: the real cases are not there");
    }
    found
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.collect()
}

/// The name of the file, and of its folder of the shared cases.
fn files() -> impl Iterator<Item = (String, String)> {
    names(Path::new(OURS)).into_iter().map(|file| {
        let name = file.strip_suffix(".yaml").expect(&file);
        let folder = name.split('+').next().unwrap().to_owned();
        (file, folder)
    })
}

#[test]
fn each_real_case_is_decided_rightly() {
    let Some(shared) = shared() else { return };
    let mut wrong = Vec::new();
    for (name, folder) in files() {
        let folder = shared.join(folder);
        if !folder.is_dir() {
            println!("skipped: the case {name} is not there");
            continue;
        }
        let problems = problems(&name, &folder);
        wrong.extend(problems.into_iter().map(|text| format!("{name}: {text}")));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn each_real_case_has_a_policy_and_each_of_its_tokens_a_request() {
    let Some(shared) = shared() else { return };
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for (file, folder) in files() {
        let text = fs::read_to_string(Path::new(OURS).join(file)).unwrap();
        said.entry(folder).or_default().push_str(&text);
    }
    let mut missing = Vec::new();
    for folder in names(&shared) {
        if !shared.join(&folder).is_dir() {
            continue;
        }
        let Some(text) = said.get(&folder) else {
            missing.push(folder);
            continue;
        };
        let files = names(&shared.join(&folder)).into_iter();
        let tokens = files.filter(|file| file.starts_with("token"));
        let unused = tokens.filter(|file| !text.contains(&format!("token: {file}")));
        missing.extend(unused.map(|file| format!("{folder}/{file}")));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

fn problems(name: &str, folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(Path::new(OURS).join(name)).unwrap();
    let mut file = match page::read(&text) {
        Ok(file) => file,
        Err(reason) => return vec![reason],
    };
    put_files(&mut file, folder);
    let mut file = match File::deserialize(file) {
        Ok(file) => file,
        Err(reason) => return vec![reason.to_string()],
    };
    if let Value::String(tried) = &file.policy {
        file.policy = tried_policy(folder, tried);
    }
    let mut wrong = linted(&file.policy, &file.warnings);
    for (tried, codes) in &file.lint {
        let problems = linted(&tried_policy(folder, tried), codes);
        wrong.extend(problems.into_iter().map(|text| format!("{tried}: {text}")));
    }
    let cases = std::mem::take(&mut file.cases);
    let cases: Vec<_> = cases.into_iter().map(real).collect();
    let rounds = file.keys.values().map(Vec::len).max().unwrap_or(1);
    for round in 0..rounds {
        let scene = Scene {
            file: &file,
            folder,
            round,
        };
        match scene.decide(&cases) {
            Ok(problems) => wrong.extend(problems),
            Err(reason) => wrong.push(reason),
        }
    }
    wrong
}

/// Puts the text of files where their names are.
fn put_files(value: &mut Value, folder: &Path) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| put_files(item, folder)),
        Value::Object(members) => {
            for (name, member) in members {
                let file = member.as_str().unwrap_or_default();
                *member = match (name.as_str(), file.rsplit('.').next()) {
                    ("token", Some("txt")) => read(folder, file).trim().into(),
                    ("pem", Some("pem")) => read(folder, file).into(),
                    ("k", Some("bin")) => {
                        let secret = fs::read(folder.join(file)).expect(file);
                        URL_SAFE_NO_PAD.encode(secret).into()
                    }
                    _ => {
                        put_files(member, folder);
                        continue;
                    }
                };
            }
        }
        _ => {}
    }
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).expect(file)
}

fn tried_policy(folder: &Path, file: &str) -> Value {
    page::read(&read(folder, file)).expect(file)
}

/// What lint says, if it is not what is expected.
fn linted(policy: &Value, codes: &[String]) -> Vec<String> {
    let problems = lint(policy.to_string().as_bytes());
    match problems.iter().map(|problem| problem.code).eq(codes) {
        true => Vec::new(),
        false => vec![format!("lint: {codes:?}, got {problems:?}")],
    }
}

fn real(mut case: Value) -> Real {
    let members = case.as_object_mut().unwrap();
    let changes = members.remove("changes");
    let explain = members.remove("explain");
    Real {
        changes,
        explain: explain.map(|text| text.as_str().unwrap().to_owned()),
        case: Case::deserialize(&case).unwrap_or_else(|error| panic!("{error}\n{case:#}")),
    }
}
