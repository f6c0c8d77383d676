//! Requests as examples of a difference: in its region, with tokens of which the
//! facts of a case are true. The gate says whether they show the difference.

use serde_json::{Map, Value, json};

use crate::{
    difference::{Admits, Effect},
    fact::{Fact, What},
    formula::{Case, Formula},
    policy::{Pattern, Policy, list},
    region::Region,
    requirement::access,
    routing::Cell,
    shape::{Host, Method, Path, Segment, Shape},
    token,
};

/// Makes examples.
pub(crate) struct Examples<'r> {
    pub(crate) cells: &'r [Cell],
    /// All of both policies.
    pub(crate) issuers: &'r [String],
    /// Seconds since 1970.
    pub(crate) now_s: u64,
}

/// How many regions are tried for a rule that takes an issuer's tokens.
const TRIED: usize = 100;

/// Where an example is sent.
struct Sent {
    method: String,
    host: String,
    /// Percent-encoded.
    segments: Vec<String>,
}

impl Examples<'_> {
    /// An effect on the requests of this case in a region, of which `policy` reads
    /// the tokens.
    pub(crate) fn in_region(
        &self,
        region: &Region,
        policy: &Policy<'_>,
        admits: Admits,
        case: &Case,
    ) -> Effect {
        let sent = self.sent(region);
        let spellings = sent.iter().flat_map(|sent| {
            let targets = spellings(&sent.segments);
            targets
                .into_iter()
                .map(|target| self.case(sent, &target, policy, case))
        });
        Effect {
            admits,
            facts: texts(case),
            examples: spellings.collect(),
        }
    }

    /// An effect on the tokens of an issuer, wherever `policy` takes them.
    pub(crate) fn of_issuer(
        &self,
        name: &str,
        policy: &Policy<'_>,
        admits: Admits,
        case: Case,
    ) -> Effect {
        let issuer = Fact {
            principal: None,
            what: What::Issuer(name.to_owned()),
        };
        let under = |pattern: &Pattern| -> Option<Case> {
            let access = access(&pattern.treatment)?;
            let of_it = Formula::All(vec![Formula::Fact(issuer.clone()), access]);
            let cases = of_it.but_not(&Formula::Const(false), self.issuers)?;
            let good = |case: &Case| {
                case.iter()
                    .any(|(fact, holds)| *holds && fact.what == What::Good)
            };
            cases.into_iter().find(good)
        };
        let examples = self.cells.iter().take(TRIED).filter_map(|cell| {
            let found = policy.find(&cell.region)?;
            let mut all = under(policy.pattern(found)?)?;
            all.extend(case.clone());
            let sent = self.sent(&cell.region)?;
            let target = format!("/{}", sent.segments.join("/"));
            Some(self.case(&sent, &target, policy, &all))
        });
        Effect {
            admits,
            facts: texts(&case),
            examples: examples.take(1).collect(),
        }
    }

    /// A request whose smallest region this is. `None` where all of it is in
    /// smaller ones.
    fn sent(&self, region: &Region) -> Option<Sent> {
        let longest = self
            .cells
            .iter()
            .map(|cell| cell.region.path.segments.len());
        let longest = longest.max().unwrap_or_default() + 1;
        let further = match region.path.rest {
            true => longest.saturating_sub(region.path.segments.len()),
            false => 0,
        };
        let segments = (0..=further).find_map(|further| {
            let any = std::iter::repeat_n(&Segment::Any, further);
            let segments = region.path.segments.iter().chain(any).enumerate();
            let text = |(index, segment): (usize, &Segment)| match segment {
                Segment::Literal(text) | Segment::Starts(text) => text.clone(),
                Segment::Any => self.fresh(index),
            };
            let segments: Vec<_> = segments.map(text).collect();
            let path = Path {
                segments: segments.iter().cloned().map(Segment::Literal).collect(),
                rest: false,
            };
            let mut others = self.cells.iter().map(|cell| &cell.region.path);
            let is_own = others.all(|other| !other.covers(&path) || other.covers(&region.path));
            is_own.then_some(segments)
        })?;
        let host = match &region.host {
            Host::Exact(name) => name.clone(),
            Host::Below(parent) => self.unused(
                ["a", "b", "example"].map(|label| format!("{label}.{parent}")),
                |host| Host::Exact(host.to_owned()),
            )?,
            Host::Any => self.unused(
                ["example.com", "example.org", "any-host.example"].map(Into::into),
                |host| Host::Exact(host.to_owned()),
            )?,
        };
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"];
        let method = match &region.method {
            Method::One(name) => name.clone(),
            Method::Any => {
                let mut methods = methods.into_iter();
                let is_named = |name: &str| {
                    let named = |cell: &Cell| cell.region.method == Method::One(name.to_owned());
                    self.cells.iter().any(named)
                };
                methods.find(|name| !is_named(name))?.to_owned()
            }
        };
        Some(Sent {
            method,
            host,
            segments,
        })
    }

    /// A segment that no pattern names.
    fn fresh(&self, index: usize) -> String {
        let named = |text: &str| {
            let mut segments = self
                .cells
                .iter()
                .flat_map(|cell| &cell.region.path.segments);
            segments.any(|segment| matches!(segment, Segment::Literal(own) if own == text))
        };
        let mut texts = (index..).map(|number| format!("x{number}"));
        texts.find(|text| !named(text)).unwrap_or_default()
    }

    /// The first host that is in no smaller region.
    fn unused(&self, hosts: [String; 3], shape: fn(&str) -> Host) -> Option<String> {
        let mut hosts = hosts.into_iter();
        hosts.find(|host| {
            let host = shape(host);
            let mut named = self.cells.iter().map(|cell| &cell.region.host);
            named.all(|own| *own == Host::Any || *own != host)
        })
    }

    /// A case as `countersign policy test` reads it.
    fn case(&self, sent: &Sent, target: &str, policy: &Policy<'_>, facts: &Case) -> Value {
        let mut case = Map::new();
        case.insert(
            "request".to_owned(),
            json!(format!("{} {target}", sent.method)),
        );
        case.insert("host".to_owned(), json!(sent.host));
        let mut headers = Map::new();
        let credentials = self.credentials(sent, policy);
        let mut principals: Vec<&Option<String>> = Vec::new();
        for (fact, holds) in facts {
            if !principals.contains(&&fact.principal) {
                principals.push(&fact.principal);
            }
            if let (What::Clear(name), false) = (&fact.what, holds) {
                headers.insert(name.clone(), json!("a, b"));
            }
        }
        let mut tokens = Vec::new();
        for principal in principals {
            let about = facts
                .iter()
                .filter(|(fact, _)| fact.principal == *principal);
            let about: Vec<_> = about.map(|(fact, holds)| (&fact.what, *holds)).collect();
            if about.contains(&(&What::Sent, false))
                || !about.iter().any(|(what, _)| is_of_token(what))
            {
                continue;
            }
            let place = credentials.iter().find(|place| {
                place.get("principal").and_then(Value::as_str) == principal.as_deref()
            });
            let of_request = |value: &Value| self.of_request(value, sent, &mut headers);
            let token = token::token(policy, &about, place.copied(), self.now_s, of_request);
            let Some(mut token) = token else { continue };
            if let Some(place) = place {
                token.insert("in".to_owned(), (*place).clone());
            }
            tokens.push(token);
        }
        if !headers.is_empty() {
            case.insert("headers".to_owned(), Value::Object(headers));
        }
        let mut tokens = tokens.into_iter();
        case.extend(tokens.next().into_iter().flatten());
        let others: Vec<_> = tokens.collect();
        if !others.is_empty() {
            case.insert("also".to_owned(), json!(others));
        }
        case.insert("now".to_owned(), json!(self.now_s));
        Value::Object(case)
    }

    /// The places of the rule that decides there.
    fn credentials<'p>(&self, sent: &Sent, policy: &'p Policy<'_>) -> Vec<&'p Value> {
        let literal = |text: &String| Segment::Literal(text.clone());
        let region = Region {
            path: Path {
                segments: sent.segments.iter().map(literal).collect(),
                rest: false,
            },
            host: Host::Exact(sent.host.clone()),
            method: Method::One(sent.method.clone()),
        };
        let pattern = policy.find(&region).and_then(|found| policy.pattern(found));
        let places = pattern.and_then(|pattern| pattern.treatment.get("credentials"));
        match places.and_then(Value::as_array) {
            Some(places) => places.iter().collect(),
            None => list(policy.json, "credentials").collect(),
        }
    }

    /// The text that a value of the request has, which is sent for it.
    fn of_request(&self, value: &Value, sent: &Sent, headers: &mut Map<String, Value>) -> String {
        if let Some(name) = value.get("header").and_then(Value::as_str) {
            let text = headers
                .entry(name.to_ascii_lowercase())
                .or_insert_with(|| json!("x1"));
            return text.as_str().unwrap_or_default().to_owned();
        }
        let place = value.get("capture").and_then(|place| place.get(0));
        match place
            .and_then(Value::as_u64)
            .and_then(|index| usize::try_from(index).ok())
        {
            Some(index) => sent.segments.get(index).cloned().unwrap_or_default(),
            None => sent.host.split('.').next().unwrap_or_default().to_owned(),
        }
    }
}

