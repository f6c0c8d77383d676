//! Both decisions about one request, and a difference of two policies as text and
//! as JSON.

use countersign_host::{Decision, Step, Verdict};
use countersign_regions::{Admits, Change, Difference, Effect, Region, Subject};
use serde_json::{Value, json};

use super::case::Case;
use crate::{
    decision,
    style::{BAD, FAINT, GOOD, NOTE, STRONG, WARN, visible},
};

/// A decision and its explanation.
pub(super) struct Judged {
    pub(super) decision: Decision,
    /// The check that failed, or the rule that admits.
    pub(super) step: Option<Step>,
}

/// What both policies decide about one request.
pub(super) struct Both {
    pub(super) old: Judged,
    pub(super) new: Judged,
}

impl Judged {
    pub(super) fn new(decision: Decision, steps: Vec<Step>) -> Self {
        let decisive = |step: &Step| match decision {
            Decision::Deny(_) => step.verdict == Verdict::Fail,
            _ => step.check == "rule",
        };
        Self {
            step: steps.into_iter().find(decisive),
            decision,
        }
    }

    fn print(&self, which: &str) {
        let (style, code) = match &self.decision {
            Decision::Deny(denial) => (BAD, denial.code.to_string()),
            _ => (GOOD, String::new()),
        };
        let word = decision::word(&self.decision);
        let step = self.step.as_ref();
        let why = step.map(|step| format!("{}: {}", step.check, visible(&step.detail)));
        let line = format!("{style}{word}{style:#} {STRONG}{code}{STRONG:#}");
        anstream::println!(
            "      {FAINT}{which}{FAINT:#} {line}  {FAINT}{}{FAINT:#}",
            why.unwrap_or_default()
        );
    }

    fn as_json(&self) -> Value {
        let step = self.step.as_ref();
        let step = step.map(|step| json!({ "check": step.check, "detail": step.detail }));
        json!({ "decision": decision::as_json(&self.decision), "step": step })
    }
}

impl Both {
    pub(super) fn differ(&self) -> bool {
        decision::as_json(&self.old.decision) != decision::as_json(&self.new.decision)
    }

    /// Whether the decisions go this way.
    pub(super) fn show(&self, admits: Admits) -> bool {
        let passes = |judged: &Judged| matches!(judged.decision, Decision::Allow(_));
        match admits {
            Admits::More | Admits::CanMore => !passes(&self.old) && passes(&self.new),
            Admits::Less => passes(&self.old) && !passes(&self.new),
            Admits::Same => self.differ(),
        }
    }

    pub(super) fn print(&self) {
        self.old.print("old");
        self.new.print("new");
    }

    /// `{ "old": { "decision", "step" }, "new" }`.
    pub(super) fn as_json(&self) -> Value {
        json!({ "old": self.old.as_json(), "new": self.new.as_json() })
    }
}

/// An example of an effect, and what was decided.
pub(super) struct Shown {
    pub(super) example: Value,
    pub(super) both: Option<Both>,
}

/// The longest value that is printed whole; JSON has all of it.
const PRINTED: usize = 160;

pub(super) fn print(difference: &Difference, shown: &[Option<Shown>]) {
    let (kind, of) = subject(&difference.subject);
    anstream::println!("{STRONG}{kind}{STRONG:#}  {}", visible(&of));
    for change in &difference.changes {
        if change.old == change.new {
            // Secrets are hidden.
            let (name, value) = (&change.name, printed(&change.new));
            anstream::println!("    {FAINT}{name}{FAINT:#}  {value}, with another secret");
        }
        each_leaf(
            &change.name,
            &change.old,
            &change.new,
            &mut |name, old, new| {
                anstream::println!(
                    "    {FAINT}{name}{FAINT:#}  {} {FAINT}→{FAINT:#} {}",
                    printed(old),
                    printed(new)
                );
            },
        );
    }
    for (effect, shown) in difference.effects.iter().zip(shown) {
        let (style, words) = words(effect.admits);
        anstream::println!("    {style}{words}{style:#}  {}", visible(&facts(effect)));
        if let Some(Shown { example, both }) = shown {
            anstream::println!("      {NOTE}{}{NOTE:#}", visible(&line(example)));
            both.iter().for_each(Both::print);
        }
    }
}

fn subject(subject: &Subject) -> (&'static str, String) {
    let rule = |index: &Option<usize>| match index {
        Some(index) => format!("/rules/{index}"),
        None => "no rule".to_owned(),
    };
    match subject {
        Subject::Rules { regions, old, new } => {
            let of = texts(regions).join(", ");
            match (old, new) {
                (None, None) => ("requests", of),
                _ => ("requests", format!("{of}  ({} → {})", rule(old), rule(new))),
            }
        }
        Subject::Spellings(regions) => ("other spellings", texts(regions).join(", ")),
        Subject::Issuer { name, rules } => {
            let rules = rules.iter().map(|index| format!("/rules/{index}"));
            let rules = rules.collect::<Vec<_>>().join(", ");
            ("tokens", format!("of issuer `{name}`  ({rules})"))
        }
        Subject::Policy => ("policy", String::new()),
        Subject::TooMany => (
            "requests",
            "all: there are too many regions to compare".to_owned(),
        ),
    }
}

