//! An operator's trial, as docs/operators.md tells it ("In one minute"): a Go service,
//! a Node.js service and an Envoy with one policy, whose change breaks one tenant. It is
//! seen before it is in force and after, and then why one person gets 401. The page's
//! own commands are run, and nobody ever sees a token.
#![cfg(unix)]
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod page;
mod scene;

use countersign_artefact_tests::stage::eventually;
use scene::{Fleet, Scene};

/// The rule that the new policy makes stricter, and its code.
const RULE: &str = "orders of globex";
const CODE: &str = "role_denied";

#[test]
fn an_operator_finds_what_a_policy_breaks_and_why_a_person_is_denied() {
    let Some(scene) = Scene::new() else {
        return;
    };
    let acme = scene.mint("--tenant acme --subject u-1001 --role clerk");
    let globex = scene.mint("--tenant globex --subject u-2002 --role clerk");

    // The new policy is a candidate beside the one in force: nobody notices.
    let fleet = Fleet::start(&scene, "policy.json", Some("next.json"));
    for _ in 0..3 {
        assert_eq!(fleet.statuses("/orgs/acme/orders/1", &acme), [200; 3]);
        assert_eq!(fleet.statuses("/orgs/globex/orders/1", &globex), [200; 3]);
    }
    eventually("each host says what the candidate would deny", || {
        let of_events = scene.count("\"comparison\":\"would_deny\"");
        of_events == 6 && fleet.would_deny(RULE, CODE) == [3; 3]
    });
    scene.follow_all(1);
    for (counter, count) in page::counters() {
        assert_eq!(fleet.envoy.metric(counter), Some(count), "{counter}");
    }
    // The other tenant's requests would be decided as now.
    assert_eq!(scene.count("orders of acme.*would_deny"), 0);
    scene.keep(&fleet);
    drop(fleet);

    // It is put in force all the same: the rule and the code say which tenant it breaks.
    let fleet = Fleet::start(&scene, "next.json", None);
    for _ in 0..2 {
        assert_eq!(fleet.statuses("/orgs/acme/orders/1", &acme), [200; 3]);
        assert_eq!(fleet.statuses("/orgs/globex/orders/1", &globex), [403; 3]);
    }
    eventually("each host says which rule denies", || {
        let denied = scene.count("\"code\":\"role_denied\".*\"mode\":\"enforced\"");
        denied == 4 && fleet.denied(RULE, CODE) == [2; 2] && scene.accesses(RULE, CODE) == 2
    });
    scene.follow_all(2);
    scene.keep(&fleet);
    drop(fleet);

    // The old policy is back. Now single people are denied, for reasons of their own.
    let fleet = Fleet::start(&scene, "policy.json", None);
    let path = "/orgs/acme/orders/1";
    assert_eq!(fleet.statuses("/orgs/globex/orders/1", &globex), [200; 3]);
    let expired = scene.mint(
        "--tenant acme --subject u-4711 --role clerk --age 2h --claim email=grace@acme.example",
    );
    scene.write("token", &expired);
    let elsewhere = scene.mint("--tenant acme --subject u-4712 --role clerk --audience billing");
    let forged = scene.forge(&acme);
    for token in [&expired, &elsewhere, &forged] {
        assert_eq!(fleet.statuses(path, token), [401; 3]);
    }
    eventually("all is logged", || {
        let codes = ["token_expired", "audience_mismatch", "signature_invalid"];
        codes.map(|code| scene.count(code)) == [2; 3]
            && codes.map(|code| scene.accesses("orders of acme", code)) == [1; 3]
    });
    scene.follow_all(3);
    // The same for a person whose token is for another service, and not for one whose
    // token nobody signed.
    let of_person = scene.events_of("u-4712");
    let codes: Vec<_> = of_person.iter().map(|event| &event["code"]).collect();
    assert_eq!(codes, ["audience_mismatch"; 2], "{of_person:?}");
    assert_eq!(scene.count("signature_invalid.*subject_ref"), 0);
    scene.write("elsewhere", &elsewhere);
    let why = scene
        .run("explain --policy policy.json --token elsewhere --request 'GET /orgs/acme/orders/1'");
    assert!(why.stdout.contains("✗ audience"), "{why:?}");
    scene.note(&why.text());
    scene.keep(&fleet);
    drop(fleet);

    scene.leaks_nothing_of(&[acme, globex, expired, elsewhere, forged]);
}
