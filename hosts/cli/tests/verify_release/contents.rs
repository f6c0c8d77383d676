//! Another module in one artefact, with sums, statement and signature made anew by
//! the right key.

use countersign_artefact_tests::dist;

use crate::{
    parts::{
        Contents, another_module, deploy, image, npm, page, server_image, sha256, tar_gz, wheel,
        zip,
    },
    release::{CRATE, DEPLOY, GO, IMAGE, NPM, PAGE, PROGRAM, Release, SERVER_IMAGE, WHEEL, go},
};

const ANOTHER: &str = "contains another module";

#[track_caller]
fn refused(path: &str, bytes: impl Into<Vec<u8>>, problems: &[&str]) {
    let problems: Vec<_> = problems.iter().map(|problem| (path, *problem)).collect();
    Release::new()
        .put(path, bytes)
        .write()
        .is_refused_for(&problems);
}

/// One file of an archive replaced.
fn replaced<'a>(mut contents: Contents<'a>, path: &'a str, bytes: &[u8]) -> Contents<'a> {
    contents.retain(|(other, _)| *other != path);
    contents.push((path, bytes.to_vec()));
    contents
}

#[test]
fn the_module_its_digest_and_its_interface() {
    refused("countersign.wasm", another_module(), &[ANOTHER]);
    refused(
        "countersign.wasm.sha256",
        "00  countersign.wasm\n",
        &["is not the digest"],
    );
    refused(
        "countersign.wit",
        "package countersign:gate@0.2.0;\n",
        &["does not have the line"],
    );
    let mut statement = Release::new().statement();
    statement["predicate"]["interface"] = "countersign:gate@0.2.0".into();
    let run = Release::new().write_with(&statement).verify("").expect(1);
    for file in ["countersign.wasm", "countersign.component.wasm"] {
        let line =
            format!("✗ {file}: has interface countersign:gate@0.1.0, not countersign:gate@0.2.0");
        assert!(run.stdout.contains(&line), "{run:?}");
    }
}

#[test]
fn the_component() {
    let mut component = dist::read("countersign.component.wasm");
    // Within the core module.
    let middle = component.len() / 2;
    component[middle] ^= 1;
    let run = Release::new()
        .put("countersign.component.wasm", component)
        .write()
        .verify("")
        .expect(1);
    assert!(
        run.stdout
            .contains("✗ countersign.component.wasm: contains another module"),
        "{run:?}"
    );
    // The program has the right one, which is not that of the release.
    assert!(run.stdout.contains(&format!("✗ {PROGRAM}: ")), "{run:?}");
    let run = Release::new()
        .put("countersign.component.wasm", dist::read("countersign.wasm"))
        .write()
        .verify("");
    assert!(
        run.expect(1)
            .stdout
            .contains("countersign.component.wasm: is not a component")
    );
}

#[test]
fn the_npm_package() {
    let module = dist::read("countersign.wasm");
    let another = another_module();
    refused(
        NPM,
        tar_gz(&npm(&another)),
        &[ANOTHER, ANOTHER, "is not the digest"],
    );
    let with = |path, bytes: &[u8]| tar_gz(&replaced(npm(&module), path, bytes));
    refused(
        NPM,
        with("package/countersign.wasm", &another),
        &["`package/countersign.wasm` contains another"],
    );
    let inlined = &npm(&another)[3].1;
    refused(
        NPM,
        with("package/esm/inlined.js", inlined),
        &["`package/esm/inlined.js` contains another"],
    );
    // A second copy, of another build.
    refused(
        NPM,
        with("package/cjs/inlined.js", inlined),
        &["`package/cjs/inlined.js` contains another"],
    );
    refused(
        NPM,
        with("package/esm/inlined.js", b"fetch()"),
        &["does not contain the module in base64"],
    );
    let both = [&npm(&module)[3].1[..], inlined].concat();
    refused(NPM, with("package/esm/inlined.js", &both), &[ANOTHER]);
    let manifest = br#"{"name":"countersign","version":"0.0.9"}"#;
    refused(
        NPM,
        with("package/package.json", manifest),
        &["version is not `0.1.0`"],
    );
    refused(NPM, with("elsewhere/x", b""), &["not in `package/`"]);
    refused(
        NPM,
        tar_gz(&npm(&module)[..3].to_vec()),
        &["does not contain `package/esm/inlined.js`"],
    );
}

#[test]
fn the_wheel() {
    let component = dist::read("countersign.component.wasm");
    let without = "does not contain countersign.component.wasm";
    refused(WHEEL, zip(&wheel(&another_module())), &[without]);
    refused(WHEEL, zip(&wheel(&component)[1..].to_vec()), &["METADATA"]);
    refused(
        WHEEL,
        zip(&wheel(&component)[..2].to_vec()),
        &["has 0 native parts"],
    );
}

#[test]
fn the_crate_of_the_host() {
    let component = dist::read("countersign.component.wasm");
    let sum = dist::read("countersign.wasm.sha256");
    let host = |component: &[u8], sum: &[u8]| {
        tar_gz(&vec![
            ("countersign-host-0.1.0/Cargo.toml", Vec::new()),
            (
                "countersign-host-0.1.0/module/countersign.component.wasm",
                component.to_vec(),
            ),
            (
                "countersign-host-0.1.0/module/countersign.wasm.sha256",
                sum.to_vec(),
            ),
        ])
    };
    let mut other = component.clone();
    other[component.len() / 2] ^= 1;
    refused(CRATE, host(&other, &sum), &[ANOTHER]);
    refused(CRATE, host(&component, b"0"), &["is not the digest"]);
    refused(
        CRATE,
        tar_gz(&vec![("countersign-host-0.1.0/Cargo.toml", Vec::new())]),
        &["component.wasm", "wasm.sha256"],
    );
    // Of another version, under the name of this one.
    let other = "crates/countersign-0.1.0.crate";
    refused(
        other,
        tar_gz(&vec![("countersign-0.0.9/Cargo.toml", Vec::new())]),
        &["not in `countersign-0.1.0/`", "does not contain"],
    );
}

