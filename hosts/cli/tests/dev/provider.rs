//! `countersign dev provider`: the whole flow as a browser and an app do it, and its
//! settings.

use countersign_host::{Decision, Gate};
use hyper::Request;

use crate::{
    browser::{Provider, asked, encode},
    common::Folder,
    server::{Server, free_port, send},
};

/// An app's whole sign-in, and its ID token.
fn sign_in(provider: &Provider, person: &str) -> (String, String) {
    let result = provider.pick(&asked(&[]), person);
    let tokens = provider.redeem(&result["code"]);
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let text = |name: &str| tokens.json()[name].as_str().unwrap().to_owned();
    (text("id_token"), text("access_token"))
}

#[test]
fn a_browser_signs_in_reads_who_it_is_and_signs_out() {
    let provider = Provider::start();
    let metadata = provider
        .get("/.well-known/openid-configuration", &[])
        .json();
    assert_eq!(metadata["issuer"], provider.url);
    for (name, path) in [
        ("authorization_endpoint", "/authorize"),
        ("token_endpoint", "/token"),
        ("userinfo_endpoint", "/userinfo"),
        ("end_session_endpoint", "/logout"),
    ] {
        assert_eq!(metadata[name], format!("{}{path}", provider.url));
    }
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    assert_eq!(
        metadata["authorization_response_iss_parameter_supported"],
        true
    );

    let result = provider.pick(&asked(&[]), "ada");
    assert_eq!(result["state"], "a state & more");
    assert_eq!(result["iss"], provider.url);
    assert_eq!(result.len(), 3, "{:?}", result.keys());

    let tokens = provider.redeem(&result["code"]);
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.headers["cache-control"], "no-store");
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], "openid profile email");

    provider
        .folder
        .write("token", tokens["id_token"].as_str().unwrap());
    let inspected = provider
        .folder
        .run("inspect --json --token token")
        .expect(0)
        .json();
    let claims = &inspected["claims"];
    assert_eq!(claims["iss"], provider.url);
    assert_eq!(claims["aud"], "web");
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["name"], "Ada Lovelace");
    assert_eq!(claims["email"], "ada@acme.example");
    assert_eq!(claims["organization"], "acme");
    assert_eq!(claims["roles"], serde_json::json!(["admin"]));
    let number = |name: &str| claims[name].as_u64().unwrap();
    assert_eq!(number("exp") - number("iat"), 600);
    assert!(number("auth_time") <= number("iat"));

    let access = tokens["access_token"].as_str().unwrap();
    let bearer = format!("authorization: Bearer {access}");
    let person = provider.get("/userinfo", &[&bearer]);
    assert_eq!(person.json()["sub"], "ada");
    assert_eq!(person.json()["organization"], "acme");

    let hint = tokens["id_token"].as_str().unwrap();
    let leave = encode(&[
        ("id_token_hint", hint),
        ("post_logout_redirect_uri", "http://127.0.0.1:3000/bye"),
        ("state", "s"),
    ]);
    let left = provider.get(&format!("/logout?{leave}"), &[]);
    assert_eq!(left.redirected("http://127.0.0.1:3000/bye")["state"], "s");
    let after = provider.get("/userinfo", &[&bearer]);
    assert_eq!(after.status, 401, "the access token ends with the sign-out");
}

#[test]
fn a_real_gate_accepts_the_id_token_by_the_policy_that_is_suggested() {
    let provider = Provider::start();
    let folder = &provider.folder;
    let policy = folder
        .run("dev policy --dir issuer --client web")
        .expect(0)
        .stdout;
    folder.write("id.yaml", &policy);
    let lint = folder.run("policy lint id.yaml").expect(0);
    assert!(!lint.text().contains("error"), "{lint:?}");

    let (ada, access) = sign_in(&provider, "ada");
    // The old key stays published: a rotation breaks no sign-in.
    folder
        .run("dev rotate --dir issuer --algorithm ES256")
        .expect(0);
    let (grace, _) = sign_in(&provider, "grace");
    let minted = folder.mint("pat", "--type pat --audience web");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let gate = Gate::builder()
            .policy_yaml(&policy)
            .unwrap()
            .build()
            .await
            .unwrap();
        let check = async |token: &str, path: &str| {
            let bearer = format!("Bearer {token}");
            let request = Request::get(path).header("authorization", bearer);
            gate.check(&request.body(()).unwrap()).await
        };
        let allowed = check(&ada, "/orgs/acme/members").await;
        let principal = allowed.grant().unwrap().principal.clone().unwrap();
        assert_eq!(principal.subject.as_deref(), Some("ada"));
        assert_eq!(principal.tenant.as_deref(), Some("acme"));
        assert_eq!(principal.roles, ["admin"]);
        assert!(
            check(&grace, "/orgs/globex/members")
                .await
                .grant()
                .is_some()
        );
        let code = |decision: &Decision| decision.denial().map(|denial| denial.code.clone());
        for (token, expected) in [
            (&grace, "tenant_denied"),
            (&access, "token_malformed"),
            // Of the same issuer, and for the same app, but no ID token.
            (&minted, "type_mismatch"),
        ] {
            let denied = check(token, "/orgs/acme/members").await;
            assert_eq!(code(&denied).as_deref(), Some(expected), "{denied:?}");
        }
    });
}

