//! The files of the folder.

use std::{fs, os::unix::fs::symlink, process::Command};

use crate::release::{NPM, Release};

#[test]
fn one_changed_byte_of_any_file_is_seen() {
    let release = Release::new().write();
    for path in Release::new().files.keys() {
        let good = release.read(path);
        let mut bytes = good.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        release.put(path, &bytes);
        let run = release.verify("").expect(1);
        let line = format!("✗ {path}: its digest is not that of SHA256SUMS");
        assert!(run.stdout.contains(&line), "{line}: {run:?}");
        release.put(path, &good);
    }
    release.verify("").expect(0);
}

#[test]
fn every_file_must_be_there() {
    let release = Release::new().write();
    for path in Release::new().files.keys() {
        let good = release.read(path);
        fs::remove_file(release.path().join(path)).unwrap();
        let run = release.verify("").expect(1);
        assert!(
            run.stdout.contains(&format!("✗ {path}: is missing")),
            "{path}: {run:?}"
        );
        release.put(path, &good);
    }
    for path in ["SHA256SUMS", "SHA256SUMS.minisig", "statement.json"] {
        let release = Release::new().write();
        fs::remove_file(release.path().join(path)).unwrap();
        let run = release.verify("").expect(1);
        assert!(
            run.stdout.contains(&format!("✗ {path}: is missing")),
            "{path}: {run:?}"
        );
    }
}

#[test]
fn every_artefact_must_be_in_a_signed_release() {
    for path in Release::new()
        .files
        .keys()
        .filter(|path| !path.starts_with("sbom/"))
    {
        let run = Release::new().without(path).write().verify("").expect(1);
        let line = match path.split_once('/') {
            Some(("bin", _)) => "✗ bin/: has no program".to_owned(),
            Some(("python", _)) => "✗ python/: has no wheel".to_owned(),
            _ => format!("✗ {path}: is missing"),
        };
        assert!(run.stdout.contains(&line), "{line}: {run:?}");
    }
    for path in Release::new()
        .files
        .keys()
        .filter(|path| path.starts_with("sbom/"))
    {
        Release::new()
            .without(path)
            .write()
            .is_refused_for(&[(path, "is missing")]);
    }
}

#[test]
fn a_file_that_nobody_signed_is_refused() {
    let release = Release::new().write();
    release.put("npm/extra.tgz", b"");
    release.is_refused_for(&[("npm/extra.tgz", "is not in SHA256SUMS")]);
    // Names reach no terminal as they are.
    release.put("npm/extra.tgz", b"");
    release.put("\u{1b}[2J", b"");
    let run = release.verify("").expect(1);
    assert!(
        run.stdout.contains("\\u{1b}[2J: is not in SHA256SUMS"),
        "{run:?}"
    );
}

#[test]
fn a_signed_file_that_is_no_artefact_is_refused() {
    for path in [
        "extra",
        "npm/countersign-0.0.9.tgz",
        "crates/serde-0.1.0.crate",
        "sbom/extra.cdx.json",
    ] {
        let run = Release::new().put(path, "{}").write().verify("").expect(1);
        assert!(
            run.stdout.contains(&format!("✗ {path}: ")),
            "{path}: {run:?}"
        );
    }
}

#[test]
fn links_and_special_files_are_refused_and_not_opened() {
    let release = Release::new().write();
    let elsewhere = Release::new().write();
    let at = release.path().join(NPM);
    fs::remove_file(&at).unwrap();
    symlink(elsewhere.path().join(NPM), &at).unwrap();
    symlink(elsewhere.path(), release.path().join("folder")).unwrap();
    release.is_refused_for(&[
        (NPM, "is a link"),
        ("folder", "is a link"),
        ("folder", "is not in SHA256SUMS"),
    ]);

    let release = Release::new().write();
    let pipe = release.path().join("pipe");
    // Opening it would wait for a writer.
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    release.is_refused_for(&[
        ("pipe", "is a special file"),
        ("pipe", "is not in SHA256SUMS"),
    ]);
}
