//! Whether a reported difference touches a request. Written apart from the library:
//! paths are compared here as text.

use countersign_regions::{Admits, Difference, Host, Method, Path, Region, Segment, Subject};
use serde_json::{Value, json};

use crate::request::Request;

pub(crate) fn covers(difference: &Difference, request: &Request, policies: [&Value; 2]) -> bool {
    match &difference.subject {
        Subject::Rules { regions, .. } | Subject::Spellings(regions) => {
            regions.iter().any(|region| is_in(request, region))
        }
        Subject::Issuer { name, .. } => {
            let issuers = policies
                .iter()
                .filter_map(|policy| policy["issuers"].as_array());
            let mut named = issuers.flatten().filter(|issuer| issuer["name"] == **name);
            named.any(|issuer| {
                request
                    .tokens
                    .iter()
                    .any(|claims| claims["iss"] == issuer["issuer"])
            })
        }
        Subject::Policy => match difference.changes[0].name.as_str() {
            "remember" => false,
            "leeway_s" | "limits/token_bytes" | "limits/json_members" => !request.tokens.is_empty(),
            "headers that rules compare" => request
                .headers
                .iter()
                .any(|(name, _)| *name == "connection"),
            _ => true,
        },
        Subject::TooMany => panic!("these policies are small"),
    }
}

fn is_in(request: &Request, region: &Region) -> bool {
    let host = match &region.host {
        Host::Any => true,
        Host::Exact(host) => host == request.host,
        Host::Below(parent) => request
            .host
            .split_once('.')
            .is_some_and(|(_, rest)| rest == parent),
    };
    let method = match &region.method {
        Method::Any => true,
        Method::One(name) => name == request.method || (name == "GET" && request.method == "HEAD"),
    };
    host && method
        && readings(request)
            .iter()
            .any(|reading| matches(&region.path, reading))
}

/// In any case of letters.
fn matches(path: &Path, reading: &[String]) -> bool {
    let long_enough = match path.rest {
        true => reading.len() >= path.segments.len(),
        false => reading.len() == path.segments.len(),
    };
    let mut pairs = path.segments.iter().zip(reading);
    long_enough
        && pairs.all(|(segment, text)| match segment {
            Segment::Literal(own) => folded(&decoded(own)) == folded(text),
            _ => !text.is_empty(),
        })
}

/// The ways in which a backend may read the path.
fn readings(request: &Request) -> Vec<Vec<String>> {
    let plain: Vec<String> = request.segments.iter().map(|text| decoded(text)).collect();
    let split = plain
        .iter()
        .flat_map(|text| text.split('/').map(Into::into))
        .collect();
    // Escapes of letters as they were sent, others decoded.
    let as_sent = request.segments.iter().map(|text| match text.as_str() {
        "%61" | "%41" | "%62" | "%73" => text.clone(),
        other => decoded(other),
    });
    let mut readings = vec![plain.clone(), split, as_sent.collect()];
    if request.trailing_slash {
        let with_slash = |mut reading: Vec<String>| {
            reading.push(String::new());
            reading
        };
        let all = readings.clone();
        readings.extend(all.into_iter().map(with_slash));
    }
    readings
}

fn decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, std::str::from_utf8(&rest[1..rest.len().min(3)])) {
            (b'%', Ok(digits)) => {
                decoded.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &rest[3..];
            }
            _ => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(decoded).unwrap()
}

fn folded(text: &str) -> String {
    text.replace('\u{17f}', "s").to_ascii_lowercase()
}

/// Whether a request that passes anew is in a case that says so, as far as roles,
/// and whether a token is there, can be told here.
pub(crate) fn holds_in_some_case(difference: &Difference, request: &Request) -> bool {
    difference.effects.iter().any(|effect| {
        let holds = |(fact, holds): &(String, bool)| match fact.as_str() {
            "a token" => !holds || !request.tokens.is_empty(),
            "a good token" => !holds || !request.tokens.is_empty(),
            role => match role
                .strip_prefix("role `")
                .and_then(|role| role.strip_suffix('`'))
            {
                None => true,
                Some(role) => {
                    let has = |claims: &Value| {
                        let roles = &claims["roles"];
                        *roles == role
                            || roles
                                .as_array()
                                .is_some_and(|all| all.contains(&json!(role)))
                    };
                    // Which of several tokens counts is not known here.
                    request.tokens.iter().any(|claims| has(claims) == *holds)
                }
            },
        };
        match effect.admits {
            Admits::CanMore => true,
            Admits::More => effect.facts.iter().all(holds),
            Admits::Less | Admits::Same => false,
        }
    })
}
