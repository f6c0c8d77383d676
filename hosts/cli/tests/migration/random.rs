//! Configurations that nobody has written: of everything that `import` reads,
//! combined at random from a fixed seed.

use countersign_artefact_tests::token::Key;
use serde_json::{Value, json};

use crate::{configuration, requests::Header};

/// xorshift64: the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn some(
        &mut self,
        least: usize,
        most: usize,
        mut make: impl FnMut(&mut Self) -> Value,
    ) -> Value {
        let number = least + self.below(most - least + 1);
        (0..number).map(|_| make(self)).collect()
    }
}

const PATHS: [&str; 8] = ["/", "/a", "/a/b", "/a/c", "/ab", "/b", "/b/c", "/b/c/d"];
const METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
const HOSTS: [&str; 3] = ["one.example", "two.example", "x.two.example"];
const ROLES: [&str; 2] = ["clerk", "admin"];

/// `jwt_authn` and one or two RBAC filters.
pub(crate) fn configuration(random: &mut Random, key: &Key) -> Value {
    let rules = random.some(1, 5, |random| {
        let mut rule = json!({ "match": route(random) });
        if random.below(4) > 0 {
            rule["requires"] = requirement(random, 2);
        }
        rule
    });
    let mut filters = vec![configuration::jwt_authn(key, rules)];
    for _ in 0..random.below(3) {
        let action = random.one(&["ALLOW", "ALLOW", "DENY"]);
        let mut policies = json!({});
        for number in 0..=random.below(3) {
            policies[number.to_string()] = json!({
                "permissions": random.some(1, 2, |random| permission(random, 2)),
                "principals": random.some(1, 2, |random| principal(random, 2)),
            });
        }
        filters.push(configuration::rbac(
            json!({ "action": action, "policies": policies }),
        ));
    }
    configuration::bootstrap(json!(filters))
}

fn route(random: &mut Random) -> Value {
    let path = random.one(&PATHS);
    let mut route = match random.below(5) {
        0 => json!({ "path": path }),
        1 => json!({ "prefix": path }),
        2 => json!({ "prefix": format!("{}/", path.trim_end_matches('/')) }),
        3 => json!({ "safe_regex": { "regex": format!("{path}.*") } }),
        _ => json!({ "path_separated_prefix": if path == "/" { "/b" } else { path } }),
    };
    if random.below(4) == 0 {
        route["headers"] = json!([header(random)]);
    }
    route
}

fn requirement(random: &mut Random, depth: usize) -> Value {
    // Envoy wants two at least.
    let several = |random: &mut Random| random.some(2, 3, |random| requirement(random, depth - 1));
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0 | 1 => {
            json!({ "provider_name": random.one(&["shop", "shop", "partner", "partner", "carrier"]) })
        }
        2 => {
            json!({ "provider_and_audiences": { "provider_name": "shop", "audiences": ["catalogue"] } })
        }
        3 => json!({ "allow_missing": {} }),
        4 => json!({ "allow_missing_or_failed": {} }),
        5 => {
            json!({ "requires_any": { "requirements": several(random) } })
        }
        _ => {
            json!({ "requires_all": { "requirements": several(random) } })
        }
    }
}

fn header(random: &mut Random) -> Value {
    let invert = random.below(4) == 0;
    match random.below(3) {
        0 => {
            json!({ "name": ":authority", "string_match": { "exact": random.one(&HOSTS) }, "invert_match": invert })
        }
        1 => {
            json!({ "name": ":authority", "string_match": { "suffix": ".example" }, "invert_match": invert })
        }
        _ => {
            json!({ "name": ":method", "string_match": { "exact": random.one(&["GET", "GET", "POST"]) }, "invert_match": invert })
        }
    }
}

