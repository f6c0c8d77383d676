//! The results as a chart with one bar for each row. A bar starts at ratio 1,
//! and goes to the left if ours is faster, to the right if it is slower. The
//! scale is logarithmic, so the bars for ratios 2 and 1/2 have the same length.

use svg::{
    Document, Node,
    node::element::{Group, Line, Rectangle, Style, Text, Title},
};

use crate::{
    figure::{Unit, amount},
    report::{Report, Row, Verdict},
    table::times,
};

const WIDTH: f64 = 980.0;
const PLOT: Span = Span {
    left: 390.0,
    right: 750.0,
};
/// The right edges of the two columns of figures.
const RATIO: f64 = 822.0;
const TIMES: f64 = WIDTH - 24.0;
const TOP: f64 = 96.0;
const ROW: f64 = 24.0;
const HEADING: f64 = 34.0;
const BAR: f64 = 14.0;
/// Lines for the versions of all contestants.
const VERSION_LINES: usize = 2;

/// Colours that colour-blind readers can distinguish, on white and on black.
const STYLE: &str = "
  :root { color-scheme: light dark }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
  .paper { fill: #ffffff }
  .title { font-size: 19px; font-weight: 600 }
  .host { font-size: 14px; font-weight: 600 }
  .ratio { font-weight: 600 }
  .faint { fill: #59636e; font-size: 11.5px }
  .grid { stroke: #d1d9e0 }
  .even { stroke: #1f2328; stroke-width: 1.5 }
  .bound { stroke: #1f2328; stroke-width: 2 }
  .hoped { stroke: #1f2328; stroke-width: 2; stroke-dasharray: 2 2 }
  .aim { fill: #1a7f5a }
  .must { fill: #63b995 }
  .missed { fill: #d9622b }
  .open { fill: #8c99a6 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .paper { fill: #0d1117 }
    .faint { fill: #9198a1 }
    .grid { stroke: #30363d }
    .even, .bound, .hoped { stroke: #e6edf3 }
    .aim { fill: #3fb98a }
    .must { fill: #2b7a5b }
    .missed { fill: #f0834d }
    .open { fill: #6b7681 }
  }
";

pub(crate) fn draw(report: &Report) -> String {
    let rows: Vec<&Row> = report.rows.iter().filter(|row| is_drawn(row)).collect();
    let scale = Scale::of(&rows);
    let mut canvas = Group::new();
    let mut y = TOP;
    let mut host = "";
    for row in &rows {
        if row.host != host {
            host = &row.host;
            canvas.append(text(24.0, y + 22.0, "host", "start", heading(host)));
            y += HEADING;
        }
        canvas.append(text(
            40.0,
            y + ROW / 2.0 + 4.5,
            "work",
            "start",
            &work(row, &rows),
        ));
        canvas.append(bar(row, &scale, y));
        y += ROW;
    }
    let height = y + 120.0;
    Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("role", "img")
        .add(Title::new("Countersign against other verifiers"))
        .add(Style::new(STYLE))
        .add(
            Rectangle::new()
                .set("class", "paper")
                .set("width", WIDTH)
                .set("height", height),
        )
        .add(titles(report))
        .add(grid(&scale, y))
        .add(canvas)
        .add(legend(y + 36.0))
        .add(origin(report, y + 64.0))
        .to_string()
        + "\n"
}

/// The chart shows only comparisons with other verifiers. Comparisons with
/// ourselves or with a limit are only in the table.
fn is_drawn(row: &Row) -> bool {
    let other = |name: &str| !name.starts_with("with ");
    row.ours.unit == Unit::Ns && row.peer.as_ref().is_some_and(|peer| other(&peer.name))
}

fn heading(host: &str) -> &str {
    match host {
        "native" => "The crate, compiled for this machine",
        "wasmtime" => "The sealed file in wasmtime",
        "node" => "The npm package in Node",
        "npm" => "The npm package, from import to bundle",
        "go" => "The sealed file in Go",
        "envoy" => "The sealed file in Envoy",
        "server" => "The gate server on one core",
        other => other,
    }
}

fn titles(report: &Report) -> Group {
    let quick = if report.quick {
        " (a quick run: the figures mean little)"
    } else {
        ""
    };
    let title = format!("Time of Countersign, in multiples of the other verifier's{quick}");
    Group::new()
        .add(text(24.0, 36.0, "title", "start", &title))
        .add(text(
            24.0,
            58.0,
            "faint",
            "start",
            &report.machine.sentence(),
        ))
}

/// The work, with the name of our API if it is not the first one in the table.
fn work(row: &Row, rows: &[&Row]) -> String {
    let same = |first: &&&Row| first.host == row.host && first.work == row.work;
    let first = rows.iter().find(same).map(|first| &first.ours.name);
    match row.ours.name.split_once(", ") {
        Some((_, way)) if first != Some(&row.ours.name) => format!("{}, {way}", row.work),
        _ => row.work.clone(),
    }
}

fn origin(report: &Report, y: f64) -> Group {
    let date = report.taken.split('T').next().unwrap_or_default();
    let file = report.digest.get(..16).unwrap_or_default();
    let commit = report.commit.as_deref().unwrap_or("unknown");
    let of_what = format!("{date}, commit {commit}, file {file}…");
    let versions = report
        .versions
        .iter()
        .map(|(name, version)| format!("{name} {version}"));
    let versions: Vec<_> = versions.collect();
    let mut origin = Group::new().add(text(24.0, y, "faint", "start", &of_what));
    let mut y = y;
    for line in versions.chunks(versions.len().div_ceil(VERSION_LINES).max(1)) {
        y += 18.0;
        origin.append(text(24.0, y, "faint", "start", &line.join(", ")));
    }
    origin
}

fn grid(scale: &Scale, bottom: f64) -> Group {
    let mut grid = Group::new();
    for tick in scale.ticks() {
        let x = scale.x(tick);
        let class = if tick == 1.0 { "even" } else { "grid" };
        grid.append(line(class, (x, TOP - 6.0), (x, bottom + 4.0)));
        grid.append(text(x, TOP - 12.0, "faint", "middle", &format!("{tick} ×")));
    }
    grid
}

fn bar(row: &Row, scale: &Scale, y: f64) -> Group {
    let (ratio, peer) = (row.ratio.unwrap_or(1.0), row.peer.as_ref());
    let (even, end) = (scale.x(1.0), scale.x(ratio));
    let class = match row.verdict {
        Some(Verdict::Aim) => "aim",
        Some(Verdict::Must) => "must",
        Some(Verdict::Missed) => "missed",
        None => "open",
    };
    let body = Rectangle::new()
        .set("class", class)
        .set("x", rounded(even.min(end)))
        .set("y", y + (ROW - BAR) / 2.0)
        .set("width", rounded((end - even).abs().max(1.0)))
        .set("height", BAR)
        .set("rx", 2);
    let line_y = y + ROW / 2.0 + 4.5;
    let against = peer.map(|peer| peer.name.as_str()).unwrap_or_default();
    let typical = |figure: &crate::figure::Figure| amount(row.typical(figure), figure.unit);
    let times_of_both = format!(
        "{} : {}",
        typical(&row.ours),
        peer.map(typical).unwrap_or_default()
    );
    let mut group = Group::new()
        .add(text(PLOT.left - 14.0, line_y, "faint", "end", against))
        .add(body)
        .add(text(RATIO, line_y, "ratio", "end", &times(ratio)))
        .add(text(TIMES, line_y, "faint", "end", &times_of_both));
    for (bound, class) in [(row.must, "bound"), (row.aim, "hoped")] {
        if let Some(bound) = bound {
            let x = scale.x(bound);
            group.append(line(class, (x, y + 2.0), (x, y + ROW - 2.0)));
        }
    }
    group
}

fn legend(y: f64) -> Group {
    let marks = [
        ("aim", "aim reached"),
        ("must", "must reached"),
        ("missed", "must missed"),
        ("open", "no bar set"),
    ];
    let mut legend = Group::new();
    let mut x = 24.0;
    for (class, words) in marks {
        let square = Rectangle::new()
            .set("class", class)
            .set("x", x)
            .set("y", y - 10.0);
        legend.append(square.set("width", 12).set("height", 12).set("rx", 2));
        legend.append(text(x + 18.0, y, "faint", "start", words));
        x += 112.0;
    }
    for (class, words) in [("bound", "must"), ("hoped", "aim")] {
        legend.append(line(class, (x + 6.0, y - 12.0), (x + 6.0, y + 4.0)));
        legend.append(text(x + 18.0, y, "faint", "start", words));
        x += 70.0;
    }
    legend.add(text(
        TIMES,
        y,
        "faint",
        "end",
        "least of many interleaved repeats",
    ))
}

struct Span {
    left: f64,
    right: f64,
}

/// Powers of two or of ten, with space for every ratio and its label.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn of(rows: &[&Row]) -> Self {
        let shares = rows
            .iter()
            .flat_map(|row| [row.ratio, row.must, row.aim])
            .flatten();
        let (least, most) = shares
            .filter(|share| share.is_finite() && *share > 0.0)
            .fold((0.5_f64, 2.0_f64), |(least, most), share| {
                (least.min(share), most.max(share))
            });
        Self {
            least: least / 2.2,
            most: most * 2.2,
        }
    }

    fn x(&self, share: f64) -> f64 {
        let share = share.clamp(self.least, self.most);
        let place = (share / self.least).ln() / (self.most / self.least).ln();
        rounded(PLOT.left + place * (PLOT.right - PLOT.left))
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let all = [
            0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 30.0, 100.0,
        ];
        let (least, most) = (self.least, self.most);
        all.into_iter()
            .filter(move |tick| (least..most).contains(tick))
    }
}

fn text(x: f64, y: f64, class: &str, anchor: &str, words: &str) -> Text {
    Text::new(words)
        .set("x", x)
        .set("y", y)
        .set("class", class)
        .set("text-anchor", anchor)
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Line {
    let line = Line::new()
        .set("class", class)
        .set("x1", from.0)
        .set("y1", from.1);
    line.set("x2", to.0).set("y2", to.1)
}

fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
