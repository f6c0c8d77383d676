//! What two policies decide differently.

use serde_json::{Map, Value};

use crate::{
    difference::{Admits, Change, Difference, Effect, Subject},
    example::Examples,
    formula::Formula,
    issuers,
    policy::{Match, Policy, text},
    region::Region,
    requirement::access,
    routing::{Cell, Routing},
    settings,
};

/// What `new` decides differently from `old`: two policies that the gate opens.
/// `now_s` is for the examples, in seconds since 1970.
///
/// Every request on which they decide differently, in whatever member of the
/// decision, is one of those that some difference touches. There may be requests
/// among them on which both decide the same.
pub fn differences(old: &Value, new: &Value, now_s: u64) -> Vec<Difference> {
    let (old, new) = (&Policy::new(old), &Policy::new(new));
    let mut issuers: Vec<_> = old
        .issuers()
        .chain(new.issuers())
        .map(|(name, _)| name.to_owned())
        .collect();
    issuers.sort();
    issuers.dedup();
    let routing = Routing::new(old, new);
    let examples = &Examples {
        cells: routing
            .as_ref()
            .map(|routing| &*routing.cells)
            .unwrap_or_default(),
        issuers: &issuers,
        now_s,
    };
    let mut found = settings::differences(old, new);
    found.extend(issuers::differences(old, new, examples));
    match &routing {
        Some(routing) => found.extend(of_rules(old, new, routing, examples)),
        None if old.json.get("rules") == new.json.get("rules") => {}
        None => found.push(Difference {
            subject: Subject::TooMany,
            changes: Vec::new(),
            effects: vec![Effect::on_all(Admits::CanMore)],
        }),
    }
    found
}

/// What decides in a region, by the old policy and by the new one.
type Pair = (Option<Match>, Option<Match>);

fn of_rules(
    old: &Policy<'_>,
    new: &Policy<'_>,
    routing: &Routing,
    examples: &Examples<'_>,
) -> Vec<Difference> {
    let mut groups: Vec<(Pair, Vec<&Cell>)> = Vec::new();
    for cell in routing
        .different
        .iter()
        .filter_map(|index| routing.cells.get(*index))
    {
        let pair = (cell.old, cell.new);
        match groups.iter_mut().find(|(known, _)| *known == pair) {
            Some((_, cells)) => cells.push(cell),
            None => groups.push((pair, vec![cell])),
        }
    }
    let mut found: Vec<Difference> = Vec::new();
    for ((before, after), cells) in groups {
        let treatment = |policy: &Policy<'_>, at: Option<Match>| {
            at.and_then(|at| Some(policy.pattern(at)?.treatment.clone()))
        };
        let (from, to) = (treatment(old, before), treatment(new, after));
        found.push(Difference {
            effects: effects([(old, &from), (new, &to)], &cells, examples),
            changes: changes(&from, &to),
            subject: Subject::Rules {
                regions: merged(cells.iter().map(|cell| cell.region.clone())),
                old: before.map(|at| at.rule),
                new: after.map(|at| at.rule),
            },
        });
    }
    found.extend(of_spellings(new, routing, &found, examples));
    found
}

/// The spellings that may pass now, and those that may be refused now, where no
/// other difference says so.
fn of_spellings(
    new: &Policy<'_>,
    routing: &Routing,
    found: &[Difference],
    examples: &Examples<'_>,
) -> Vec<Difference> {
    // A spelling passes whatever the facts are that its region's effects depend on.
    let is_whole = |effect: &Effect| {
        let more = matches!(effect.admits, Admits::More | Admits::CanMore);
        more && effect.facts.is_empty()
    };
    let more: Vec<&Region> = found
        .iter()
        .filter(|difference| difference.effects.iter().any(is_whole))
        .filter_map(|difference| match &difference.subject {
            Subject::Rules { regions, .. } => Some(regions),
            _ => None,
        })
        .flatten()
        .collect();
    let said = |region: &&Region| more.iter().any(|known| known.covers(region));
    let laxer: Vec<_> = routing
        .laxer
        .iter()
        .filter(|region| !said(region))
        .cloned()
        .collect();
    let stricter = routing
        .respelled
        .iter()
        .filter(|region| !laxer.contains(region));
    let stricter: Vec<_> = stricter.cloned().collect();
    let kinds = [(laxer, Admits::CanMore), (stricter, Admits::Less)].into_iter();
    kinds
        .filter(|(regions, _)| !regions.is_empty())
        .map(|(regions, admits)| Difference {
            effects: vec![regions.first().map_or(Effect::on_all(admits), |region| {
                let case = Vec::new();
                examples.in_region(region, new, admits, &case)
            })],
            subject: Subject::Spellings(merged(regions.into_iter())),
            changes: Vec::new(),
        })
        .collect()
}