fn permission(random: &mut Random, depth: usize) -> Value {
    let parts = |random: &mut Random| random.some(1, 2, |random| permission(random, depth - 1));
    match random.below(if depth == 0 { 4 } else { 7 }) {
        0 => json!({ "any": true }),
        1 => json!({ "header": header(random) }),
        2 => json!({ "url_path": { "path": { "exact": random.one(&PATHS) } } }),
        3 => json!({ "url_path": { "path": { "prefix": random.one(&PATHS) } } }),
        4 => json!({ "and_rules": { "rules": parts(random) } }),
        5 => json!({ "or_rules": { "rules": parts(random) } }),
        _ => json!({ "not_rule": permission(random, depth - 1) }),
    }
}

fn principal(random: &mut Random, depth: usize) -> Value {
    let parts = |random: &mut Random| random.some(1, 2, |random| principal(random, depth - 1));
    let claim = |name: &str, value: Value| configuration::claim(name, value);
    let exact = |text: &str| json!({ "string_match": { "exact": text } });
    match random.below(if depth == 0 { 8 } else { 11 }) {
        0 => json!({ "any": true }),
        1 => claim("role", exact(random.one(&ROLES))),
        2 => claim(
            "iss",
            exact(random.one(&[configuration::SHOP, configuration::PARTNER])),
        ),
        3 => claim(
            "scope",
            json!({ "list_match": { "one_of": exact(random.one(&ROLES)) } }),
        ),
        4 => claim(
            "sub",
            json!({ "string_match": { "safe_regex": { "regex": ".+" } } }),
        ),
        5 => claim(
            "role",
            json!({ "string_match": { "prefix": random.one(&["cl", "ad", "x"]) } }),
        ),
        6 => claim("role", json!({ "present_match": true })),
        7 => claim(
            "role",
            json!({ "list_match": { "one_of": { "string_match": { "suffix": random.one(&["rk", "in"]) } } } }),
        ),
        8 => json!({ "and_ids": { "ids": parts(random) } }),
        9 => json!({ "or_ids": { "ids": parts(random) } }),
        _ => json!({ "not_id": principal(random, depth - 1) }),
    }
}

/// A request: method, path and headers.
pub(crate) type Asked = (String, String, Vec<Header>);

/// Every path, method and kind of token, and hosts in turn.
pub(crate) fn requests(random: &mut Random, key: &Key, now: u64) -> Vec<Asked> {
    let van = key.sign(&json!({ "iss": configuration::CARRIER, "exp": now + 600 }));
    let mut requests = Vec::new();
    for path in PATHS.iter().chain(&["/a/b/c", "/c", "/bc"]) {
        for method in METHODS {
            for token in tokens(key, now) {
                let mut headers = vec![("host".to_owned(), random.one(&HOSTS).as_bytes().to_vec())];
                headers.extend(token.map(|token| {
                    (
                        "authorization".to_owned(),
                        format!("Bearer {token}").into_bytes(),
                    )
                }));
                if random.below(8) == 0 {
                    headers.push(("x-carrier".to_owned(), van.clone().into_bytes()));
                }
                requests.push((method.to_owned(), (*path).to_owned(), headers));
            }
        }
    }
    requests
}

fn tokens(key: &Key, now: u64) -> Vec<Option<String>> {
    let token = |change: Value| {
        let mut claims = json!({
            "iss": configuration::SHOP, "aud": ["orders", "catalogue"], "sub": "user-1",
            "iat": now, "exp": now + 600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Some(key.sign(&claims))
    };
    vec![
        None,
        Some("a.b.c".to_owned()),
        token(json!({})),
        token(json!({ "aud": "orders", "role": "clerk" })),
        token(json!({ "role": "admin", "scope": "clerk admin" })),
        token(json!({ "iss": configuration::PARTNER, "scope": ["clerk"] })),
        token(json!({ "iss": configuration::PARTNER, "role": "clerk" })),
        token(json!({ "role": ["admin", "clerk"] })),
        token(json!({ "role": 7 })),
        token(json!({ "role": null })),
    ]
}
