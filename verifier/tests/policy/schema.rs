//! Tests that the published JSON Schema agrees with the parser.

use std::collections::BTreeSet;

use boon::{Compiler, SchemaIndex, Schemas};
use countersign::{Algorithm, Limits, POLICY_SCHEMA, Severity, lint};
use serde_json::{Value, json};

use crate::{
    mutation::{WHOLE, mutations},
    place::{everywhere, objects, parsed, set},
};

/// Codes of the parser for rules that a schema cannot express.
const NOT_IN_A_SCHEMA: [(&str, &str); 8] = [
    (
        "conflict",
        "a header is read and set, two types are recognised in the same way",
    ),
    (
        "duplicate",
        "one name, place, header or host, written in two ways or in two objects",
    ),
    ("jwks_no_usable_key", "whether a key can be used"),
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
fn parser_and_schema_agree_on_each_mutation_that_a_schema_can_express() {
    let schema = Schema::new();
    let mut beyond = BTreeSet::new();
    let mut differing = Vec::new();
    for mutation in mutations() {
        let refused = mutation
            .expected
            .iter()
            .any(|(_, _, severity)| *severity == Severity::Error);
        let expected = mutation.not_in_a_schema || !refused;
        if schema.accepts(&mutation.policy) != expected {
            differing.push(mutation.name);
        }
        if mutation.not_in_a_schema {
            assert!(refused);
            let errors = mutation.expected.into_iter();
            let errors = errors.filter(|(_, _, severity)| *severity == Severity::Error);
            beyond.extend(errors.map(|(_, code, _)| code));
        }
    }
    assert_eq!(differing, [""; 0], "the schema and the parser differ");
    assert_eq!(
        beyond,
        NOT_IN_A_SCHEMA.map(|(code, _)| code.to_owned()).into()
    );
}

#[test]
fn parser_and_schema_agree_on_any_value_anywhere_except_names_and_keys() {
    const NOT_IN_A_SCHEMA: [&str; 2] = ["jwks_no_usable_key", "unknown_name"];
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
        let beyond = refused.all(|p| NOT_IN_A_SCHEMA.contains(&p.code));
        let by_schema = schema.accepts(&policy);
        if accepted != by_schema && !(by_schema && beyond) {
            differing.push((place, value, by_schema, found));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
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
        // In other objects the operator chooses the member names, or they
        // belong to a key.
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
    // The keyring reads secrets and PEM keys and has its own code for an
    // unknown field.
    let closed =
        closed.filter(|place| !place.ends_with("/secrets/items") && !place.ends_with("/pem/items"));
    // So has the reader of API keys.
    let closed = closed.filter(|place| place != "/$defs/api_key");
    assert_eq!(
        compared,
        closed.collect(),
        "an object of the schema was not compared"
    );
}

#[test]
fn the_schema_has_the_algorithms_and_limits_of_the_gate() {
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
        ("revocation_bytes", most.revocation_bytes),
        ("revocation_entries", most.revocation_entries),
        ("api_keys_bytes", most.api_keys_bytes),
        ("api_keys", most.api_keys),
        ("remembered_tokens", most.remembered_tokens),
    ] {
        let limit = &schema["properties"]["limits"]["properties"][name];
        assert_eq!(limit["maximum"], json!(most), "{name}");
        assert_eq!(limit["default"], json!(most), "{name}");
    }
}

#[test]
fn every_example_and_default_of_the_schema_is_valid() {
    let schema = parsed(POLICY_SCHEMA);
    let mut compared = 0;
    for place in objects(&schema) {
        let described = schema.pointer(&place).unwrap();
        let examples = described.get("examples").and_then(Value::as_array);
        let values = examples
            .into_iter()
            .flatten()
            .chain(described.get("default"));
        // Inside `properties` a field can have the name `default`.
        for value in values.filter(|_| !place.ends_with("/properties")) {
            assert!(Schema::at(&place).accepts(value), "{value} at {place}");
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared} examples and defaults");
}

/// The schema of the policy, or a schema inside it.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn accepts(&self, value: &Value) -> bool {
        self.schemas.validate(value, self.index).is_ok()
    }
}

/// Returns the place in the schema that describes an object of the policy.
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

/// Follows `$ref`, and enters the alternative for a value of this type.
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
