//! Headers that a proxy replaces by those of the reply.
//!
//! Caddy (`copy_headers`) and Traefik (`authResponseHeaders`) do one thing with each header
//! of a list: it becomes what the reply has, and goes if the reply has none. The list is in
//! the proxy's configuration, so the question has to say it: `?replaces=x-auth-subject,cookie`.
//! The reply then has the final value of each of them, and a grant that changes any other
//! header is not carried: a policy that forwards one more header than the proxy knows
//! denies, and does not let a client write it.

use std::borrow::Cow;

use countersign_host::{Change, Grant};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{
    Ambiguous,
    taken::{self, Uncarried},
};

/// As many as a policy can name, twice.
const MAX_NAMES: usize = 128;

/// In the list: the proxy removes every header with `_` in its name.
const UNDERSCORES: &str = "_";

/// Headers that frame a message: no proxy can copy them.
const FRAMING: [HeaderName; 7] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The headers that the proxy replaces.
#[derive(Debug)]
pub(crate) struct Replaced {
    names: Vec<HeaderName>,
    /// Whether the proxy removes every header with `_` in its name.
    underscores: bool,
}

impl Replaced {
    /// Reads what stands behind `/{dialect}/{policy}`.
    pub(crate) fn read(rest: &str) -> Result<Self, Ambiguous> {
        let mut replaced = Self {
            names: Vec::new(),
            underscores: false,
        };
        if rest.is_empty() {
            return Ok(replaced);
        }
        let list = rest.strip_prefix("?replaces=").ok_or(Ambiguous)?;
        for name in list.split(',') {
            if name == UNDERSCORES {
                replaced.underscores = true;
                continue;
            }
            let name = HeaderName::try_from(name).map_err(|_| Ambiguous)?;
            if FRAMING.contains(&name) || replaced.names.len() == MAX_NAMES {
                return Err(Ambiguous);
            }
            replaced.names.push(name);
        }
        Ok(replaced)
    }

    /// Adds the final value of each of the headers to a reply, where there is one.
    pub(super) fn write(
        &self,
        grant: &Grant,
        request: &HeaderMap,
        reply: &mut HeaderMap,
    ) -> Result<(), Uncarried> {
        let names: Vec<_> = self.names.iter().map(HeaderName::as_str).collect();
        // Also where this request lacks it: the question may have fewer headers.
        let mut removed = grant.remove_headers.iter();
        if let Some(name) = removed.find(|name| !names.contains(&name.as_str())) {
            return Err(Uncarried(name.clone()));
        }
        // `x-a` is also `x_a`; a name of one word has no other spelling.
        let mut removed = grant.remove_headers.iter();
        if !self.underscores && removed.any(|name| name.contains('-')) {
            return Err(Uncarried(UNDERSCORES.to_owned()));
        }
        let is_target = |change: &Change| matches!(change, Change::SetTarget(_));
        if grant.changes.iter().any(is_target) {
            return Err(Uncarried("target".to_owned()));
        }
        for (name, value) in taken::headers(grant, &names, &self.seen(request))? {
            let uncarried = || Uncarried(name.to_owned());
            let value = HeaderValue::from_bytes(&value).map_err(|_| uncarried())?;
            reply.insert(HeaderName::try_from(name).map_err(|_| uncarried())?, value);
        }
        Ok(())
    }

