//! A bill of materials for each artefact: CycloneDX 1.5, as JSON. It has no
//! time and no serial number, so that the same artefact has the same one.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, ensure};
use cyclonedx_bom::{
    external_models::{spdx::SpdxExpression, uri::Purl},
    models::{
        bom::{Bom, SpecVersion},
        component::{Classification, Component, Components},
        hash::{Hash, HashAlgorithm, HashValue, Hashes},
        license::{LicenseChoice, Licenses},
        metadata::Metadata,
    },
    validation::Validate,
};
use serde_json::Value;
use xtask::{
    packages::{self, Package},
    project,
    version::VERSION,
    wheel,
};

use crate::{crates, files, go, program, signature};

/// What is inside of an artefact.
struct Contents {
    /// Whether it contains the module.
    has_module: bool,
    others: Vec<Component>,
}

/// Writes `sbom/<artefact>.cdx.json` for each artefact that is there.
pub(crate) fn write(release: &Path) -> Result<()> {
    let sum = fs::read_to_string(release.join("countersign.wasm.sha256"))?;
    let module = module_component(sum.split(' ').next().context("a digest")?)?;
    for (name, sha256) in signature::digests(release)? {
        let Some((kind, contents)) = contents(release, &name)? else {
            continue;
        };
        let mut main = component(kind, &name, VERSION, None, "Apache-2.0 OR MIT")?;
        main.hashes = Some(hash(&sha256));
        let mut components = contents.others;
        if contents.has_module {
            components.push(module.clone());
        }
        let bom = Bom {
            version: 1,
            serial_number: None,
            spec_version: SpecVersion::V1_5,
            metadata: Some(Metadata {
                component: Some(main),
                ..Metadata::default()
            }),
            components: Some(Components(components)),
            ..Bom::default()
        };
        let validation = bom.validate_version(SpecVersion::V1_5);
        ensure!(validation.passed(), "the bill of {name}: {validation:?}");
        let mut json = Vec::new();
        bom.output_as_json_v1_5(&mut json)?;
        files::put(
            &release.join(format!("sbom/{}.cdx.json", short(&name))),
            json,
        )?;
    }
    Ok(())
}

/// Returns the name of an artefact's file. The archives of all Go modules have
/// the same name, so theirs has the module too.
fn short(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    match go::module_of(name) {
        Some(module) => format!("{}-{file}", module.replace('/', "-")),
        None => file.to_owned(),
    }
}

/// Returns what an artefact is, and what it contains; nothing for files that
/// only describe another one.
fn contents(release: &Path, name: &str) -> Result<Option<(Classification, Contents)>> {
    use Classification::{Application, Container, File, Library};
    let with = |kind, has_module, others| Ok(Some((kind, Contents { has_module, others })));
    let (folder, file) = name.split_once('/').unwrap_or(("", name));
    match folder {
        "" if file.ends_with(".wasm") => with(File, true, Vec::new()),
        "crates" => {
            let package = crates::ORDER.into_iter().find(|package| {
                file.strip_prefix(package)
                    .is_some_and(|rest| rest.starts_with(&format!("-{VERSION}")))
            });
            let package =
                package.with_context(|| format!("the crate {file} is not in the order"))?;
            let options = [
                "--package",
                package,
                "--target",
                "all",
                "-e",
                "normal,build",
            ];
            let others = cargo(packages::tree(project::root(), &options)?)?;
            with(Library, package == "countersign-host", others)
        }
        "npm" => with(Library, true, Vec::new()),
        "python" => with(Library, true, cargo(wheel::packages()?)?),
        "go" if file.ends_with(".zip") => {
            let go_mod = release.join(name).with_extension("mod");
            let others = go::requirements(&go_mod)?;
            let others = others
                .iter()
                .map(|(path, version)| component(Library, path, version, Some("golang"), ""));
            with(
                Library,
                go::module_of(file) == Some(go::HOST),
                others.collect::<Result<_>>()?,
            )
        }
        "oci" if file.starts_with("countersign-server-") => {
            let mut packages = BTreeSet::new();
            for target in program::TARGETS {
                packages.extend(program::packages(target)?);
            }
            with(Container, true, cargo(packages)?)
        }
        "oci" => with(Container, true, Vec::new()),
        "bin" => {
            let target = file.strip_prefix(&format!("countersign-{VERSION}-"));
            let target = target
                .and_then(|rest| rest.strip_suffix(".tar.gz"))
                .context("a target")?;
            with(Application, true, cargo(program::packages(target)?)?)
        }
        "inspector" => with(Application, true, page()?),
        "deploy" => with(File, false, Vec::new()),
        _ => {
            ensure!(release.join(name).is_file(), "{name} is no file");
            Ok(None)
        }
    }
}

/// Returns the module with the packages whose code is in it.
fn module_component(sha256: &str) -> Result<Component> {
    let mut module = component(
        Classification::File,
        "countersign.wasm",
        VERSION,
        None,
        "Apache-2.0 OR MIT",
    )?;
    module.hashes = Some(hash(sha256));
    module.components = Some(Components(cargo(packages::in_the_file(project::root())?)?));
    Ok(module)
}

fn cargo(packages: BTreeSet<Package>) -> Result<Vec<Component>> {
    let component = |package: Package| {
        component(
            Classification::Library,
            &package.name,
            &package.version,
            Some("cargo"),
            &package.licence,
        )
    };
    packages.into_iter().map(component).collect()
}

/// Returns the npm packages that are bundled into the inspector.
fn page() -> Result<Vec<Component>> {
    let lock = fs::read_to_string(project::root().join("npm/inspector/package-lock.json"))?;
    let lock: Value = serde_json::from_str(&lock)?;
    let yaml = &lock["packages"]["node_modules/yaml"];
    let version = yaml["version"]
        .as_str()
        .context("the inspector has no yaml")?;
    let licence = yaml["license"].as_str().unwrap_or_default();
    Ok(vec![component(
        Classification::Library,
        "yaml",
        version,
        Some("npm"),
        licence,
    )?])
}

fn component(
    kind: Classification,
    name: &str,
    version: &str,
    purl_type: Option<&str>,
    licence: &str,
) -> Result<Component> {
    let mut component = Component::new(kind, name, version, None);
    component.purl = purl_type
        .map(|purl_type| Purl::new(purl_type, name, version))
        .transpose()?;
    if !licence.is_empty() {
        // Old manifests write `MIT/Apache-2.0`.
        let expression = SpdxExpression::new(&licence.replace('/', " OR "));
        component.licenses = Some(Licenses(vec![LicenseChoice::Expression(expression)]));
    }
    Ok(component)
}

fn hash(sha256: &str) -> Hashes {
    Hashes(vec![Hash {
        alg: HashAlgorithm::SHA_256,
        content: HashValue(sha256.to_owned()),
    }])
}
