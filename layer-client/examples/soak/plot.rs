//! The plot of a run: lines over time, as SVG by hand.

use std::fmt::Write;

use crate::Options;
use crate::client::Second;

const LEFT: f64 = 70.0;
const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 170.0;
const GAP: f64 = 50.0;
const TOP: f64 = 40.0;

struct Line {
    name: &'static str,
    class: &'static str,
    of: fn(&Second) -> f64,
}

/// Memory, the rate, and how slow the slowest update of each second was. It has no background, so that it fits light pages and dark ones.
pub(crate) fn svg(log: &[Second], options: &Options) -> String {
    let panels: [(&str, Vec<Line>); 3] = [
        (
            "memory, MiB",
            vec![
                Line {
                    name: "resident",
                    class: "a",
                    of: |s| s.resident,
                },
                Line {
                    name: "held by the program",
                    class: "b",
                    of: |s| s.held,
                },
            ],
        ),
        (
            "updates a second",
            vec![Line {
                name: "updates a second",
                class: "a",
                of: |s| s.rate,
            }],
        ),
        (
            "slowest update of each second, ms",
            vec![Line {
                name: "slowest update",
                class: "b",
                of: |s| s.lag,
            }],
        ),
    ];
    let whole = TOP + (HEIGHT + GAP) * panels.len() as f64;
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {whole}" font-family="sans-serif" font-size="12">
<style>
text {{ fill: #222 }} .axis {{ stroke: #888; fill: none }} .grid {{ stroke: #8884; fill: none }}
polyline {{ fill: none; stroke-width: 1.2 }} .a {{ stroke: #1565c0 }} .b {{ stroke: #c2410c }}
text.a {{ fill: #1565c0; stroke: none }} text.b {{ fill: #c2410c; stroke: none }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .a {{ stroke: #64b5f6 }} .b {{ stroke: #fb923c }}
text.a {{ fill: #64b5f6 }} text.b {{ fill: #fb923c }} }}
</style>
<text x="{LEFT}" y="18">{} updates a second in {} chats, a cut every {} s, {} % of the pushes lost</text>
"#,
        LEFT + WIDTH + 35.0,
        options.rate,
        options.chats,
        options.cut_every,
        options.lost,
    );
    for (place, (title, lines)) in panels.iter().enumerate() {
        let top = TOP + (HEIGHT + GAP) * place as f64;
        panel(&mut out, log, top, title, lines);
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, log: &[Second], top: f64, title: &str, lines: &[Line]) {
    let highest = lines
        .iter()
        .flat_map(|line| log.iter().map(line.of))
        .fold(1.0, f64::max);
    let step = round(highest / 4.0);
    let highest = (highest / step).ceil() * step;
    let bottom = top + HEIGHT;
    let x = |second: f64| LEFT + WIDTH * second / log.len().max(1) as f64;
    let y = |value: f64| bottom - HEIGHT * value / highest;
    let mut put = |text: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{text}");
    };
    put(format_args!(
        r#"<text x="{LEFT}" y="{:.0}">{title}</text>"#,
        top - 6.0
    ));
    let mut value = 0.0;
    while value <= highest + step / 2.0 {
        let at = y(value);
        put(format_args!(
            r#"<path class="grid" d="M{LEFT} {at:.1}H{:.1}"/><text x="{:.0}" y="{:.1}" text-anchor="end">{value}</text>"#,
            LEFT + WIDTH,
            LEFT - 6.0,
            at + 4.0,
        ));
        value += step;
    }
    let minutes = log.len() as f64 / 60.0;
    let each = round(minutes / 6.0);
    let mut minute = 0.0;
    while minute <= minutes {
        put(format_args!(
            r#"<text x="{:.1}" y="{:.1}" text-anchor="middle">{minute} min</text>"#,
            x(minute * 60.0),
            bottom + 16.0,
        ));
        minute += each;
    }
    put(format_args!(
        r#"<path class="axis" d="M{LEFT} {top:.1}V{bottom:.1}H{:.1}"/>"#,
        LEFT + WIDTH,
    ));
    for (place, line) in lines.iter().enumerate() {
        let mut points = String::new();
        for (second, reading) in log.iter().enumerate() {
            let _ = write!(
                points,
                "{:.1},{:.1} ",
                x(second as f64 + 0.5),
                y((line.of)(reading))
            );
        }
        put(format_args!(
            r#"<polyline class="{}" points="{}"/>"#,
            line.class,
            points.trim_end()
        ));
        if lines.len() > 1 {
            put(format_args!(
                r#"<text class="{}" x="{:.0}" y="{:.0}" text-anchor="end">{}</text>"#,
                line.class,
                LEFT + WIDTH - 150.0 * place as f64,
                top - 6.0,
                line.name,
            ));
        }
    }
}

/// The next 1, 2 or 5 with zeros that is not below.
fn round(value: f64) -> f64 {
    let ten = 10f64.powf(value.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * ten)
        .find(|round| *round >= value * 0.999)
        .unwrap_or(10.0 * ten)
}