    /// The headers that the backend will get: some proxies remove those with `_` only after
    /// the question.
    fn seen<'r>(&self, request: &'r HeaderMap) -> Cow<'r, HeaderMap> {
        let is_alias = |name: &&HeaderName| name.as_str().contains('_');
        let aliases: Vec<_> = match self.underscores {
            true => request.keys().filter(is_alias).collect(),
            false => Vec::new(),
        };
        let mut seen = Cow::Borrowed(request);
        for alias in aliases {
            seen.to_mut().remove(alias);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_host::{Change, Grant};
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::Replaced;

    fn grant(removed: &[&str], set: &[(&str, &str)], changes: Vec<Change>) -> Grant {
        let owned = |text: &str| text.to_owned();
        Grant {
            principal: None,
            principals: BTreeMap::new(),
            remove_headers: removed.iter().copied().map(owned).collect(),
            set_headers: set
                .iter()
                .map(|(name, value)| (owned(name), owned(value)))
                .collect(),
            changes,
        }
    }

    fn request(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        headers.iter().map(pair).collect()
    }

    /// The headers of the reply as text; `None` if the grant is not carried.
    fn reply(rest: &str, grant: &Grant, request: &HeaderMap) -> Option<String> {
        let mut reply = HeaderMap::new();
        let replaced = Replaced::read(rest).unwrap();
        replaced.write(grant, request, &mut reply).ok()?;
        let mut lines: Vec<_> = reply
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        Some(lines.join("\n"))
    }

    #[test]
    fn a_client_s_own_header_becomes_that_of_the_grant_or_goes() {
        let request = request(&[("x-auth-subject", "root"), ("x-auth-tenant", "root")]);
        let removed = ["x-auth-subject", "x-auth-tenant"];
        let grant = grant(&removed, &[("x-auth-subject", "ada")], Vec::new());
        let rest = "?replaces=x-auth-subject,x-auth-tenant,_";
        assert_eq!(
            reply(rest, &grant, &request).unwrap(),
            "x-auth-subject: ada"
        );
    }

    #[test]
    fn what_the_grant_leaves_alone_comes_back_as_it_was() {
        let request = request(&[
            ("cookie", "a=1"),
            ("cookie", "b=2"),
            ("x-list", "1"),
            ("x-list", "2"),
        ]);
        let grant = grant(&[], &[], Vec::new());
        let seen = reply("?replaces=cookie,x-list", &grant, &request).unwrap();
        assert_eq!(seen, "cookie: a=1; b=2\nx-list: 1, 2");
    }

    #[test]
    fn changes_come_last() {
        let request = request(&[("cookie", "a=1; session=t"), ("authorization", "Bearer t")]);
        let changes = vec![
            Change::SetHeader("cookie".into(), b"a=1".to_vec()),
            Change::RemoveHeader("authorization".into()),
        ];
        let grant = grant(&[], &[("authorization", "other")], changes);
        let seen = reply("?replaces=authorization,cookie", &grant, &request).unwrap();
        assert_eq!(seen, "cookie: a=1");
    }

    #[test]
    fn a_grant_that_changes_more_than_the_proxy_replaces_is_not_carried() {
        let request = request(&[("cookie", "session=t")]);
        let forward = grant(&["x-auth-subject"], &[], Vec::new());
        for rest in ["", "?replaces=x-auth-subject", "?replaces=x-auth-tenant,_"] {
            assert_eq!(reply(rest, &forward, &request), None, "{rest}");
        }
        let set = grant(&[], &[("x-auth-subject", "ada")], Vec::new());
        assert_eq!(reply("?replaces=_", &set, &request), None);
        for change in [
            Change::SetHeader("cookie".into(), Vec::new()),
            Change::RemoveHeader("cookie".into()),
            Change::SetTarget(b"/".to_vec()),
        ] {
            let changed = grant(&[], &[], vec![change.clone()]);
            assert_eq!(reply("?replaces=_", &changed, &request), None, "{change:?}");
        }
        // A name of one word has one spelling.
        let word = grant(&["authorization"], &[], Vec::new());
        assert_eq!(
            reply("?replaces=authorization", &word, &request).unwrap(),
            ""
        );
    }

    #[test]
    fn a_list_that_no_proxy_can_mean_is_refused() {
        let many = format!("?replaces={}", vec!["x-a"; 129].join(","));
        for rest in [
            "/",
            "?",
            "?x",
            "?replaces=",
            "?replaces=a b",
            "?replaces=content-length",
            &many,
        ] {
            assert!(Replaced::read(rest).is_err(), "{rest}");
        }
    }
}
