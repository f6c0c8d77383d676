//! The tables of a page.

/// The rows of the table whose first column is called `column`.
pub(crate) fn rows(page: &str, column: &str) -> Vec<Vec<String>> {
    let head = format!("| {column} |");
    let mut lines = page.lines().skip_while(|line| !line.starts_with(&head));
    let columns = cells(lines.next().expect(column)).len();
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = rows.map(cells).collect();
    for row in &rows {
        assert_eq!(row.len(), columns, "{row:?}");
    }
    rows
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim_start_matches('|').trim_end_matches('|');
    inner
        .split('|')
        .map(|cell| cell.trim().to_owned())
        .collect()
}

/// The texts in backticks.
pub(crate) fn words(text: &str) -> Vec<String> {
    let parts = text.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}
