//! `/token` of the development provider: who gets something for a code, and how often.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::browser::{CALLBACK, Provider, VERIFIER, asked, encode, percent, redemption};

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
