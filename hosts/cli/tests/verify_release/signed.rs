//! The signature, the sums, the statement.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    parts::sha256,
    release::{COMMIT, Release, Written, keys},
};

const COMMENT: &str = "countersign 0.1.0 commit 0123456789abcdef0123456789abcdef01234567";

fn sums(release: &Written) -> String {
    String::from_utf8(release.read("SHA256SUMS")).unwrap()
}

/// Signs other sums with the right key: only what is wrong with them is reported.
#[track_caller]
fn refused_with_sums(sums: &str, release: &Written, problems: &[(&str, &str)]) {
    release.sign(sums, COMMENT, &keys()[0]);
    release.is_refused_for(problems);
}

#[test]
fn another_key_is_not_the_key() {
    let release = Release::new().write();
    release.sign(&sums(&release), COMMENT, &keys()[1]);
    release.is_refused_for(&[("SHA256SUMS.minisig", "another key signed")]);
}

#[test]
fn the_signature_of_another_version_does_not_fit() {
    let mut other = Release::new();
    other.version = "0.0.9".into();
    let signature = other.write().read("SHA256SUMS.minisig");
    let release = Release::new().write();
    release.put("SHA256SUMS.minisig", &signature);
    release.is_refused_for(&[("SHA256SUMS.minisig", "does not fit")]);
}

#[test]
fn signed_sums_with_another_comment_do_not_agree_with_the_statement() {
    let release = Release::new().write();
    release.sign(
        &sums(&release),
        &COMMENT.replace("0.1.0", "0.2.0"),
        &keys()[0],
    );
    release.is_refused_for(&[("statement.json", "version is 0.1.0, not 0.2.0")]);
    release.sign(
        &sums(&release),
        &COMMENT.replace("0123", "ffff"),
        &keys()[0],
    );
    release.is_refused_for(&[("statement.json", "commit")]);
    release.sign(&sums(&release), "anything", &keys()[0]);
    release.is_refused_for(&[("SHA256SUMS.minisig", "comment")]);
}

#[test]
fn a_changed_comment_does_not_fit() {
    let release = Release::new().write();
    let signature = String::from_utf8(release.read("SHA256SUMS.minisig")).unwrap();
    let changed = signature.replace(COMMIT, &COMMIT.replace("0123", "ffff"));
    assert_ne!(signature, changed);
    release.put("SHA256SUMS.minisig", changed.as_bytes());
    release.is_refused_for(&[("SHA256SUMS.minisig", "does not fit")]);
}

#[test]
fn the_older_kind_of_signature_is_refused() {
    let release = Release::new().write();
    let keys = Ed25519KeyPair::generate().unwrap();
    let id = b"8 bytes.";
    let public = [&b"Ed"[..], id, keys.public_key().as_ref()].concat();
    let of_sums = keys.sign(&release.read("SHA256SUMS"));
    let of_comment = keys.sign(&[of_sums.as_ref(), COMMENT.as_bytes()].concat());
    let signature = STANDARD.encode([&b"Ed"[..], id, of_sums.as_ref()].concat());
    let global = STANDARD.encode(of_comment.as_ref());
    let text = format!("untrusted comment: x\n{signature}\ntrusted comment: {COMMENT}\n{global}\n");
    // It is a good one of its kind.
    let key = minisign_verify::PublicKey::from_base64(&STANDARD.encode(&public)).unwrap();
    let parsed = minisign_verify::Signature::decode(&text).unwrap();
    key.verify(&release.read("SHA256SUMS"), &parsed, true)
        .unwrap();

    release.put("SHA256SUMS.minisig", text.as_bytes());
    let folder = crate::common::Folder::new();
    let (path, key) = (release.path().display(), STANDARD.encode(public));
    let run = folder
        .run(&format!("verify-release {path} --public-key {key}"))
        .expect(1);
    assert!(
        run.stdout
            .contains("✗ SHA256SUMS.minisig: is of the older kind"),
        "{run:?}"
    );
}

#[test]
fn another_version_than_asked_for_is_refused() {
    let run = Release::new().write().verify("--version 0.2.0").expect(1);
    assert!(
        run.stdout
            .contains("statement.json: its version is 0.1.0, not 0.2.0 of --version"),
        "{run:?}"
    );
}

