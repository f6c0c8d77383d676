//! The blocks of code in a README: what a reader copies is what is tested.

use anyhow::{Context, Result};

/// Returns the first block of a language, such as `toml`. Its first line may
/// have options: `rust,no_run`.
pub(crate) fn block(readme: &str, language: &str) -> Result<String> {
    let first = blocks(readme, language).into_iter().next();
    first.with_context(|| format!("the README has no block of `{language}`"))
}

/// Returns all of them.
pub(crate) fn blocks(readme: &str, language: &str) -> Vec<String> {
    let mut lines = readme.lines();
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if info.split(',').next() == Some(language) {
            blocks.push(block.join("\n") + "\n");
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_first_of_its_language() {
        let readme =
            "# A\n\n```sh\ngo a\ngo b\n```\n\n```go\na\n```\n```go,x\nb\n```\n```js,y\nc\n```\n";
        assert_eq!(block(readme, "sh").unwrap(), "go a\ngo b\n");
        assert_eq!(block(readme, "go").unwrap(), "a\n");
        assert_eq!(block(readme, "js").unwrap(), "c\n");
        assert!(block(readme, "json").is_err());
        assert_eq!(blocks(readme, "go"), ["a\n", "b\n"]);
    }
}
