//! The suites that run in this process.

use anyhow::{Context, Result, bail};
use countersign_host::{Instance, Signatures};

use crate::{
    arguments::Scale,
    contestant::{Case, JsonWebToken, Native, Sealed, Service},
    figure::{Figure, Race},
    policy,
    progress::say,
    race::{Contestant, Plan, Tokens, race, time},
    rsa_alone,
    token::{self, Signer, algorithms},
};

/// Compares the crate with its peer.
pub(crate) fn native(scale: &Scale) -> Result<Vec<Race>> {
    let mut races = checks("native", scale, |case| {
        Ok(vec![Box::new(Native {
            name: "crate, Gate::check",
            case,
            gate: None,
        })])
    })?;
    let signer = Signer::new("RS256")?;
    let policy = policy::typical(&signer)?;
    say("native: open and supply");
    let open = time("crate, Gate::open", scale.repeats, || {
        let gate = countersign::Gate::open(&policy, 1);
        gate.map(drop)
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))
    })?;
    races.push(Race::new("native", "open a policy".into(), vec![open], 1));
    races.push(Race::new(
        "native",
        "supply 2 keys".into(),
        vec![supply_native(&signer, scale)?],
        1,
    ));
    Ok(races)
}

/// Compares the sealed module in wasmtime with the same peer.
pub(crate) fn wasmtime(scale: &Scale) -> Result<Vec<Race>> {
    say("wasmtime: compiling the sealed module");
    let signer = Signer::new("RS256")?;
    let policy = policy::typical(&signer)?;
    Instance::open(&policy)?;
    let mut races = checks("wasmtime", scale, |case| sealed(case, Signatures::Module))?;
    races.extend(verified_by_aws_lc(scale)?);
    say("wasmtime: open and supply");
    let open = time("sealed, Instance::open", scale.repeats, || {
        Instance::open(&policy)?;
        Ok(())
    })?;
    races.push(Race::new("wasmtime", "open a policy".into(), vec![open], 1));
    let supply = supply_sealed(&signer, scale)?;
    races.push(Race::new(
        "wasmtime",
        "supply 2 keys".into(),
        vec![supply],
        1,
    ));
    Ok(races)
}

fn sealed<'c>(case: &'c Case, signatures: Signatures) -> Result<Vec<Box<dyn Contestant + 'c>>> {
    Ok(vec![
        Box::new(Sealed {
            name: "sealed, Instance::check",
            case,
            signatures,
            instance: None,
        }),
        Box::new(Service::new(case, signatures)?),
    ])
}

/// The same checks where AWS-LC verifies the signatures, as it does for the peer.
fn verified_by_aws_lc(scale: &Scale) -> Result<Vec<Race>> {
    let plan = scale.fresh();
    let races = algorithms().into_iter().map(|algorithm| {
        let signer = Signer::new(algorithm)?;
        let case = Case::typical(&signer, plan.tokens)?;
        let work = format!("{algorithm}, fresh, native");
        say(&format!("wasmtime: {work}"));
        against_peer(
            "wasmtime",
            work,
            &case,
            &signer,
            Tokens::Fresh,
            plan,
            &|case| sealed(case, Signatures::Native),
        )
    });
    races.collect()
}

/// Makes our contestants for a case.
type Ours<'f> = dyn for<'c> Fn(&'c Case) -> Result<Vec<Box<dyn Contestant + 'c>>> + 'f;

fn checks(
    host: &str,
    scale: &Scale,
    ours: impl for<'c> Fn(&'c Case) -> Result<Vec<Box<dyn Contestant + 'c>>>,
) -> Result<Vec<Race>> {
    let mut races = Vec::new();
    for algorithm in algorithms() {
        let signer = Signer::new(algorithm)?;
        let plan = scale.fresh();
        let case = Case::typical(&signer, plan.tokens)?;
        let work = format!("{algorithm}, fresh");
        say(&format!("{host}: {work}"));
        races.push(against_peer(
            host,
            work,
            &case,
            &signer,
            Tokens::Fresh,
            plan,
            &ours,
        )?);
    }
    // The time for a remembered token does not depend on its algorithm.
    let signer = Signer::new("RS256")?;
    let plan = scale.remembered();
    let case = Case::typical(&signer, plan.tokens)?;
    let work = "RS256, remembered".to_owned();
    say(&format!("{host}: {work}"));
    races.push(against_peer(
        host,
        work,
        &case,
        &signer,
        Tokens::Remembered,
        plan,
        &ours,
    )?);
    races.push(rsa_alone(host, scale, &races, &ours)?);
    Ok(races)
}

