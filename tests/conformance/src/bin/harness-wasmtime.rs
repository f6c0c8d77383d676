//! The sealed component in wasmtime behind the harness protocol:
//! `harness-wasmtime [COMPONENT] [--signatures native]`. The default component is in
//! `dist/` of the repository.

use countersign_conformance::{
    files,
    host::{serve, signatures},
    sealed::Sealed,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let component = match arguments.first() {
        Some(path) if !path.starts_with("--") => path.into(),
        _ => files::component(),
    };
    let mut host = Sealed::load(&component, signatures(&arguments))?;
    serve(&mut host, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(())
}
