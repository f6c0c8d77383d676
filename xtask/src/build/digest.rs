//! The committed digest of the module. Every build on every machine is compared
//! with it.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

const COMMITTED: &str = "module/countersign.wasm.sha256";

/// What to do with the committed digest.
#[derive(Clone, Copy, PartialEq)]
pub enum Committed {
    /// Another digest is an error.
    Holds,
    /// The digest is replaced.
    Renewed,
}

/// Compares or replaces the committed digest. `sum` is in the format of
/// `sha256sum`.
pub(super) fn check(root: &Path, sum: &str, committed: Committed) -> Result<()> {
    let path = root.join(COMMITTED);
    if committed == Committed::Renewed {
        return super::write(&path, sum);
    }
    let committed_sum =
        fs::read_to_string(&path).with_context(|| format!("cannot read {COMMITTED}"))?;
    if committed_sum == sum {
        return Ok(());
    }
    let digest = |sum: &str| sum.split(' ').next().unwrap_or_default().to_owned();
    bail!(
        "the file is not the one that {COMMITTED} names\n\
         \x20 built      {}\n\
         \x20 committed  {}\n\
         Everything is in dist/ all the same.\n\
         If sources, dependencies or the toolchain were changed: `cargo xtask build --renew`, and commit it.\n\
         If nothing was changed, this machine builds another file than others do, which is a bug: \
         please report it with the output of `rustc -vV` and `git status`.",
        digest(sum),
        digest(&committed_sum),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_different_digest_is_an_error_until_it_is_renewed() {
        let root = std::env::temp_dir().join(format!("countersign digest {}", std::process::id()));
        fs::create_dir_all(root.join("module")).unwrap();
        let [old, new] = ["aa  countersign.wasm\n", "bb  countersign.wasm\n"];
        check(&root, old, Committed::Renewed).unwrap();
        check(&root, old, Committed::Holds).unwrap();
        let error = check(&root, new, Committed::Holds).unwrap_err().to_string();
        for part in [
            "built      bb",
            "committed  aa",
            "cargo xtask build --renew",
        ] {
            assert!(error.contains(part), "{error}");
        }
        check(&root, new, Committed::Renewed).unwrap();
        check(&root, new, Committed::Holds).unwrap();
        fs::remove_dir_all(root).unwrap();
    }
}
