use alloc::{format, string::String};

use super::*;
use crate::model::{Access, Tokens};

/// xorshift64 with a fixed seed gives the same cases in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let index = self.below(of.len() as u64) as usize;
        of[index]
    }
}

fn pattern(random: &mut Random) -> Pattern {
    let segments = (0..random.below(4)).map(|_| match random.one(&["a", "b", "c", "{x}"]) {
        "{x}" => Segment::Name("x".into()),
        text => Segment::Literal(text.as_bytes().into()),
    });
    Pattern {
        segments: segments.collect(),
        rest: random.below(3) == 0,
    }
}

fn rule(random: &mut Random) -> Rule {
    let hosts = match random.below(4) {
        0 => Vec::from([Host::Exact(random.one(&["a.test", "b.test"]).into())]),
        1 => Vec::from([Host::Wildcard("test".into())]),
        _ => Vec::new(),
    };
    let methods = match random.below(3) {
        0 => Vec::new(),
        1 => Vec::from([Box::from(random.one(&["GET", "POST"]))]),
        _ => Vec::from(["GET".into(), "PUT".into()]),
    };
    let paths = (0..1 + random.below(2)).map(|_| pattern(random)).collect();
    Rule {
        name: None,
        hosts,
        paths,
        methods,
        access: Access::Public,
        compared: Vec::new(),
        keeps_slash: false,
        challenge: None,
        tokens: Tokens::default(),
    }
}

/// The definition of the result: a linear scan for the first rule that matches.
fn scan(rules: &[Rule], host: &str, target: &Target<'_>, method: &str) -> Option<Match> {
    let on_host = |rule: &Rule| {
        rule.hosts.is_empty()
            || rule.hosts.iter().any(|h| match h {
                Host::Exact(name) => **name == *host,
                Host::Wildcard(parent) => host
                    .split_once('.')
                    .is_some_and(|(label, rest)| !label.is_empty() && *rest == **parent),
            })
    };
    let on_path = |pattern: &Pattern| {
        let (wanted, held) = (&pattern.segments, &target.segments);
        let long_enough = if pattern.rest {
            held.len() >= wanted.len()
        } else {
            held.len() == wanted.len()
        };
        long_enough
            && wanted.iter().zip(held).all(|(w, h)| match w {
                Segment::Literal(text) => **text == **h,
                Segment::Name(_) => true,
            })
    };
    rules.iter().enumerate().find_map(|(index, rule)| {
        let fits = on_host(rule) && admits(&rule.methods, method.as_bytes());
        let pattern = rule.paths.iter().position(on_path)?;
        fits.then_some(Match {
            rule: index,
            pattern,
        })
    })
}

#[test]
fn the_router_finds_what_a_scan_finds() {
    let mut random = Random(0x5eed_c0de_5eed_c0de);
    let mut found = 0;
    for _ in 0..2_000 {
        let rules: Vec<Rule> = (0..random.below(12)).map(|_| rule(&mut random)).collect();
        let router = Router::new(&rules, true);
        for _ in 0..20 {
            let host = random.one(&["a.test", "b.test", "x.test", "x.y.test", "test", ""]);
            let method = random.one(&["GET", "HEAD", "POST", "PUT", "DELETE"]);
            let mut path = String::from("/");
            for _ in 0..random.below(5) {
                path += &format!("{}/", random.one(&["a", "b", "c", "d"]));
            }
            let target = Target::parse(path.as_bytes()).unwrap();
            let expected = scan(&rules, host, &target, method);
            found += usize::from(expected.is_some());
            assert_eq!(
                router
                    .exact
                    .find(host.as_bytes(), &target.segments, method.as_bytes()),
                expected,
                "{host} {method} {path} {rules:?}"
            );
        }
    }
    assert!(found > 5_000, "too few cases match anything: {found}");
}