fn texts(regions: &[Region]) -> Vec<String> {
    regions.iter().map(ToString::to_string).collect()
}

fn words(admits: Admits) -> (anstyle::Style, &'static str) {
    match admits {
        Admits::More => (BAD, "admits more"),
        Admits::CanMore => (WARN, "can admit more"),
        Admits::Less => (GOOD, "admits less"),
        Admits::Same => (FAINT, "admits the same, answers can differ"),
    }
}

fn facts(effect: &Effect) -> String {
    let facts = effect.facts.iter().map(|(fact, holds)| match holds {
        true => fact.clone(),
        false => format!("not {fact}"),
    });
    facts.collect::<Vec<_>>().join("; ")
}

/// The example in one line: its request, and the claims of its tokens.
fn line(example: &Value) -> String {
    let text = |name: &str| {
        example
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let mut line = format!("{}  {}", text("request"), text("host"));
    let others = example
        .get("also")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for sent in std::iter::once(example).chain(others) {
        if let Some(claims) = sent.get("token") {
            let issuer = sent
                .get("issuer")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let forged = if sent.get("forged").is_some() {
                "forged "
            } else {
                ""
            };
            line += &format!("  {forged}{issuer} {claims}");
        }
    }
    match example.get("headers") {
        Some(headers) => format!("{line}  headers {headers}"),
        None => line,
    }
}

fn each_leaf(name: &str, old: &Value, new: &Value, each: &mut dyn FnMut(&str, &Value, &Value)) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let added = after.keys().filter(|name| !before.contains_key(*name));
            let all: Vec<_> = before.keys().chain(added).collect();
            let of = |members: &serde_json::Map<String, Value>, member: &str| {
                members.get(member).cloned().unwrap_or_default()
            };
            for member in all {
                let (old, new) = (of(before, member), of(after, member));
                if old != new {
                    each_leaf(&format!("{name}.{member}"), &old, &new, each);
                }
            }
        }
        _ => each(name, old, new),
    }
}

fn printed(value: &Value) -> String {
    if value.is_null() {
        return "nothing".to_owned();
    }
    let text = visible(&value.to_string());
    match text.char_indices().nth(PRINTED) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}

/// `{ "subject", "changes", "effects" }`.
pub(super) fn as_json(difference: &Difference, shown: &[Option<Shown>]) -> Value {
    let pointer = |index: &Option<usize>| index.map(|index| format!("/rules/{index}"));
    let subject = match &difference.subject {
        Subject::Rules { regions, old, new } => json!({
            "kind": "requests",
            "regions": texts(regions),
            "old": pointer(old),
            "new": pointer(new),
        }),
        Subject::Spellings(regions) => json!({ "kind": "spellings", "regions": texts(regions) }),
        Subject::Issuer { name, rules } => {
            let rules: Vec<_> = rules
                .iter()
                .map(|index| format!("/rules/{index}"))
                .collect();
            json!({ "kind": "issuer", "issuer": name, "rules": rules })
        }
        Subject::Policy => json!({ "kind": "policy" }),
        Subject::TooMany => json!({ "kind": "too_many" }),
    };
    let change =
        |Change { name, old, new }: &Change| json!({ "name": name, "old": old, "new": new });
    let effects = difference.effects.iter().zip(shown).map(|(effect, shown)| {
        let facts = effect.facts.iter();
        let facts = facts.map(|(fact, holds)| json!({ "fact": fact, "holds": holds }));
        let both = shown.as_ref().and_then(|shown| shown.both.as_ref());
        json!({
            "admits": match effect.admits {
                Admits::More => "more",
                Admits::CanMore => "can_more",
                Admits::Less => "less",
                Admits::Same => "same",
            },
            "facts": facts.collect::<Vec<_>>(),
            "example": shown.as_ref().map(|shown| &shown.example),
            "decisions": both.map(Both::as_json),
        })
    });
    json!({
        "subject": subject,
        "changes": difference.changes.iter().map(change).collect::<Vec<_>>(),
        "effects": effects.collect::<Vec<_>>(),
    })
}

/// A request of a recording on which both decide differently.
pub(super) fn print_replayed(case: &Case, both: &Both) {
    let request = case.request.as_deref().unwrap_or("a token");
    anstream::println!(
        "{STRONG}{}{STRONG:#}  {}",
        visible(&case.name),
        visible(request)
    );
    both.print();
}