fn against_peer(
    host: &str,
    work: String,
    case: &Case,
    signer: &Signer,
    tokens: Tokens,
    plan: Plan,
    ours: &Ours<'_>,
) -> Result<Race> {
    let mut ours = ours(case)?;
    if signer.algorithm != "RS256" {
        // Between our APIs, the difference is the same for every algorithm.
        ours.truncate(1);
    }
    let mut peer = JsonWebToken::new(case, signer)?;
    let count = ours.len();
    let mut all: Vec<&mut dyn Contestant> = Vec::new();
    for one in &mut ours {
        all.push(one.as_mut());
    }
    all.push(&mut peer);
    Ok(Race::new(host, work, race(&mut all, tokens, plan)?, count))
}

/// This times an HS256 check too, which has no row in the table.
fn rsa_alone(host: &str, scale: &Scale, races: &[Race], ours: &Ours<'_>) -> Result<Race> {
    say(&format!("{host}: the RSA operation alone"));
    let signer = Signer::new("HS256")?;
    let plan = scale.fresh();
    let case = Case::typical(&signer, plan.tokens)?;
    let rest = against_peer(
        host,
        String::new(),
        &case,
        &signer,
        Tokens::Fresh,
        plan,
        ours,
    )?;
    let whole = races.iter().find(|race| race.work == "RS256, fresh");
    let whole = whole.and_then(|race| race.ours.first());
    let whole = whole.context("RS256 is gone")?;
    let rest = rest.ours.first().context("HS256 is gone")?;
    rsa_alone::race(host, whole, rest, scale)
}

fn supply_native(signer: &Signer, scale: &Scale) -> Result<Figure> {
    let opened = countersign::Gate::open(&policy::awaiting_keys(signer), 1);
    let mut gate = opened.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let fetch = gate.due(token::now_ms()).pop().context("nothing is due")?;
    let body = policy::jwks(signer)?.to_string();
    time("crate, Gate::supply", scale.repeats, || {
        let outcome = countersign::Outcome::Response {
            status: 200,
            cache_control: "max-age=600",
            length: body.len(),
            body: body.as_bytes().into(),
        };
        let mut supplied = gate.supply(fetch.source, &fetch.uri, outcome, token::now_ms());
        while supplied == countersign::Supplied::Unfinished {
            supplied = gate.resume(fetch.source, &[], token::now_ms());
        }
        match supplied {
            countersign::Supplied::Accepted { .. } => Ok(()),
            other => bail!("not accepted: {other:?}"),
        }
    })
}

fn supply_sealed(signer: &Signer, scale: &Scale) -> Result<Figure> {
    let mut instance = Instance::open(&policy::awaiting_keys(signer))?;
    let due = instance.due(token::now_ms())?.pop();
    let fetch = due.context("nothing is due")?;
    let outcome = countersign_host::Outcome::Response(countersign_host::Response {
        status: 200,
        cache_control: "max-age=600".into(),
        body: policy::jwks(signer)?.to_string().into(),
    });
    time("sealed, Instance::supply", scale.repeats, || {
        let mut supplied = instance.supply(fetch.source, &fetch.uri, &outcome, token::now_ms())?;
        for call in 1.. {
            if supplied != countersign_host::Supplied::Unfinished {
                break;
            }
            supplied = instance.resume(fetch.source, outcome.part(call), token::now_ms())?;
        }
        match supplied {
            countersign_host::Supplied::Accepted(_) => Ok(()),
            other => bail!("not accepted: {other:?}"),
        }
    })
}
