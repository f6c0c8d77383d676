//! What other filters of the proxy, and its access log, can read about a decision:
//! dynamic metadata in the namespace `envoy.filters.http.ext_authz`.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_host::{Decision, DecisionEvent, Principal};
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};

use crate::config::Fact;

/// These facts about a decision; `None` if there are none. They are texts, written as
/// the headers of `forward` and the filter state of the Envoy filter are.
pub(crate) fn metadata(
    facts: &[Fact],
    decision: &Decision,
    event: Option<&DecisionEvent>,
) -> Option<Struct> {
    let principal = decision
        .grant()
        .and_then(|grant| grant.principal.as_deref());
    let said = facts.iter().filter_map(|fact| {
        let value = match fact {
            Fact::Code => decision.denial().map(|denial| denial.code.clone()),
            Fact::Rule => event?
                .rule
                .as_ref()
                .map(|rule| visible(&rule.label(), None)),
            Fact::RuleIndex => event?.rule.as_ref().map(|rule| rule.index.to_string()),
            Fact::PolicyDigest => Some(event?.policy_digest.to_string()),
            fact => of_principal(*fact, principal?),
        };
        let value = Value {
            kind: Some(Kind::StringValue(value?)),
        };
        Some((fact.as_str().to_owned(), value))
    });
    let fields: HashMap<_, _> = said.collect();
    (!fields.is_empty()).then_some(Struct { fields })
}

fn of_principal(fact: Fact, principal: &Principal) -> Option<String> {
    let one = |text: Option<&str>| text.map(|text| visible(text, None));
    let list = |texts: &[String]| {
        let texts: Vec<_> = texts.iter().map(|text| visible(text, Some(b' '))).collect();
        (!texts.is_empty()).then(|| texts.join(" "))
    };
    match fact {
        Fact::Issuer => one(Some(&*principal.iss).filter(|iss| !iss.is_empty())),
        Fact::Subject => one(principal.subject.as_deref()),
        Fact::Type => one(principal.token_type.as_deref()),
        Fact::Tenant => one(principal.tenant.as_deref()),
        Fact::Tenants => list(&principal.tenants),
        Fact::Roles => list(&principal.roles),
        Fact::Scopes => list(&principal.scopes),
        Fact::Expiry => principal
            .expires_at_ms
            .map(|ms| ms.div_euclid(1000).to_string()),
        Fact::Claims => Some(URL_SAFE_NO_PAD.encode(&principal.claims)),
        Fact::Code | Fact::Rule | Fact::RuleIndex | Fact::PolicyDigest => None,
    }
}

/// Visible ASCII; `%`, the character between items and every other byte is
/// percent-encoded. So no claim can break a line of a log.
fn visible(text: &str, join: Option<u8>) -> String {
    let mut visible = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_graphic() && byte != b'%' && Some(byte) != join {
            true => visible.push(char::from(byte)),
            false => visible.push_str(&format!("%{byte:02X}")),
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_visible_ascii() {
        assert_eq!(visible("a b%\u{e9}\n", None), "a%20b%25%C3%A9%0A");
    }
}
