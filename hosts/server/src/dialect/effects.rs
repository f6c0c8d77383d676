//! What a grant does to a request, for proxies that carry it out as two lists: headers
//! to set, and headers to remove after that.

use std::collections::{BTreeMap, BTreeSet};

use countersign_host::{Change, Grant};

/// What a grant does to a request. A proxy can set first and remove then, as no name is
/// in both lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Effects<'g> {
    /// Each replaces all fields of exactly this name.
    pub(crate) set: BTreeMap<String, &'g [u8]>,
    /// Names of fields to remove.
    pub(crate) remove: BTreeSet<String>,
    /// The new target, with its query.
    pub(crate) target: Option<&'g [u8]>,
}

impl<'g> Effects<'g> {
    /// Those of a grant on a request that has fields of these names, in lower case.
    pub(crate) fn of<'n>(grant: &'g Grant, sent: impl Iterator<Item = &'n [u8]>) -> Self {
        let mut effects = Self::default();
        for name in &*grant.remove_headers {
            // Also where the proxy has not shown it.
            effects.remove.insert(name.clone());
        }
        // Proxies remove by the exact name, but a backend may read `x_a` as `x-a`.
        for name in sent {
            if let Ok(name) = str::from_utf8(name)
                && grant
                    .remove_headers
                    .iter()
                    .any(|removed| is_alias(name, removed))
            {
                effects.remove.insert(name.to_owned());
            }
        }
        for (name, value) in &*grant.set_headers {
            effects.set(name, value.as_bytes());
        }
        for change in &grant.changes {
            match change {
                Change::SetHeader(name, value) => effects.set(name, value),
                Change::RemoveHeader(name) => {
                    let name = name.to_ascii_lowercase();
                    effects.set.remove(&name);
                    effects.remove.insert(name);
                }
                Change::SetTarget(target) => effects.target = Some(target),
            }
        }
        effects
    }

    fn set(&mut self, name: &str, value: &'g [u8]) {
        let name = name.to_ascii_lowercase();
        self.remove.remove(&name);
        self.set.insert(name, value);
    }
}

/// Whether a backend could read both names as one: they are equal in lower case, with
/// `_` as `-`.
fn is_alias(name: &str, other: &str) -> bool {
    let plain = |byte: u8| match byte {
        b'_' => b'-',
        byte => byte.to_ascii_lowercase(),
    };
    name.len() == other.len() && name.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Dashes of a name of which all aliases are listed: 2⁴ names.
const DASHES: usize = 4;

/// All names that a backend could read as this one, except itself; none for a name with
/// more dashes than [`DASHES`].
pub(crate) fn aliases(name: &str) -> Vec<String> {
    let dashes: Vec<usize> = name.match_indices('-').map(|(at, _)| at).collect();
    if dashes.len() > DASHES {
        return Vec::new();
    }
    let choices = 1..1_u32 << dashes.len();
    let alias = |choice: u32| {
        let mut alias = name.as_bytes().to_vec();
        for (bit, at) in dashes.iter().enumerate() {
            if choice >> bit & 1 == 1 {
                alias[*at] = b'_';
            }
        }
        String::from_utf8(alias).unwrap_or_default()
    };
    choices.map(alias).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(remove: &[&str], set: &[(&str, &str)], changes: Vec<Change>) -> Grant {
        Grant {
            principal: None,
            principals: BTreeMap::new(),
            remove_headers: remove.iter().map(|name| (*name).to_owned()).collect(),
            set_headers: set
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            changes,
        }
    }

    fn removed(effects: &Effects<'_>) -> Vec<String> {
        effects.remove.iter().cloned().collect()
    }

    #[test]
    fn every_spelling_that_the_client_sent_is_removed() {
        let grant = grant(&["x-auth-subject"], &[("x-auth-subject", "ada")], vec![]);
        let sent: [&[u8]; 4] = [
            b"x-auth-subject",
            b"x_auth_subject",
            b"x_auth-subject",
            b"x-auth",
        ];
        let effects = Effects::of(&grant, sent.into_iter());
        assert_eq!(removed(&effects), ["x_auth-subject", "x_auth_subject"]);
        assert_eq!(effects.set["x-auth-subject"], b"ada");
    }

    #[test]
    fn a_name_is_removed_where_nothing_is_set_even_if_the_proxy_did_not_show_it() {
        let grant = grant(&["x-auth-subject"], &[], vec![]);
        assert_eq!(
            removed(&Effects::of(&grant, [].into_iter())),
            ["x-auth-subject"]
        );
    }

    #[test]
    fn the_last_change_of_a_name_holds() {
        let set = || Change::SetHeader("Cookie".to_owned(), b"a=1".to_vec());
        let remove = || Change::RemoveHeader("cookie".to_owned());
        let removes = grant(&["cookie"], &[], vec![set(), remove()]);
        let effects = Effects::of(&removes, [].into_iter());
        assert_eq!(
            (removed(&effects), effects.set.len()),
            (vec!["cookie".to_owned()], 0)
        );
        let sets = grant(&["cookie"], &[], vec![remove(), set()]);
        let effects = Effects::of(&sets, [].into_iter());
        assert_eq!(
            (removed(&effects).len(), effects.set["cookie"]),
            (0, &b"a=1"[..])
        );
    }

    #[test]
    fn the_target_is_kept_apart() {
        let grant = grant(&[], &[], vec![Change::SetTarget(b"/a".to_vec())]);
        assert_eq!(Effects::of(&grant, [].into_iter()).target, Some(&b"/a"[..]));
    }

    #[test]
    fn the_aliases_of_a_name_are_all_its_spellings_with_underscores() {
        assert_eq!(aliases("x-a-b"), ["x_a-b", "x-a_b", "x_a_b"]);
        assert!(aliases("subject").is_empty());
        assert!(aliases("a-b-c-d-e-f").is_empty());
    }
}
