//! The sealed component in wasmtime behind the harness protocol. The first
//! argument is the path of the component; the default is in `dist/` of the
//! repository.

use countersign_conformance::{files, host::serve, sealed::Sealed};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let component = std::env::args_os()
        .nth(1)
        .map_or_else(files::component, std::path::PathBuf::from);
    let mut host = Sealed::load(&component)?;
    serve(&mut host, std::io::stdin().lock(), std::io::stdout().lock())?;
    Ok(())
}
