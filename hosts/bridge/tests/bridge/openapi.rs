//! The OpenAPI document has every route, and every route is as it says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::body::Body;
use countersign_bridge::OPENAPI;
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::common::{Database, Stage};

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// The operations of the document: method and path.
fn operations() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase(), path.clone()))
    });
    operations.collect()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The paths of all `.route(…)` of the public listener, by the sources.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
            continue;
        }
        // They are at another address.
        if path.file_stem().is_some_and(|stem| stem == "operations") {
            continue;
        }
        let source_of = fs::read_to_string(&path).unwrap();
        for (at, _) in source_of.match_indices(".route(") {
            let rest = source_of[at + ".route(".len()..].trim_start();
            let first = rest.split([',', '\n']).next().unwrap().trim();
            let text = match first.strip_prefix('"') {
                Some(text) => text.trim_end_matches('"').to_owned(),
                None => {
                    // `room::NAME` is in the file of that room.
                    let (room, name) = first.rsplit_once("::").unwrap_or(("", first));
                    let other = [folder.join(room), sources().join(room)];
                    let mut other = other.into_iter().map(|path| path.with_extension("rs"));
                    let other = other.find_map(|path| fs::read_to_string(path).ok());
                    let source = other.filter(|_| !room.is_empty());
                    let source = source.as_deref().unwrap_or(&source_of);
                    let constant = format!("const {name}: &str = \"");
                    let value = source.split(&constant).nth(1);
                    let value = value.unwrap_or_else(|| panic!("{path:?}: {first} is elsewhere"));
                    value.split('"').next().unwrap().to_owned()
                }
            };
            found.insert(text);
        }
    }
}

#[test]
fn every_route_is_in_the_document_and_no_other() {
    let mut found = BTreeSet::new();
    routes(&sources(), &mut found);
    let known: BTreeSet<_> = operations().into_iter().map(|(_, path)| path).collect();
    assert_eq!(known, found);
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn walk(root: &Value, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let pointer = to.strip_prefix('#').unwrap();
                    assert!(root.pointer(pointer).is_some(), "{to}");
                }
                members.values().for_each(|value| walk(root, value));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(root, value)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[tokio::test]
async fn every_operation_is_answered_as_the_document_says() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("s"), "0123456789abcdef").unwrap();
    let secret = json!({ "file": folder.path().join("s") });
    let stage = Stage::with(Database::Sqlite, |config| {
        config["api_keys"] = json!({
            "prefix": "sk_test_",
            "peppers": [{ "version": "1", "secret": secret }],
            "readers": [secret],
        });
        config["pairing"] = json!({ "roles": ["admin"] });
        config["login"] = json!({ "organisations": { "roles": ["admin"] } });
    })
    .await;
    let document = document();
    for (method, path) in operations() {
        let target = path.replace("{id}", "x").replace("{provider}", "x");
        let request = Request::builder().method(&*method).uri(&target);
        let response = stage
            .bridge
            .router()
            .oneshot(request.body(Body::empty()).unwrap());
        let response = response.await.unwrap();
        let status = response.status().as_u16();
        let pointer = path.replace('~', "~0").replace('/', "~1");
        let pointer = format!("/paths/{pointer}/{}/responses", method.to_lowercase());
        let said = document.pointer(&pointer).unwrap();
        assert!(
            said.get(status.to_string()).is_some(),
            "{method} {path}: {status}"
        );
    }
}
