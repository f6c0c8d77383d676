//! Find out why: every check in order, its details, and where it stopped.

use clap::Args;
use countersign_host::{Step, Verdict};
use countersign_policy_source::Source;
use serde_json::{Value, json};

use crate::{
    check::{CheckArgs, Prepared, print_document_problems},
    decision,
    failure::Failure,
    output::{Exit, Output},
    request::{Request, Subject},
    session::DocumentProblem,
    style::{BAD, FAINT, GOOD, STRONG, WARN, visible},
};

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  \
    countersign explain --policy api.yaml --token denied.txt --request 'GET /assets/1'\n\n\
    It may show claims of the token, and never the token itself.")]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    check: CheckArgs,
}

pub(crate) async fn run(args: ExplainArgs, output: Output) -> Result<Exit, Failure> {
    let Some(prepared) = args.check.prepare()? else {
        return Ok(Exit::Good);
    };
    let Prepared {
        policy,
        subject,
        mut session,
        now_ms,
    } = prepared;
    // Decides first: that fetches what the explanation needs.
    let decision = session.decide(&subject, now_ms).await?;
    let mut document_problems = session.document_problems.clone();
    let steps = match &subject {
        Subject::Request(request) => session.explain(request, now_ms)?,
        Subject::Token(token, requirement) => {
            let (policy, request) = alone(&policy, token, requirement.as_ref());
            let mut session = args.check.session(&policy)?;
            session.check(&request, now_ms).await?;
            document_problems.extend(session.document_problems.iter().cloned());
            session.explain(&request, now_ms)?
        }
    };
    if output.json {
        let steps: Vec<_> = steps.iter().map(as_json).collect();
        let documents: Vec<_> = document_problems
            .iter()
            .map(DocumentProblem::as_json)
            .collect();
        let decision = decision::as_json(&decision);
        let shape = json!({ "steps": steps, "decision": decision, "documents": documents });
        anstream::println!("{shape}");
    } else {
        print_document_problems(&document_problems);
        print(&steps);
        decision::print(&decision, now_ms);
    }
    Ok(decision::exit(&decision))
}

/// A policy with one rule, and the request that carries a token alone to it: the
/// module explains requests only.
pub(crate) fn alone(
    policy: &Source,
    token: &[u8],
    requirement: Option<&Value>,
) -> (Source, Request) {
    let mut json: Value = serde_json::from_slice(&policy.json).unwrap_or_default();
    let require = requirement.cloned().unwrap_or_else(|| json!({}));
    json["rules"] = json!([{ "path": "/**", "require": require }]);
    json["credentials"] = json!([{ "header": "authorization", "scheme": "Bearer" }]);
    let mut request = Request::new("GET".into(), "/".into(), None);
    request.add_token(token, &json);
    (
        Source::from_json(&policy.name, json.to_string().into_bytes()),
        request,
    )
}

fn print(steps: &[Step]) {
    let width = steps
        .iter()
        .map(|step| step.check.len())
        .max()
        .unwrap_or_default();
    for Step {
        check,
        verdict,
        code,
        detail,
    } in steps
    {
        let (style, mark) = match verdict {
            Verdict::Pass => (GOOD, '✓'),
            Verdict::Fail => (BAD, '✗'),
            Verdict::Skip => (FAINT, '–'),
            Verdict::Wait => (WARN, '…'),
        };
        anstream::print!(
            "{style}{mark}{style:#} {STRONG}{check:<width$}{STRONG:#}  {}",
            visible(detail)
        );
        match code {
            Some(code) => anstream::println!("  {BAD}{code}{BAD:#}"),
            None => anstream::println!(),
        }
    }
    anstream::println!();
}

fn as_json(step: &Step) -> Value {
    let verdict = match step.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Skip => "skip",
        Verdict::Wait => "wait",
    };
    json!({ "check": step.check, "verdict": verdict, "code": step.code, "detail": step.detail })
}
