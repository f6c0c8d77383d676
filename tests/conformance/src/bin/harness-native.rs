//! The native crate behind the harness protocol.

use countersign_conformance::{host::serve, native::Native};

fn main() -> std::io::Result<()> {
    serve(
        &mut Native::default(),
        std::io::stdin().lock(),
        std::io::stdout().lock(),
    )
}
