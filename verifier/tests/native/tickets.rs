//! A question counts once, for ten seconds, for its token, key and gate.

use super::*;

const TICKETS: usize = 256;

#[test]
fn a_late_answer_is_ignored() {
    let mut gate = open(&hmac_policy(&[""]));
    let token = token("me");
    let at =
        |gate: &mut Gate, after_ms| gate.check_token(token.as_bytes(), 0, false, NOW_MS + after_ms);
    let first = asked(at(&mut gate, 0));
    gate.verified(first[0].ticket, Valid);
    let second = asked(at(&mut gate, 10_000));
    assert_eq!(second.len(), 1, "the first has ended");
    assert_ne!(second[0].ticket, first[0].ticket);
    gate.verified(first[0].ticket, Valid);
    let third = asked(at(&mut gate, 10_000));
    assert_eq!(third.len(), 1);
    gate.verified(third[0].ticket, Valid);
    assert_eq!(code(&at(&mut gate, 19_999)), None);
}

#[test]
fn a_clock_that_is_set_back_ends_every_question() {
    let mut gate = open(&hmac_policy(&[""]));
    let token = token("me");
    let questions = asked(check(&mut gate, &token));
    gate.verified(questions[0].ticket, Valid);
    let before = gate.check_token(token.as_bytes(), 0, false, NOW_MS - 1);
    assert_eq!(asked(before).len(), 1);
}

#[test]
fn only_the_first_answer_counts() {
    let mut gate = open(&hmac_policy(&[""]));
    for (answers, denied) in [
        ([Invalid, Valid], Some(Code::SignatureInvalid)),
        ([Failed, Valid], Some(Code::InternalError)),
        ([Valid, Invalid], None),
    ] {
        let questions = asked(check(&mut gate, &token("me")));
        for answer in answers {
            gate.verified(questions[0].ticket, answer);
        }
        assert_eq!(code(&check(&mut gate, &token("me"))), denied);
    }
}

#[test]
fn an_answer_is_used_once() {
    let mut policy = hmac_policy(&[""]);
    policy["remember"] = false.into();
    let mut gate = open(&policy);
    let questions = asked(check(&mut gate, &token("me")));
    gate.verified(questions[0].ticket, Valid);
    assert_eq!(code(&check(&mut gate, &token("me"))), None);
    gate.verified(questions[0].ticket, Valid);
    assert_eq!(asked(check(&mut gate, &token("me"))).len(), 1);
}

#[test]
fn answers_to_unknown_tickets_and_to_those_of_another_gate_are_ignored() {
    let policy = hmac_policy(&[""]);
    let mut one = open_for(&policy, 1 << 20, Algorithm::ALL);
    let mut two = open_for(&policy, 2 << 20, Algorithm::ALL);
    let question = asked(check(&mut one, &token("me"))).remove(0);
    asked(check(&mut two, &token("me")));
    for ticket in [0, 1, question.ticket, question.ticket + 1, u64::MAX] {
        two.verified(ticket, Valid);
    }
    assert_eq!(asked(check(&mut two, &token("me"))).len(), 1);
}

#[test]
fn an_answer_is_for_the_bytes_of_one_token() {
    let mut gate = open(&hmac_policy(&[""]));
    let questions = asked(check(&mut gate, &token("me")));
    gate.verified(questions[0].ticket, Valid);
    let other = signed("HS256", "", "me", &[1; 32]);
    assert_eq!(asked(check(&mut gate, &other)).len(), 1);
    assert_eq!(asked(check(&mut gate, &token("you"))).len(), 1);
}

#[test]
fn the_numbers_of_tickets_are_exact_in_a_double() {
    let mut gate = open_for(&hmac_policy(&[""]), u64::MAX, Algorithm::ALL);
    let questions = asked(check(&mut gate, &token("me")));
    assert!(questions[0].ticket <= 1 << 53);
}

/// A P-256 key with this `kid`, and a token for any of them.
fn key(name: &str) -> Value {
    keys::jwk(name)
}

