//! The artefacts of a release, by their paths: which there must be, and what is
//! checked of each.

use super::{
    content,
    folder::Files,
    image, package,
    path::file_name,
    report::Report,
    sbom,
    statement::{Facts, STATEMENT},
    sums::Sums,
};

/// The Go module whose zip contains the module.
pub(super) const GO_HOST: &str = "github.com/countersign/countersign/hosts/go";
const GO_MODULES: [&str; 5] = [
    GO_HOST,
    "github.com/countersign/countersign/hosts/go/yaml",
    "github.com/countersign/countersign/hosts/go/grpc",
    "github.com/countersign/countersign/hosts/go/otel",
    "github.com/countersign/countersign/hosts/go/redis",
];
/// The tags of the Go modules, as git takes them.
const GO_TAGS: &str = "tags.bundle";

const CRATES: [&str; 11] = [
    "countersign",
    "countersign-cli",
    "countersign-dev-issuer",
    "countersign-host",
    "countersign-importer",
    "countersign-init",
    "countersign-kernel",
    "countersign-policy-source",
    "countersign-proxy-config",
    "countersign-regions",
    "countersign-server",
];

const MODULE: &str = "countersign.wasm";
const COMPONENT: &str = "countersign.component.wasm";
const INTERFACE: &str = "countersign.wit";
const NOTICES: &str = "NOTICES.txt";

/// What an artefact is, by its path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind<'a> {
    Module,
    Sum,
    Component,
    Interface,
    Notices,
    Statement,
    Crate(&'a str),
    Npm,
    Wheel,
    GoTags,
    GoList,
    GoInfo,
    GoMod,
    GoZip(&'a str),
    Image,
    ServerImage,
    Program,
    Deploy,
    Page,
    Sbom,
}

impl Kind<'_> {
    fn of<'a>(path: &'a str, version: &str) -> Option<Kind<'a>> {
        let (folder, name) = path.split_once('/').unwrap_or(("", path));
        let is = |beginning: &str, end: &str| name == format!("{beginning}-{version}{end}");
        Some(match (folder, name) {
            ("", MODULE) => Kind::Module,
            ("", "countersign.wasm.sha256") => Kind::Sum,
            ("", COMPONENT) => Kind::Component,
            ("", INTERFACE) => Kind::Interface,
            ("", NOTICES) => Kind::Notices,
            ("", STATEMENT) => Kind::Statement,
            ("crates", _) => Kind::Crate(CRATES.into_iter().find(|name| is(name, ".crate"))?),
            ("npm", _) if is("countersign", ".tgz") => Kind::Npm,
            ("python", _) => {
                let tags = name.strip_prefix(&format!("countersign_gate-{version}-"))?;
                tags.strip_suffix(".whl")?;
                Kind::Wheel
            }
            ("go", GO_TAGS) => Kind::GoTags,
            ("go", _) => {
                let (module, file) = name.split_once("/@v/")?;
                match file.strip_prefix(&format!("v{version}")) {
                    None if file == "list" => Kind::GoList,
                    Some(".info") => Kind::GoInfo,
                    Some(".mod") => Kind::GoMod,
                    Some(".zip") => Kind::GoZip(module),
                    _ => return None,
                }
            }
            ("oci", _) if is("countersign", ".oci.tar") => Kind::Image,
            ("oci", _) if is("countersign-server", ".oci.tar") => Kind::ServerImage,
            ("bin", _) => {
                let target = name.strip_prefix(&format!("countersign-{version}-"))?;
                target.strip_suffix(".tar.gz")?;
                Kind::Program
            }
            ("deploy", _) if is("countersign-deploy", ".tar.gz") => Kind::Deploy,
            ("inspector", _) if is("countersign-inspector", ".html") => Kind::Page,
            ("sbom", _) if name.ends_with(".cdx.json") => Kind::Sbom,
            _ => return None,
        })
    }

    /// The file or archive has the module's bytes in it.
    fn has_module(self) -> bool {
        match self {
            Kind::Crate(name) => name == "countersign-host",
            Kind::GoZip(module) => module == GO_HOST,
            Kind::Module
            | Kind::Component
            | Kind::Npm
            | Kind::Wheel
            | Kind::Image
            | Kind::ServerImage
            | Kind::Program
            | Kind::Page => true,
            _ => false,
        }
    }

    /// It is a program or a package, so its parts are listed.
    fn needs_sbom(self) -> bool {
        let is_package = matches!(self, Kind::Crate(_) | Kind::GoZip(_));
        is_package || self.has_module() && self != Kind::Component
    }
}

/// The list of what is in an artefact. Go's zips are named by their version only.
fn sbom_of(path: &str) -> String {
    let name = match path.split_once("/@v/") {
        Some((module, file)) => {
            let below = module
                .rsplit_once("countersign/")
                .map_or(module, |(_, it)| it);
            format!("{}-{file}", below.replace('/', "-"))
        }
        None => file_name(path).to_owned(),
    };
    format!("sbom/{name}.cdx.json")
}

