//! `countersign import`: another configuration, as a policy that is no looser.
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
mod rewrites;

use common::{Folder, Run};
use serde_json::{Value, json};

const SHOP: &str = include_str!("shop.yaml");
const MULTI: &str = include_str!("multi.yaml");
const BOOKS: &str = include_str!("books.yaml");
const TWO: &str = include_str!("two.yaml");

/// The run, and the policy that it printed.
fn import(kind: &str, text: &str, options: &str) -> (Run, Value) {
    let folder = Folder::new();
    folder.write("input.yaml", text);
    let run = folder
        .run(&format!("import {kind} input.yaml {options}"))
        .expect(0);
    folder.write("policy.yaml", &run.stdout);
    folder.run("policy lint policy.yaml").expect(0);
    let policy = folder.run("policy show policy.yaml").expect(0).json();
    (run, policy)
}

fn nobody() -> Value {
    json!({ "claims": { "/iss": { "equals": false } } })
}

#[test]
fn providers_become_issuers_and_rules_their_intersection_with_rbac() {
    let (run, policy) = import("envoy", SHOP, "--whole-segments");
    assert_eq!(
        policy["issuers"][0],
        json!({
            "name": "shop", "issuer": "https://login.shop.example",
            "audiences": ["catalogue", "orders"], "algorithms": ["RS256"],
            "keys": { "jwks_uri": "https://login.shop.example/keys" },
        })
    );
    assert_eq!(policy["issuers"][1]["audiences"], "any");
    assert_eq!(policy["leeway_s"], 60);
    let orders = json!({ "issuers": ["shop"], "audiences": ["orders"] });
    let mut clerk = orders.clone();
    clerk["claims"] = json!({ "/role": { "equals": "clerk" } });
    assert_eq!(
        policy["rules"],
        json!([
            { "path": "/**", "methods": ["HEAD"], "require": nobody() },
            { "path": "/healthz/**", "methods": ["GET"], "public": true },
            { "path": "/feed/**", "methods": ["GET"], "optional": true, "require": { "issuers": ["shop"] } },
            { "path": "/orders/**", "methods": ["POST"], "require": clerk },
            { "path": "/orders/**", "methods": ["GET"], "require": orders },
            { "path": "/**", "methods": ["GET"], "require": {} },
        ])
    );
    let line = "input.yaml:19:81: /static_resources/listeners/0/filter_chains/0/filters/0/typed_config\
                   /http_filters/0/typed_config/providers/shop/remote_jwks/http_uri/cluster: warning[dropped]: ";
    assert!(run.stderr.contains(line), "{run:?}");
}

#[test]
fn the_filters_configuration_names_the_clusters_that_fetch_keys() {
    let folder = Folder::new();
    folder.write("shop.yaml", SHOP);
    let run = folder.run("import envoy shop.yaml --plugin").expect(0);
    assert!(!run.stderr.contains("cluster"), "{run:?}");
    folder.write("plugin.yaml", &run.stdout);
    let plugin = folder.run("policy show plugin.yaml").expect(0).json();
    assert_eq!(plugin["policy"]["contract"], "1");
    let clusters = json!({ "login.shop.example": "login", "id.partner.example": "partner" });
    assert_eq!(plugin["envoy"], json!({ "clusters": clusters }));

    folder.write("multi.yaml", MULTI);
    let run = folder.run("import envoy multi.yaml --plugin").expect(0);
    assert!(
        run.stdout.contains("bypass_cors_preflight: true"),
        "{run:?}"
    );

    folder.write("books.yaml", BOOKS);
    let run = folder.run("import istio books.yaml --plugin").expect(0);
    assert!(
        run.stdout
            .contains("accounts.example.com: \"outbound|9443||{host}\""),
        "{run:?}"
    );
}

#[test]
fn a_prefix_that_ends_within_a_segment_is_stricter_for_paths_that_a_policy_cannot_distinguish() {
    let (run, policy) = import("envoy", SHOP, "");
    // `/feeds` may be meant by `/feed`, so that only `shop` signs for any segment.
    let rules = policy["rules"].as_array().unwrap();
    let others = rules.iter().find(|rule| rule["path"] == "/{a}/**").unwrap();
    assert_eq!(others["require"], json!({ "issuers": ["shop"] }));
    assert!(run.stderr.contains("use `--whole-segments`"), "{run:?}");
}

#[test]
fn a_header_that_is_not_carried_over_is_still_removed_from_requests() {
    let (run, policy) = import("envoy", SHOP, "");
    // No token has a tenant: nothing is ever set.
    assert_eq!(policy["forward"]["x-team"], "tenant");
    assert!(policy["issuers"][0].get("claims").is_none());
    assert!(
        run.stderr
            .contains("the header `x-team` is removed from requests"),
        "{run:?}"
    );
    assert_eq!(policy["strip_credential"], true);
}

#[test]
fn what_a_policy_cannot_express_is_denied_and_reported() {
    let (run, policy) = import("envoy", MULTI, "");
    let places = json!([
        { "header": "authorization", "scheme": "Bearer" }, { "header": "x-token" },
        { "cookie": "session" }, { "query": "t" },
    ]);
    assert_eq!(
        policy["rules"],
        json!([
            { "path": "/Open", "credentials": places, "optional": { "bad_token": "ignore" } },
            { "path": "/a/**", "credentials": places, "require": {} },
            { "path": "/{a}/**", "require": nobody() },
            { "path": "/**", "credentials": places, "require": {} },
        ])
    );
    assert_eq!(
        policy["issuers"][0]["require"],
        json!({ "/sub": { "equals": "robot" } })
    );
    assert_eq!(
        policy["issuers"][0]["token_types"][0]["max_lifetime_s"],
        3600
    );
    assert_eq!(policy["leeway_s"], 10);
    for line in [
        "remote_ip: warning[stricter]: a policy can use only path, method, host and the token",
        "localJwks: warning[stricter]: only `inline_string` is carried over",
        "requiresAll: warning[stricter]: one token cannot meet this, and several only",
    ] {
        assert!(run.stderr.contains(line), "{line}\n{run:?}");
    }
}

