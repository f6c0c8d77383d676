//! A release is verified, and is not if any part of it is changed.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod contents;
mod folder;
mod parts;
mod release;
mod signed;

use parts::sha256;
use release::{COMMIT, Release, VERSION, keys};

#[test]
fn a_whole_release_is_verified() {
    let release = Release::new().write();
    let run = release.verify("--version 0.1.0").expect(0);
    for line in [
        "✓ SHA256SUMS.minisig",
        "✓ npm/countersign-0.1.0.tgz",
        "✓ sbom/  23 files",
        "version  0.1.0",
        COMMIT,
        "verified",
    ] {
        assert!(run.stdout.contains(line), "{line}: {run:?}");
    }
    assert!(!run.text().contains('✗'), "{run:?}");

    let answer = release.verify("--json").expect(0).json();
    assert_eq!(answer["verified"], true);
    assert_eq!(answer["signed"], true);
    assert_eq!(answer["version"], VERSION);
    assert_eq!(answer["commit"], COMMIT);
    assert_eq!(answer["interface"], "countersign:gate@0.1.0");
    assert_eq!(answer["sha256"], sha256(&release.read("countersign.wasm")));
    let files = answer["files"].as_array().unwrap();
    // The statement, the sums and their signature, too.
    assert_eq!(files.len(), Release::new().files.len() + 3);
    assert!(
        files
            .iter()
            .all(|file| file["good"] == true && file["problems"] == serde_json::json!([]))
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let release = Release::new().write();
    release.put("countersign.wit", b"package a:b@0.1.0;\n");
    release.put("NOTICES.txt", b"");
    std::fs::remove_file(release.path().join("SHA256SUMS.minisig")).unwrap();
    release.is_refused_for(&[
        ("SHA256SUMS.minisig", "missing"),
        ("NOTICES.txt", "digest"),
        ("NOTICES.txt", "empty"),
        ("countersign.wit", "digest"),
        ("countersign.wit", "does not have the line"),
    ]);
}

#[test]
fn without_a_key_that_is_one_it_is_wrong_usage() {
    let folder = common::Folder::new();
    let run = folder.run("verify-release .").expect(2);
    assert!(run.stderr.contains("--public-key"), "{run:?}");
    folder.write("key.pub", "untrusted comment: no key\nRWQ\n");
    for key in ["key.pub", "none.pub", "RWQ"] {
        let run = folder
            .run(&format!("verify-release . --public-key {key}"))
            .expect(2);
        assert!(run.stderr.contains("public key"), "{run:?}");
    }
    let key = keys()[0].pk.to_base64();
    folder
        .run(&format!("verify-release none --public-key {key}"))
        .expect(2);
}

#[test]
fn the_key_may_be_in_a_file_with_or_without_its_comment() {
    let release = Release::new().write();
    let folder = common::Folder::new();
    let key = &keys()[0].pk;
    folder.write("full.pub", &key.to_box().unwrap().to_string());
    folder.write("bare.pub", &format!("{}\n", key.to_base64()));
    let path = release.path().display();
    for file in ["full.pub", "bare.pub"] {
        folder
            .run(&format!("verify-release {path} --public-key {file}"))
            .expect(0);
    }
}
