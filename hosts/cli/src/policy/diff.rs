//! What a new policy decides differently from an old one.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_policy_source::Source;
use countersign_regions::{Difference, Effect, differences};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    case::Case,
    difference::{Both, Judged, Shown, as_json, print, print_replayed},
    recording,
    trial::Trial,
};
use crate::{
    arguments::{Host, HostArgs, Now},
    documents::Given,
    failure::Failure,
    files::read_source,
    output::{Exit, Output},
    request::Subject,
    session::Session,
    style::{BAD, GOOD, WARN},
};

#[derive(Args, Debug)]
#[command(after_help = "\
    It reports every request that can be decided differently, and may report too many. An example \
    is a case as in `policy test`; the gate decides it by both policies.\n\n\
    Exit codes: 0 where the new policy admits nothing more, 1 where it does or can, 2 for wrong \
    arguments or a wrong file.\n\n\
    A recording has a case on each line:\n  \
    {\"request\": \"GET /orgs/1\", \"host\": \"api.example.com\", \"issuer\": \"platform\", \"token\": {\"roles\": [\"admin\"]}}")]
pub(crate) struct DiffArgs {
    /// The old policy: YAML, TOML or JSON
    old: PathBuf,
    /// The new policy
    new: PathBuf,
    /// Decide these requests by both too: JSON lines, or a file of cases of `policy test`
    #[arg(long, value_name = "FILE")]
    requests: Option<PathBuf>,
    #[command(flatten)]
    host: HostArgs,
    #[command(flatten)]
    now: Now,
}

pub(crate) async fn run(args: &DiffArgs, output: Output) -> Result<Exit, Failure> {
    let (old, new) = (read(&args.old)?, read(&args.new)?);
    let now_ms = args.now.ms();
    let json = |source: &Source| serde_json::from_slice::<Value>(&source.json).unwrap_or_default();
    let found = differences(&json(&old), &json(&new), now_ms / 1000);
    let mut judges = Judges::new(old, new, args.host.read()?, now_ms);
    let mut shapes = Vec::new();
    for difference in &found {
        let mut shown = Vec::new();
        for effect in &difference.effects {
            shown.push(judges.example(effect).await);
        }
        match output.json {
            true => shapes.push(as_json(difference, &shown)),
            false => print(difference, &shown),
        }
    }
    let replayed = match &args.requests {
        Some(file) => Some(replay(file, &mut judges, output).await?),
        None => None,
    };
    let by_requests = replayed
        .as_ref()
        .is_some_and(|replayed| replayed.admits_more);
    let admits_more = by_requests || found.iter().any(Difference::admits_more);
    if output.json {
        let requests = replayed.as_ref().map(Replayed::as_json);
        let shape =
            json!({ "admits_more": admits_more, "differences": shapes, "requests": requests });
        anstream::println!("{shape}");
    } else {
        if let Some(replayed) = replayed {
            replayed.print();
        }
        summary(&found, admits_more);
    }
    Ok(if admits_more { Exit::Bad } else { Exit::Good })
}

/// A policy without errors.
fn read(file: &Path) -> Result<Source, Failure> {
    let source = read_source(file)?;
    let problems = source.lint();
    match problems.iter().any(|problem| problem.is_error) {
        true => Err(Failure::Problems(problems)),
        false => Ok(source),
    }
}

fn summary(found: &[Difference], admits_more: bool) {
    let number = match found.len() {
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        more => format!("{more} differences"),
    };
    match admits_more {
        true => anstream::println!("{BAD}{number}: the new policy admits more, or can{BAD:#}"),
        false => anstream::println!("{GOOD}{number}: the new policy admits nothing more{GOOD:#}"),
    }
}

/// Both policies, and their gates.
struct Judges {
    old: Side,
    new: Side,
    host: Host,
    now_ms: u64,
}

struct Side {
    trial: Trial,
    /// And the number of keys that it knows.
    session: Option<(Session, usize)>,
}

