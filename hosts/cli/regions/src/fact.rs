//! What a rule or an issuer asks of a request and its tokens, one thing at a time.

use std::fmt;

use serde_json::Value;

/// One thing that a request has or has not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fact {
    /// Whose token it is about; the user has no name.
    pub(crate) principal: Option<String>,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// A token is there.
    Sent,
    /// It passes all checks before those of the rule.
    Good,
    /// Its own checks refuse it (401). Two tokens, or one whose keys are not to be
    /// had, are neither good nor bad.
    Bad,
    /// It is of the issuer of this name.
    Issuer(String),
    Audience(String),
    Type(String),
    /// As `subject` of a requirement has it, captures by position.
    Subject(Value),
    Tenant(Value),
    Scope(String),
    Role(String),
    /// The claim at `source` (a pointer, and how it is read) meets the condition.
    Claim {
        source: Value,
        condition: Value,
    },
    /// At most so many seconds since `iat`.
    TokenAge(u64),
    /// At most so many seconds since `auth_time`.
    AuthAge(u64),
    Acr(String),
    /// The sender proves that the token is theirs, in this way.
    Proof(String),
    /// The header, which the rule compares, is sent at most once and as one value.
    Clear(String),
}

/// Whether all of these can be so at once. It may say so of some that cannot: then
/// more is reported.
pub(crate) fn are_possible(known: &[(Fact, bool)], issuers: &[String]) -> bool {
    let Some(((last, _), before)) = known.split_last() else {
        return true;
    };
    let about = |fact: &Fact| fact.principal == last.principal;
    let mut of_no_issuer = 0;
    for (fact, holds) in known.iter().filter(|(fact, _)| about(fact)) {
        of_no_issuer += usize::from(!holds && matches!(fact.what, What::Issuer(_)));
    }
    if of_no_issuer > 0 && of_no_issuer >= issuers.len() {
        return false;
    }
    let mut others = before.iter().filter(|(fact, _)| about(fact));
    others.all(|one| known.last().is_some_and(|last| agree(one, last)))
}

fn agree((one, one_holds): &(Fact, bool), (other, other_holds): &(Fact, bool)) -> bool {
    use What::*;
    match (&one.what, &other.what, one_holds, other_holds) {
        (Issuer(_), Issuer(_), true, true)
        | (Type(_), Type(_), true, true)
        | (Acr(_), Acr(_), true, true) => false,
        (Good | Bad, Sent, true, false) | (Sent, Good | Bad, false, true) => false,
        (Good, Bad, true, true) | (Bad, Good, true, true) => false,
        (TokenAge(short), TokenAge(long), true, false)
        | (AuthAge(short), AuthAge(long), true, false) => short > long,
        (TokenAge(long), TokenAge(short), false, true)
        | (AuthAge(long), AuthAge(short), false, true) => short > long,
        (Subject(a), Subject(b), true, true) => !(is_fixed(a) && is_fixed(b)),
        (Subject(none), Subject(_), false, true) | (Tenant(none), Tenant(_), false, true) => {
            none != "present"
        }
        (Subject(_), Subject(none), true, false) | (Tenant(_), Tenant(none), true, false) => {
            none != "present"
        }
        (
            Claim { source, condition },
            Claim {
                source: same,
                condition: another,
            },
            true,
            true,
        ) => {
            let both_equal = condition.get("equals").filter(|value| !value.is_object());
            let both_equal = both_equal
                .zip(another.get("equals"))
                .is_some_and(|(a, b)| !b.is_object() && a != b);
            source != same || !both_equal
        }
        _ => true,
    }
}

fn is_fixed(named: &Value) -> bool {
    named.get("fixed").is_some()
}

/// Which subject or tenant.
fn words(named: &Value) -> String {
    let text = |name: &str| named.get(name).and_then(Value::as_str);
    let segment = named
        .get("capture")
        .and_then(|place| place.get(0)?.as_u64());
    match (text("fixed"), text("header"), segment) {
        (Some(text), ..) => format!("`{text}`"),
        (_, Some(name), _) => format!("of the header `{name}`"),
        (.., Some(index)) => format!("of segment {} of the path", index + 1),
        _ if named.is_object() => "of the host".to_owned(),
        _ => "of any name".to_owned(),
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Sent => f.write_str("a token")?,
            What::Good => f.write_str("a good token")?,
            What::Bad => f.write_str("a bad token")?,
            What::Issuer(name) => write!(f, "issuer `{name}`")?,
            What::Audience(text) => write!(f, "audience `{text}`")?,
            What::Type(name) => write!(f, "type `{name}`")?,
            What::Subject(named) => write!(f, "subject {}", words(named))?,
            What::Tenant(named) => write!(f, "tenant {}", words(named))?,
            What::Scope(text) => write!(f, "scope `{text}`")?,
            What::Role(text) => write!(f, "role `{text}`")?,
            What::Claim { source, condition } => {
                let source = source
                    .as_str()
                    .map_or_else(|| source.to_string(), Into::into);
                write!(f, "claim `{source}` {condition}")?;
            }
            What::TokenAge(seconds) => write!(f, "token age up to {seconds} s")?,
            What::AuthAge(seconds) => write!(f, "sign-in up to {seconds} s ago")?,
            What::Acr(text) => write!(f, "`acr` `{text}`")?,
            What::Proof(kind) => write!(f, "proof by {kind}")?,
            What::Clear(name) => write!(f, "header `{name}` at most once, as one value")?,
        }
        match &self.principal {
            Some(name) => write!(f, " (principal `{name}`)"),
            None => Ok(()),
        }
    }
}
