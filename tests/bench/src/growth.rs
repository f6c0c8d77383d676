//! The time of a check must not depend on the size of the policy.

use anyhow::Result;
use countersign_host::Signatures;

use crate::{
    arguments::Scale,
    contestant::{Case, Native, Sealed},
    figure::Race,
    policy,
    progress::say,
    race::{Contestant, Plan, Tokens, race},
    token::Signer,
};

const SIZES: [usize; 3] = [1, 100, 10_000];
const NAMES: [&str; 3] = ["with 1", "with 100", "with 10,000"];

/// Times checks with 1, 100 and 10,000 issuers, then rules, then templates of
/// issuers. The requests use the last one.
pub(crate) fn growth(scale: &Scale) -> Result<Vec<Race>> {
    let signer = Signer::new("HS256")?;
    let tokens = scale.remembered().tokens.max(scale.grown_fresh().tokens);
    let cases = |issuers: [usize; 3], rules: [usize; 3]| {
        let sizes = issuers.into_iter().zip(rules);
        sizes
            .map(|(issuers, rules)| case(&signer, issuers, rules, tokens))
            .collect()
    };
    let templates = SIZES.map(|templates| template_case(&signer, templates, tokens));
    let grown: [(&str, Result<Vec<Case>>); 3] = [
        ("issuers", cases(SIZES, [1; 3])),
        ("rules", cases([1; 3], SIZES)),
        ("templates", templates.into_iter().collect()),
    ];
    let grown = grown.map(|(what, cases)| cases.map(|cases| (what, cases)));
    let grown = grown.into_iter().collect::<Result<Vec<_>>>()?;
    let mut races = Vec::new();
    for host in ["native", "wasmtime"] {
        for (what, cases) in &grown {
            for (seen, plan, word) in [
                (Tokens::Fresh, scale.grown_fresh(), "fresh"),
                (Tokens::Remembered, scale.remembered(), "remembered"),
            ] {
                say(&format!("{host}: growth with {what}, {word}"));
                let mut contestants = contestants(host, cases);
                races.extend(compare(host, what, word, &mut contestants, seen, plan)?);
            }
        }
    }
    Ok(races)
}

/// Compares each larger size with the smallest.
fn compare(
    host: &str,
    what: &str,
    word: &str,
    contestants: &mut [Box<dyn Contestant + '_>],
    seen: Tokens,
    plan: Plan,
) -> Result<Vec<Race>> {
    let mut all: Vec<&mut dyn Contestant> = Vec::new();
    for one in contestants.iter_mut() {
        all.push(one.as_mut());
    }
    let figures = race(&mut all, seen, plan)?;
    let smallest = figures.first().cloned();
    let larger = figures.into_iter().zip(["1", "100", "10,000"]).skip(1);
    Ok(larger
        .map(|(figure, size)| Race {
            host: host.into(),
            work: format!("{size} {what}, {word}"),
            ours: vec![figure],
            peers: smallest.clone().into_iter().collect(),
            paired: None,
        })
        .collect())
}

fn contestants<'c>(host: &str, cases: &'c [Case]) -> Vec<Box<dyn Contestant + 'c>> {
    let named = cases.iter().zip(NAMES);
    named
        .map(|(case, name)| match host {
            "native" => Box::new(Native {
                name,
                case,
                gate: None,
            }) as Box<dyn Contestant>,
            _ => Box::new(Sealed {
                name,
                case,
                signatures: Signatures::Module,
                instance: None,
            }),
        })
        .collect()
}

fn template_case(signer: &Signer, templates: usize, tokens: usize) -> Result<Case> {
    let issuer = policy::nth_template(templates - 1, "acme");
    let tokens = (0..tokens).map(|number| signer.token(&issuer, number));
    let tokens = tokens.collect::<Result<Vec<_>>>()?;
    let policy = policy::grown_templates(signer, templates);
    Ok(Case::new(policy, &policy::nth_target(0), tokens))
}

fn case(signer: &Signer, issuers: usize, rules: usize, tokens: usize) -> Result<Case> {
    let issuer = policy::nth_issuer(issuers - 1);
    let tokens = (0..tokens).map(|number| signer.token(&issuer, number));
    let tokens = tokens.collect::<Result<Vec<_>>>()?;
    let target = policy::nth_target(rules - 1);
    Ok(Case::new(
        policy::grown(signer, issuers, rules),
        &target,
        tokens,
    ))
}
