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

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{Decision, Fetch, FetchKind, Gate, Problem, Verdict, lint};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    case::Case,
    compare::compare,
    gate::{Asked, answer, as_json, metadata, supply},
    mint::Mint,
    moment, page,
};

/// The moment of all cases.
const NOW: &str = "2026-11-28T12:00:00Z";
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

/// The requests of a file, with one choice of its key documents.
struct Scene<'a> {
    file: &'a File,
    folder: &'a Path,
    round: usize,
}

impl Scene<'_> {
    fn decide(&self, cases: &[Real]) -> Result<Vec<String>, String> {
        let mut mint = Mint::new(self.file.policy.to_string().as_bytes());
        let (mut asked, mut wrong) = (Vec::new(), Vec::new());
        for Real { case, .. } in cases {
            let now_ms = case.now.unwrap_or_else(|| moment::parse(NOW).unwrap());
            asked.push((Asked::new(&mut mint, case, now_ms)?, now_ms));
        }
        let policy = mint.with_own_keys();
        let policy = policy.as_ref().unwrap_or(mint.policy()).to_string();
        let open = || Gate::open(policy.as_bytes(), 0).map_err(|problems| format!("{problems:?}"));
        let mut skipped = BTreeSet::new();
        let mut first = Vec::new();
        for (real, (asked, now_ms)) in cases.iter().zip(&asked) {
            let mut gate = open()?;
            let fresh = answer(&mut gate, asked, *now_ms, |gate, fetch| {
                let problems = self.supply(gate, &fetch, &mint, *now_ms)?;
                skipped.extend(problems.iter().map(|problem| problem.code.to_owned()));
                Ok(())
            })?;
            let again = answer(&mut gate, asked, *now_ms, |_, fetch| {
                Err(format!("{} is fetched again", fetch.uri))
            })?;
            let name = &real.case.name;
            // An equal number says that the token was not verified again.
            if fresh != again {
                wrong.push(format!("{name}: {fresh:?}, then {again:?}"));
            }
            let texts = differences(real, &gate, asked, &fresh, *now_ms);
            wrong.extend(texts.into_iter().map(|text| format!("{name}: {text}")));
            first.push(as_json(&fresh));
        }
        if skipped != self.file.skipped {
            wrong.push(format!("skipped: {skipped:?}"));
        }
        // Nor does one request change what is decided about another.
        let mut gate = open()?;
        for ((real, (asked, now_ms)), alone) in cases.iter().zip(&asked).zip(&first).rev() {
            let together = answer(&mut gate, asked, *now_ms, |gate, fetch| {
                self.supply(gate, &fetch, &mint, *now_ms).map(drop)
            })?;
            let together = as_json(&together);
            if together != *alone {
                let name = &real.case.name;
                wrong.push(format!("{name}: alone {alone}, after others {together}"));
            }
        }
        Ok(wrong)
    }

    fn supply(
        &self,
        gate: &mut Gate,
        fetch: &Fetch,
        mint: &Mint,
        now_ms: u64,
    ) -> Result<Vec<Problem>, String> {
        let name = &*fetch.issuer;
        let body = match fetch.kind {
            FetchKind::Discovery => metadata(mint.policy(), name),
            _ => {
                let documents = self.file.keys.get(name).ok_or(format!("no keys: {name}"))?;
                let document = documents.get(self.round).or(documents.last()).unwrap();
                let given = read(self.folder, document).into_bytes();
                match mint.issuers().contains(&name) {
                    true => mint.publish(name, Some(&given)),
                    false => given,
                }
            }
        };
        supply(gate, fetch, body, now_ms)
    }
}

/// What is not as expected.
fn differences(
    real: &Real,
    gate: &Gate,
    asked: &Asked,
    decision: &Decision,
    now_ms: u64,
) -> Vec<String> {
    let json = as_json(decision);
    let mut wrong = Vec::new();
    for difference in compare(&real.case.expect, &json) {
        let (field, expected, got) = (difference.field, difference.expected, difference.got);
        wrong.push(format!("{field}: {expected}, got {got}: {json}"));
    }
    if let Some(changes) = &real.changes
        && json["changes"] != *changes
    {
        wrong.push(format!("changes: {changes}, got {}", json["changes"]));
    }
    let steps = asked.with(|request| gate.explain(request, now_ms));
    // The last step is the result: of several cookies, a good one can follow a bad one.
    let last = steps.last();
    let failed = last.and_then(|step| match step.verdict {
        Verdict::Fail(code) => Some(code.as_str()),
        _ => None,
    });
    if failed != json["code"].as_str() {
        wrong.push(format!("explain: {last:?}, decided {json}"));
    }
    if let Some(text) = &real.explain
        && !last.is_some_and(|step| step.detail.contains(&**text))
    {
        wrong.push(format!("explain: {text}, got {last:?}"));
    }
    wrong
}
