//! Writes the manifests of `deploy/` with the digests of the built image and
//! module.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

/// The placeholders in the templates for the digests of the image and the
/// module.
const IMAGE: &str = "IMAGE_SHA256";
const FILE: &str = "MODULE_SHA256";

/// Fills every template in `from` and its subfolders, and writes it to `to`.
pub(super) fn write(from: &Path, to: &Path, file: &str, image: &str) -> Result<()> {
    fs::create_dir_all(to)?;
    let folder = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in folder {
        let path = entry?.path();
        let target = to.join(path.file_name().context("a template has a name")?);
        if path.is_dir() {
            write(&path, &target, file, image)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "json")
        {
            let text = fs::read_to_string(&path)?;
            let names = text.contains(IMAGE) || text.contains(FILE);
            ensure!(
                names || !text.contains("_SHA256"),
                "{}: a digest of what?",
                path.display()
            );
            fs::write(target, text.replace(IMAGE, image).replace(FILE, file))?;
        }
    }
    Ok(())
}
