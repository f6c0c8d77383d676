//! Random policies, small enough that rules and requests often meet.

use serde_json::{Map, Value, json};

use crate::Random;

pub(crate) const SECRETS: [&str; 2] = [
    "c2VjcmV0LW9mLXRoaXJ0eS10d28tYnl0ZXMtb3ItbW9yZSE",
    "YW5vdGhlci1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcyE",
];

pub(crate) fn random(random: &mut Random) -> Value {
    let mut policy = json!({
        "contract": "1",
        "issuers": [issuer(random, "a"), issuer(random, "b")],
        "rules": (0..1 + random.below(4)).map(|_| rule(random)).collect::<Vec<_>>(),
    });
    for _ in 0..random.below(3) {
        set(random, &mut policy);
    }
    policy
}

/// The policy with one or two changes.
pub(crate) fn changed(random: &mut Random, policy: &Value) -> Value {
    let mut policy = policy.clone();
    for _ in 0..1 + random.below(2) {
        change(random, &mut policy);
    }
    policy
}

fn change(random: &mut Random, policy: &mut Value) {
    match random.below(10) {
        0 => set(random, policy),
        1 => {
            let name = random.one(&["a", "b"]);
            let index = usize::from(name == "b");
            if let Some(issuer) = policy["issuers"].get_mut(index) {
                *issuer = self::issuer(random, name);
            }
        }
        2 => {
            // A member alone.
            let other = issuer(random, "a");
            let member = random.one(&[
                "audiences",
                "require",
                "max_token_age_s",
                "leeway_s",
                "claims",
                "token_types",
            ]);
            match other.get(member) {
                Some(value) => policy["issuers"][0][member] = value.clone(),
                None => _ = members(&mut policy["issuers"][0]).remove(member),
            }
        }
        3 => _ = policy["issuers"].as_array_mut().unwrap().pop(),
        _ => {
            let rules = policy["rules"].as_array_mut().unwrap();
            let at = random.below(rules.len() + 1);
            match random.below(6) {
                0 => rules.insert(at, rule(random)),
                1 if at < rules.len() => _ = rules.remove(at),
                2 if at + 1 < rules.len() => rules.swap(at, at + 1),
                3 if at < rules.len() => rules[at] = rule(random),
                4 if at < rules.len() => {
                    let copy = rules[at].clone();
                    rules.insert(0, copy);
                }
                _ if at < rules.len() => change_rule(random, &mut rules[at]),
                _ => {}
            }
        }
    }
}

/// One member of a rule becomes another's, or is left out.
fn change_rule(random: &mut Random, rule: &mut Value) {
    let other = self::rule(random);
    let names: Vec<String> = members(rule)
        .keys()
        .chain(other.as_object().unwrap().keys())
        .cloned()
        .collect();
    let name = random.one(&names);
    match other.get(&name) {
        Some(value) => rule[&name] = value.clone(),
        None => _ = members(rule).remove(&name),
    }
}

fn members(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().unwrap()
}

/// One setting.
fn set(random: &mut Random, policy: &mut Value) {
    let (name, value) = match random.below(10) {
        0 => ("leeway_s", random.one(&[json!(0), json!(30), json!(200)])),
        1 => ("path_case", random.one(&[json!("exact"), json!("refuse")])),
        2 => ("credentials", places(random, false)),
        3 => ("several", random.one(&[json!("first"), json!("refuse")])),
        4 => ("challenge", challenge(random)),
        5 => (
            "forward",
            random.one(&[
                json!({ "x-sub": "subject" }),
                json!({ "x-ten": "tenant" }),
                json!({}),
            ]),
        ),
        6 => ("strip_credential", json!(random.one_in(2))),
        7 => ("realm", json!("another")),
        8 => (
            "limits",
            random.one(&[
                json!({ "token_bytes": 250 }),
                json!({ "json_members": 5 }),
                json!({}),
            ]),
        ),
        _ => ("remember", json!(random.one_in(2))),
    };
    policy[name] = value;
}

fn issuer(random: &mut Random, name: &str) -> Value {
    let mut issuer = json!({
        "name": name,
        "issuer": format!("https://{name}.example"),
        "audiences": random.one(&[json!("any"), json!(["x"]), json!(["x", "y"]), json!({ "all": ["x", "y"] })]),
        "algorithms": ["HS256"],
        "keys": { "secrets": [{ "kid": "s", "alg": "HS256", "k": SECRETS[usize::from(random.one_in(8))] }] },
        "claims": { "tenant": random.one(&["/tenant", "/org"]) },
    });
    if random.one_in(3) {
        issuer["leeway_s"] = random.one(&[json!(0), json!(120)]);
    }
    if random.one_in(4) {
        issuer["max_token_age_s"] = random.one(&[json!(60), json!(600)]);
    }
    if random.one_in(4) {
        issuer["require"] = conditions(random, false);
    }
    if random.one_in(4) {
        issuer["token_types"] = random.one(&[
            json!([{ "name": "t1", "claim": { "typ": "t1" } }, { "name": "t2", "claim": { "typ": "t2" } }]),
            json!([{ "name": "t1", "claim": { "typ": "t1" }, "scopes_within": ["s1"] }]),
        ]);
    }
    issuer
}

fn path(random: &mut Random) -> String {
    let mut path = String::new();
    for index in 0..random.below(4) {
        path += "/";
        match random.one(&["a", "b", "A", "a", "s", "%C5%BF", "{}", "{}"]) {
            "{}" => path += &format!("{{{}}}", ["x", "y", "z"][index]),
            text => path += text,
        }
    }
    match (random.one_in(2), path.is_empty()) {
        (true, _) => path + "/**",
        (false, true) => "/".to_owned(),
        (false, false) => path,
    }
}

