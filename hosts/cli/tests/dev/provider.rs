//! `countersign dev provider`: the flow as a browser and an app do it, and what it
//! refuses.

use base64::{Engine, engine::general_purpose::STANDARD};
use countersign_host::{Decision, Gate};
use hyper::Request;

use crate::{
    browser::{CALLBACK, Provider, VERIFIER, asked, encode, percent, redemption},
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
fn only_a_registered_redirect_uri_is_ever_used() {
    let provider = Provider::start();
    for uri in [
        "http://127.0.0.1:3000/auth/callback",
        "http://127.0.0.1:3000/auth/callback?from=dev&more=1",
        "http://127.0.0.1:3000/auth/callback?from=dev#here",
        "http://127.0.0.1:3000/auth/callback/?from=dev",
        "http://127.0.0.1:3000/auth/../auth/callback?from=dev",
        "http://127.0.0.1:3000/AUTH/callback?from=dev",
        "http://127.0.0.1:3000@evil.example/auth/callback?from=dev",
        "http://localhost:3000/auth/callback?from=dev",
        "https://evil.example/",
        "javascript:alert(1)",
        "",
    ] {
        // Also where another mistake would be told to the client.
        for more in [("state", "s"), ("response_type", "token")] {
            let reply = provider.authorize(&asked(&[("redirect_uri", uri), more]));
            assert_eq!(reply.status, 400, "{uri}");
            assert!(!reply.headers.contains_key("location"), "{uri}");
        }
    }
    let twice = format!("/authorize?{}&redirect_uri=x", encode(&asked(&[])));
    assert_eq!(provider.get(&twice, &[]).status, 400);
    let unknown = provider.authorize(&asked(&[("client_id", "webb")]));
    assert_eq!(unknown.status, 400);

    // And the one of the code's request at the token endpoint.
    let code = provider.pick(&asked(&[]), "ada")["code"].clone();
    let mut fields = redemption(&code);
    fields[3].1 = "http://127.0.0.1:3000/auth/callback";
    provider
        .post("/token", &fields, &[])
        .refused(400, "invalid_grant");
}

#[test]
fn mistakes_of_an_app_come_back_to_it_with_state_and_issuer() {
    let provider = Provider::start();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        ("response_mode", "fragment", "invalid_request"),
        ("scope", "profile", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("request", "e30.e30.", "request_not_supported"),
        (
            "request_uri",
            "https://evil.example/",
            "request_uri_not_supported",
        ),
    ] {
        let reply = provider.authorize(&asked(&[(name, value)]));
        let result = reply.redirected(CALLBACK);
        assert_eq!(result["error"], error, "{name}");
        assert_eq!(result["state"], "a state & more");
        assert_eq!(result["iss"], provider.url);
        assert!(!result.contains_key("code"));
    }
    let mut form = asked(&[]);
    form.push(("cancel", "yes"));
    let result = provider.post("/authorize", &form, &[]).redirected(CALLBACK);
    assert_eq!(result["error"], "access_denied");
}

#[test]
fn pkce_cannot_be_left_out_weakened_or_missed() {
    let provider = Provider::start();
    for (name, value) in [
        ("code_challenge_method", ""),
        ("code_challenge_method", "plain"),
        ("code_challenge_method", "s256"),
        ("code_challenge", ""),
        ("code_challenge", "short"),
        ("code_challenge", VERIFIER),
    ] {
        let result = provider
            .authorize(&asked(&[(name, value)]))
            .redirected(CALLBACK);
        assert_eq!(result["error"], "invalid_request", "{name}={value}");
    }
    let other = "another-verifier-of-a-test-0123456789-01234567";
    for (verifier, error) in [
        (other, "invalid_grant"),
        // What `plain` would take.
        (asked(&[]).last().unwrap().1, "invalid_grant"),
        ("short", "invalid_grant"),
        ("", "invalid_request"),
    ] {
        let code = provider.pick(&asked(&[]), "ada")["code"].clone();
        let mut fields = redemption(&code);
        fields[4].1 = verifier;
        provider.post("/token", &fields, &[]).refused(400, error);
        if error == "invalid_grant" {
            // The one try is over.
            provider.redeem(&code).refused(400, "invalid_grant");
        }
    }
}

#[test]
fn a_code_is_good_once_and_its_replay_ends_what_came_of_it() {
    let provider = Provider::start();
    let code = provider.pick(&asked(&[]), "ada")["code"].clone();
    let tokens = provider.redeem(&code).json();
    let access = tokens["access_token"].as_str().unwrap();
    let bearer = format!("authorization: Bearer {access}");
    assert_eq!(provider.get("/userinfo", &[&bearer]).status, 200);
    provider.redeem(&code).refused(400, "invalid_grant");
    let after = provider.get("/userinfo", &[&bearer]);
    assert_eq!(after.status, 401);
    assert!(after.headers["www-authenticate"].contains("invalid_token"));
    provider.redeem("never-was").refused(400, "invalid_grant");
    provider.redeem("").refused(400, "invalid_request");
    // Of twenty at once, one wins.
    let code = provider.pick(&asked(&[]), "ada")["code"].clone();
    let won = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| provider.redeem(&code).status))
            .collect();
        let statuses = tries.into_iter().map(|one| one.join().unwrap());
        statuses.filter(|status| *status == 200).count()
    });
    assert_eq!(won, 1);
}

