//! Counts of passed, failed and skipped tests.

use std::{fmt, ops::AddAssign};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Tally {
    /// Parses cargo's `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub(crate) fn of_result(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            let part = counts.split("; ").find(|part| part.ends_with(what))?;
            part.strip_suffix(what)?.trim_end().parse().ok()
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            skipped: count("ignored")?,
        })
    }

    /// Counts the tests in the output of `go test -v`, without subtests.
    pub(crate) fn of_go(output: &str) -> Self {
        let count = |mark: &str| output.lines().filter(|line| line.starts_with(mark)).count();
        Self {
            passed: count("--- PASS: "),
            failed: count("--- FAIL: "),
            skipped: count("--- SKIP: "),
        }
    }

    /// Parses pytest's `3 failed, 12 passed, 1 skipped, 2 errors in 4.20s`.
    pub(crate) fn of_pytest(line: &str) -> Self {
        let count = |what: &str| {
            let mut words = line
                .split(' ')
                .map_while(|word| (word != "in").then_some(word));
            let mut last = "";
            let found = words.find(|word| {
                let is_it = word.trim_end_matches(',').starts_with(what);
                if !is_it {
                    last = word;
                }
                is_it
            });
            found.and_then(|_| last.parse().ok()).unwrap_or(0)
        };
        Self {
            passed: count("passed"),
            failed: count("failed") + count("error"),
            skipped: count("skipped"),
        }
    }

    /// Counts a passed test as skipped: for cargo, a skipped test passes.
    pub(crate) fn skip_one(&mut self) {
        self.passed = self.passed.saturating_sub(1);
        self.skipped += 1;
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_cargo_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 7 filtered \
                    out; finished in 0.08s";
        assert_eq!(
            Tally::of_result(line),
            Some(Tally {
                passed: 12,
                failed: 3,
                skipped: 1
            })
        );
    }

    #[test]
    fn go_tests_are_counted_without_subtests() {
        let output = "=== RUN   TestA\n    --- PASS: TestA/part (0.00s)\n--- PASS: TestA (0.00s)\n\
                      --- FAIL: ExampleB (0.01s)\n--- SKIP: TestC (0.00s)\nok  \tpackage\t0.3s\n";
        assert_eq!(
            Tally::of_go(output),
            Tally {
                passed: 1,
                failed: 1,
                skipped: 1
            }
        );
    }

    #[test]
    fn the_last_line_of_pytest_is_counted() {
        let tally = |passed, failed, skipped| Tally {
            passed,
            failed,
            skipped,
        };
        assert_eq!(Tally::of_pytest("12 passed in 0.08s"), tally(12, 0, 0));
        assert_eq!(
            Tally::of_pytest("3 failed, 12 passed, 1 skipped, 2 errors in 64.20s (0:01:04)"),
            tally(12, 5, 1)
        );
        assert_eq!(Tally::of_pytest("no tests ran in 0.01s"), tally(0, 0, 0));
    }

    #[test]
    fn another_line_is_not_a_result() {
        assert_eq!(Tally::of_result("test it_works ... ok"), None);
        assert_eq!(Tally::of_result("test result: none"), None);
    }
}
