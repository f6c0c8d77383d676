//! RFC 9700 (BCP 240) section by section, and the attacks by their names: which test is
//! about what. Those that fit nowhere else are in this folder.

mod flows;
mod pages;
mod restored;

use std::{collections::BTreeSet, fs, path::Path};

/// A section or an attack, and its tests: a file below `hosts/bridge`, and functions in it.
#[rustfmt::skip] // one line for each file
const LIST: [(&str, &str, &[&str]); 54] = [
    ("§2.1 redirects and PKCE", "tests/bridge/rfc9700/flows.rs", &["each_provider_has_one_redirect_uri_and_nobody_can_change_it"]),
    ("§2.1 redirects and PKCE", "tests/bridge/login.rs", &["pkce_downgrade", "open_redirect"]),
    ("§2.1.1 downgrade", "tests/bridge/login.rs", &["pkce_downgrade"]),
    ("§2.1.2 implicit grant", "tests/bridge/rfc9700/flows.rs", &["there_is_no_implicit_and_no_password_grant"]),
    ("§2.2 sender-constrained tokens", "tests/bridge/pairing/flow.rs", &["the_tokens_of_a_node_with_a_key_are_bound_to_it"]),
    ("§2.2 sender-constrained tokens", "tests/bridge/token_exchange/bound.rs", &["unbinding", "what_cannot_be_proven_here_is_not_exchanged"]),
    ("§2.3 audience and scope", "tests/bridge/machines.rs", &["scopes_and_audience_are_never_wider_than_the_client_s"]),
    ("§2.3 audience and scope", "tests/bridge/pairing/codes.rs", &["neither_another_audience_nor_more_scope_is_given"]),
    ("§2.4 passwords of people", "tests/bridge/rfc9700/flows.rs", &["there_is_no_implicit_and_no_password_grant"]),
    ("§2.5 client authentication", "tests/bridge/machines.rs", &["wrong_credentials_all_get_the_same_answer", "two_means_at_once_are_refused", "an_assertion_is_good_once", "an_assertion_is_for_this_bridge_alone_of_its_client_and_short"]),
    ("§2.6 metadata, TLS", "tests/bridge/operation.rs", &["both_discovery_documents_name_the_key_set_and_the_token_endpoint"]),
    ("§2.6 metadata, TLS", "tests/bridge/config.rs", &["tokens_do_not_come_over_plain_http_from_elsewhere", "an_issuer_has_one_spelling"]),
    ("§4.1 redirect URI validation", "tests/bridge/rfc9700/flows.rs", &["each_provider_has_one_redirect_uri_and_nobody_can_change_it"]),
    ("§4.2 leakage by the referrer", "tests/bridge/rfc9700/pages.rs", &["no_address_and_no_referrer_has_a_secret"]),
    ("§4.3 leakage by the browser's history", "tests/bridge/rfc9700/pages.rs", &["no_address_and_no_referrer_has_a_secret", "what_is_secret_is_not_taken_from_an_address"]),
    ("§4.4 mix-up", "tests/bridge/login.rs", &["mix_up", "a_provider_without_iss_in_its_answers_works_too", "a_provider_that_is_another_than_it_says_is_not_asked"]),
    ("§4.5 code injection", "tests/bridge/login.rs", &["a_stolen_code_is_no_use_in_another_attempt", "code_replay"]),
    ("§4.6 token injection", "tests/bridge/login.rs", &["a_provider_that_says_what_it_must_not_signs_nobody_in"]),
    ("§4.6 token injection", "tests/bridge/token_exchange/requests.rs", &["another_issuer_and_another_kind_of_token"]),
    ("§4.7 CSRF", "tests/bridge/login.rs", &["login_csrf", "a_logout_needs_the_token_of_this_site_s_page"]),
    ("§4.7 CSRF", "tests/bridge/exchange.rs", &["an_exchange_needs_the_csrf_token_and_a_client_with_the_grant"]),
    ("§4.7 CSRF", "tests/bridge/pairing/page.rs", &["without_the_text_of_the_session_nothing_is_approved"]),
    ("§4.7 CSRF", "tests/bridge/api_keys.rs", &["who_is_not_signed_in_or_comes_from_another_site_gets_nothing"]),
    ("§4.8 PKCE downgrade", "tests/bridge/login.rs", &["pkce_downgrade"]),
    ("§4.9 leakage at a resource server", "tests/bridge/tokens.rs", &["a_machine_s_token_is_a_pat_for_a_gate_and_nothing_else"]),
    ("§4.9 leakage at a resource server", "tests/bridge/token_exchange/own.rs", &["another_audience_more_scope_longer_life", "class_change"]),
    ("§4.10 stolen access tokens", "tests/bridge/token_exchange/bound.rs", &["unbinding"]),
    ("§4.10 stolen access tokens", "tests/bridge/revocation.rs", &["a_gate_refuses_a_revoked_token_and_no_other"]),
    ("§4.11 open redirector", "tests/bridge/login.rs", &["open_redirect"]),
    ("§4.11 open redirector", "src/login/return_to.rs", &["only_a_path_of_this_site_is_one"]),
    ("§4.12 redirect with 307", "tests/bridge/rfc9700/pages.rs", &["a_redirect_is_always_303"]),
    ("§4.13 proxies that terminate TLS", "tests/bridge/rfc9700/flows.rs", &["what_a_stranger_writes_into_a_header_is_no_address"]),
    ("§4.13 proxies that terminate TLS", "src/peer.rs", &["only_what_trusted_proxies_have_written_counts"]),
    ("§4.14 refresh tokens", "tests/bridge/pairing/nodes.rs", &["a_renewal_that_comes_again_revokes_its_node", "a_renewal_that_nobody_has_made_revokes_nobody", "a_node_that_was_away_too_long_is_paired_again"]),
    ("§4.15 a client as a resource owner", "tests/bridge/rfc9700/flows.rs", &["a_client_is_never_taken_for_a_person_or_a_node"]),
    ("§4.16 clickjacking", "tests/bridge/pairing/page.rs", &["no_page_can_be_in_a_frame_or_is_kept"]),
    ("§4.16 clickjacking", "tests/bridge/rfc9700/pages.rs", &["no_page_is_in_a_frame_or_has_script"]),
    ("§4.17 messages between windows", "tests/bridge/rfc9700/pages.rs", &["no_page_is_in_a_frame_or_has_script"]),
    ("session fixation", "tests/bridge/login.rs", &["session_fixation"]),
    ("login CSRF", "tests/bridge/login.rs", &["login_csrf"]),
    ("state replay", "tests/bridge/login.rs", &["state_replay"]),
    ("code replay", "tests/bridge/login.rs", &["code_replay"]),
    ("assertion replay", "tests/bridge/token_exchange/apps.rs", &["replayed_jti", "two_replicas_racing_on_one_assertion"]),
    ("double approval", "tests/bridge/pairing/codes.rs", &["of_those_who_approve_at_once_at_several_replicas_one_does"]),
    ("polling floods", "tests/bridge/pairing/codes.rs", &["a_flood_of_polls_is_slowed_down_and_recovers", "one_address_gets_a_bounded_number_of_codes"]),
    ("guessing of user codes", "tests/bridge/pairing/codes.rs", &["who_guesses_user_codes_is_stopped_whoever_signs_in", "who_guesses_from_many_addresses_is_stopped_too"]),
    ("exchange of another audience or more scope", "tests/bridge/exchange.rs", &["exchange_of_another_audience_or_more_scope"]),
    ("exchange of another audience or more scope", "tests/bridge/token_exchange/issuers.rs", &["another_audience", "more_scope", "longer_life"]),
    ("exchange of another audience or more scope", "tests/bridge/token_exchange/apps.rs", &["another_audience_more_scope_and_a_lost_membership"]),
    ("replicas racing on rotation", "tests/bridge/keys.rs", &["of_replicas_that_rotate_at_once_one_wins", "of_replicas_that_start_at_once_one_makes_the_tables_and_the_first_key"]),
    ("replicas racing on single-use codes", "tests/bridge/pairing/codes.rs", &["of_polls_at_several_replicas_at_once_one_gets_the_token"]),
    ("replicas racing on single-use codes", "tests/bridge/pairing/nodes.rs", &["of_those_who_use_one_token_at_once_one_is_first_and_the_node_is_revoked"]),
    ("a database restored from an hour ago", "tests/bridge/rfc9700/restored.rs", &["what_was_good_once_before_a_restore_is_good_no_more"]),
    ("a database restored from an hour ago", "tests/bridge/rfc9700/restored.rs", &["a_renewal_from_before_a_restore_is_found_out"]),
];

