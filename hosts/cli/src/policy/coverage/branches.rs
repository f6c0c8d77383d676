//! The branches of a rule: what it can decide, each with its name in the report.

use serde_json::Value;

/// The rule, or an alternative of `any_of`, admits the request.
pub(super) const ALLOW: &str = "allow";
/// The request has no token of the principal.
pub(super) const NO_TOKEN: &str = "no token";
/// The request comes from another origin than the one of its cookie.
pub(super) const ORIGIN: &str = "origin";

/// The words of a requirement, in the order of the checks.
const WORDS: [&str; 14] = [
    "issuers",
    "audiences",
    "types",
    "subject",
    "tenant",
    "scopes",
    "roles",
    "claims",
    "max_token_age_s",
    "all_of",
    "any_of",
    "proof",
    "max_auth_age_s",
    "acr_values",
];

/// Lists the branches of a rule of `policy`. What a bad token gets is none of them:
/// that depends on the issuers and not on the rule.
pub(super) fn branches(rule: &Value, policy: &Value) -> Vec<String> {
    let mut found = vec![ALLOW.to_owned()];
    if is_public(rule) {
        return found;
    }
    let user = (None, &rule["require"]);
    let others = rule["principals"].as_object().into_iter().flatten();
    let others = others.map(|(name, wanted)| (Some(&**name), wanted));
    for (principal, requirement) in std::iter::once(user).chain(others) {
        let prefix = of_principal(principal);
        found.push(prefix.clone() + NO_TOKEN);
        if has_origin(rule, policy, principal) {
            found.push(prefix.clone() + ORIGIN);
        }
        of_requirement(requirement, &prefix, &mut found);
    }
    found
}

pub(super) fn is_public(rule: &Value) -> bool {
    rule["public"] == true
}

/// The prefix of the branches of a principal; `None` is the user.
pub(super) fn of_principal(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("principals/{name}/"))
}

/// The branch of a condition. `claim` is a name or a pointer.
pub(super) fn of_claim(claim: &str) -> String {
    format!("claims/{}", claim.strip_prefix('/').unwrap_or(claim))
}

/// The requirements in `all_of` or `any_of`, each with the prefix of its branches.
pub(super) fn parts<'r>(
    requirement: &'r Value,
    list: &str,
) -> impl Iterator<Item = (String, &'r Value)> {
    let items = requirement[list].as_array().into_iter().flatten();
    let prefixed = move |(index, part)| (format!("{list}/{index}/"), part);
    items.enumerate().map(prefixed)
}

fn of_requirement(requirement: &Value, prefix: &str, found: &mut Vec<String>) {
    for word in WORDS {
        let value = &requirement[word];
        if value.is_null() {
            continue;
        }
        match word {
            "claims" => {
                let claims = value.as_object().into_iter().flatten();
                found.extend(claims.map(|(claim, _)| prefix.to_owned() + &of_claim(claim)));
            }
            // Its parts refuse, each by its own words.
            "all_of" => {}
            _ => found.push(prefix.to_owned() + word),
        }
        for (of_part, part) in parts(requirement, word) {
            let prefix = prefix.to_owned() + &of_part;
            match word {
                "all_of" => {}
                "any_of" => found.push(prefix.clone() + ALLOW),
                // A list of words.
                _ => continue,
            }
            of_requirement(part, &prefix, found);
        }
    }
}

/// Whether a cookie with the principal's token is only for the same origin.
fn has_origin(rule: &Value, policy: &Value, principal: Option<&str>) -> bool {
    let own = rule["credentials"].as_array();
    let places = own.or_else(|| policy["credentials"].as_array());
    let is_bound =
        |place: &Value| place["same_origin"] == true && place["principal"].as_str() == principal;
    places.into_iter().flatten().any(is_bound)
}