type Treatment = Option<Map<String, Value>>;

fn changes(old: &Treatment, new: &Treatment) -> Vec<Change> {
    let members = |treatment: &Treatment| treatment.clone().unwrap_or_default();
    // Without a rule for tokens, what is inherited is no change.
    let reads = |treatment: &Treatment| {
        let read = treatment.as_ref();
        read.is_some_and(|rule| !rule.contains_key("public"))
    };
    let both = reads(old) == reads(new);
    Change::of(&members(old), &members(new), |name, old, new| {
        let inherited = matches!(name, "credentials" | "several" | "challenge");
        (both || !inherited) && text(name, old) != text(name, new)
    })
}

fn effects(
    [(old, before), (new, after)]: [(&Policy<'_>, &Treatment); 2],
    cells: &[&Cell],
    examples: &Examples<'_>,
) -> Vec<Effect> {
    // All of a region can be in smaller ones: then another is the example.
    let effect = |policy: &Policy<'_>, admits, case: &Vec<_>| {
        let tried = cells
            .iter()
            .map(|cell| examples.in_region(&cell.region, policy, admits, case));
        let mut tried = tried.take(8);
        let first = tried.next();
        let with_example = |effect: &Effect| !effect.examples.is_empty();
        let other = first
            .as_ref()
            .is_some_and(|first| !with_example(first))
            .then(|| tried.find(with_example));
        other
            .flatten()
            .or(first)
            .unwrap_or_else(|| Effect::on_all(admits))
    };
    let mut effects = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        let mut ways = ways(before, after);
        ways.dedup();
        effects.extend(
            ways.into_iter()
                .map(|admits| effect(new, admits, &Vec::new())),
        );
    }
    let access = |treatment: &Treatment| match treatment {
        Some(treatment) => access(treatment),
        None => Some(Formula::Const(false)),
    };
    let (more, fewer) = match (access(before), access(after)) {
        (Some(before), Some(after)) => (
            after.but_not(&before, examples.issuers),
            before.but_not(&after, examples.issuers),
        ),
        _ => (None, None),
    };
    for (cases, policy, admits) in [(more, new, Admits::More), (fewer, old, Admits::Less)] {
        match cases {
            None => effects.push(effect(policy, Admits::CanMore, &Vec::new())),
            Some(cases) => effects.extend(cases.iter().map(|case| effect(policy, admits, case))),
        }
    }
    if effects.is_empty() {
        effects.push(effect(new, Admits::Same, &Vec::new()));
    }
    effects
}

/// Which ways the members go that are no conditions.
fn ways(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Admits> {
    let tolerant = [old, new].iter().any(|rule| {
        let first = rule
            .get("several")
            .is_some_and(|several| several == "first");
        first || rule.get("optional").is_some_and(Value::is_object)
    });
    let changes = changes(&Some(old.clone()), &Some(new.clone()));
    // By a public rule no token is read.
    let is_public = [old, new].iter().any(|rule| rule.contains_key("public"));
    let way = |change: &Change| match change.name.as_str() {
        "credentials" | "several" | "accept_expired_s" | "challenge" if is_public => None,
        "public" | "optional" | "require" | "principals" => None,
        "challenge" => Some(Admits::Same),
        "encoded_slash" if change.new == "keep" => Some(Admits::More),
        "encoded_slash" => Some(Admits::Less),
        "accept_expired_s" if change.old.as_u64() < change.new.as_u64() => Some(Admits::More),
        "accept_expired_s" if !tolerant => Some(Admits::Less),
        _ => Some(Admits::CanMore),
    };
    changes.iter().filter_map(way).collect()
}

/// The regions without those that a larger one covers.
fn merged(regions: impl Iterator<Item = Region>) -> Vec<Region> {
    let regions: Vec<_> = regions.collect();
    let mut kept: Vec<Region> = Vec::new();
    for region in regions.iter().rev() {
        if !kept.iter().any(|larger| larger.covers(region)) {
            kept.push(region.clone());
        }
    }
    kept.reverse();
    kept
}
