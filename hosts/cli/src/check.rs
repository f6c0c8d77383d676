//! `check`: decides about a token or a whole request.

use clap::Args;
use countersign_policy_source::Source;
use serde_json::json;

use crate::{
    arguments::{DocumentArgs, HostArgs, Now, PolicyArgs, SubjectArgs},
    decision,
    failure::Failure,
    output::{Exit, Output},
    request::Subject,
    session::{DocumentProblem, Session},
    style::{FAINT, WARN},
};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    countersign check --policy api.yaml --token token.txt --request 'GET /assets/1'\n  \
    pbpaste | countersign check --policy api.yaml\n  \
    countersign check --issuer https://auth.example.com --audience api --algorithm RS256 \\\n    \
    --discovery --token token.txt")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    // clap keeps a heading until another replaces it.
    #[command(flatten, next_help_heading = None)]
    pub(crate) subject: SubjectArgs,
    #[command(flatten, next_help_heading = None)]
    pub(crate) documents: DocumentArgs,
    #[command(flatten)]
    pub(crate) host: HostArgs,
    #[command(flatten)]
    pub(crate) now: Now,
}

/// What `check` and `explain` read before they decide.
pub(crate) struct Prepared {
    pub(crate) policy: Source,
    pub(crate) subject: Subject,
    pub(crate) session: Session,
    pub(crate) now_ms: u64,
}

impl CheckArgs {
    /// `None` where the quick policy is only printed.
    pub(crate) fn prepare(&self) -> Result<Option<Prepared>, Failure> {
        let policy = self.policy.read()?;
        if self.policy.is_printed() {
            anstream::println!("{}", policy.pretty()?);
            return Ok(None);
        }
        let session = self.session(&policy)?;
        let subject = self.subject.read(&policy)?;
        Ok(Some(Prepared {
            policy,
            subject,
            session,
            now_ms: self.now.ms(),
        }))
    }

    /// A gate with this policy, and with the documents that were given.
    pub(crate) fn session(&self, policy: &Source) -> Result<Session, Failure> {
        let documents = self.documents.read(policy)?;
        Session::open(policy, documents, &self.host.read()?)
    }
}

pub(crate) async fn run(args: CheckArgs, output: Output) -> Result<Exit, Failure> {
    let Some(Prepared {
        subject,
        mut session,
        now_ms,
        ..
    }) = args.prepare()?
    else {
        return Ok(Exit::Good);
    };
    let decision = session.decide(&subject, now_ms).await?;
    if output.json {
        let mut shape = decision::as_json(&decision);
        shape["documents"] = json!(
            session
                .document_problems
                .iter()
                .map(DocumentProblem::as_json)
                .collect::<Vec<_>>()
        );
        anstream::println!("{shape}");
    } else {
        print_document_problems(&session.document_problems);
        decision::print(&decision, now_ms);
        if decision::exit(&decision) == Exit::Bad {
            anstream::eprintln!(
                "{FAINT}`countersign explain` with the same arguments says why{FAINT:#}"
            );
        }
    }
    Ok(decision::exit(&decision))
}

pub(crate) fn print_document_problems(document_problems: &[DocumentProblem]) {
    for DocumentProblem {
        issuer,
        kind,
        uri,
        message,
    } in document_problems
    {
        let kind = kind.as_str();
        anstream::eprintln!(
            "{WARN}warning{WARN:#}: {kind} of issuer `{issuer}`: {message} {FAINT}{uri}{FAINT:#}"
        );
    }
}