fn is_of_token(what: &What) -> bool {
    !matches!(what, What::Clear(_))
}

fn texts(case: &Case) -> Vec<(String, bool)> {
    // A good token is a token, and so is a bad one.
    let is_implied = |fact: &Fact| {
        let is = |what| Fact {
            what,
            ..fact.clone()
        };
        let judged = [What::Good, What::Bad].map(|what| case.contains(&(is(what), true)));
        fact.what == What::Sent && judged.contains(&true)
    };
    // That a header is sent as it should be need not be said.
    let is_usual = |fact: &Fact, holds: bool| holds && matches!(fact.what, What::Clear(_));
    let case = case.iter();
    case.filter(|(fact, holds)| !(is_implied(fact) || is_usual(fact, *holds)))
        .map(|(fact, holds)| (fact.to_string(), *holds))
        .collect()
}

/// The target as it is, and then as backends may read it differently.
fn spellings(segments: &[String]) -> Vec<String> {
    let plain = format!("/{}", segments.join("/"));
    let mut targets = vec![plain.clone()];
    if let Some(at) =
        plain.find(|letter: char| letter.is_ascii_alphabetic() && !plain.contains('%'))
    {
        let (before, rest) = plain.split_at(at);
        let (letter, after) = rest.split_at(1);
        let other = match letter.chars().all(|letter| letter.is_ascii_uppercase()) {
            true => letter.to_ascii_lowercase(),
            false => letter.to_ascii_uppercase(),
        };
        targets.push(format!("{before}{other}{after}"));
        let byte = letter.bytes().next().unwrap_or_default();
        targets.push(format!("{before}%{byte:02X}{after}"));
    }
    if plain != "/" {
        targets.push(format!("{plain}/"));
    }
    targets
}
