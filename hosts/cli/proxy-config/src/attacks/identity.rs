//! Headers that a client writes and a backend believes.

use super::{Aim, Attack, MARK, Probe};
use crate::template::title;

/// As many spellings of one name as are tried.
const MAX_SPELLINGS: usize = 16;

/// The identity in every spelling, on the gate's route.
pub(super) fn aliases(aim: &Aim, own: &[String]) -> Attack {
    let mut probes = Vec::new();
    for name in own {
        for spelling in spellings(name) {
            let named = format!("`{spelling}`");
            probes.extend(Probe::by_caller(&named, aim).map(|probe| probe.header(&spelling, MARK)));
            if let Some(public) = &aim.public {
                let probe = Probe::new(format!("{named} by nobody"), aim, public);
                probes.push(probe.header(&spelling, MARK));
            }
        }
        let twice = Probe::by_caller(format!("`{name}` twice"), aim);
        probes.extend(twice.map(|probe| probe.header(name, MARK).header(name, MARK)));
        let first = Probe::by_caller(format!("`{name}` before all others"), aim);
        probes.extend(first.map(|probe| probe.first_line(format!("{}: {MARK}", title(name)))));
    }
    Attack {
        title: "the identity comes from the gate only",
        fix: "remove the policy's `forward` headers, and every name with `_` or `.`, before the gate, and set them only from its reply",
        probes,
    }
}

/// `x-a-b`, `X-A-B`, and with `_` or `.` in place of each `-`.
fn spellings(name: &str) -> Vec<String> {
    let mut spellings = vec![
        name.to_owned(),
        name.to_ascii_uppercase(),
        name.replace('-', "."),
    ];
    let hyphens: Vec<_> = name.match_indices('-').map(|(index, _)| index).collect();
    for chosen in 1..1_usize << hyphens.len().min(5) {
        let mut spelling = name.to_owned().into_bytes();
        for (bit, index) in hyphens.iter().enumerate() {
            if chosen >> bit & 1 == 1 {
                spelling[*index] = b'_';
            }
        }
        spellings.extend(String::from_utf8(spelling));
    }
    spellings.push(name.replace('-', "_"));
    spellings.dedup();
    spellings.truncate(MAX_SPELLINGS);
    spellings
}

/// A header that is named in `Connection` ends at the next hop, whoever has set it.
pub(super) fn connection(aim: &Aim, own: &[String]) -> Attack {
    let probe = |name: &String| {
        let line = format!("Connection: close, {}", title(name));
        Probe::by_caller(format!("`Connection: {name}`"), aim).map(|probe| probe.line(line))
    };
    Attack {
        title: "no client can take the identity away",
        fix: "do not let a client's `Connection` reach the hop behind the gate",
        probes: own.iter().filter_map(probe).collect(),
    }
}

/// Trailers come after the gate has decided.
pub(super) fn trailers(aim: &Aim, own: &[String]) -> Attack {
    // The names of a policy are known when it is run, and the body of a probe is fixed: the
    // trailers have a name that no `forward` has, and those of the policy are announced.
    let probe = Probe::by_caller("a trailer", aim).map(|probe| {
        let announced = own.iter().map(|name| title(name)).collect::<Vec<_>>();
        let announced = [&announced[..], &["X-Countersign-Trailer".to_owned()]].concat();
        probe
            .method("POST")
            .line("Transfer-Encoding: chunked")
            .line(format!("Trailer: {}", announced.join(", ")))
            .body("2\r\nhi\r\n0\r\nX-Countersign-Trailer: countersign-forged\r\n\r\n")
    });
    Attack {
        title: "trailers end at the proxy",
        fix: "use a version of the proxy that drops trailers of requests, or a backend that does not read them",
        probes: probe.into_iter().collect(),
    }
}

/// Headers that backends believe, whatever the policy is.
pub(super) fn believed(
    aim: &Aim,
    title: &'static str,
    fix: &'static str,
    names: &[&str],
) -> Attack {
    let mut probes = Vec::new();
    for name in names {
        let value = format!("/{MARK}");
        let named = format!("`{name}`");
        probes.extend(Probe::by_caller(&named, aim).map(|probe| probe.header(name, &value)));
        // The gate must not believe it either.
        let public = aim.public.as_deref().unwrap_or("/");
        let probe = Probe::new(format!("{named} with a public target"), aim, &*aim.path);
        probes.push(probe.header(name, public));
    }
    Attack { title, fix, probes }
}

/// A good credential beside a bad one.
pub(super) fn credentials(aim: &Aim) -> Attack {
    let mut probes = Vec::new();
    if let Some(credential) = &aim.credential {
        let bad = format!("{}: Bearer {MARK}", credential.name);
        let two = Probe::by_caller("a bad one first", aim);
        probes.extend(two.map(|probe| {
            let mut probe = probe.first_line(bad);
            probe.headers.insert(
                0,
                (
                    credential.name.to_ascii_lowercase(),
                    format!("Bearer {MARK}"),
                ),
            );
            probe
        }));
        let two = Probe::by_caller("a bad one last", aim);
        probes.extend(two.map(|probe| probe.header(&credential.name, &format!("Bearer {MARK}"))));
    }
    Attack {
        title: "two credentials are not one",
        fix: "pass every field of a credential on to the gate, and not the first only",
        probes,
    }
}

/// The same headers on a route without the gate.
pub(super) fn open(aim: &Aim, own: &[String]) -> Option<Attack> {
    let open = aim.open.as_ref()?;
    let probe = |name: &str| {
        Probe::new(format!("`{name}`"), aim, open)
            .open()
            .header(name, MARK)
    };
    let own = own.iter().flat_map(|name| spellings(name));
    let mut probes = vec![Probe::new("as it is", aim, open).open().control()];
    probes.extend(own.map(|spelling| probe(&spelling)));
    probes.extend(crate::forged::CERTIFICATES.iter().map(|name| probe(name)));
    Some(Attack {
        title: "no identity on the route without the gate",
        fix: "remove these headers on every route of the proxy, also where no gate is",
        probes,
    })
}

#[cfg(test)]
mod tests {
    use super::spellings;

    #[test]
    fn a_name_is_spelled_in_every_way() {
        let spellings = spellings("x-auth-subject");
        for spelling in [
            "x-auth-subject",
            "X-AUTH-SUBJECT",
            "x_auth-subject",
            "x-auth_subject",
            "x_auth_subject",
            "x.auth.subject",
        ] {
            assert!(
                spellings.iter().any(|known| known == spelling),
                "{spelling}"
            );
        }
    }
}
