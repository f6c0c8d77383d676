//! Supabase, before, while and after a project moves to a signing key.

use countersign::Code::{
    AlgorithmNotAllowed, AudienceMismatch, ClaimMismatch, ClaimMissing, IssuerUnknown, KeyUnknown,
    RoleDenied, SignatureInvalid,
};
use serde_json::json;

use crate::{
    bench::Bench,
    token::{EC, SECRET, Token, jwks, secret},
};

const PROJECT: (&str, &str) = ("project", "abcdefghijklmnopqrst");
const FILE: (&str, &str) = ("secret-file", SECRET);
/// github.com/kortix-ai/suna #6698: tokens signed with the legacy secret have a
/// `kid`; those of one's own making (supabase/auth #2072) need not.
const KEY_ID: &str = "IBZFPqpuE0oC+hnZ";

/// Supabase Docs, "JWT Claims Reference", "Authenticated user token".
fn user() -> Token {
    Token::new(
        &EC,
        json!({
            "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": 1_795_867_000 }],
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "aud": "authenticated",
            "email": "user@example.com",
            "iss": "https://abcdefghijklmnopqrst.supabase.co/auth/v1",
            "phone": "",
            "role": "authenticated",
            "session_id": "123e4567-e89b-12d3-a456-426614174000",
            "sub": "123e4567-e89b-12d3-a456-426614174000",
            "user_metadata": { "name": "John Doe" },
            "is_anonymous": false,
        }),
    )
}

/// The same page, "Anonymous user token" and "Service role token": the API keys.
fn api_key(role: &str) -> Token {
    Token::new(
        &secret(None, "HS256"),
        json!({ "iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role }),
    )
}

fn with_keys(provider: &str, values: &[(&str, &str)]) -> Bench {
    Bench::new(provider, values).publishes(
        "https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json",
        jwks(&[&EC]),
    )
}

/// Before, while and after, with a user's token for each.
fn all() -> [(Bench, Token); 4] {
    let old = secret(None, "HS256");
    [
        (
            Bench::new("supabase-legacy", &[PROJECT, FILE]),
            user().signed_by(&old),
        ),
        (
            with_keys("supabase-migration", &[PROJECT, FILE]),
            user().signed_by(&old),
        ),
        (with_keys("supabase-migration", &[PROJECT, FILE]), user()),
        (with_keys("supabase", &[PROJECT]), user()),
    ]
}

#[test]
fn supabase_users_pass_before_while_and_after_the_move() {
    for (mut supabase, user) in all() {
        supabase.admits(&user);
    }
}

#[test]
fn supabase_tokens_with_a_kid_of_the_secret_pass_with_key_id() {
    let old = user().signed_by(&secret(Some(KEY_ID), "HS256"));
    let values = [PROJECT, FILE, ("key-id", KEY_ID)];
    Bench::new("supabase-legacy", &values).admits(&old);
    let mut moving = with_keys("supabase-migration", &values);
    moving.admits(&old);
    moving.admits(&user());
}

#[test]
fn supabase_refuses_api_keys_visitors_and_other_projects() {
    for (mut supabase, user) in all() {
        supabase.refuses(IssuerUnknown, &api_key("anon"));
        supabase.refuses(IssuerUnknown, &api_key("service_role"));
        // "Anonymous Sign-Ins": the role is that of users, `is_anonymous` is not.
        supabase.refuses(ClaimMismatch, &user.with("is_anonymous", json!(true)));
        supabase.refuses(ClaimMissing, &user.with("is_anonymous", json!(null)));
        supabase.refuses(RoleDenied, &user.with("role", json!("service_role")));
        supabase.refuses(AudienceMismatch, &user.with("aud", json!("anon")));
        let other = user.with("iss", json!("https://other.supabase.co/auth/v1"));
        supabase.refuses(IssuerUnknown, &other);
    }
}

#[test]
fn supabase_takes_each_algorithm_only_while_it_is_in_use() {
    let old = user().signed_by(&secret(None, "HS256"));
    with_keys("supabase", &[PROJECT]).refuses(AlgorithmNotAllowed, &old);
    Bench::new("supabase-legacy", &[PROJECT, FILE]).refuses(AlgorithmNotAllowed, &user());
    // The public key's name does not make a secret of it, nor the other way round.
    let mut moving = with_keys("supabase-migration", &[PROJECT, FILE, ("key-id", KEY_ID)]);
    let named_like_the_public_key = user().signed_by(&secret(EC.kid.as_deref(), "HS256"));
    let code = match moving.decide("/", &named_like_the_public_key.compact()) {
        countersign::Decision::Deny(denial) => denial.code,
        other => panic!("{other:?}"),
    };
    assert!(
        [
            KeyUnknown,
            SignatureInvalid,
            countersign::Code::KeyUnsuitable
        ]
        .contains(&code),
        "{code}"
    );
}