impl Judges {
    fn new(old: Source, new: Source, host: Host, now_ms: u64) -> Self {
        let side = |policy| {
            let mut trial = Trial::new(policy, Given::default());
            trial.offline = true;
            Side {
                trial,
                session: None,
            }
        };
        Self {
            old: side(old),
            new: side(new),
            host,
            now_ms,
        }
    }

    /// The first example that shows the effect, or else the first of all.
    async fn example(&mut self, effect: &Effect) -> Option<Shown> {
        let mut first = None;
        for example in &effect.examples {
            let mut members = example.clone();
            members["name"] = json!("an example");
            members["expect"] = json!("allow");
            let case = Case::deserialize(members).ok()?;
            // A policy may need secrets that are not here: then nothing is decided.
            let both = self.judge(&case).await.ok();
            let shows = both.as_ref().is_some_and(|both| both.show(effect.admits));
            let shown = Shown {
                example: example.clone(),
                both,
            };
            if shows {
                return Some(shown);
            }
            first.get_or_insert(shown);
        }
        first
    }

    /// What both decide about a case. Its tokens are those of the new policy's
    /// issuers, or else of the old one's.
    async fn judge(&mut self, case: &Case) -> Result<Both, Failure> {
        let now_ms = case.now.unwrap_or(self.now_ms);
        let subject = match self.new.trial.subject(case, now_ms) {
            Ok(subject) => subject,
            Err(reason) => {
                let subject = self.old.trial.subject(case, now_ms);
                subject.map_err(|_| Failure::Usage(format!("{}: {reason}", case.name)))?
            }
        };
        self.old.trial.adopt(&self.new.trial);
        self.new.trial.adopt(&self.old.trial);
        Ok(Both {
            old: self.old.judge(&subject, now_ms, &self.host).await?,
            new: self.new.judge(&subject, now_ms, &self.host).await?,
        })
    }
}

impl Side {
    async fn judge(
        &mut self,
        subject: &Subject,
        now_ms: u64,
        host: &Host,
    ) -> Result<Judged, Failure> {
        let keys = self.trial.keys();
        let (mut session, _) = match self.session.take() {
            Some(open) if open.1 == keys => open,
            _ => (self.trial.open(host)?, keys),
        };
        let decision = session.decide(subject, now_ms).await?;
        let steps = match subject {
            Subject::Request(request) => session.explain(request, now_ms)?,
            Subject::Token(..) => Vec::new(),
        };
        self.session = Some((session, keys));
        Ok(Judged::new(decision, steps))
    }
}

/// What became of a recording.
struct Replayed {
    number: usize,
    different: Vec<Value>,
    admits_more: bool,
}

async fn replay(file: &Path, judges: &mut Judges, output: Output) -> Result<Replayed, Failure> {
    let cases = recording::read(file)?;
    let mut replayed = Replayed {
        number: cases.len(),
        different: Vec::new(),
        admits_more: false,
    };
    for case in &cases {
        let both = judges.judge(case).await?;
        if !both.differ() {
            continue;
        }
        replayed.admits_more |= both.show(countersign_regions::Admits::More);
        if !output.json {
            print_replayed(case, &both);
        }
        let mut shape = both.as_json();
        shape["name"] = json!(case.name);
        shape["request"] = json!(case.request);
        replayed.different.push(shape);
    }
    Ok(replayed)
}

impl Replayed {
    fn print(&self) {
        let (style, number) = match self.different.len() {
            0 => (GOOD, "none".to_owned()),
            number => (WARN, number.to_string()),
        };
        let of = self.number;
        anstream::println!("{style}{number} of {of} requests decided differently{style:#}");
    }

    /// `{ "number", "different": [{ "name", "request", "old", "new" }] }`.
    fn as_json(&self) -> Value {
        json!({ "number": self.number, "different": self.different })
    }
}
