//! Supabase, before, while and after a project moves to a signing key.

use countersign::{
    Code::{
        AlgorithmNotAllowed, AudienceMismatch, ClaimMismatch, ClaimMissing, IssuerUnknown,
        KeyUnknown, KeyUnsuitable, RoleDenied,
    },
    Decision,
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

fn before() -> Bench {
    Bench::new("supabase-legacy", &[PROJECT, FILE])
}

fn moving() -> Bench {
    with_keys("supabase-migration", &[PROJECT, FILE])
}

fn after() -> Bench {
    with_keys("supabase", &[PROJECT])
}

/// A user's token from before the move.
fn old_user() -> Token {
    user().signed_by(&secret(None, "HS256"))
}

#[test]
fn supabase_users_pass_before_the_move() {
    before().admits(&old_user());
    let values = [PROJECT, FILE, ("key-id", KEY_ID)];
    let named = user().signed_by(&secret(Some(KEY_ID), "HS256"));
    Bench::new("supabase-legacy", &values).admits(&named);
}

#[test]
fn supabase_users_of_both_kinds_pass_during_the_move() {
    moving().admits(&old_user());
    moving().admits(&user());
    let values = [PROJECT, FILE, ("key-id", KEY_ID)];
    let named = user().signed_by(&secret(Some(KEY_ID), "HS256"));
    with_keys("supabase-migration", &values).admits(&named);
}

#[test]
fn supabase_users_pass_after_the_move() {
    after().admits(&user());
}

#[track_caller]
fn refuses_all_but_users(mut supabase: Bench, user: &Token) {
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

#[test]
fn supabase_refuses_api_keys_visitors_and_other_projects_before_the_move() {
    refuses_all_but_users(before(), &old_user());
    before().refuses(AlgorithmNotAllowed, &user());
}

#[test]
fn supabase_refuses_api_keys_visitors_and_other_projects_during_the_move() {
    refuses_all_but_users(moving(), &old_user());
    refuses_all_but_users(moving(), &user());
}

#[test]
fn supabase_refuses_api_keys_visitors_and_other_projects_after_the_move() {
    refuses_all_but_users(after(), &user());
    after().refuses(AlgorithmNotAllowed, &old_user());
}

/// The public key's name does not make a secret of it.
#[test]
fn supabase_takes_each_key_only_for_its_own_algorithm() {
    let values = [PROJECT, FILE, ("key-id", KEY_ID)];
    let confused = user().signed_by(&secret(EC.kid.as_deref(), "HS256"));
    let decision = with_keys("supabase-migration", &values).decide("/", &confused.compact());
    let Decision::Deny(denial) = decision else {
        panic!("{decision:?}")
    };
    assert!(
        [KeyUnknown, KeyUnsuitable].contains(&denial.code),
        "{}",
        denial.code
    );
}