fn required(version: &str) -> Vec<String> {
    let mut paths: Vec<_> = [
        MODULE,
        "countersign.wasm.sha256",
        COMPONENT,
        INTERFACE,
        NOTICES,
    ]
    .map(str::to_owned)
    .into();
    paths.extend(CRATES.map(|name| format!("crates/{name}-{version}.crate")));
    paths.push(format!("go/{GO_TAGS}"));
    for module in GO_MODULES {
        paths.push(format!("go/{module}/@v/list"));
        for end in ["info", "mod", "zip"] {
            paths.push(format!("go/{module}/@v/v{version}.{end}"));
        }
    }
    paths.push(format!("npm/countersign-{version}.tgz"));
    paths.push(format!("oci/countersign-{version}.oci.tar"));
    paths.push(format!("oci/countersign-server-{version}.oci.tar"));
    paths.push(format!("deploy/countersign-deploy-{version}.tar.gz"));
    paths.push(format!("inspector/countersign-inspector-{version}.html"));
    paths
}

/// Checks that every artefact is there, and each of them.
pub(super) fn check_all(files: &Files, sums: &Sums, facts: &Facts, report: &mut Report) {
    let version = &*facts.version;
    // What the sums name is reported as missing by them.
    for path in required(version)
        .iter()
        .filter(|path| !sums.contains_key(*path))
    {
        report.problem(path, "is missing");
    }
    if !sums
        .keys()
        .any(|path| Kind::of(path, version) == Some(Kind::Program))
    {
        report.problem("bin/", "has no program");
    }
    if !sums
        .keys()
        .any(|path| Kind::of(path, version) == Some(Kind::Wheel))
    {
        report.problem("python/", "has no wheel");
    }
    let mut expected_sboms = Vec::new();
    for path in sums.keys() {
        match Kind::of(path, version) {
            None => report.problem(
                path,
                format!("is not an artefact of release {version} that this command knows"),
            ),
            Some(kind) if kind.needs_sbom() && !sums.contains_key(&sbom_of(path)) => {
                report.problem(&sbom_of(path), "is missing");
            }
            Some(_) => {}
        }
        expected_sboms.push((sbom_of(path), path));
    }

    let image = read(files, |path| Kind::of(path, version) == Some(Kind::Image));
    let image = image.and_then(|bytes| image::oci(bytes, facts).ok());
    for (path, bytes) in files
        .iter()
        .filter_map(|(path, it)| Some((path, it.as_ref()?)))
    {
        let Some(kind) = Kind::of(path, version) else {
            continue;
        };
        let beside = |name: String| read(files, |path| path == name);
        let problems = match kind {
            Kind::Module => one(content::module(bytes, facts)),
            Kind::Sum => one(content::sum(bytes, facts)),
            Kind::Component => one(content::component(bytes, facts)),
            Kind::Interface => one(interface(bytes, facts)),
            Kind::Notices if bytes.is_empty() => one(Err("is empty".to_owned())),
            Kind::Notices | Kind::Statement | Kind::GoMod | Kind::GoTags => Ok(Vec::new()),
            Kind::Crate(name) => package::krate(name, bytes, facts),
            Kind::Npm => package::npm(bytes, facts),
            Kind::Wheel => package::wheel(bytes, beside(COMPONENT.to_owned()), facts),
            Kind::GoList => one(package::go_list(bytes, facts)),
            Kind::GoInfo => one(package::go_info(bytes, facts)),
            Kind::GoZip(module) => {
                let go_mod = beside(format!("go/{module}/@v/v{version}.mod"));
                package::go(module, bytes, go_mod, facts)
            }
            Kind::Image => one(image::oci(bytes, facts).map(|_| ())),
            Kind::ServerImage => one(image::server(bytes, beside(COMPONENT.to_owned()))),
            Kind::Program => package::program(bytes, beside(COMPONENT.to_owned()), facts),
            Kind::Deploy => image::deploy(bytes, image.as_deref(), facts),
            Kind::Page => one(content::page(bytes, facts)),
            Kind::Sbom => {
                let of = expected_sboms.iter().find(|(sbom, _)| sbom == path);
                one(
                    match of.and_then(|(_, artefact)| Kind::of(artefact, version)) {
                        Some(kind) => sbom::check(bytes, kind.has_module(), facts),
                        None => Err("belongs to no artefact".to_owned()),
                    },
                )
            }
        };
        for problem in problems.unwrap_or_else(|problem| vec![problem]) {
            report.problem(path, problem);
        }
    }
}

fn one(result: Result<(), String>) -> Result<Vec<String>, String> {
    result.map(|()| Vec::new())
}

/// The bytes of the file whose path is wanted.
fn read(files: &Files, is_it: impl Fn(&str) -> bool) -> Option<&[u8]> {
    let (_, bytes) = files.iter().find(|(path, _)| is_it(path))?;
    bytes.as_deref()
}

/// `countersign.wit` has the package that the statement names.
fn interface(text: &[u8], facts: &Facts) -> Result<(), String> {
    let wanted = format!("package {};", facts.interface);
    if String::from_utf8_lossy(text)
        .lines()
        .any(|line| line == wanted)
    {
        Ok(())
    } else {
        Err(format!("does not have the line `{wanted}`"))
    }
}
