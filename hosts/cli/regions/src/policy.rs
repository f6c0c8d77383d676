//! A policy as what decides in each region: its rules with everything that the
//! policy says for them.

use serde_json::{Map, Value, json};

use crate::{
    region::Region,
    shape::{Host, Method, Path, Segment, Shape},
};

/// A policy that the gate opens.
pub(crate) struct Policy<'p> {
    pub(crate) json: &'p Value,
    pub(crate) rules: Vec<Rule>,
}

/// A rule.
pub(crate) struct Rule {
    pub(crate) hosts: Vec<Host>,
    pub(crate) methods: Vec<Method>,
    pub(crate) paths: Vec<Pattern>,
}

/// One path of a rule.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) path: Path,
    /// All that decides about its requests but the issuers and the policy's
    /// settings: the members of the rule, each by the name of a member.
    /// `credentials`, `several` and `challenge` are the rule's or else the
    /// policy's, and a capture is where it stands and no name.
    pub(crate) treatment: Map<String, Value>,
    /// The treatment as text in which the order of what has no order is left out.
    pub(crate) text: String,
}

/// A rule's place in the policy and the path's place in the rule: what the gate
/// compares where a request can be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Match {
    pub(crate) rule: usize,
    pub(crate) pattern: usize,
}

impl<'p> Policy<'p> {
    pub(crate) fn new(json: &'p Value) -> Self {
        let rules = list(json, "rules").map(|rule| Rule::new(rule, json));
        Self {
            rules: rules.collect(),
            json,
        }
    }

    /// The first rule that matches the requests of a region, and its first path.
    pub(crate) fn find(&self, region: &Region) -> Option<Match> {
        let mut rules = self.rules.iter().enumerate();
        rules.find_map(|(rule, own)| {
            Some(Match {
                rule,
                pattern: own.find(region)?,
            })
        })
    }

    pub(crate) fn pattern(&self, at: Match) -> Option<&Pattern> {
        self.rules.get(at.rule)?.paths.get(at.pattern)
    }

    /// The same for backends that do not distinguish the case of letters.
    pub(crate) fn folded(&self) -> Self {
        let rule = |rule: &Rule| Rule {
            hosts: rule.hosts.clone(),
            methods: rule.methods.clone(),
            paths: rule.paths.iter().map(Pattern::folded).collect(),
        };
        Self {
            json: self.json,
            rules: self.rules.iter().map(rule).collect(),
        }
    }

    /// Whether case in paths can make a request ambiguous.
    pub(crate) fn refuses_case(&self) -> bool {
        self.json
            .get("path_case")
            .is_none_or(|case| case != "exact")
    }

    pub(crate) fn issuers(
        &self,
    ) -> impl Iterator<Item = (&'p str, &'p Map<String, Value>)> + use<'p> {
        let json: &'p Value = self.json;
        list(json, "issuers").filter_map(|issuer| {
            let name = issuer.get("name")?.as_str()?;
            Some((name, issuer.as_object()?))
        })
    }
}

impl Rule {
    fn new(rule: &Value, policy: &Value) -> Self {
        let texts = |name| list(rule, name).filter_map(Value::as_str);
        let or_any = |shapes: Vec<_>| {
            if shapes.is_empty() {
                vec![Host::ANY]
            } else {
                shapes
            }
        };
        let methods: Vec<_> = texts("methods")
            .map(|name| Method::One(name.to_owned()))
            .collect();
        let hosts: Vec<&str> = texts("hosts").collect();
        let label = hosts
            .first()
            .and_then(|host| host.strip_prefix('{')?.split_once('}'));
        let path = |path: &str| Pattern::new(path, rule, policy, label.map(|(name, _)| name));
        Self {
            methods: match methods.is_empty() {
                true => vec![Method::ANY],
                false => methods,
            },
            hosts: or_any(hosts.into_iter().map(host).collect()),
            paths: match rule.get("path") {
                Some(Value::String(one)) => vec![path(one)],
                _ => texts("path").map(path).collect(),
            },
        }
    }

    fn find(&self, region: &Region) -> Option<usize> {
        let is_here = self.methods.iter().any(|own| own.covers(&region.method))
            && self.hosts.iter().any(|own| own.covers(&region.host));
        let mut paths = self.paths.iter();
        paths
            .position(|own| own.path.covers(&region.path))
            .filter(|_| is_here)
    }
}

