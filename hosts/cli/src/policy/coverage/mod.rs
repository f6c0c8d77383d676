//! Coverage: which rules of a policy, and which branches of each, the cases reach.

mod branches;
mod reached;

use serde_json::{Value, json};

use super::suite::{Explained, Question, Suite};
use crate::{
    arguments::Host,
    failure::Failure,
    style::{BAD, FAINT, GOOD, STRONG, visible},
};
use branches::branches;
use reached::Case;

/// The coverage of all policies of a run.
#[derive(Default)]
pub(super) struct Coverage {
    policies: Vec<Policy>,
}

struct Policy {
    /// As the cases name its file.
    file: String,
    json: Value,
    rules: Vec<Rule>,
}

struct Rule {
    /// `GET /assets/**`
    requests: String,
    /// How many cases it decides.
    cases: usize,
    branches: Vec<Branch>,
}

struct Branch {
    name: String,
    /// How many cases reach it.
    cases: usize,
}

impl Coverage {
    /// Adds a case of `suite`.
    pub(super) async fn add(
        &mut self,
        suite: &Suite,
        question: &Question,
        explained: &Explained,
        host: &Host,
    ) -> Result<(), Failure> {
        let policy = self.policy(question);
        let decided = reached::rule(&explained.steps).filter(|_| question.is_request());
        let Some((index, rule)) =
            decided.and_then(|index| Some((index, policy.rules.get_mut(index)?)))
        else {
            return Ok(());
        };
        rule.cases += 1;
        let case = Case {
            suite,
            question,
            host,
            policy: &policy.json,
            rule: index,
        };
        let reached = case.branches(explained).await?;
        let is_listed = |name: &String| rule.branches.iter().any(|branch| branch.name == *name);
        debug_assert!(reached.iter().all(is_listed), "{reached:?}");
        let is_reached = |branch: &&mut Branch| reached.contains(&branch.name);
        let branches = rule.branches.iter_mut().filter(is_reached);
        branches.for_each(|branch| branch.cases += 1);
        Ok(())
    }

    /// The policy of a case; cases of several files may have the same.
    fn policy(&mut self, question: &Question) -> &mut Policy {
        let file = &question.policy.name;
        let known = self.policies.iter().position(|known| known.file == *file);
        let index = known.unwrap_or_else(|| {
            let json = serde_json::from_slice(&question.policy.json).unwrap_or_default();
            self.policies.push(Policy::new(file.clone(), json));
            self.policies.len() - 1
        });
        &mut self.policies[index]
    }

    /// How many of all branches are reached, in percent, rounded down.
    pub(super) fn percent(&self) -> usize {
        let (reached, all) = self.branches();
        (reached * 100).checked_div(all).unwrap_or(100)
    }

    fn branches(&self) -> (usize, usize) {
        let rules = self.rules().map(Rule::reached);
        rules.fold((0, 0), |(reached, all), (r, a)| (reached + r, all + a))
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.policies.iter().flat_map(|policy| &policy.rules)
    }

    pub(super) fn print(&self) {
        for Policy { file, rules, .. } in &self.policies {
            anstream::println!("\n{STRONG}{}{STRONG:#}", visible(file));
            let width = |rule: &Rule| rule.requests.chars().count();
            let width = rules.iter().map(width).max().unwrap_or_default();
            for (index, rule) in rules.iter().enumerate() {
                rule.print(index, width);
            }
        }
        let (reached, all) = self.branches();
        let rules = self.rules().filter(|rule| rule.cases > 0).count();
        anstream::println!(
            "coverage {STRONG}{} %{STRONG:#}: {reached} of {all} branches, {rules} of {} rules",
            self.percent(),
            self.rules().count(),
        );
    }

    /// `{ "percent", "policies": [{ "file", "rules": [{ "rule", "requests", "cases", "branches": [{ "branch", "cases" }] }] }] }`.
    pub(super) fn as_json(&self) -> Value {
        let policies = self.policies.iter().map(|Policy { file, rules, .. }| {
            let rules = rules.iter().enumerate().map(|(index, rule)| {
                let branches = rule.branches.iter();
                let branches = branches
                    .map(|Branch { name, cases }| json!({ "branch": name, "cases": cases }));
                json!({
                    "rule": format!("/rules/{index}"),
                    "requests": rule.requests,
                    "cases": rule.cases,
                    "branches": branches.collect::<Vec<_>>(),
                })
            });
            json!({ "file": file, "rules": rules.collect::<Vec<_>>() })
        });
        json!({ "percent": self.percent(), "policies": policies.collect::<Vec<_>>() })
    }
}

impl Policy {
    fn new(file: String, json: Value) -> Self {
        let rules = json["rules"].as_array().into_iter().flatten();
        let rules = rules.map(|rule| Rule {
            requests: requests(rule),
            cases: 0,
            branches: branches(rule, &json)
                .into_iter()
                .map(|name| Branch { name, cases: 0 })
                .collect(),
        });
        let rules = rules.collect();
        Self { file, json, rules }
    }
}

impl Rule {
    /// The number of branches that are reached, and of all.
    fn reached(&self) -> (usize, usize) {
        let reached = self.branches.iter().filter(|branch| branch.cases > 0);
        (reached.count(), self.branches.len())
    }

    fn print(&self, index: usize, width: usize) {
        let (reached, all) = self.reached();
        let (style, mark) = if reached == all {
            (GOOD, '✓')
        } else {
            (BAD, '✗')
        };
        anstream::print!(
            "{style}{mark}{style:#} {:<10} {:<width$}  {reached} of {all}",
            format!("/rules/{index}"),
            visible(&self.requests),
        );
        let missed = self.branches.iter().filter(|branch| branch.cases == 0);
        let missed: Vec<_> = missed.map(|branch| &*branch.name).collect();
        match (&*missed, self.cases) {
            ([], _) => anstream::println!(),
            (_, 0) => anstream::println!("  {FAINT}no case reaches it{FAINT:#}"),
            (missed, _) => {
                let missed = visible(&missed.join(", "));
                anstream::println!("  {FAINT}not reached:{FAINT:#} {missed}");
            }
        }
    }
}

/// The requests that a rule matches, in short: `GET,POST api.example.com /assets/**`.
fn requests(rule: &Value) -> String {
    let texts = |value: &Value| match value {
        Value::Array(several) => {
            let several = several.iter().filter_map(Value::as_str);
            several.collect::<Vec<_>>().join(",")
        }
        one => one.as_str().unwrap_or_default().to_owned(),
    };
    let words = ["methods", "hosts", "path"].map(|word| texts(&rule[word]));
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