#[test]
fn the_go_module() {
    let module = dist::read("countersign.wasm");
    let sum = dist::read("countersign.wasm.sha256");
    let go_mod = format!("module {GO}\n\ngo 1.25.0\n");
    let path = |file: &str| format!("{GO}@v0.1.0/{file}");
    let inside = [
        "go.mod",
        "LICENSE-MIT",
        "countersign/countersign.wasm",
        "countersign/countersign.wasm.sha256",
    ]
    .map(path);
    let contents = |go_mod: &str, module: &[u8]| {
        zip(&vec![
            (&*inside[0], go_mod.as_bytes().to_vec()),
            (&*inside[1], Vec::new()),
            (&*inside[2], module.to_vec()),
            (&*inside[3], sum.clone()),
        ])
    };
    let at = go("v0.1.0.zip");
    Release::new()
        .put(&at, contents(&go_mod, &module))
        .write()
        .verify("")
        .expect(0);
    refused(&at, contents(&go_mod, &another_module()), &[ANOTHER]);
    let other = format!("{go_mod}// other\n");
    refused(
        &at,
        contents(&other, &module),
        &["its go.mod is not the .mod file"],
    );
    let replace = format!("{go_mod}replace a => ../\n");
    let release = Release::new()
        .put(&at, contents(&replace, &module))
        .put(&go("v0.1.0.mod"), replace);
    release.write().is_refused_for(&[(&at, "has `replace`")]);
    refused(
        &at,
        zip(&vec![("x/go.mod", Vec::new())]),
        &[
            "not in",
            "go.mod`",
            "LICENSE-MIT",
            "countersign.wasm`",
            "countersign.wasm.sha256`",
        ],
    );
    refused(&go("list"), "v0.0.9\n", &["does not name v0.1.0"]);
    refused(
        &go("v0.1.0.info"),
        r#"{"Version":"v0.0.9"}"#,
        &["its Version is not v0.1.0"],
    );
}

#[test]
fn the_image_of_the_decision_server() {
    let other = server_image(b"another program");
    Release::new()
        .put(SERVER_IMAGE, other)
        .write()
        .is_refused_for(&[(
            SERVER_IMAGE,
            "`usr/local/bin/countersign` does not contain countersign.component.wasm",
        )]);
    let (filter, _) = image(&dist::read("countersign.wasm"));
    Release::new()
        .put(SERVER_IMAGE, filter)
        .write()
        .is_refused_for(&[(SERVER_IMAGE, "the index names no manifest")]);
}

#[test]
fn the_image_and_the_manifests_that_name_it() {
    let module = dist::read("countersign.wasm");
    let sha256 = sha256(&module);
    let (good, manifest) = image(&module);
    let (other, other_manifest) = image(&another_module());
    let release = Release::new().put(IMAGE, other);
    release.write().is_refused_for(&[
        (IMAGE, "`plugin.wasm` contains another module"),
        (DEPLOY, "cannot be compared with the image"),
    ]);
    // In the layer, which is most of the image.
    let mut damaged = good;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let run = Release::new()
        .put(IMAGE, damaged)
        .write()
        .verify("")
        .expect(1);
    assert!(run.stdout.contains(&format!("✗ {IMAGE}: ")), "{run:?}");
    assert!(
        run.stdout.contains("has another digest than its name"),
        "{run:?}"
    );

    refused(
        DEPLOY,
        deploy(&other_manifest, &sha256),
        &[
            "names another digest",
            "names another digest",
            "does not name the digest of the image",
        ],
    );
    refused(
        DEPLOY,
        deploy(&manifest, ""),
        &["does not name the digest of the module"],
    );
    let placeholder = format!("{manifest} {sha256} IMAGE_SHA256");
    refused(
        DEPLOY,
        tar_gz(&vec![("x.yaml", placeholder.into())]),
        &["placeholder"],
    );
}

#[test]
fn the_page_and_the_program() {
    let module = dist::read("countersign.wasm");
    refused(PAGE, page(&another_module()), &["does not say the digest"]);
    let only_says = String::from_utf8(page(&module))
        .unwrap()
        .replace("AGFzbQ", "BGFzbQ");
    refused(PAGE, only_says, &["does not contain the module in base64"]);
    refused(
        PROGRAM,
        tar_gz(&vec![("countersign", module)]),
        &["does not contain countersign.component.wasm"],
    );
    refused(
        PROGRAM,
        tar_gz(&vec![("README", Vec::new())]),
        &["has 0 programs"],
    );
}

#[test]
fn the_lists_of_what_is_inside() {
    let list = "sbom/countersign-0.1.0.tgz.cdx.json";
    refused(list, "{", &["is not JSON"]);
    refused(list, r#"{"bomFormat":"SPDX"}"#, &["CycloneDX"]);
    refused(
        list,
        r#"{"bomFormat":"CycloneDX","components":[]}"#,
        &["does not name the module"],
    );
    // The other crates have no module inside.
    let other = "sbom/countersign-kernel-0.1.0.crate.cdx.json";
    Release::new()
        .put(other, r#"{"bomFormat":"CycloneDX"}"#)
        .write()
        .verify("")
        .expect(0);
}
