//! The section "In one minute" of docs/operators.md.

const PAGE: &str = include_str!("../../../../docs/operators.md");

/// A command, and the lines that it prints among others.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) command: String,
    pub(crate) prints: Vec<&'static str>,
}

/// The commands of the part with this number.
pub(crate) fn sessions(part: usize) -> Vec<Session> {
    let sessions: Vec<_> = fenced(self::part(part), "console")
        .flat_map(|block| block.split("$ ").skip(1))
        .map(|session| {
            let mut lines = session.lines();
            let command = lines.next().expect("a command").to_owned();
            let prints = lines.map(str::trim);
            let prints = prints.filter(|line| !matches!(*line, "" | "…")).collect();
            Session { command, prints }
        })
        .collect();
    assert!(sessions.len() > 1, "part {part} lost its commands");
    sessions
}

/// The counters of Envoy in the first part, with their values.
pub(crate) fn counters() -> Vec<(&'static str, u64)> {
    let lines = fenced(part(1), "text").flat_map(str::lines);
    let counters: Vec<_> = lines
        .filter_map(|line| {
            let (name, count) = line.split_once(": ")?;
            Some((name, count.parse().ok()?))
        })
        .collect();
    assert!(!counters.is_empty(), "the page lost the counters of Envoy");
    counters
}

fn part(number: usize) -> &'static str {
    let (_, section) = PAGE.split_once("\n## In one minute\n").expect("a section");
    let section = section.split("\n## ").next().expect("its end");
    section.split("\n### ").nth(number).expect("a part")
}

fn fenced(text: &'static str, language: &'static str) -> impl Iterator<Item = &'static str> {
    text.split("\n```")
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}
