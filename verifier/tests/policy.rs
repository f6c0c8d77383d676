//! The policy's parser and its JSON Schema, held against each other.
//!
//! `policy/whole.json` uses every field; `policy/mutations.json` changes it in
//! one place each, and says which problems that makes.

use std::collections::{BTreeMap, BTreeSet};

use boon::{Compiler, SchemaIndex, Schemas};
use countersign::{Algorithm, Gate, Limits, POLICY_SCHEMA, Problem, Severity, lint};
use serde_json::{Value, json};

const DESIGN: &str = include_str!("policy/design.json");
const WHOLE: &str = include_str!("policy/whole.json");
const MUTATIONS: &str = include_str!("policy/mutations.json");

/// What a schema cannot say, by the code that the parser has for it.
const BEYOND_A_SCHEMA: [(&str, &str); 8] = [
    (
        "conflict",
        "a header is read and set, two types are told in the same way",
    ),
    (
        "duplicate",
        "one name, place, header or host, written in two ways or in two objects",
    ),
    ("jwks_no_usable_key", "what a key is worth"),
    (
        "key_unusable",
        "the length that a secret needs for its algorithm",
    ),
    ("too_deep", "levels of a requirement that nests"),
    ("too_many", "segments of a path"),
    ("unknown_name", "whether a name is defined elsewhere"),
    ("value_invalid", "a reserved header in another case"),
];

#[test]
fn a_policy_that_uses_every_field_has_no_problem() {
    assert_eq!(lint(WHOLE.as_bytes()), []);
    assert!(Gate::open(WHOLE.as_bytes(), 0).is_ok());
}

#[test]
fn the_example_of_the_documentation_has_no_problem() {
    assert_eq!(lint(DESIGN.as_bytes()), []);
    assert!(Schema::new().accepts(&parsed(DESIGN)));
}

