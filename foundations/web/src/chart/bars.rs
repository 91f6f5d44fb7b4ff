//! Bars, standing and lying.

use std::fmt::Write;

use super::{ACROSS, BarChart, HEAD, HEIGHT, Key, LABEL_ROOM, MOST_SERIES, Scale, at, limit, text};
use crate::html::{Html, escape};
use crate::page::Page;

/// A row of lying bars, their labels, and how much of the width the longest takes.
const LYING_ROW: f64 = 28.0;
const LYING_GUTTER: f64 = 116.0;
const LYING_ACROSS: f64 = 50.0;

/// For templates.
impl Page {
    /// A bar chart.
    pub fn bar_chart(&self, chart: &BarChart) -> Html {
        let series = chart.series.get(..MOST_SERIES).unwrap_or(&chart.series);
        let highest = if chart.stacked {
            sums(chart, series).fold(0.0, f64::max)
        } else {
            series.iter().flat_map(|(_, values)| values.iter().copied()).fold(0.0, f64::max)
        };
        if chart.lying {
            let sums = sums(chart, series).fold(0.0, f64::max);
            return self.lying_bars(chart, series, sums);
        }
        let highest = chart.limit.as_ref().map_or(highest, |(limit, _)| highest.max(*limit));
        let scale = Scale::over(0.0, highest);
        let mut svg = self.open(&chart.title, &chart.description);
        let mut key: Vec<Key<'_>> = series.iter().map(|(name, _)| Key::Area(name)).collect();
        self.axis(&mut svg, &scale, chart.figure);
        let slot = ACROSS / chart.labels.len().max(1) as f64;
        for (index, label) in chart.labels.iter().enumerate() {
            let left = slot * index as f64;
            self.bars(&mut svg, chart, series, &scale, (index, left, slot));
            if index.is_multiple_of(label_step(&chart.labels)) {
                text(&mut svg, "chart-axis", (left + slot / 2.0, HEAD + HEIGHT + 17.0), "middle", label);
            }
        }
        limit(&mut svg, &scale, chart.limit.as_ref(), &mut key);
        svg.push_str("</g></svg>");
        self.close_bars(svg, chart, series, &key)
    }

    fn close_bars(
        &self,
        svg: String,
        chart: &BarChart,
        series: &[(String, Vec<f64>)],
        key: &[Key<'_>],
    ) -> Html {
        let heads: Vec<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
        let rows = chart.labels.iter().enumerate().map(|(index, label)| {
            let cells =
                series.iter().map(|(_, values)| self.figure(chart.figure, at(values, index))).collect();
            (label.clone(), cells)
        });
        self.close(svg, &chart.title, key, &heads, rows.collect())
    }

    /// Bars that lie: label, bar, figure, row by row.
    fn lying_bars(&self, chart: &BarChart, series: &[(String, Vec<f64>)], highest: f64) -> Html {
        let highest = if highest > 0.0 { highest } else { 1.0 };
        let rows = chart.labels.len() as f64;
        let mut svg = self.frame(&chart.title, &chart.description, rows * LYING_ROW);
        for (index, label) in chart.labels.iter().enumerate() {
            let top = LYING_ROW * index as f64;
            let _ = write!(svg, "<text class=\"chart-label\" x=\"0\" y=\"{:.1}\">", top + 19.0);
            escape(&mut svg, label);
            let _ = write!(svg, "</text><g transform=\"translate({LYING_GUTTER} 0)\">");
            let (mut left, mut sum) = (0.0, 0.0);
            for (number, (name, values)) in series.iter().enumerate() {
                let value = at(values, index);
                let width = LYING_ACROSS * value.max(0.0) / highest;
                let _ = write!(
                    svg,
                    "<rect class=\"series-{}\" x=\"{left:.2}%\" y=\"{:.1}\" width=\"{width:.2}%\" height=\"{:.1}\"><title>",
                    number + 1,
                    top + 4.0,
                    LYING_ROW - 8.0
                );
                escape(&mut svg, &format!("{label} {name} {}", self.figure(chart.figure, value)));
                svg.push_str("</title></rect>");
                left += width;
                sum += value;
            }
            let _ = write!(svg, "<text x=\"{left:.2}%\" dx=\"6\" y=\"{:.1}\">", top + 19.0);
            escape(&mut svg, &self.figure(chart.figure, sum));
            svg.push_str("</text></g>");
        }
        svg.push_str("</svg>");
        let key: Vec<Key<'_>> = series.iter().map(|(name, _)| Key::Area(name)).collect();
        self.close_bars(svg, chart, series, &key)
    }

    fn bars(
        &self,
        svg: &mut String,
        chart: &BarChart,
        series: &[(String, Vec<f64>)],
        scale: &Scale,
        (index, left, slot): (usize, f64, f64),
    ) {
        let beside = if chart.stacked { 1.0 } else { series.len().max(1) as f64 };
        let width = (slot * 0.72 / beside).min(8.0);
        let start = left + (slot - width * beside) / 2.0;
        let mut floor = 0.0;
        for (number, (name, values)) in series.iter().enumerate() {
            let value = at(values, index);
            let x = if chart.stacked { start } else { start + width * number as f64 };
            let (top, bottom) = (scale.y(floor + value), scale.y(floor));
            let _ = write!(
                svg,
                "<rect class=\"series-{}\" x=\"{x:.2}%\" y=\"{top:.1}\" width=\"{width:.2}%\" height=\"{:.1}\"><title>",
                number + 1,
                (bottom - top).max(0.0)
            );
            let label = chart.labels.get(index).map_or("", String::as_str);
            escape(svg, &format!("{label} {name} {}", self.figure(chart.figure, value)));
            svg.push_str("</title></rect>");
            if chart.stacked {
                floor += value;
            }
        }
    }
}

/// Every how many labels one is written, so that they do not touch on a phone.
fn label_step(labels: &[String]) -> usize {
    let widest =
        labels.iter().map(|label| label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()).max();
    let fit = (LABEL_ROOM / (widest.unwrap_or(0) + 1)).max(1);
    labels.len().div_ceil(fit).max(1)
}

/// What stands over each label in all.
fn sums(chart: &BarChart, series: &[(String, Vec<f64>)]) -> impl Iterator<Item = f64> {
    (0..chart.labels.len()).map(|index| series.iter().map(|(_, values)| at(values, index)).sum())
}