#[test]
fn a_sign_out_leads_only_to_where_the_app_has_said() {
    let provider = Provider::start();
    let bye = "http://127.0.0.1:3000/bye";
    let (token, _) = sign_in(&provider, "grace");
    let leave = |fields: &[(&str, &str)]| provider.get(&format!("/logout?{}", encode(fields)), &[]);
    for uri in [
        "http://127.0.0.1:3000/",
        "http://127.0.0.1:3000/bye?x",
        "https://evil.example/",
    ] {
        let (token, _) = sign_in(&provider, "grace");
        let reply = leave(&[("id_token_hint", &token), ("post_logout_redirect_uri", uri)]);
        assert_eq!(reply.status, 400);
        assert!(!reply.headers.contains_key("location"));
    }
    let other = leave(&[("id_token_hint", &token), ("client_id", "bridge:1")]);
    assert_eq!(other.status, 400);
    // Without a hint that was issued here a person goes on, not the browser.
    for hint in ["", "e30.e30.x", &token] {
        let fields = [
            ("id_token_hint", hint),
            ("client_id", "web"),
            ("post_logout_redirect_uri", bye),
        ];
        let reply = leave(&fields);
        assert_eq!(reply.status, 200);
        assert!(
            reply.body.contains(&format!("href=\"{bye}\"")),
            "{}",
            reply.body
        );
    }
    let nobody = leave(&[("post_logout_redirect_uri", bye)]);
    assert_eq!(nobody.status, 400);
    // As a form, too.
    let (token, _) = sign_in(&provider, "grace");
    let fields = [
        ("id_token_hint", &*token),
        ("post_logout_redirect_uri", bye),
    ];
    assert_eq!(
        provider.post("/logout", &fields, &[]).redirected(bye).len(),
        0
    );
}

#[test]
fn people_and_apps_come_from_a_file_and_its_mistakes_have_a_place() {
    let folder = Folder::with_issuer();
    folder.write(
        "bad.yaml",
        "clients:\n  - id: web\n    redirect_uris: [\"javascript:alert(1)\", \"http://a/#b\"]\n\
         people:\n  - { sub: ada, name: Ada }\n  - { sub: ada, name: Again, claims: { iss: x } }\n",
    );
    let run = folder
        .run("dev provider --dir issuer --config bad.yaml")
        .expect(2);
    for place in [
        "bad.yaml:3:21: /clients/0/redirect_uris/0",
        "/clients/0/redirect_uris/1",
        "/people/1/sub",
        "/people/1/claims",
    ] {
        assert!(run.stderr.contains(place), "{place}: {run:?}");
    }
    folder.write("typo.yaml", "clients: []\npersons: []\n");
    let run = folder
        .run("dev provider --dir issuer --config typo.yaml")
        .expect(2);
    assert!(run.stderr.contains("unknown field `persons`"), "{run:?}");
    let run = folder.run("dev provider --dir issuer").expect(2);
    assert!(run.stderr.contains("/clients"), "{run:?}");
}

#[test]
fn a_provider_is_never_reachable_from_other_machines() {
    let folder = Folder::with_issuer();
    let client = "--client web=http://127.0.0.1:3000/callback";
    let run = folder
        .run(&format!(
            "dev provider --dir issuer {client} --listen 0.0.0.0:0"
        ))
        .expect(2);
    assert!(
        run.stderr.contains("anybody can sign in as anybody"),
        "{run:?}"
    );
    let run = folder
        .run(&format!("dev provider --dir issuer {client} --expose"))
        .expect(2);
    assert!(run.stderr.contains("unexpected argument"), "{run:?}");
    folder
        .run("dev keys --dir below --issuer http://127.0.0.1:8181/below")
        .expect(0);
    let run = folder
        .run(&format!("dev provider --dir below {client}"))
        .expect(2);
    assert!(run.stderr.contains("has a path"), "{run:?}");
}

#[test]
fn the_file_of_the_readme_is_one_that_it_takes() {
    let readme = include_str!("../../README.md");
    let (_, file) = readme
        .split_once("```yaml\n# countersign dev provider")
        .unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let folder = Folder::new();
    let port = free_port();
    let keys = format!("dev keys --dir issuer --issuer http://127.0.0.1:{port}");
    folder.run(&keys).expect(0);
    folder.write("provider.yaml", &format!("#{file}"));
    let _server = Server::start(&folder, "provider --config provider.yaml");
    let lines = [format!("host: 127.0.0.1:{port}")];
    let home = send(port, "GET", "/", &lines, "");
    assert!(
        home.contains("Ada Lovelace") && home.contains("Grace Hopper"),
        "{home}"
    );
    assert!(!home.contains("only-for-development"));
}