fn rule(random: &mut Random) -> Value {
    let first = path(random);
    let mut rule = match random.one_in(4) {
        true => json!({ "path": [first, path(random)] }),
        false => json!({ "path": first }),
    };
    if random.one_in(3) {
        let hosts = [
            json!(["a.test"]),
            json!(["*.test"]),
            json!(["b.test", "a.test"]),
            json!(["{h}.test"]),
        ];
        rule["hosts"] = random.one(&hosts);
    }
    if random.one_in(3) {
        rule["methods"] = random.one(&[json!(["GET"]), json!(["POST"]), json!(["HEAD", "PUT"])]);
    }
    if random.one_in(4) {
        rule["encoded_slash"] = json!("keep");
    }
    if random.one_in(6) {
        rule["public"] = json!(true);
        return rule;
    }
    match random.below(6) {
        0 => rule["optional"] = json!(true),
        1 => rule["optional"] = json!({ "bad_token": "ignore" }),
        _ => {}
    }
    rule["require"] = requirement(random, 2);
    if random.one_in(6) {
        rule["credentials"] = places(random, true);
        if random.one_in(2) {
            rule["several"] = json!("first");
        }
    }
    if random.one_in(8) {
        rule["accept_expired_s"] = random.one(&[json!(100), json!(1000)]);
    }
    if random.one_in(8) {
        rule["challenge"] = challenge(random);
    }
    if random.one_in(10) {
        rule["credentials"] = json!([{ "header": "authorization", "scheme": "Bearer" },
            { "header": "x-w", "issuers": ["b"], "principal": "w" }]);
        rule["principals"] = json!({ "w": requirement(random, 0) });
    }
    rule
}

fn places(random: &mut Random, in_rule: bool) -> Value {
    let bearer = json!({ "header": "authorization", "scheme": "Bearer" });
    random.one(&[
        json!([bearer]),
        json!([bearer, { "cookie": "c" }]),
        json!([{ "cookie": "c", "same_origin": true }, bearer]),
        json!([{ "header": "x-t" }, bearer]),
        match in_rule {
            true => json!([bearer, { "query": "q" }]),
            false => json!([bearer, { "header": "x-t", "issuers": ["a"] }]),
        },
    ])
}

fn challenge(random: &mut Random) -> Value {
    random.one(&[
        json!({ "scope": true }),
        json!({ "resource_metadata": "https://a.test/.well-known/oauth-protected-resource" }),
        json!({ "resource_metadata": { "resource": "https://a.test/a" } }),
    ])
}

fn requirement(random: &mut Random, levels: usize) -> Value {
    let mut required = json!({});
    for _ in 0..random.below(3) {
        let (name, value) = match random.below(12) {
            0 => (
                "roles",
                random.one(&[
                    json!(["r1"]),
                    json!({ "any": ["r1", "r2"] }),
                    json!(["r1", "r2"]),
                ]),
            ),
            1 => (
                "roles",
                random.one(&[json!(["r2"]), json!({ "any": ["r2", "r3"], "all": ["r1"] })]),
            ),
            2 => (
                "scopes",
                random.one(&[json!(["s1"]), json!({ "any": ["s1", "s2"] }), json!(["s2"])]),
            ),
            3 => (
                "tenant",
                random.one(&[
                    json!("present"),
                    json!({ "fixed": "a" }),
                    json!("{x}"),
                    json!({ "capture": "h" }),
                ]),
            ),
            4 => (
                "tenant",
                json!({ "header": random.one(&["x-org", "x-scope"]) }),
            ),
            5 => (
                "subject",
                random.one(&[
                    json!("present"),
                    json!({ "fixed": "u1" }),
                    json!("{x}"),
                    json!("{y}"),
                    json!({ "capture": "y" }),
                    json!({ "capture": "x" }),
                ]),
            ),
            6 => (
                "issuers",
                random.one(&[json!(["a"]), json!(["b"]), json!(["a", "b"])]),
            ),
            7 => ("audiences", random.one(&[json!(["x"]), json!(["y", "z"])])),
            8 => ("types", random.one(&[json!(["t1"]), json!(["t1", "t2"])])),
            9 => ("max_token_age_s", random.one(&[json!(60), json!(600)])),
            10 if levels > 0 => {
                let parts = [
                    requirement(random, levels - 1),
                    requirement(random, levels - 1),
                ];
                (random.one(&["any_of", "all_of"]), json!(parts))
            }
            _ => ("claims", conditions(random, true)),
        };
        required[name] = value;
    }
    required
}

fn conditions(random: &mut Random, in_rule: bool) -> Value {
    let condition = match random.below(9) {
        0 => json!("p"),
        1 => json!({ "one_of": ["p", "q"] }),
        2 => json!({ "one_of": ["q", 7] }),
        3 => json!({ "present": random.one_in(2) }),
        4 => json!({ "not": { "equals": "p" } }),
        5 => json!({ "any_of": [{ "present": false }, { "starts_with": "p" }] }),
        6 => json!({ "separator": ",", "contains": "p" }),
        7 if in_rule => json!({ "equals": { "header": "x-org" } }),
        _ => json!({ "some": { "one_of": ["p", "q"] } }),
    };
    json!({ random.one(&["k", "/k", "/l"]): condition })
}