/// The sections of RFC 9700 that have demands.
#[rustfmt::skip] // as in the table of contents
const SECTIONS: [&str; 25] = [
    "§2.1", "§2.1.1", "§2.1.2", "§2.2", "§2.3", "§2.4", "§2.5", "§2.6",
    "§4.1", "§4.2", "§4.3", "§4.4", "§4.5", "§4.6", "§4.7", "§4.8", "§4.9",
    "§4.10", "§4.11", "§4.12", "§4.13", "§4.14", "§4.15", "§4.16", "§4.17",
];

#[test]
fn every_test_of_the_list_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (what, file, tests) in LIST {
        let source = fs::read_to_string(folder.join(file)).unwrap_or_default();
        for test in tests {
            // With its attribute: a helper of this name would be no test.
            let place = source.find(&format!("fn {test}()"));
            let before = place.map(|place| source[..place].trim_end_matches("async ").trim_end());
            let attribute = before.and_then(|before| before.lines().last());
            let is_test = attribute.is_some_and(|line| {
                line.trim().starts_with("#[tokio::test") || line.trim() == "#[test]"
            });
            assert!(is_test, "{what}: {file} has no test `{test}`");
        }
    }
}

#[test]
fn every_section_is_in_the_list() {
    let known: BTreeSet<_> = LIST
        .iter()
        .filter_map(|(what, ..)| what.split(' ').next())
        .collect();
    for section in SECTIONS {
        assert!(known.contains(section), "{section}");
    }
}
