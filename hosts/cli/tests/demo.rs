//! `countersign demo`, `digest` and `completions`.
#![allow(missing_docs)]

mod common;

use common::Folder;

#[test]
fn the_demo_decides_everything_as_expected() {
    let shape = Folder::new().run("demo --json").expect(0).json();
    assert_eq!(shape["as_expected"], true);
    let rows = shape["rows"].as_array().unwrap();
    assert!(rows.len() >= 15, "{shape:#}");
    for row in rows {
        assert!(row["microseconds"].as_f64().unwrap() > 0.0, "{row:#}");
        assert_eq!(
            row["status"].is_null(),
            row["decision"] == "allow",
            "{row:#}"
        );
    }
}

#[test]
fn the_demos_table_fits_120_columns_and_has_no_colour_in_a_pipe() {
    let run = Folder::new().run("demo").expect(0);
    assert!(run.stdout.contains("all as expected"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    for line in run.stdout.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let folder = Folder::new();
    let run = |name: &str| {
        let output = folder
            .command("dev keys --dir issuer --force")
            .env(name, "1")
            .output();
        String::from_utf8(output.unwrap().stderr).unwrap()
    };
    assert!(run("CLICOLOR_FORCE").contains('\u{1b}'));
    assert!(!run("NO_COLOR").contains('\u{1b}'));
}

#[test]
fn the_digest_is_printed_and_compared() {
    let folder = Folder::new();
    let printed = folder.run("digest").expect(0).stdout;
    let digest = printed.split_whitespace().next().unwrap();
    assert_eq!(digest.len(), 64, "{printed}");
    assert_eq!(
        folder.run("digest --json").expect(0).json()["sha256"],
        digest
    );

    let sealed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist/countersign.wasm");
    let run = folder.run(&format!("digest '{sealed}'")).expect(0);
    assert!(run.stdout.starts_with("same"), "{run:?}");

    let mut other = std::fs::read(sealed).unwrap();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(folder.path.join("other.wasm"), other).unwrap();
    let run = folder.run("digest other.wasm").expect(1);
    assert!(run.stdout.starts_with("different"), "{run:?}");
    let answer = folder.run("digest --json other.wasm").expect(1).json();
    assert_eq!(answer["same"], false);
}

#[test]
fn digest_says_which_interface_a_file_has() {
    let folder = Folder::new();
    let sealed = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist/countersign.wasm");
    let ours = folder.run("digest --json").expect(0).json()["interface"].clone();
    let answer = folder.run(&format!("digest --json '{sealed}'")).expect(0);
    assert_eq!(answer.json()["interface"], ours);
    assert_eq!(answer.json()["file_interface"], ours);

    // Of a later release: its names have another version of the same length.
    let (_, version) = ours.as_str().unwrap().split_once('@').unwrap();
    let later = version.replace(char::is_numeric, "9");
    let mut bytes = std::fs::read(sealed).unwrap();
    for at in 0..bytes.len() - version.len() {
        if bytes[at..].starts_with(format!("gate@{version}").as_bytes()) {
            bytes[at + 5..][..later.len()].copy_from_slice(later.as_bytes());
        }
    }
    std::fs::write(folder.path.join("later.wasm"), bytes).unwrap();
    let run = folder.run("digest later.wasm").expect(1);
    for text in [
        "different",
        ours.as_str().unwrap(),
        &format!("countersign:gate@{later}"),
    ] {
        assert!(run.stdout.contains(text), "{text}: {run:?}");
    }
    folder.write("other.wasm", "no WebAssembly");
    let run = folder.run("digest other.wasm").expect(1);
    assert!(run.stdout.contains("not a file of Countersign"), "{run:?}");
    let answer = folder.run("digest --json other.wasm").expect(1).json();
    assert_eq!(answer["file_interface"], serde_json::Value::Null);
}

#[test]
fn completion_scripts_name_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&format!("completions {shell}")).expect(0).stdout;
        for command in [
            "check",
            "explain",
            "inspect",
            "policy",
            "digest",
            "verify-release",
            "dev",
        ] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn help_shows_examples_and_wrong_use_exits_with_2() {
    let folder = Folder::new();
    let help = folder.run("check --help").expect(0).stdout;
    assert!(help.contains("Examples:"), "{help}");
    folder.run("chekc").expect(2);
    folder.run("").expect(2);
}
