//! `init`: a first policy for an identity provider. What the policies decide is
//! tested in `init/tests/providers`.

mod common;

use common::Folder;
use countersign_init::PROVIDERS;

#[test]
fn every_provider_prints_a_policy_that_lints_clean() {
    let folder = Folder::new();
    folder.write("secret.txt", "a shared secret that only tests use: 1\n");
    for provider in PROVIDERS {
        let mut command = format!("init --provider {}", provider.name);
        for value in provider
            .values
            .iter()
            .filter(|value| !value.can_be_left_out())
        {
            command.push_str(&format!(" --{} {}", value.name, value.example));
        }
        let policy = folder.run(&command).expect(0).stdout;
        folder.write("policy.yaml", &policy);
        let lint = folder.run("policy lint policy.yaml").expect(0);
        // A policy with a secret says so, and nothing else.
        let text = lint.text();
        let warnings = text.matches("warning[").count();
        let expected = policy.matches(" k: ").count();
        assert!(
            warnings == expected && text.matches("warning[inline_secret]").count() == expected,
            "{}: {lint:?}",
            provider.name
        );
    }
}

#[test]
fn without_a_terminal_it_says_what_is_missing() {
    let folder = Folder::new();
    let run = folder.run("init").expect(2);
    assert!(
        run.stderr.contains("which provider?") && run.stderr.contains("auth0"),
        "{run:?}"
    );
    let run = folder.run("init --provider auth0").expect(2);
    for option in [
        "--domain acme.eu.auth0.com",
        "--audience https://api.example.com",
    ] {
        assert!(run.stderr.contains(option), "{run:?}");
    }
    assert_eq!(run.stdout, "");
}

#[test]
fn wrong_options_are_refused() {
    let folder = Folder::new();
    let run = folder.run("init --provider auth00").expect(2);
    assert!(run.stderr.contains("auth0"), "{run:?}");
    let run = folder
        .run("init --provider auth0 --domain https://acme.auth0.com --audience api")
        .expect(2);
    assert!(
        run.stderr.contains("`--domain`: a host is needed"),
        "{run:?}"
    );
    let run = folder
        .run("init --provider auth0 --domain acme.auth0.com --audience api --realm x")
        .expect(2);
    assert!(run.stderr.contains("does not take `--realm`"), "{run:?}");
}

#[test]
fn a_secret_comes_from_a_file_and_a_short_one_is_refused() {
    let folder = Folder::new();
    let command =
        "init --provider supabase-legacy --project abcdefghijklmnopqrst --secret-file secret.txt";
    folder.run(command).expect(2);
    folder.write("secret.txt", "hunter2\n");
    let run = folder.run(command).expect(2);
    assert!(
        run.stderr.contains("at least 32 bytes") && !run.text().contains("hunter2"),
        "{run:?}"
    );
    folder.write("secret.txt", "0123456789abcdef0123456789abcdef\n");
    let policy = folder.run(command).expect(0).stdout;
    assert!(
        policy.contains("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\""),
        "{policy}"
    );
}

#[test]
fn as_json_the_policy_is_a_text() {
    let folder = Folder::new();
    let command = "init --json --provider auth0 --domain acme.eu.auth0.com --audience api";
    let answer = folder.run(command).expect(0).json();
    assert_eq!(answer["provider"], "auth0");
    let policy = answer["policy"].as_str().unwrap();
    assert!(
        policy.contains("issuer: \"https://acme.eu.auth0.com/\""),
        "{policy}"
    );
}
