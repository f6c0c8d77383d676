//! The machine of the measurement: figures depend on the processor.

use std::{collections::BTreeMap, env::consts, fs, process::Command, thread};

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The name that the processor reports.
    pub(crate) processor: String,
    /// Family and model, which distinguish processors with the same name, if the
    /// system reports them.
    pub(crate) model: Option<String>,
    pub(crate) cores: usize,
    /// The wide vector extensions that the processor has.
    pub(crate) vectors: Vec<String>,
    pub(crate) system: String,
}

impl Machine {
    pub(crate) fn this() -> Self {
        let facts = cpuinfo();
        let fact = |name: &str| facts.get(name).cloned();
        let flags = fact("flags")
            .or_else(|| fact("Features"))
            .unwrap_or_default();
        let named = ["avx2", "avx512f", "avx512ifma", "asimd", "sve"];
        let has = |flag: &&str| flags.split_whitespace().any(|known| known == *flag);
        Self {
            processor: fact("model name")
                .or_else(apple)
                .unwrap_or_else(|| consts::ARCH.into()),
            model: fact("cpu family")
                .zip(fact("model"))
                .map(|(f, m)| format!("family {f} model {m}")),
            cores: thread::available_parallelism().map_or(1, usize::from),
            vectors: named.into_iter().filter(has).map(Into::into).collect(),
            system: format!("{} {}", consts::OS, consts::ARCH),
        }
    }

    /// The description for a report.
    pub(crate) fn sentence(&self) -> String {
        let model = self.model.iter().cloned();
        let cores = format!("{} cores", self.cores);
        let details: Vec<String> = model
            .chain([cores])
            .chain(self.vectors.iter().cloned())
            .collect();
        format!(
            "{} ({}), {}",
            self.processor,
            details.join(", "),
            self.system
        )
    }

    /// The name for a file: `amd-epyc-7763-64-core-processor`.
    pub(crate) fn slug(&self) -> String {
        let marks = ["(R)", "(TM)", "(r)", "(tm)"];
        let name = marks
            .iter()
            .fold(self.processor.clone(), |name, mark| name.replace(mark, ""));
        let name = [&name, self.model.as_deref().unwrap_or_default()].join(" ");
        let words = name.split(|c: char| !c.is_ascii_alphanumeric());
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        words.join("-").to_lowercase()
    }
}

/// The versions of the libraries in this process, and of the installed tools.
pub(crate) fn versions() -> BTreeMap<String, String> {
    let locked = ["aws-lc-rs", "jsonwebtoken", "wasmtime"];
    let mut versions: BTreeMap<_, _> = locked
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), locked_version(name)?)))
        .collect();
    let tools = [("rustc", "-V"), ("node", "-v"), ("openssl", "version")];
    for (tool, argument) in tools {
        let version = first_line(tool, &[argument]);
        let number = version.and_then(|line| {
            let mut words = line.split_whitespace();
            words
                .find(|word| word.contains('.'))
                .map(|word| word.trim_start_matches('v').into())
        });
        versions.extend(number.map(|number: String| (tool.into(), number)));
    }
    versions
}

/// The load average of the last minute.
pub(crate) fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The measured commit, with a `+` if there were uncommitted changes.
pub(crate) fn commit() -> Option<String> {
    let hash = first_line("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changed = first_line("git", &["status", "--porcelain", "--untracked-files=no"]).is_some();
    Some(if changed { hash + "+" } else { hash })
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(Into::into)
}

fn locked_version(name: &str) -> Option<String> {
    let lock = include_str!("../../../Cargo.lock");
    let named = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.split_once(&named)?;
    rest.split('"').next().map(Into::into)
}

/// The entries of the first processor.
fn cpuinfo() -> BTreeMap<String, String> {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default();
    let facts = first.lines().filter_map(|line| line.split_once(':'));
    facts
        .map(|(name, value)| (name.trim().into(), value.trim().into()))
        .collect()
}

fn apple() -> Option<String> {
    first_line("sysctl", &["-n", "machdep.cpu.brand_string"])
}