fn fetched() -> (Gate, String) {
    let policy = policy(&["ES256", "ES384"], json!({ "jwks_uri": JWKS }));
    let mut gate = open(&policy);
    gate.due(NOW_MS);
    supply(&mut gate, &[key("ec-p256"), key("ec-p384")]);
    let token = signed("ES256", r#","kid":"ec-p256""#, "me", &[1; 64]);
    (gate, token)
}

#[test]
fn a_key_that_is_withdrawn_meanwhile_voids_the_answer() {
    let (mut gate, token) = fetched();
    let questions = asked(check(&mut gate, &token));
    supply(&mut gate, &[key("ec-p384")]);
    gate.verified(questions[0].ticket, Valid);
    // Its document is fetched again for the unknown `kid`, or it is denied.
    assert!(!matches!(check(&mut gate, &token), Decision::Allow(_)));

    // The same key, published again, is another one.
    supply(&mut gate, &[key("ec-p384"), key("ec-p256")]);
    let again = asked(check(&mut gate, &token));
    assert_eq!(again.len(), 1);
    assert_ne!(again[0].key, questions[0].key);
}

#[test]
fn a_document_with_an_equal_key_does_not_void_it() {
    let (mut gate, token) = fetched();
    let questions = asked(check(&mut gate, &token));
    supply(&mut gate, &[key("ec-p256")]);
    assert!(gate.key(questions[0].key).is_some());
    gate.verified(questions[0].ticket, Valid);
    assert_eq!(code(&check(&mut gate, &token)), None);
}

#[test]
fn a_withdrawn_key_forgets_the_tokens_that_the_host_verified() {
    let (mut gate, token) = fetched();
    assert_eq!(code(&decide(&mut gate, &token, |_| Valid).0), None);
    assert_eq!(decide(&mut gate, &token, |_| Valid).1.len(), 0);
    supply(&mut gate, &[key("ec-p384")]);
    supply(&mut gate, &[key("ec-p256")]);
    assert_eq!(decide(&mut gate, &token, |_| Valid).1.len(), 1);
}

#[test]
fn a_full_table_denies_and_recovers() {
    let mut gate = open(&hmac_policy(&[""]));
    let at = |gate: &mut Gate, subject: &str, after_ms| {
        gate.check_token(token(subject).as_bytes(), 0, false, NOW_MS + after_ms)
    };
    let tickets: Vec<u64> = (0..TICKETS)
        .map(|n| asked(at(&mut gate, &n.to_string(), 0))[0].ticket)
        .collect();
    assert_eq!(code(&at(&mut gate, "me", 0)), Some(Code::InternalError));
    // One decision ends one question.
    gate.verified(tickets[9], Valid);
    assert_eq!(code(&at(&mut gate, "9", 0)), None);
    assert_eq!(asked(at(&mut gate, "me", 0)).len(), 1);
    assert_eq!(
        code(&at(&mut gate, "you", 9_999)),
        Some(Code::InternalError)
    );
    // The others end by themselves.
    assert_eq!(asked(at(&mut gate, "you", 10_000)).len(), 1);
}

#[test]
fn a_question_that_does_not_fit_opens_no_ticket() {
    let mut gate = open(&hmac_policy(&["1", "2", "3"]));
    // 255 tickets: one more fits, and three do not.
    for n in 0..TICKETS / 3 {
        assert_eq!(asked(check(&mut gate, &token(&n.to_string()))).len(), 3);
    }
    let named = signed("HS256", r#","kid":"2""#, "you", &[0; 32]);
    assert_eq!(
        code(&check(&mut gate, &token("me"))),
        Some(Code::InternalError)
    );
    assert_eq!(asked(check(&mut gate, &named)).len(), 1);
}

#[test]
fn a_decision_ends_all_questions_of_its_token() {
    // A host that answers at once never fills the table, however many tokens
    // and candidates there are.
    for remember in [true, false] {
        let mut policy = hmac_policy(&["1", "2", "3", "4"]);
        policy["remember"] = remember.into();
        let mut gate = open(&policy);
        for n in 0..TICKETS {
            let (decision, questions) = decide(&mut gate, &token(&n.to_string()), |_| Valid);
            assert_eq!((code(&decision), questions.len()), (None, 4));
            assert!(gate.key(questions[3].key).is_none(), "it has ended");
        }
    }
}

#[test]
fn answers_that_nobody_waits_for_any_more_make_room() {
    // Many requests at once with one new token: the first decision remembers it,
    // and the others need their answers no longer.
    let mut gate = open(&hmac_policy(&["1", "2"]));
    let questions: Vec<Signature> = (0..TICKETS / 2)
        .flat_map(|_| asked(check(&mut gate, &token("me"))))
        .collect();
    for question in &questions {
        gate.verified(question.ticket, Valid);
    }
    assert_eq!(code(&check(&mut gate, &token("me"))), None);
    for subject in ["you", "they"] {
        assert_eq!(asked(check(&mut gate, &token(subject))).len(), 2);
    }
}