#[test]
fn istio_denies_first_and_admits_what_one_policy_allows() {
    let (run, policy) = import("istio", BOOKS, "");
    assert_eq!(
        policy["rules"],
        json!([
            { "path": "/**", "methods": ["HEAD"], "require": nobody() },
            { "path": "/healthz", "methods": ["GET"], "optional": true },
            { "path": "/books/{b}/**", "methods": ["POST", "PUT"], "require": { "subject": "present", "claims": {
                "/groups": { "any_of": [
                    { "one_of": ["editors", "admins"] },
                    { "some": { "one_of": ["editors", "admins"] } },
                ] },
                "/scope": { "separator": " ", "contains": "books:write" },
            } } },
            { "path": "/books/**", "methods": ["GET"], "require": { "subject": "present" } },
        ])
    );
    assert_eq!(policy["forward"], json!({ "x-payload": "claims" }));
    let codes = run.stderr.matches("warning[stricter]").count();
    assert_eq!(codes, 5, "{run:?}");
}

#[test]
fn one_workload_of_several_has_to_be_chosen() {
    let folder = Folder::new();
    folder.write("two.yaml", TWO);
    let run = folder.run("import istio two.yaml").expect(2);
    assert!(
        run.stderr.contains("choose one with `--namespace`"),
        "{run:?}"
    );
    let run = folder
        .run("import istio two.yaml --namespace shop")
        .expect(2);
    assert!(
        run.stderr
            .contains("two.yaml:22:5: /items/2: error[refused]: several workloads"),
        "{run:?}"
    );
    assert!(run.stdout.is_empty(), "{run:?}");

    let (run, policy) = import("istio", TWO, "--namespace shop --label app=api");
    let alice = json!({ "issuers": ["a.example"], "claims": { "/sub": { "equals": "alice" } } });
    let bob = json!({ "claims": { "/sub": { "equals": "bob" } } });
    assert_eq!(
        policy["rules"],
        json!([
            { "path": "/v1/{b}/items", "hosts": ["api.example.com", "*.shop.example"],
              "require": { "any_of": [alice, bob] } },
            { "path": "/mail", "require": { "claims": {
                "/email/verified": { "any_of": [{ "equals": "yes" }, { "contains": "yes" }] } } } },
        ])
    );
    assert!(
        run.stderr
            .contains("namespaces: warning[stricter]: a policy cannot see the client")
    );
}

#[test]
fn a_denial_by_claim_admits_every_other_value() {
    let web = TWO.replace(
        "metadata: { name: nothing, namespace: shop }\n    spec: {}",
        "metadata: { name: all, namespace: shop }\n    spec: { rules: [{}] }",
    );
    let (run, policy) = import("istio", &web, "--namespace shop --target Gateway/web");
    assert_eq!(
        policy["rules"],
        json!([
            { "path": "/b", "require": { "issuers": ["b.example"], "subject": "present" } },
            { "path": "/c", "require": { "claims": { "/role": { "any_of": [
                { "present": false }, { "not": { "equals": "guest" } }, { "not": { "contains": "guest" } },
            ] } } } },
            { "path": "/**", "require": {} },
        ])
    );
    assert!(
        run.stderr
            .contains("a claim of another type is unknown to a policy"),
        "{run:?}"
    );
}

#[test]
fn what_cannot_be_imported_safely_is_refused() {
    let folder = Folder::new();
    let refused = |kind: &str, text: &str, sentence: &str| {
        folder.write("input.yaml", text);
        let run = folder.run(&format!("import {kind} input.yaml")).expect(2);
        assert!(run.stderr.contains(sentence), "{sentence}\n{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    };
    refused(
        "envoy",
        "a: 1\n",
        "no `http_filters` with a `jwt_authn` filter",
    );
    refused("istio", "a: 1\n", "no issuer could be carried over");
    let twice = format!("a:\n{}b:\n{}", indented(MULTI), indented(MULTI));
    refused("envoy", &twice, "choose this one with `--at`");
    let unknown = SHOP.replace(
        "provider_name: shop }, { allow_missing",
        "provider_name: shoe }, { allow_missing",
    );
    refused("envoy", &unknown, "no provider is named `shoe`");
    let route = "  route_config: { routes: [{ typed_per_filter_config: \
                 { envoy.filters.http.jwt_authn: { requirement_name: x } } }] }\n";
    refused(
        "envoy",
        &format!("a:\n{route}{}", indented(MULTI)),
        "settings of a route",
    );
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[test]
fn as_json_the_policy_comes_with_its_notes() {
    let folder = Folder::new();
    folder.write("input.yaml", BOOKS);
    let shape = folder
        .run("import istio --json input.yaml")
        .expect(0)
        .json();
    assert_eq!(shape["policy"]["contract"], "1");
    let problems = shape["problems"].as_array().unwrap();
    let dropped = problems
        .iter()
        .find(|problem| problem["code"] == "dropped")
        .unwrap();
    assert_eq!(dropped["pointer"], "/spec/jwtRules/0/jwksUri");
    assert_eq!(
        (&dropped["line"], &dropped["column"]),
        (&json!(8), &json!(7))
    );
    assert_eq!(dropped["severity"], "warning");
}