#[test]
fn a_client_is_who_it_says_by_its_secret() {
    let provider = Provider::start();
    let (id, secret) = ("bridge:1", "s3cret of + the % bridge");
    let code = || provider.pick(&asked(&[("client_id", id)]), "alan")["code"].clone();
    let basic = |id: &str, secret: &str| {
        let pair = STANDARD.encode(format!("{}:{}", percent(id), percent(secret)));
        format!("authorization: Basic {pair}")
    };
    let without = |code: &str| {
        let fields = redemption(code).map(|(name, value)| (name.to_owned(), value.to_owned()));
        fields
            .into_iter()
            .filter(|(name, _)| name != "client_id")
            .collect::<Vec<_>>()
    };
    let ask = |code: &str, more: &[(&str, &str)], lines: &[&str]| {
        let fields = without(code);
        let mut all: Vec<_> = fields
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        all.extend_from_slice(more);
        provider.post("/token", &all, lines)
    };

    assert_eq!(ask(&code(), &[], &[&basic(id, secret)]).status, 200);
    let posted = [("client_id", id), ("client_secret", secret)];
    assert_eq!(ask(&code(), &posted, &[]).status, 200);

    let mine = code();
    for (more, lines) in [
        (vec![("client_id", id)], vec![]),
        (vec![("client_id", id), ("client_secret", "wr0ng")], vec![]),
        (vec![("client_id", "web"), ("client_secret", "any")], vec![]),
        (vec![("client_id", "nobody")], vec![]),
        (vec![], vec![]),
        (vec![], vec![basic(id, "wr0ng")]),
        (vec![], vec![basic(id, "")]),
        (vec![], vec!["authorization: Basic !".to_owned()]),
        (vec![], vec!["authorization: Bearer x".to_owned()]),
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let reply = ask(&mine, &more, &lines);
        reply.refused(401, "invalid_client");
        assert!(reply.headers["www-authenticate"].starts_with("Basic "));
        assert!(!reply.body.contains("wr0ng"));
    }
    for (more, lines) in [
        (posted.to_vec(), vec![basic(id, secret)]),
        (vec![("client_id", "web")], vec![basic(id, secret)]),
        (vec![], vec![basic(id, secret), basic(id, secret)]),
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        ask(&mine, &more, &lines).refused(400, "invalid_request");
    }
    // Somebody else's code is no code, and stays good for its own client.
    provider.redeem(&mine).refused(400, "invalid_grant");
    assert_eq!(ask(&mine, &[], &[&basic(id, secret)]).status, 200);

    let code = provider.pick(&asked(&[]), "ada")["code"].clone();
    let mut fields = redemption(&code);
    fields[0].1 = "password";
    provider
        .post("/token", &fields, &[])
        .refused(400, "unsupported_grant_type");
    let text = encode(&redemption(&code));
    let json = provider.send("POST", "/token", &["content-type: application/json"], &text);
    json.refused(400, "invalid_request");
    let target = format!("/token?{text}");
    provider.get(&target, &[]).refused(400, "invalid_request");
    let twice = format!("{text}&code=x");
    let form = ["content-type: application/x-www-form-urlencoded"];
    provider
        .send("POST", "/token", &form, &twice)
        .refused(400, "invalid_request");
}

#[test]
fn what_a_parameter_says_is_text_on_a_page_and_nothing_else() {
    let provider = Provider::start();
    let attack =
        "\"><script>alert(1)</script><img src=x onerror='alert(1)'>&quot;\r\nset-cookie: a=b";
    let page = provider.authorize(&asked(&[("state", attack), ("nonce", attack)]));
    assert_eq!(page.status, 200);
    assert!(
        !page.body.contains("<script") && !page.body.contains("<img"),
        "{}",
        page.body
    );
    // It comes back as it was.
    let hidden = page.hidden();
    let state = hidden.iter().find(|(name, _)| name == "state").unwrap();
    assert_eq!(state.1, attack);
    let result = provider.pick(&asked(&[("state", attack)]), "ada");
    assert_eq!(result["state"], attack);

    for target in [
        format!("/authorize?client_id={}", percent(attack)),
        format!("/authorize?{}", encode(&asked(&[("redirect_uri", attack)]))),
        format!("/logout?client_id={}", percent(attack)),
        format!(
            "/logout?client_id=web&post_logout_redirect_uri={}",
            percent(attack)
        ),
        format!("/{}", percent(attack)),
    ] {
        let page = provider.get(&target, &[]);
        assert!(matches!(page.status, 400 | 404), "{target}");
        assert!(!page.body.contains("alert(1)"), "{}", page.body);
    }
    let mut form = asked(&[]);
    form.push(("person", attack));
    let page = provider.post("/authorize", &form, &[]);
    assert_eq!(page.status, 400);
    assert!(!page.body.contains("alert(1)"));
}

#[test]
fn every_page_says_what_it_is_and_is_nobody_elses_frame() {
    let provider = Provider::start();
    let good = format!("/authorize?{}", encode(&asked(&[])));
    for target in ["/", &good, "/authorize", "/logout", "/nowhere"] {
        let page = provider.get(target, &[]);
        assert!(
            page.body.contains("DEVELOPMENT ONLY"),
            "{target}: {}",
            page.body
        );
        let policy = &page.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'"));
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
    }
    assert!(!provider.get("/", &[]).body.contains("s3cret"));
}

#[test]
fn another_site_neither_picks_a_person_nor_reads_the_page() {
    let provider = Provider::start();
    let mut form = asked(&[]);
    form.push(("person", "ada"));
    for origin in ["origin: https://evil.example", "origin: null"] {
        let reply = provider.post("/authorize", &form, &[origin]);
        assert_eq!(reply.status, 403);
        assert!(!reply.headers.contains_key("location"));
    }
    // A link alone picks nobody.
    let page = provider.authorize(&form);
    assert_eq!(page.status, 200);
    // A name that was made to resolve to this machine.
    let lines = ["host: evil.example".to_owned()];
    let reply = send(provider.port, "GET", "/", &lines, "");
    assert!(reply.starts_with("HTTP/1.1 421"), "{reply}");
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
