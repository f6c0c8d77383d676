//! Tests that the npm package repeats the codes of the verifier correctly.

use std::fs;

use countersign::Code;
use countersign_artefact_tests::dist;

#[test]
fn the_codes_of_the_npm_package_are_those_of_the_verifier() {
    let source = dist::root().join("npm/package/src/code.ts");
    let source = fs::read_to_string(source).unwrap();
    let list = source.split(['[', ']']).nth(1).unwrap();
    let codes: Vec<_> = list.split('"').skip(1).step_by(2).collect();
    let all: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, all);
}
