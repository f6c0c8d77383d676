//! Headers that a proxy takes from a reply, for proxies that set and remove headers by
//! the names in their configuration.
//!
//! The proxy says these names in its question. For each the reply says what goes on;
//! what it does not say is removed. A grant that needs more than that, as after a
//! change of the policy, cannot be carried.

use countersign_host::{Change, Grant};
use http::HeaderMap;

use super::carried::is_same;

/// The grant needs what this proxy's configuration cannot do: the name of a header, or
/// `target`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Uncarried(pub(super) String);

/// What goes on of the headers that the proxy takes, by their names. `headers` are those
/// of the request.
pub(super) fn headers<'t>(
    grant: &Grant,
    takes: &[&'t str],
    headers: &HeaderMap,
) -> Result<Vec<(&'t str, Vec<u8>)>, Uncarried> {
    let taken = |name: &str| takes.contains(&name);
    for name in &*grant.remove_headers {
        // The proxy removes fields of exactly this name.
        let alias = headers
            .keys()
            .find(|key| is_same(key.as_str(), name) && !taken(key.as_str()));
        if let Some(alias) = alias {
            return Err(Uncarried(alias.as_str().to_owned()));
        }
    }
    let set = grant.set_headers.iter().map(|(name, _)| name);
    let changed = grant.changes.iter().filter_map(|change| match change {
        Change::SetHeader(name, _) => Some(name),
        Change::RemoveHeader(name) => headers.contains_key(name.as_str()).then_some(name),
        Change::SetTarget(_) => None,
    });
    if let Some(name) = set.chain(changed).find(|name| !taken(name)) {
        return Err(Uncarried(name.clone()));
    }
    let goes_on = |name: &&'t str| after(grant, name, headers).map(|value| (*name, value));
    Ok(takes.iter().filter_map(goes_on).collect())
}

/// The target that goes on.
pub(super) fn target<'g>(grant: &'g Grant, sent: &'g [u8]) -> &'g [u8] {
    let changed = grant.changes.iter().rev().find_map(|change| match change {
        Change::SetTarget(target) => Some(target.as_slice()),
        _ => None,
    });
    changed.unwrap_or(sent)
}

/// The value of one header after the grant: changes come after what is set, and that
/// after what is removed.
fn after(grant: &Grant, name: &str, headers: &HeaderMap) -> Option<Vec<u8>> {
    let changed = grant.changes.iter().rev().find_map(|change| match change {
        Change::SetHeader(of, value) if of == name => Some(Some(value.clone())),
        Change::RemoveHeader(of) if of == name => Some(None),
        _ => None,
    });
    if let Some(changed) = changed {
        return changed;
    }
    if let Some((_, value)) = grant.set_headers.iter().find(|(of, _)| of == name) {
        return Some(value.clone().into_bytes());
    }
    if grant.remove_headers.iter().any(|of| of == name) {
        return None;
    }
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| value.as_bytes())
        .collect();
    // Several fields become one (RFC 9110 §5.3, RFC 6265 §5.4).
    let between = if name == "cookie" { &b"; "[..] } else { b", " };
    (!values.is_empty()).then(|| values.join(between))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use countersign_host::{Change, Grant};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Uncarried, headers, target};

    fn grant(changes: Vec<Change>) -> Grant {
        Grant {
            principal: None,
            principals: BTreeMap::new(),
            remove_headers: Arc::from(["x-auth-subject".to_owned(), "x-auth-tenant".to_owned()]),
            set_headers: Arc::from([("x-auth-subject".to_owned(), "ada".to_owned())]),
            changes,
        }
    }

    fn sent(fields: &[(&str, &str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        fields.collect()
    }

    #[test]
    fn what_is_set_goes_on_and_what_is_removed_does_not() {
        let sent = sent(&[
            ("x-auth-subject", "root"),
            ("x-auth-tenant", "globex"),
            ("cookie", "a=1"),
        ]);
        let on = headers(
            &grant(vec![]),
            &["x-auth-subject", "x-auth-tenant", "cookie"],
            &sent,
        );
        assert_eq!(
            on.unwrap(),
            [
                ("x-auth-subject", b"ada".to_vec()),
                ("cookie", b"a=1".to_vec())
            ]
        );
    }

    #[test]
    fn a_header_that_the_proxy_does_not_take_is_not_carried() {
        let uncarried = |name: &str| Err(Uncarried(name.to_owned()));
        assert_eq!(
            headers(&grant(vec![]), &["x-auth-tenant"], &sent(&[])),
            uncarried("x-auth-subject")
        );
        let takes = ["x-auth-subject"];
        let spoofed = sent(&[("x-auth-tenant", "globex")]);
        assert_eq!(
            headers(&grant(vec![]), &takes, &spoofed),
            uncarried("x-auth-tenant")
        );
        assert!(headers(&grant(vec![]), &takes, &sent(&[])).is_ok());
        let cookie = vec![Change::RemoveHeader("cookie".to_owned())];
        assert!(headers(&grant(cookie.clone()), &takes, &sent(&[])).is_ok());
        assert_eq!(
            headers(&grant(cookie), &takes, &sent(&[("cookie", "a=1")])),
            uncarried("cookie")
        );
    }

    #[test]
    fn an_alias_of_a_removed_header_is_not_carried() {
        let takes = ["x-auth-subject", "x-auth-tenant"];
        let spoofed = sent(&[("x_auth-subject", "root")]);
        assert_eq!(
            headers(&grant(vec![]), &takes, &spoofed),
            Err(Uncarried("x_auth-subject".to_owned()))
        );
    }

    #[test]
    fn a_change_comes_last() {
        let changes = vec![
            Change::SetHeader("cookie".to_owned(), b"b=2".to_vec()),
            Change::SetTarget(b"/a".to_vec()),
        ];
        let grant = grant(changes);
        let takes = ["x-auth-subject", "cookie"];
        let on = headers(&grant, &takes, &sent(&[("cookie", "token=t; b=2")])).unwrap();
        assert_eq!(on[1], ("cookie", b"b=2".to_vec()));
        assert_eq!(target(&grant, b"/a?token=t"), b"/a");
    }
}
