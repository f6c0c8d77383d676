//! The long run: `cargo run -p countersign-routers -- --count 50000 --seed 13`.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};
use countersign_routers::{axum, backend::BACKENDS, run::run};

#[derive(Parser)]
struct Arguments {
    /// Number of requests to each router.
    #[arg(long, default_value_t = 50_000)]
    count: usize,
    /// Seed: the same seed gives the same requests.
    #[arg(long, default_value_t = 13)]
    seed: u64,
    /// Test only this router; can be repeated.
    #[arg(long)]
    router: Vec<String>,
    #[command(subcommand)]
    command: Option<Served>,
}

#[derive(Subcommand)]
enum Served {
    /// Run as a backend (README.md has the protocol).
    Backend {
        #[arg(value_parser = ["axum"])]
        router: String,
        policy: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        Some(Served::Backend { policy, .. }) => axum::serve(policy),
        None => run_all(&arguments),
    };
    match done {
        // A return would wait for a thread that may still read stdin.
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(arguments: &Arguments) -> Result<()> {
    for name in &arguments.router {
        ensure!(
            BACKENDS.iter().any(|backend| backend.name == name),
            "no router `{name}`"
        );
    }
    let mut slips = 0;
    for backend in &BACKENDS {
        if !arguments.router.is_empty() && !arguments.router.iter().any(|name| name == backend.name)
        {
            continue;
        }
        if let Some(reason) = backend.missing() {
            println!("skipped: {}: {reason}", backend.name);
            continue;
        }
        let start = Instant::now();
        let outcome = run(backend, arguments.count, arguments.seed)?;
        println!(
            "{}: {} slips, {:.1} s, ran {:?}",
            backend.name,
            outcome.slips.len(),
            start.elapsed().as_secs_f64(),
            outcome.ran
        );
        outcome.slips.iter().for_each(|slip| println!("    {slip}"));
        slips += outcome.slips.len();
    }
    ensure!(
        slips == 0,
        "{slips} requests reached a handler that was not judged"
    );
    Ok(())
}
