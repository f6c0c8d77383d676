//! What the command says where nothing can be attacked.

use crate::{
    common::Folder,
    scene::{Scene, free_address},
};

#[test]
fn it_says_what_is_missing() {
    let folder = Folder::new();
    folder.write("policy.json", r#"{ "contract": "1", "issuers": [{ "name": "a", "issuer": "https://a.example", "audiences": ["api"], "algorithms": ["ES256"], "keys": { "jwks_uri": "https://a.example/jwks" } }], "rules": [{ "path": "/**", "require": {} }] }"#);
    let without_policy = folder.run("proxy-config --verify http://127.0.0.1:1");
    assert!(without_policy.expect(2).stderr.contains("--policy"));
    let without_token = folder.run("proxy-config --verify http://127.0.0.1:1 --policy policy.json");
    assert!(without_token.expect(2).stderr.contains("--token"));
    let https = folder.run("proxy-config --verify https://127.0.0.1 --policy policy.json");
    assert!(https.expect(2).stderr.contains("without TLS"));
    folder.write("token", "a.b.c");
    let nobody = free_address();
    let refused = folder.run(&format!(
        "proxy-config --verify http://{nobody} --policy policy.json --token token"
    ));
    assert!(refused.expect(2).stderr.contains(&nobody.to_string()));
}

#[test]
fn a_backend_that_is_no_echo_is_no_good_sign() {
    let scene = Scene::new("caddy");
    // It answers, and says not what it got.
    let run = scene.verify(scene.server, "");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("has not reached the echo"), "{run:?}");
    // Without any proxy, everything is found.
    let run = scene.verify(scene.echo, "");
    assert_eq!(run.code, 1, "{run:?}");
    let json = scene.verify(scene.echo, "--json").json();
    let attacks = json["attacks"].as_array().unwrap();
    let found = attacks
        .iter()
        .filter(|attack| attack["findings"][0].is_string())
        .count();
    assert!(found >= 9, "{json:#}");
}