#[test]
fn sums_have_one_form_only() {
    let release = Release::new().write();
    let good = sums(&release);
    let (first, rest) = good.split_once('\n').unwrap();
    for (changed, problem) in [
        (good.trim_end().to_owned(), "line feed"),
        (format!("{good}\n"), "64 hexadecimal digits"),
        (format!("{rest}{first}\n"), "not in order"),
        (format!("{first}\n{good}"), "twice"),
        (good.replacen("  ", " *", 1), "64 hexadecimal digits"),
        (good.replacen('\n', "\r\n", 1), "not a plain relative one"),
        (
            format!(
                "{}{}",
                first[..1].to_uppercase().replace(char::is_numeric, "A"),
                &good[1..]
            ),
            "64 hexadecimal digits",
        ),
    ] {
        release.sign(&changed, COMMENT, &keys()[0]);
        let answer = release.verify("--json").expect(1).json();
        let of_sums = answer["files"]
            .as_array()
            .unwrap()
            .iter()
            .find(|file| file["file"] == "SHA256SUMS");
        let problems = of_sums.unwrap()["problems"].to_string();
        assert!(problems.contains(problem), "{problem}: {problems}");
    }
}

#[test]
fn paths_in_the_sums_lead_nowhere_else() {
    let release = Release::new().write();
    let good = sums(&release);
    for path in [
        "../outside",
        "/etc/passwd",
        "npm/../x",
        "./x",
        "npm//x",
        "a\\b",
        "c:x",
    ] {
        let mut lines: Vec<_> = good.lines().map(str::to_owned).collect();
        lines.push(format!("{}  {path}", sha256(b"")));
        lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
        let text = format!("{}\n", lines.join("\n"));
        refused_with_sums(&text, &release, &[("SHA256SUMS", path)]);
    }
}

#[test]
fn the_statement_names_exactly_the_files() {
    let good = Release::new();
    let mut other = good.statement();
    other["subject"][0]["digest"]["sha256"] = sha256(b"").into();
    good.write_with(&other)
        .is_refused_for(&[("statement.json", "says another digest of `NOTICES.txt`")]);
    let mut fewer = good.statement();
    fewer["subject"].as_array_mut().unwrap().remove(0);
    good.write_with(&fewer)
        .is_refused_for(&[("statement.json", "does not name `NOTICES.txt`")]);
    let mut more = good.statement();
    let extra = json!({ "name": "extra", "digest": { "sha256": sha256(b"") } });
    more["subject"].as_array_mut().unwrap().push(extra);
    good.write_with(&more)
        .is_refused_for(&[("statement.json", "`extra` is a subject, but no file")]);
    let mut twice = good.statement();
    let first = twice["subject"][0].clone();
    twice["subject"].as_array_mut().unwrap().push(first);
    good.write_with(&twice)
        .is_refused_for(&[("statement.json", "`NOTICES.txt` is a subject twice")]);
}

#[test]
fn the_statement_has_its_types_and_says_which_module() {
    let good = Release::new();
    for (pointer, value, problem) in [
        ("/_type", "https://in-toto.io/Statement/v0.1", "_type"),
        (
            "/predicateType",
            "https://slsa.dev/provenance/v1",
            "predicateType",
        ),
    ] {
        let mut statement = good.statement();
        *statement.pointer_mut(pointer).unwrap() = value.into();
        good.write_with(&statement)
            .is_refused_for(&[("statement.json", problem)]);
    }
    for (member, value) in [
        ("module_sha256", "00"),
        ("commit", "main"),
        ("version", "../x"),
    ] {
        let mut statement = good.statement();
        statement["predicate"][member] = value.into();
        let run = good.write_with(&statement).verify("").expect(1);
        assert!(
            run.stdout
                .contains(&format!("its {member} has another form")),
            "{run:?}"
        );
    }
    let run = good.write_with(&json!({})).verify("").expect(1);
    assert!(
        run.stdout
            .contains("statement.json: is not the expected JSON"),
        "{run:?}"
    );
}

#[test]
fn a_statement_of_another_module_makes_every_artefact_another_one() {
    let good = Release::new();
    let mut statement = good.statement();
    statement["predicate"]["module_sha256"] = sha256(b"").into();
    let answer = good
        .write_with(&statement)
        .verify("--json")
        .expect(1)
        .json();
    let bad = answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["good"] == false);
    let bad: Vec<_> = bad
        .map(|file| file["file"].as_str().unwrap())
        .filter(|file| !file.starts_with("sbom/"))
        .collect();
    use crate::release::{CRATE, DEPLOY, IMAGE, NPM, PAGE, go};
    let zip = go("v0.1.0.zip");
    assert_eq!(
        bad,
        [
            "countersign.component.wasm",
            "countersign.wasm",
            "countersign.wasm.sha256",
            CRATE,
            DEPLOY,
            &zip,
            PAGE,
            NPM,
            IMAGE
        ]
    );
}