#[test]
fn each_mutation_has_exactly_its_problems() {
    let mut differing = Vec::new();
    for mutation in mutations() {
        let found = lint(mutation.policy.to_string().as_bytes());
        if places(&found) != mutation.expected {
            differing.push((mutation.name, found));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn parser_and_schema_agree_on_each_mutation_but_where_a_schema_cannot_say_it() {
    let schema = Schema::new();
    let mut beyond = BTreeSet::new();
    let mut differing = Vec::new();
    for mutation in mutations() {
        let refused = mutation
            .expected
            .iter()
            .any(|(_, _, severity)| *severity == Severity::Error);
        let expected = mutation.beyond_a_schema || !refused;
        if schema.accepts(&mutation.policy) != expected {
            differing.push(mutation.name);
        }
        if mutation.beyond_a_schema {
            assert!(refused);
            beyond.extend(mutation.expected.into_iter().map(|(_, code, _)| code));
        }
    }
    assert_eq!(differing, [""; 0], "the schema says otherwise");
    assert_eq!(
        beyond,
        BEYOND_A_SCHEMA.map(|(code, _)| code.to_owned()).into()
    );
}

#[test]
fn whatever_stands_anywhere_parser_and_schema_agree_but_on_names_and_keys() {
    const BEYOND: [&str; 2] = ["jwks_no_usable_key", "unknown_name"];
    let schema = Schema::new();
    let whole = parsed(WHOLE);
    let odd = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(7),
        json!(1e300),
        json!(2.5),
        json!(""),
        json!("a"),
        json!("/a"),
        json!("*"),
        json!("https://a.example"),
        json!("ü \n"),
        json!([]),
        json!(["a"]),
        json!([["a"]]),
        json!([{}]),
        json!({}),
        json!({ "a": "b" }),
        json!({ "fixed": "a" }),
        json!({ "all": ["a"], "any": ["b"] }),
    ];
    let mut differing = Vec::new();
    let places = everywhere(&whole);
    for (place, value) in places.iter().flat_map(|p| odd.iter().map(move |o| (p, o))) {
        let mut policy = whole.clone();
        set(&mut policy, place, value.clone());
        let found = lint(policy.to_string().as_bytes());
        let mut refused = found
            .iter()
            .filter(|p| p.severity == Severity::Error)
            .peekable();
        let accepted = refused.peek().is_none();
        let beyond = refused.all(|p| BEYOND.contains(&p.code));
        let by_schema = schema.accepts(&policy);
        if accepted != by_schema && !(by_schema && beyond) {
            differing.push((place, value, by_schema, found));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn every_sentence_is_in_lower_case_and_without_a_full_stop() {
    for mutation in mutations() {
        for problem in lint(mutation.policy.to_string().as_bytes()) {
            let message = &problem.message;
            let starts = message.chars().next().is_some_and(|c| !c.is_uppercase());
            let acronym = message.starts_with("HS256") || message.starts_with("JWK");
            assert!((starts || acronym) && !message.ends_with('.'), "{message}");
        }
    }
}

#[test]
fn every_problem_points_at_something_in_the_policy() {
    for mutation in mutations() {
        for problem in lint(mutation.policy.to_string().as_bytes()) {
            assert!(
                mutation.policy.pointer(&problem.pointer).is_some(),
                "{problem:?}"
            );
        }
    }
}

#[test]
fn parser_and_schema_know_the_same_fields() {
    const UNKNOWN: &str = "zzzzzzzzzzzzzzzzzzzz";
    let whole = parsed(WHOLE);
    let schema = parsed(POLICY_SCHEMA);
    let mut compared = BTreeSet::new();
    for object in objects(&whole) {
        let place = format!("{object}/{UNKNOWN}");
        let mut policy = whole.clone();
        set(&mut policy, &place, json!({}));
        let found = lint(policy.to_string().as_bytes());
        let unknown = found
            .iter()
            .find(|p| p.pointer == place && p.code == "field_unknown");
        // Elsewhere the members' names are the operator's, or a key's.
        let Some(unknown) = unknown else { continue };
        let (_, known) = unknown
            .message
            .split_once("known here: ")
            .expect("a list of the fields");
        let known: BTreeSet<&str> = known
            .split(", ")
            .map(|name| name.trim_matches('`'))
            .collect();
        let described = describing(&schema, &whole, &object);
        let named = schema
            .pointer(&described)
            .and_then(|s| s.get("properties"))
            .unwrap();
        let named: BTreeSet<&str> = named
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(known, named, "{object} is described by {described}");
        compared.insert(described);
    }
    let closed = objects(&schema).into_iter().filter(|place| {
        schema
            .pointer(place)
            .and_then(|s| s.get("additionalProperties"))
            == Some(&json!(false))
    });
    // Secrets are read by the keyring, which has its own code for a field too many.
    let closed = closed.filter(|place| !place.ends_with("/secrets/items"));
    assert_eq!(
        compared,
        closed.collect(),
        "an object of the schema was not compared"
    );
}

#[test]
fn the_schema_has_the_algorithms_and_the_limits_of_the_gate() {
    let schema = parsed(POLICY_SCHEMA);
    let listed = schema.pointer("/$defs/issuer/properties/algorithms/items/enum");
    let listed: Vec<&str> = listed
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .flat_map(Value::as_str)
        .collect();
    for algorithm in Algorithm::ALL {
        assert!(
            listed.contains(&algorithm.as_str()),
            "{algorithm:?} is not in the schema"
        );
    }
    for name in listed {
        assert!(
            Algorithm::from_name(name).is_some(),
            "{name} is not in the gate"
        );
    }
    let most = Limits::DEFAULT;
    for (name, most) in [
        ("token_bytes", most.token_bytes),
        ("header_bytes", most.header_bytes),
        ("json_depth", most.json_depth),
        ("json_members", most.json_members),
        ("document_bytes", most.document_bytes),
        ("document_keys", most.document_keys),
        ("remembered_tokens", most.remembered_tokens),
    ] {
        let limit = &schema["properties"]["limits"]["properties"][name];
        assert_eq!(limit["maximum"], json!(most), "{name}");
        assert_eq!(limit["default"], json!(most), "{name}");
    }
}

#[test]
fn every_example_and_default_of_the_schema_is_valid_by_it() {
    let schema = parsed(POLICY_SCHEMA);
    let mut compared = 0;
    for place in objects(&schema) {
        let described = schema.pointer(&place).unwrap();
        let examples = described.get("examples").and_then(Value::as_array);
        let values = examples
            .into_iter()
            .flatten()
            .chain(described.get("default"));
        // Within `properties` a field may itself be called `default`.
        for value in values.filter(|_| !place.ends_with("/properties")) {
            assert!(Schema::at(&place).accepts(value), "{value} at {place}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared} examples and defaults");
}

#[test]
fn problems_come_all_at_once_in_the_order_of_the_policy() {
    let policy = br#"{
        "rules": [{ "path": "orgs", "publik": true }, { "path": "/a", "require": { "types": ["pat"] } }],
        "leeway_s": 301,
        "issuers": [{
            "issuer": "https://auth.example.com",
            "keys": { "jwks_uri": "http://auth.example.com/jwks" },
            "algorithms": ["none"],
            "name": "platform"
        }],
        "contract": "2"
    }"#;
    let found: Vec<(String, &str)> = lint(policy)
        .into_iter()
        .map(|problem| (problem.pointer, problem.code))
        .collect();
    let expected = [
        ("/rules/0", "field_missing"),
        ("/rules/0/path", "value_invalid"),
        ("/rules/0/publik", "field_unknown"),
        ("/rules/1/require/types/0", "unknown_name"),
        ("/leeway_s", "value_out_of_range"),
        ("/issuers/0", "field_missing"),
        ("/issuers/0/keys/jwks_uri", "value_invalid"),
        ("/issuers/0/algorithms/0", "value_invalid"),
        ("/contract", "value_invalid"),
    ];
    assert_eq!(
        found,
        expected.map(|(place, code)| (place.to_owned(), code))
    );
}

#[test]
fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
    for (place, wrong, meant) in [
        ("/leway_s", json!(5), "leeway_s"),
        ("/issuers/0/aud", json!("any"), "audiences"),
        ("/issuers/0/keys/jwks-url", json!(""), "jwks_uri"),
        ("/rules/0/Methods", json!([]), "methods"),
        ("/rules/1/require/types/0", json!("acess"), "access"),
        ("/rules/1/require/issuers/0", json!("platfrom"), "platform"),
        ("/rules/1/require/tenant", json!("{orgs}"), "org"),
        ("/forward/x-auth-type", json!("role"), "roles"),
    ] {
        let mut policy = parsed(WHOLE);
        set(&mut policy, place, wrong);
        let found = lint(policy.to_string().as_bytes());
        let hint = format!("did you mean `{meant}`?");
        assert!(
            found
                .iter()
                .any(|p| p.pointer == place && p.message.ends_with(&hint)),
            "{found:?}"
        );
    }
}

#[test]
fn a_fault_of_the_json_is_told_with_its_line_and_column_or_its_place() {
    let one = |text: &[u8]| match &lint(text)[..] {
        [problem] => (
            problem.pointer.clone(),
            problem.code,
            problem.message.clone(),
        ),
        problems => panic!("{problems:?}"),
    };
    let (place, code, message) = one(b"{\n  \"contract\": \"1\",\n}");
    assert_eq!((&*place, code), ("", "syntax"));
    assert!(message.contains("line 3, column 1"), "{message}");
    let (place, code, message) = one(b"{ \"issuers\": [{ \"name\": 1,\n \"n\\u0061me\": 2 }] }");
    assert_eq!((&*place, code), ("/issuers/0/name", "duplicate"));
    assert!(message.contains("line 2"), "{message}");
    assert_eq!(one(b"").1, "syntax");
    assert_eq!(one(b"{\"contract\": \"\xff\"}").1, "syntax");
    assert_eq!(one("[".repeat(100).as_bytes()).1, "too_deep");
    assert_eq!(one(&vec![b' '; 16 * 1024 * 1024 + 1]).1, "too_large");
}

#[test]
fn a_requirement_alone_is_judged_by_the_names_of_its_policy() {
    let mut gate = Gate::open(WHOLE.as_bytes(), 0).unwrap();
    let mut prepare = |requirement: Value| {
        let prepared = gate.prepare(requirement.to_string().as_bytes());
        prepared.map_err(|problems| places(&problems))
    };
    assert!(prepare(json!({ "issuers": ["platform"], "types": ["pat"] })).is_ok());
    assert!(prepare(json!({})).is_ok());
    let refused = |place: &str, code: &str| -> Result<u32, Places> {
        Err([(place.to_owned(), code.to_owned(), Severity::Error)].into())
    };
    assert_eq!(
        prepare(json!({ "issuers": ["platfrom"] })),
        refused("/issuers/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "types": ["pta"] })),
        refused("/types/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "issuers": ["partner"], "types": ["pat"] })),
        refused("/types/0", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "tenant": "{org}" })),
        refused("/tenant", "unknown_name")
    );
    assert_eq!(
        prepare(json!({ "scope": ["a"] })),
        refused("/scope", "field_unknown")
    );
    assert_eq!(prepare(json!([])), refused("", "type_wrong"));
}

#[test]
fn more_problems_than_anybody_reads_are_counted() {
    let mut policy = parsed(WHOLE);
    let rules: Vec<Value> = (0..10_000)
        .map(|i| json!({ "path": format!("a{i}") }))
        .collect();
    policy["rules"] = json!(rules);
    let found = lint(policy.to_string().as_bytes());
    let last = found.last().unwrap();
    assert_eq!((&*last.pointer, last.code), ("", "too_many"));
    let left_out: usize = last
        .message
        .split(' ')
        .next_back()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(left_out + found.len() - 1, 20_000);
}

#[test]
fn no_message_quotes_a_secret_or_a_password() {
    let mut policy = parsed(WHOLE);
    set(
        &mut policy,
        "/issuers/3/keys/secrets/0",
        json!({ "k": "hunter2", "hunter2": "hunter2" }),
    );
    set(
        &mut policy,
        "/issuers/0/keys/jwks_uri",
        json!("https://me:hunter2@auth.example.com/"),
    );
    let found = lint(policy.to_string().as_bytes());
    assert_eq!(found.len(), 2);
    assert!(
        found.iter().all(|p| !p.message.contains("me:hunter2")),
        "{found:?}"
    );
    set(
        &mut policy,
        "/issuers/3/keys/secrets/0",
        json!({ "k": "hunter2" }),
    );
    let found = lint(policy.to_string().as_bytes());
    assert!(
        found.iter().all(|p| !p.message.contains("hunter2")),
        "{found:?}"
    );
}

#[test]
fn names_of_a_policy_that_could_not_be_read_are_not_missed() {
    let mut policy = parsed(WHOLE);
    set(&mut policy, "/issuers/0/name", json!(5));
    let found = places(&lint(policy.to_string().as_bytes()));
    assert_eq!(
        found,
        [(
            "/issuers/0/name".into(),
            "type_wrong".into(),
            Severity::Error
        )]
        .into()
    );
}

#[test]
fn ten_thousand_issuers_and_rules_are_read() {
    let policy = large(10_000);
    assert_eq!(lint(policy.as_bytes()), []);
    let found = lint(large(10_001).as_bytes());
    let expected = ["/issuers", "/rules"]
        .map(|place| (place.to_owned(), "too_many".to_owned(), Severity::Error));
    assert_eq!(places(&found), expected.into());
}

/// As many issuers, and as many rules that name them.
fn large(count: usize) -> String {
    let issuers: Vec<Value> = (0..count)
        .map(|i| {
            json!({
                "name": format!("issuer-{i}"),
                "issuer": format!("https://{i}.example.com"),
                "audiences": ["platform"],
                "algorithms": ["RS256"],
                "keys": { "jwks_uri": format!("https://{i}.example.com/jwks.json") },
                "claims": { "tenant": "/tenant_id" },
            })
        })
        .collect();
    let rules: Vec<Value> = (0..count)
        .map(|i| {
            json!({
                "path": format!("/orgs/{{org}}/things-{i}/**"),
                "methods": ["GET", "POST"],
                "require": { "issuers": [format!("issuer-{i}")], "tenant": "{org}" },
            })
        })
        .collect();
    json!({ "contract": "1", "issuers": issuers, "rules": rules }).to_string()
}

/// Where, what, how bad: without the sentence, and in any order.
type Places = BTreeSet<(String, String, Severity)>;

fn places(problems: &[Problem]) -> Places {
    problems
        .iter()
        .map(|p| (p.pointer.clone(), p.code.to_owned(), p.severity))
        .collect()
}

struct Mutation {
    name: String,
    policy: Value,
    expected: Places,
    beyond_a_schema: bool,
}

fn mutations() -> Vec<Mutation> {
    let mutations = parsed(MUTATIONS);
    let mutations = mutations.as_array().unwrap();
    assert!(mutations.len() >= 120);
    mutations.iter().map(mutation).collect()
}

fn mutation(mutation: &Value) -> Mutation {
    let mut policy = parsed(WHOLE);
    for (place, value) in mutation["set"].as_object().into_iter().flatten() {
        set(&mut policy, place, value.clone());
    }
    for place in mutation["remove"].as_array().into_iter().flatten() {
        remove(&mut policy, place.as_str().unwrap());
    }
    let expect = |list: &Value, severity: Severity| -> Places {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| {
            let text = |index: usize| one[index].as_str().unwrap().to_owned();
            (text(0), text(1), severity)
        })
        .collect()
    };
    let mut expected = expect(&mutation["problems"], Severity::Error);
    expected.extend(expect(&mutation["warnings"], Severity::Warning));
    Mutation {
        name: mutation["name"].as_str().unwrap().to_owned(),
        policy,
        expected,
        beyond_a_schema: mutation.get("schema") == Some(&json!("cannot say")),
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The parent of a place, and the plain last token of its pointer.
fn parent<'v>(root: &'v mut Value, place: &str) -> (&'v mut Value, String) {
    let (parent, last) = place.rsplit_once('/').unwrap();
    (
        root.pointer_mut(parent).unwrap(),
        last.replace("~1", "/").replace("~0", "~"),
    )
}

fn set(root: &mut Value, place: &str, value: Value) {
    if place.is_empty() {
        *root = value;
        return;
    }
    match parent(root, place) {
        (Value::Array(items), last) if last == "-" => items.push(value),
        (Value::Array(items), last) => items[last.parse::<usize>().unwrap()] = value,
        (Value::Object(members), last) => {
            members.insert(last, value);
        }
        _ => panic!("{place} is not in an array or an object"),
    }
}

fn remove(root: &mut Value, place: &str) {
    let (parent, last) = parent(root, place);
    assert!(
        parent.as_object_mut().unwrap().remove(&last).is_some(),
        "{place}"
    );
}

/// The places of all objects.
fn objects(root: &Value) -> Vec<String> {
    let mut places = everywhere(root);
    places.retain(|place| root.pointer(place).unwrap().is_object());
    places
}

/// The places of all values.
fn everywhere(root: &Value) -> Vec<String> {
    fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
        let below =
            |token: &str| format!("{place}/{}", token.replace('~', "~0").replace('/', "~1"));
        found.push(place.to_owned());
        match value {
            Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(name, value)| walk(value, &below(name), found));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(index, value)| walk(value, &below(&index.to_string()), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(root, "", &mut found);
    found
}

/// The place in the schema that describes an object of the policy.
fn describing(schema: &Value, policy: &Value, object: &str) -> String {
    let mut described = String::new();
    let mut here = String::new();
    for token in object.split('/').skip(1) {
        let in_array = policy.pointer(&here).unwrap().is_array();
        here = format!("{here}/{token}");
        let steps = [
            format!("/properties/{token}"),
            "/items".to_owned(),
            "/additionalProperties".to_owned(),
        ];
        let step = steps.iter().find(|step| {
            (**step == "/items") == in_array
                && schema.pointer(&format!("{described}{step}")).is_some()
        });
        described.push_str(step.unwrap_or_else(|| panic!("{here}: nothing below {described}")));
        described = follow(schema, policy.pointer(&here).unwrap(), described);
    }
    described
}

/// Through `$ref`, and into the alternative for a value of this type.
fn follow(schema: &Value, value: &Value, place: String) -> String {
    let described = schema.pointer(&place).unwrap();
    if let Some(reference) = described.get("$ref") {
        let target = reference
            .as_str()
            .unwrap()
            .trim_start_matches('#')
            .to_owned();
        return follow(schema, value, target);
    }
    let wanted = if value.is_object() { "object" } else { "array" };
    let alternatives = described.get("oneOf").and_then(Value::as_array);
    for index in 0..alternatives.map_or(0, Vec::len) {
        let alternative = follow(schema, value, format!("{place}/oneOf/{index}"));
        if schema.pointer(&alternative).unwrap().get("type") == Some(&json!(wanted)) {
            return alternative;
        }
    }
    place
}

/// The policy's schema, or one of the schemas in it.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn new() -> Self {
        Self::at("")
    }

    fn at(place: &str) -> Self {
        const ID: &str = "urn:countersign:policy:1";
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.add_resource(ID, parsed(POLICY_SCHEMA)).unwrap();
        let index = compiler
            .compile(&format!("{ID}#{place}"), &mut schemas)
            .unwrap();
        Self { schemas, index }
    }

    fn accepts(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }
}

#[test]
fn each_code_is_shown_by_a_mutation() {
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    for mutation in mutations() {
        for (_, code, _) in mutation.expected {
            *shown.entry(code).or_default() += 1;
        }
    }
    let shown: BTreeSet<&str> = shown.keys().map(String::as_str).collect();
    let expected = [
        "conflict",
        "csrf",
        "duplicate",
        "exp_not_required",
        "field_missing",
        "field_unknown",
        "insecure_http",
        "jwks_no_usable_key",
        "jwks_symmetric",
        "key_unusable",
        "tenant_unmapped",
        "too_deep",
        "too_many",
        "type_wrong",
        "unknown_name",
        "unreachable",
        "value_invalid",
        "value_out_of_range",
    ];
    assert_eq!(shown, expected.into());
}
