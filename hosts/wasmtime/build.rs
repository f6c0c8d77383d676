//! Names the sealed component, its digest and its interface for `src/module.rs`.

use std::{env, fs, path::Path, process::exit};

fn main() {
    let sealed = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("module");
    let component = sealed.join("countersign.component.wasm");
    let digest = sealed.join("countersign.wasm.sha256");
    println!("cargo::rerun-if-changed={}", component.display());
    println!("cargo::rerun-if-changed={}", digest.display());

    let sha256 = fs::read_to_string(&digest).ok().and_then(first_word);
    let (true, Some(sha256)) = (component.is_file(), sha256) else {
        println!("cargo::error=run `cargo xtask build` first: it makes the sealed module");
        exit(0);
    };
    println!(
        "cargo::rustc-env=COUNTERSIGN_COMPONENT={}",
        component.display()
    );
    println!("cargo::rustc-env=COUNTERSIGN_SHA256={sha256}");

    let wit = sealed.join("countersign.wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let wit = fs::read_to_string(&wit).expect("the build has written it too");
    let package = wit.lines().find_map(package_name);
    let interface = package.expect("the interface has a package with a version");
    println!("cargo::rustc-env=COUNTERSIGN_INTERFACE={interface}");
}

/// `countersign:gate@0.1.0` of the line `package countersign:gate@0.1.0;`.
fn package_name(line: &str) -> Option<&str> {
    line.strip_prefix("package ")?.strip_suffix(';')
}

/// The digest, as `sha256sum` writes it: 64 hexadecimal digits, then a name.
fn first_word(text: String) -> Option<String> {
    let word = text.split_whitespace().next()?;
    (word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit())).then(|| word.to_lowercase())
}