impl Pattern {
    /// `label` is the name of the hosts' first label.
    fn new(path: &str, rule: &Value, policy: &Value, label: Option<&str>) -> Self {
        let mut names = Vec::new();
        let mut segments = Vec::new();
        let mut rest = false;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let name = part
                .strip_prefix('{')
                .and_then(|part| part.strip_suffix('}'));
            names.push(name.unwrap_or_default());
            match (part, name) {
                ("**", _) => rest = true,
                (_, Some(_)) => segments.push(Segment::Any),
                // The gate refuses a policy with another literal.
                (literal, None) => segments.extend(Segment::literal(literal)),
            }
        }
        let place = |name: &str| {
            let segment = names
                .iter()
                .position(|own| *own == name && !name.is_empty());
            let segment = segment.map(|index| json!([index]));
            segment.or_else(|| (label == Some(name)).then(|| json!(["host"])))
        };
        let treatment = treatment(rule, policy, &place);
        let texts = treatment
            .iter()
            .map(|(name, member)| format!("{name} {}\n", text(name, member)));
        let mut texts: Vec<_> = texts.collect();
        texts.sort();
        Self {
            path: Path { segments, rest },
            text: texts.concat(),
            treatment,
        }
    }

    fn folded(&self) -> Self {
        Self {
            path: self.path.folded(),
            ..self.clone()
        }
    }
}

/// The members of a rule that decide, with what the policy says for it.
fn treatment(
    rule: &Value,
    policy: &Value,
    place: &dyn Fn(&str) -> Option<Value>,
) -> Map<String, Value> {
    let mut treatment = rule.as_object().cloned().unwrap_or_default();
    // Where it is, and what people call it.
    for name in ["path", "hosts", "methods", "name"] {
        treatment.remove(name);
    }
    // What a member says that is left out.
    treatment.retain(|name, value| match name.as_str() {
        "public" | "optional" => *value != false,
        "encoded_slash" => *value != "refuse",
        _ => true,
    });
    if treatment.contains_key("public") {
        return treatment;
    }
    treatment.entry("require").or_insert_with(|| json!({}));
    let lists = match treatment.contains_key("credentials") {
        true => rule,
        false => policy,
    };
    let default = json!([{ "header": "authorization", "scheme": "Bearer" }]);
    let own = |name: &str| lists.get(name).cloned();
    treatment.insert(
        "credentials".to_owned(),
        own("credentials").unwrap_or(default),
    );
    treatment.insert(
        "several".to_owned(),
        own("several").unwrap_or_else(|| json!("refuse")),
    );
    if let Some(challenge) = policy.get("challenge") {
        let own = treatment.entry("challenge");
        own.or_insert_with(|| challenge.clone());
    }
    for name in ["require", "principals"] {
        if let Some(member) = treatment.get_mut(name) {
            with_places(member, place);
        }
    }
    treatment
}

/// Writes each capture as its place, in a form that no policy has.
fn with_places(value: &mut Value, place: &dyn Fn(&str) -> Option<Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| with_places(item, place)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let short = match (name.as_str(), &*member) {
                    ("capture", Value::String(name)) => place(name),
                    ("subject" | "tenant", Value::String(text)) => {
                        let name = text
                            .strip_prefix('{')
                            .and_then(|text| text.strip_suffix('}'));
                        name.and_then(place)
                            .map(|place| json!({ "capture": place }))
                    }
                    _ => None,
                };
                match short {
                    Some(place) => *member = place,
                    None => with_places(member, place),
                }
            }
        }
        _ => {}
    }
}

fn host(text: &str) -> Host {
    let text = text.to_ascii_lowercase();
    match text.split_once('.') {
        Some((first, parent)) if first == "*" || first.starts_with('{') => {
            Host::Below(parent.to_owned())
        }
        _ => Host::Exact(text),
    }
}

/// The items of a member that is an array.
pub(crate) fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// Objects whose names are the user's: their order is that of checks, of headers or
/// of roles.
const OF_THE_USER: [&str; 7] = [
    "claims",
    "claim",
    "principals",
    "forward",
    "headers",
    "role_map",
    "resource_metadata",
];

/// The text of the member of this name, in which the order of what has no order is
/// left out. Objects that are equal can be different texts.
pub(crate) fn text(name: &str, value: &Value) -> String {
    canonical(value, OF_THE_USER.contains(&name)).to_string()
}

/// The value with its members in one order, but for those whose order counts.
fn canonical(value: &Value, keeps: bool) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| canonical(item, false)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let keeps = OF_THE_USER.contains(&name.as_str());
                (name.clone(), canonical(value, keeps))
            };
            let mut members: Map<_, _> = members.iter().map(member).collect();
            if !keeps {
                members.sort_keys();
            }
            Value::Object(members)
        }
        scalar => scalar.clone(),
    }
}
