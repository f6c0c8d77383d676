//! The blocks of code in a README: what a reader copies is what is tested.

use anyhow::{Context, Result};

/// Returns the first block of a language, such as `toml`. Its first line may
/// have options: `rust,no_run`.
pub(crate) fn block(readme: &str, language: &str) -> Result<String> {
    let mut lines = readme.lines();
    let is_start = |line: &str| {
        let info = line.strip_prefix("```").unwrap_or_default();
        info.split(',').next() == Some(language)
    };
    lines
        .by_ref()
        .find(|line| is_start(line))
        .with_context(|| format!("the README has no block of `{language}`"))?;
    let block: Vec<_> = lines.take_while(|line| *line != "```").collect();
    Ok(block.join("\n") + "\n")
}
