//! Lines over time, and the sparkline of a row.

use std::fmt::Write;

use kangmai_base::Day;

use super::{ACROSS, HEAD, HEIGHT, Key, LineChart, MOST_SERIES, Scale, Sparkline, limit, text};
use crate::html::{Html, escape};
use crate::page::Page;

/// For templates.
impl Page {
    /// A line chart.
    pub fn line_chart(&self, chart: &LineChart) -> Html {
        let series = chart.series.get(..MOST_SERIES).unwrap_or(&chart.series);
        let points = || series.iter().flat_map(|(_, points)| points.iter().copied());
        let marks = chart.band.iter().flat_map(|(from, to, _)| [*from, *to]);
        let marks = marks.chain(chart.limit.iter().map(|(limit, _)| *limit));
        let values = || points().map(|(_, value)| value).chain(marks.clone());
        let scale =
            Scale::over(values().fold(f64::INFINITY, f64::min).min(1e12), values().fold(0.0, f64::max));
        let first = points().map(|(day, _)| day).min().unwrap_or(Day(0));
        let last = points().map(|(day, _)| day).max().unwrap_or(Day(0));
        let span = f64::from(last.days_since(first).max(1));
        let x = |day: Day| 2.0 + (ACROSS - 4.0) * f64::from(day.days_since(first)) / span;
        let mut svg = self.open(&chart.title, &chart.description);
        let mut key: Vec<Key<'_>> = series.iter().map(|(name, _)| Key::Line(name)).collect();
        if let Some((from, to, word)) = &chart.band {
            let (top, bottom) = (scale.y(*to), scale.y(*from));
            let _ = write!(
                svg,
                "<rect class=\"chart-band\" x=\"0\" y=\"{top:.1}\" width=\"{ACROSS}%\" height=\"{:.1}\"/>",
                bottom - top
            );
            key.push(Key::Band(word));
        }
        self.axis(&mut svg, &scale, chart.figure);
        limit(&mut svg, &scale, chart.limit.as_ref(), &mut key);
        for (index, (name, points)) in series.iter().enumerate() {
            self.line(&mut svg, chart, (index + 1, name), points, (&scale, &x));
        }
        day_labels(&mut svg, first, last, x);
        svg.push_str("</g></svg>");
        let mut days: Vec<Day> = points().map(|(day, _)| day).collect();
        days.sort_unstable();
        days.dedup();
        let heads: Vec<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
        let rows = days.into_iter().map(|day| {
            let value = |points: &[(Day, f64)]| {
                let found = points.iter().find(|(other, _)| *other == day);
                found.map_or(String::new(), |(_, value)| self.figure(chart.figure, *value))
            };
            (day.to_string(), series.iter().map(|(_, points)| value(points)).collect())
        });
        self.close(svg, &chart.title, &key, &heads, rows.collect())
    }

    fn line(
        &self,
        svg: &mut String,
        chart: &LineChart,
        (number, name): (usize, &str),
        points: &[(Day, f64)],
        (scale, x): (&Scale, &impl Fn(Day) -> f64),
    ) {
        for pair in points.windows(2) {
            let [(from, low), (to, high)] = pair else { continue };
            let _ = write!(
                svg,
                "<line class=\"chart-path series-{number} dash-{number}\" x1=\"{:.2}%\" y1=\"{:.1}\" x2=\"{:.2}%\" y2=\"{:.1}\"/>",
                x(*from),
                scale.y(*low),
                x(*to),
                scale.y(*high)
            );
        }
        for (day, value) in points {
            let outside = chart.band.as_ref().is_some_and(|(from, to, _)| value < from || value > to);
            let (out, radius) = if outside { (" chart-dot-out", 5.5) } else { ("", 4.0) };
            let (across, down) = (x(*day), scale.y(*value));
            let _ = write!(
                svg,
                "<circle class=\"chart-dot series-{number}{out}\" cx=\"{across:.2}%\" cy=\"{down:.1}\" r=\"{radius}\"><title>"
            );
            escape(svg, &format!("{day} {name} {}", self.figure(chart.figure, *value)));
            svg.push_str("</title></circle>");
        }
    }

    /// A line as high as the text.
    pub fn sparkline(&self, line: &Sparkline) -> Html {
        let (values, band, said) = (line.values.as_slice(), line.band, line.said.as_str());
        let edges = || values.iter().copied().chain(band.iter().flat_map(|(from, to)| [*from, *to]));
        let least = edges().fold(f64::INFINITY, f64::min).min(1e12);
        let most = edges().fold(f64::NEG_INFINITY, f64::max).max(least + 1e-9);
        let y = |value: f64| 3.0 + 18.0 * (1.0 - (value - least) / (most - least));
        let x = |index: usize| 3.0 + 90.0 * index as f64 / (values.len().max(2) - 1) as f64;
        let mut out = String::from("<svg class=\"spark\" viewBox=\"0 0 96 24\" role=\"img\"><title>");
        escape(&mut out, said);
        out.push_str("</title>");
        if let Some((from, to)) = band {
            let _ = write!(
                out,
                "<rect class=\"chart-band\" x=\"0\" y=\"{:.1}\" width=\"96\" height=\"{:.1}\"/>",
                y(to),
                y(from) - y(to)
            );
        }
        out.push_str("<polyline class=\"chart-path\" points=\"");
        for (index, value) in values.iter().enumerate() {
            let _ = write!(out, "{:.1},{:.1} ", x(index), y(*value));
        }
        out.push_str("\"/>");
        if let Some(last) = values.last() {
            let (across, down) = (x(values.len() - 1), y(*last));
            let _ =
                write!(out, "<circle class=\"chart-dot\" cx=\"{across:.1}\" cy=\"{down:.1}\" r=\"2.5\"/>");
        }
        out.push_str("</svg>");
        Html::from_escaped(out)
    }
}

/// The first and the last day, and the middle if there is room.
fn day_labels(svg: &mut String, first: Day, last: Day, x: impl Fn(Day) -> f64) {
    let y = HEAD + HEIGHT + 17.0;
    text(svg, "chart-axis", (x(first), y), "start", &first.to_string());
    if last == first {
        return;
    }
    text(svg, "chart-axis", (x(last), y), "end", &last.to_string());
}
