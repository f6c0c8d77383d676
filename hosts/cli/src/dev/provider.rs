//! A development OpenID provider: people are picked on a page, without passwords.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use countersign_dev_issuer::{Client, Fault, Issuer, Provider, Settings};
use countersign_policy_source::Source;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes};
use serde_json::json;

use super::{DirectoryArgs, listen, read};
use crate::{
    failure::Failure,
    files::{problem, read_as, read_source},
    moment,
    output::{Exit, Output},
    server,
    style::{FAINT, GOOD},
};

/// Of a file with apps and people.
const INVALID: &str = "provider_invalid";

#[derive(Args, Debug)]
pub(crate) struct ProviderArgs {
    #[command(flatten)]
    directory: DirectoryArgs,
    /// An app without a secret, and a redirect URI of it, repeatable:
    /// `web=http://127.0.0.1:3000/auth/callback`
    #[arg(long, value_name = "ID=URI", value_parser = client)]
    client: Vec<(String, String)>,
    /// `clients` and `people`, as YAML, TOML or JSON; without it, people of the
    /// organisations `acme` and `globex`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address on this machine to listen on; by default that of the issuer's URL
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
}

pub(super) async fn serve(args: ProviderArgs, output: Output) -> Result<Exit, Failure> {
    let directory = args.directory.dir.clone();
    let issuer = read(&directory)?;
    let authority = authority(&issuer)?;
    let provider = provider(&args)?;
    let address = listen::address(&issuer, args.listen)?;
    // Without an exception: whoever reaches it is whoever they like.
    if !address.ip().is_loopback() {
        return Err(Failure::Usage(format!(
            "`{address}` can be reached from other machines, and anybody can sign in as anybody"
        )));
    }
    let (listener, bound) = listen::bind(address).await?;
    if output.json {
        let listening = bound.to_string();
        anstream::println!(
            "{}",
            json!({ "issuer": issuer.url, "listening": listening })
        );
    } else {
        anstream::eprintln!("{GOOD}provider{GOOD:#}  {}", issuer.url);
        anstream::eprintln!(
            "{FAINT}anybody can sign in as anybody; listening on {bound}, Ctrl-C ends it{FAINT:#}"
        );
    }
    let names = [authority, bound.to_string()];
    let answer = move |request: &Request<_>| {
        let answer = if server::is_for(request, &names) {
            answer(&provider, &directory, request)
        } else {
            server::refusal(StatusCode::MISDIRECTED_REQUEST, "another host was meant")
        };
        if !output.json {
            // Without the query: it can have a code or a token.
            let (status, path) = (answer.status().as_u16(), request.uri().path());
            anstream::eprintln!("{FAINT}{status} {} {path}{FAINT:#}", request.method());
        }
        answer
    };
    match server::serve(listener, Arc::new(answer)).await {}
}

/// The issuer is read again for every request, so that a rotation takes effect at once.
fn answer(
    provider: &Provider,
    directory: &Path,
    request: &Request<Bytes>,
) -> Response<Full<Bytes>> {
    match Issuer::read(directory) {
        Ok(issuer) => {
            let answer = provider.answer(&issuer, request, moment::now_ms());
            answer.map(Full::from)
        }
        Err(_) => server::refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the issuer cannot be read",
        ),
    }
}

fn provider(args: &ProviderArgs) -> Result<Provider, Failure> {
    let source = args.config.as_deref().map(read_source).transpose()?;
    let mut settings = match &source {
        Some(source) => read_as(source, INVALID)?,
        None => Settings::default(),
    };
    for (id, uri) in &args.client {
        match settings.clients.iter_mut().find(|client| client.id == *id) {
            Some(client) => client.redirect_uris.push(uri.clone()),
            None => settings.clients.push(Client {
                id: id.clone(),
                secret: None,
                redirect_uris: vec![uri.clone()],
                post_logout_redirect_uris: Vec::new(),
            }),
        }
    }
    Provider::new(settings).map_err(|faults| refused(source.as_ref(), &faults))
}

/// Faults as problems of the file; what is none of it came with `--client`.
fn refused(source: Option<&Source>, faults: &[Fault]) -> Failure {
    let arguments = Source::from_json("--client", Vec::new());
    let source = source.unwrap_or(&arguments);
    let problems = faults.iter();
    let problems = problems.map(|fault| problem(source, &fault.pointer, INVALID, fault.message));
    Failure::Problems(problems.collect())
}

/// Host and port of the issuer, at whose root its addresses are.
fn authority(issuer: &Issuer) -> Result<String, Failure> {
    let uri = issuer.url.parse::<hyper::Uri>().ok();
    let uri = uri.filter(|uri| uri.path() == "/" && uri.query().is_none());
    let authority = uri.and_then(|uri| Some(uri.authority()?.to_string()));
    authority.ok_or_else(|| {
        let url = &issuer.url;
        Failure::Usage(format!("`{url}` has a path, and a provider is at a root"))
    })
}

fn client(text: &str) -> Result<(String, String), String> {
    let (id, uri) = text.split_once('=').ok_or("expected ID=URI")?;
    Ok((id.to_owned(), uri.to_owned()))
}
