//! The page: who sees it, what it shows, and what a browser is told about it.

use super::{ADA, csrf, decide, get, poll, refused, stage, start_with};
use crate::common::{Database, Stage};

const PAGES: [(&str, Option<&str>); 6] = [
    ("/pair", None),
    ("/pair", Some("p_bob acme member")),
    ("/pair", Some(ADA)),
    ("/pair?user_code=wrong", Some(ADA)),
    ("/pair?user_code=a&user_code=b", Some(ADA)),
    ("/pair", Some("down")),
];

#[tokio::test]
async fn no_page_can_be_in_a_frame_or_is_kept() {
    let stage = stage(Database::Sqlite).await;
    let started = start_with(&stage, &[]).await;
    let path = format!("/pair?user_code={}", started.user_code);
    let mut replies = vec![get(&stage, &path, Some(ADA)).await];
    for (path, session) in PAGES {
        replies.push(get(&stage, path, session).await);
    }
    replies.push(decide(&stage, ADA, &started.user_code, "deny").await);
    replies.push(decide(&stage, ADA, &started.user_code, "neither").await);
    for reply in replies {
        let policy = reply.header("content-security-policy");
        assert_eq!(
            policy,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        );
        assert_eq!(reply.header("x-frame-options"), "DENY");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("referrer-policy"), "same-origin");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert!(!reply.body.contains("<script"), "{reply:?}");
    }
}

#[tokio::test]
async fn it_repeats_the_code_and_shows_place_device_and_scopes() {
    let stage = stage(Database::Sqlite).await;
    let more = [
        ("device_name", "<b>Press</b> \u{202e}7\""),
        ("scope", "node:read"),
    ];
    let form = [&[("client_id", "press")][..], &more].concat();
    let reply = stage.post("/pair/start", &[], &form).await;
    let code = super::text(&reply, "user_code");
    let page = get(&stage, &format!("/pair?user_code={code}"), Some(ADA)).await;
    assert_eq!(page.status, 200);
    for part in [
        &format!("<strong>{code}</strong>"),
        "bPress/b 7",
        "127.0.0.1",
        "<code>node:read</code>",
        "<dd>acme</dd>",
        "<html lang=\"en\">",
        "<title>Pair this device?</title>",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("node:ingest") && !page.body.contains('\u{202e}'));
    // What is no code is not repeated.
    let page = get(&stage, "/pair?user_code=%3Cscript%3E", Some(ADA)).await;
    assert_eq!(page.status, 404);
    assert!(!page.body.contains("script"));
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_and_comes_back() {
    let stage = stage(Database::Sqlite).await;
    let started = start_with(&stage, &[]).await;
    let path = format!("/pair?user_code={}", started.user_code);
    let reply = get(&stage, &path, None).await;
    let back = format!(
        "/auth/login?return_to=%2Fpair%3Fuser_code%3D{}",
        started.user_code
    );
    assert_eq!((reply.status, reply.header("location")), (303, &*back));
    for foreign in ["//evil.example.com", "BCDF-GHJK%0d%0aset-cookie:x"] {
        let reply = get(&stage, &format!("/pair?user_code={foreign}"), None).await;
        assert_eq!(reply.header("location"), "/auth/login?return_to=%2Fpair");
    }
}

#[tokio::test]
async fn without_the_text_of_the_session_nothing_is_approved() {
    type Sent<'a> = (&'a [(&'a str, &'a str)], Vec<(&'a str, &'a str)>);

    let stage = stage(Database::Sqlite).await;
    let started = start_with(&stage, &[]).await;
    let code = ("user_code", started.user_code.as_str());
    let approve = ("decision", "approve");
    let (own, foreign) = (csrf("p_ada"), csrf("p_eve"));
    let session = ("x-test-session", ADA);
    let cross = ("sec-fetch-site", "cross-site");
    let cases: [Sent<'_>; 4] = [
        (&[session], vec![code, approve]),
        (&[session], vec![code, approve, ("csrf", "")]),
        (&[session], vec![code, approve, ("csrf", &foreign)]),
        (&[session, cross], vec![code, approve, ("csrf", &own)]),
    ];
    for (headers, form) in cases {
        let reply = stage.post("/pair", headers, &form).await;
        assert_eq!(reply.status, 403, "{form:?}");
    }
    // Nor by a link, nor without a role, nor without an organisation.
    let link = format!(
        "/pair?user_code={}&decision=approve&csrf={own}",
        started.user_code
    );
    assert_eq!(get(&stage, &link, Some(ADA)).await.status, 200);
    for (session, status) in [
        ("p_bob acme member", 403),
        ("p_bob acme", 403),
        ("p_bob", 400),
    ] {
        let reply = decide(&stage, session, &started.user_code, "approve").await;
        assert_eq!(reply.status, status, "{session}");
    }
    let form = [code, approve, ("csrf", own.as_str())];
    assert_eq!(stage.post("/pair", &[], &form).await.status, 401);
    assert_eq!(
        poll(&stage, &started).await.error(),
        refused(400, "authorization_pending")
    );
    let good = [("sec-fetch-site", "same-origin"), session];
    assert_eq!(stage.post("/pair", &good, &form).await.status, 200);
}

#[tokio::test]
async fn while_the_sessions_do_not_answer_nobody_approves() {
    let stage: Stage = stage(Database::Sqlite).await;
    let started = start_with(&stage, &[]).await;
    let form = [
        ("user_code", started.user_code.as_str()),
        ("decision", "approve"),
    ];
    let reply = stage
        .post("/pair", &[("x-test-session", "down")], &form)
        .await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "5"));
}
