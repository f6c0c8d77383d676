//! The native crate behind the harness protocol: `harness-native [--signatures
//! native]`.

use countersign_conformance::{
    host::{serve, signatures},
    native::Native,
};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    serve(
        &mut Native::new(signatures(&arguments)),
        std::io::stdin().lock(),
        std::io::stdout().lock(),
    )
}
