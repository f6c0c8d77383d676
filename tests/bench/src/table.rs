//! The table of results for a terminal.

use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets::NOTHING};

use crate::{
    figure::{Figure, amount, digits},
    report::{Report, Row, Verdict},
};

pub(crate) fn print(report: &Report) {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let header = [
        "work", "ours", "best", "median", "peer", "best", "median", "ratio", "must", "aim", "",
    ];
    table.set_header(header.map(|title| Cell::new(title).add_attribute(Attribute::Bold)));
    for column in [2, 3, 5, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut host = "";
    for row in &report.rows {
        if row.host != host {
            host = &row.host;
            table.add_row([Cell::new(host)
                .fg(Color::Cyan)
                .add_attribute(Attribute::Bold)]);
        }
        table.add_row(cells(row));
    }
    println!("\n{table}\n");
    println!("{}", report.machine.sentence());
    let versions = report
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"));
    println!("{}", versions.collect::<Vec<_>>().join(", "));
    println!(
        "{}, commit {}, file {}",
        report.taken,
        report.commit.as_deref().unwrap_or("unknown"),
        report.digest
    );
    if report
        .load
        .is_some_and(|load| load > 1.0 + report.machine.cores as f64 / 2.0)
    {
        println!("the machine was busy: trust the best, not the medians");
    }
    if report.quick {
        println!("a quick run: its figures mean little");
    }
    match report.missed() {
        0 => {}
        1 => println!("1 must was missed"),
        missed => println!("{missed} musts were missed"),
    }
}

fn cells(row: &Row) -> Vec<Cell> {
    let share = |share: Option<f64>| Cell::new(share.map(times).unwrap_or_default());
    let best = |figure: &Figure| Cell::new(amount(figure.best, figure.unit));
    let median = |figure: &Figure| {
        Cell::new(amount(figure.median, figure.unit)).add_attribute(Attribute::Dim)
    };
    let mut cells = vec![
        Cell::new(format!("  {}", row.work)),
        Cell::new(&row.ours.name),
        best(&row.ours),
        median(&row.ours),
    ];
    match &row.peer {
        Some(peer) => cells.extend([Cell::new(&peer.name), best(peer), median(peer)]),
        None => cells.extend(["", "", ""].map(Cell::new)),
    }
    cells.extend([
        share(row.ratio),
        share(row.must),
        share(row.aim),
        verdict(row.verdict),
    ]);
    cells
}

fn verdict(verdict: Option<Verdict>) -> Cell {
    let cell = Cell::new(
        verdict
            .map(|verdict| verdict.to_string())
            .unwrap_or_default(),
    );
    match verdict {
        Some(Verdict::Missed) => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Some(_) => cell.fg(Color::Green),
        None => cell,
    }
}

pub(crate) fn times(ratio: f64) -> String {
    format!("{} ×", digits(ratio))
}
