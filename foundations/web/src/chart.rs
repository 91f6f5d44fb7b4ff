//! Charts as SVG drawn by the server: they print, need no script, and say their data again as a table.
//!
//! Across, places are in percent of the width, so that a chart fits a phone and a sheet of paper while its text keeps
//! its size. Every chart has a title, a sentence of what it shows, and every shape its figure as a title.

use std::fmt::Write;

use kangmai_base::{Day, Fen};

use crate::html::{Html, escape};
use crate::page::Page;
use crate::words::{Language, grouped};

/// How the figures of a chart are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// `1,234`
    Count,
    /// `1,234.56`
    Yuan,
    /// With so many decimals: `6.8`
    Measure(usize),
    /// `86.2%` of the value 86.2
    Percent,
}

/// Yuan of an amount, for the height of a bar; the figure itself is written exactly.
pub fn yuan_of(amount: Fen) -> f64 {
    amount.0 as f64 / 100.0
}

/// Bars over labels: months, townships. Several series stand beside each other or on each other.
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    /// The heading.
    pub title: String,
    /// What it shows, in one sentence.
    pub description: String,
    /// How figures are written.
    pub figure: Figure,
    /// Under each bar.
    pub labels: Vec<String>,
    /// Name and one value for each label. At most six.
    pub series: Vec<(String, Vec<f64>)>,
    /// On each other instead of beside each other.
    pub stacked: bool,
    /// A line across: value and word.
    pub limit: Option<(f64, String)>,
}

/// Measures over time, with the band that they should lie in.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// The heading.
    pub title: String,
    /// What it shows, in one sentence.
    pub description: String,
    /// How figures are written.
    pub figure: Figure,
    /// Name and the points, in order of days. At most six.
    pub series: Vec<(String, Vec<(Day, f64)>)>,
    /// From, to, and the word of the target.
    pub band: Option<(f64, f64, String)>,
    /// A line across: value and word.
    pub limit: Option<(f64, String)>,
}

/// One whole and its parts on one bar: who pays how much of a bill.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareBar {
    /// The heading.
    pub title: String,
    /// What it shows, in one sentence.
    pub description: String,
    /// Who and how much, in order; negative amounts count as nothing.
    pub parts: Vec<(String, Fen)>,
}

/// Height of the plot, in px.
const HEIGHT: f64 = 220.0;
/// Room on the left for the figures of the axis, in px.
const GUTTER: f64 = 52.0;
/// Room above the plot, in px.
const HEAD: f64 = 14.0;
/// Room under the plot for labels, in px.
const FOOT: f64 = 24.0;
/// How much of the width the plot takes: with the gutter it fits 320 px and more.
const ACROSS: f64 = 83.0;
/// The most series: so many tones can be told apart.
const MOST_SERIES: usize = 6;
/// What a label may take in all on a phone, in half-width characters.
const LABEL_ROOM: usize = 38;

/// From the value at the foot to the value at the head, and the steps between.
struct Scale {
    least: f64,
    most: f64,
    step: f64,
}

impl Scale {
    /// A round scale that holds `least` to `most` in three to six steps.
    fn over(least: f64, most: f64) -> Scale {
        let (least, most) = if most > least { (least, most) } else { (least, least + 1.0) };
        let rough = (most - least) / 4.0;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= rough);
        let step = step.unwrap_or(power * 10.0);
        Scale { least: (least / step).floor() * step, most: (most / step).ceil() * step, step }
    }

    /// From the top, in px.
    fn y(&self, value: f64) -> f64 {
        HEAD + HEIGHT * (1.0 - (value - self.least) / (self.most - self.least))
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = ((self.most - self.least) / self.step).round() as usize;
        (0..=count).map(|index| self.least + self.step * index as f64)
    }
}

/// For templates.
impl Page {
    /// A bar chart.
    pub fn bar_chart(&self, chart: &BarChart) -> Html {
        let series = chart.series.get(..MOST_SERIES).unwrap_or(&chart.series);
        let sums = (0..chart.labels.len())
            .map(|index| series.iter().map(|(_, values)| at(values, index)).sum::<f64>());
        let highest = if chart.stacked {
            sums.fold(0.0, f64::max)
        } else {
            series.iter().flat_map(|(_, values)| values.iter().copied()).fold(0.0, f64::max)
        };
        let highest = chart.limit.as_ref().map_or(highest, |(limit, _)| highest.max(*limit));
        let scale = Scale::over(0.0, highest);
        let mut svg = self.open(&chart.title, &chart.description);
        self.axis(&mut svg, &scale, chart.figure);
        let slot = ACROSS / chart.labels.len().max(1) as f64;
        for (index, label) in chart.labels.iter().enumerate() {
            let left = slot * index as f64;
            self.bars(&mut svg, chart, series, &scale, (index, left, slot));
            if index.is_multiple_of(label_step(&chart.labels)) {
                text(&mut svg, "chart-axis", (left + slot / 2.0, HEAD + HEIGHT + 17.0), "middle", label);
            }
        }
        limit(&mut svg, &scale, chart.limit.as_ref());
        svg.push_str("</g></svg>");
        let heads: Vec<&str> = series.iter().map(|(name, _)| name.as_str()).collect();
        let rows = chart.labels.iter().enumerate().map(|(index, label)| {
            let cells =
                series.iter().map(|(_, values)| self.figure(chart.figure, at(values, index))).collect();
            (label.clone(), cells)
        });
        self.close(svg, &chart.title, &heads, rows.collect())
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
        if let Some((from, to, word)) = &chart.band {
            let (top, bottom) = (scale.y(*to), scale.y(*from));
            let _ = write!(
                svg,
                "<rect class=\"chart-band\" x=\"0\" y=\"{top:.1}\" width=\"{ACROSS}%\" height=\"{:.1}\"/>",
                bottom - top
            );
            text(&mut svg, "chart-axis", (ACROSS, top + 14.0), "end", word);
        }
        self.axis(&mut svg, &scale, chart.figure);
        limit(&mut svg, &scale, chart.limit.as_ref());
        for (number, (name, points)) in series.iter().enumerate() {
            for pair in points.windows(2) {
                if let [(from, low), (to, high)] = pair {
                    let _ = write!(
                        svg,
                        "<line class=\"chart-path series-{} dash-{0}\" x1=\"{:.2}%\" y1=\"{:.1}\" x2=\"{:.2}%\" y2=\"{:.1}\"/>",
                        number + 1,
                        x(*from),
                        scale.y(*low),
                        x(*to),
                        scale.y(*high)
                    );
                }
            }
            for (day, value) in points {
                let outside = chart.band.as_ref().is_some_and(|(from, to, _)| value < from || value > to);
                let out = if outside { " chart-dot-out" } else { "" };
                let (across, down) = (x(*day), scale.y(*value));
                let _ = write!(
                    svg,
                    "<circle class=\"chart-dot series-{}{out}\" cx=\"{across:.2}%\" cy=\"{down:.1}\" r=\"4\"><title>",
                    number + 1
                );
                escape(&mut svg, &format!("{day} {name} {}", self.figure(chart.figure, *value)));
                svg.push_str("</title></circle>");
            }
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
        self.close(svg, &chart.title, &heads, rows.collect())
    }

    /// One whole and its parts. The parts are numbered, so that it reads in black and white too.
    pub fn share_bar(&self, bar: &ShareBar) -> Html {
        let parts = bar.parts.get(..MOST_SERIES).unwrap_or(&bar.parts);
        let whole: i64 = parts.iter().map(|(_, amount)| amount.0.max(0)).sum();
        let mut svg = self.frame(&bar.title, &bar.description, 40.0);
        let mut key = String::from("<ol class=\"chart-key\">");
        let mut left = 0.0;
        for (index, (name, amount)) in parts.iter().enumerate() {
            let number = index + 1;
            let share = if whole > 0 { 100.0 * amount.0.max(0) as f64 / whole as f64 } else { 0.0 };
            let said = format!("{} {share:.1}%", self.yuan(*amount));
            let _ = write!(
                svg,
                "<rect class=\"series-{number}\" x=\"{left:.2}%\" y=\"0\" width=\"{share:.2}%\" height=\"36\"><title>"
            );
            escape(&mut svg, &format!("{name} {said}"));
            svg.push_str("</title></rect>");
            if share >= 4.0 {
                text(&mut svg, "chart-on", (left + share / 2.0, 23.0), "middle", &number.to_string());
            }
            if index > 0 {
                let _ = write!(
                    svg,
                    "<line class=\"chart-gap\" x1=\"{left:.2}%\" y1=\"0\" x2=\"{left:.2}%\" y2=\"36\"/>"
                );
            }
            key_entry(&mut key, number, &format!("{number} {name} {said}"));
            left += share;
        }
        svg.push_str("</svg>");
        key.push_str("</ol>");
        let mut out = String::from("<figure class=\"chart chart-wide\"><figcaption>");
        escape(&mut out, &bar.title);
        let _ = write!(out, "</figcaption>{svg}{key}</figure>");
        Html::from_escaped(out)
    }

    /// A line as high as the text, with the band that it should lie in; `said` is what it shows, in words.
    pub fn sparkline(&self, values: &[f64], band: Option<(f64, f64)>, said: &str) -> Html {
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

    fn frame(&self, title: &str, description: &str, height: f64) -> String {
        let mut svg = format!("<svg width=\"100%\" height=\"{height}\" role=\"img\"><title>");
        escape(&mut svg, title);
        svg.push_str("</title><desc>");
        escape(&mut svg, description);
        svg.push_str("</desc>");
        svg
    }

    fn open(&self, title: &str, description: &str) -> String {
        let mut svg = self.frame(title, description, HEAD + HEIGHT + FOOT);
        let _ = write!(svg, "<g transform=\"translate({GUTTER} 0)\">");
        svg
    }

    fn axis(&self, svg: &mut String, scale: &Scale, figure: Figure) {
        for tick in scale.ticks() {
            let y = scale.y(tick);
            let kind = if tick == scale.least { "base" } else { "grid" };
            let _ = write!(
                svg,
                "<line class=\"chart-line-{kind}\" x1=\"0\" y1=\"{y:.1}\" x2=\"{ACROSS}%\" y2=\"{y:.1}\"/>"
            );
            let _ =
                write!(svg, "<text class=\"chart-axis\" x=\"-8\" y=\"{:.1}\" text-anchor=\"end\">", y + 4.0);
            escape(svg, &self.tick(figure, tick, scale));
            svg.push_str("</text>");
        }
    }

    /// A figure on the axis: short.
    fn tick(&self, figure: Figure, value: f64, scale: &Scale) -> String {
        let short = matches!(figure, Figure::Count | Figure::Yuan) && scale.most >= 100_000.0;
        match (figure, self.language) {
            (_, Language::Zh) if short => format!("{}万", trimmed(value / 10_000.0)),
            (_, Language::En) if short => format!("{}k", trimmed(value / 1_000.0)),
            (Figure::Percent, _) => format!("{}%", trimmed(value)),
            (Figure::Measure(_), _) => trimmed(value),
            _ if scale.step < 1.0 => trimmed(value),
            _ => grouped(value.round() as i64),
        }
    }

    /// A figure in full.
    fn figure(&self, figure: Figure, value: f64) -> String {
        match figure {
            Figure::Count => grouped(value.round() as i64),
            Figure::Yuan => Fen((value * 100.0).round() as i64).grouped(),
            Figure::Measure(decimals) => format!("{value:.decimals$}"),
            Figure::Percent => format!("{value:.1}%"),
        }
    }

    /// The key and the same data as a table.
    fn close(&self, svg: String, title: &str, heads: &[&str], rows: Vec<(String, Vec<String>)>) -> Html {
        let mut out = String::from("<figure class=\"chart\"><figcaption>");
        escape(&mut out, title);
        out.push_str("</figcaption>");
        out.push_str(&svg);
        if heads.len() > 1 {
            out.push_str("<ul class=\"chart-key\">");
            for (index, head) in heads.iter().enumerate() {
                key_entry(&mut out, index + 1, head);
            }
            out.push_str("</ul>");
        }
        out.push_str("<details class=\"chart-data\"><summary>");
        escape(&mut out, &self.word("web.chart.data"));
        out.push_str("</summary><table class=\"table\"><thead><tr><td></td>");
        for head in heads {
            out.push_str("<th scope=\"col\" class=\"figure\">");
            escape(&mut out, head);
            out.push_str("</th>");
        }
        out.push_str("</tr></thead><tbody>");
        for (label, cells) in rows {
            out.push_str("<tr><th scope=\"row\">");
            escape(&mut out, &label);
            out.push_str("</th>");
            for cell in cells {
                out.push_str("<td class=\"figure\">");
                escape(&mut out, &cell);
                out.push_str("</td>");
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></details></figure>");
        Html::from_escaped(out)
    }
}

fn at(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().filter(|value| value.is_finite()).unwrap_or(0.0)
}

/// `12`, `0.5`: at most two decimals, no zeros behind.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Every how many labels one is written, so that they do not touch on a phone.
fn label_step(labels: &[String]) -> usize {
    let widest =
        labels.iter().map(|label| label.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()).max();
    let fit = (LABEL_ROOM / (widest.unwrap_or(0) + 1)).max(1);
    labels.len().div_ceil(fit).max(1)
}

fn text(svg: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, said: &str) {
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.2}%\" y=\"{y:.1}\" text-anchor=\"{anchor}\">");
    escape(svg, said);
    svg.push_str("</text>");
}

fn limit(svg: &mut String, scale: &Scale, limit: Option<&(f64, String)>) {
    let Some((value, word)) = limit else { return };
    let y = scale.y(*value);
    let _ =
        write!(svg, "<line class=\"chart-limit\" x1=\"0\" y1=\"{y:.1}\" x2=\"{ACROSS}%\" y2=\"{y:.1}\"/>");
    text(svg, "chart-limit-word", (ACROSS, y - 5.0), "end", word);
}

fn key_entry(out: &mut String, number: usize, said: &str) {
    let _ = write!(
        out,
        "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"series-{number}\" width=\"10\" height=\"10\" rx=\"2\"/></svg>"
    );
    escape(out, said);
    out.push_str("</li>");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::preferences::Preferences;
    use crate::words::Words;

    fn page() -> Page {
        Page::new(Arc::new(Words::load(&[crate::WORDS]).unwrap()), Preferences::default(), "/")
    }

    #[test]
    fn scales_are_round_and_hold_everything() {
        for (least, most, ticks) in [
            (0.0, 0.0, vec![0.0, 0.5, 1.0]),
            (0.0, 7.0, vec![0.0, 2.0, 4.0, 6.0, 8.0]),
            (62.0, 168.0, vec![50.0, 100.0, 150.0, 200.0]),
            (0.0, 23_410.0, vec![0.0, 10_000.0, 20_000.0, 30_000.0]),
        ] {
            let scale = Scale::over(least, most);
            assert_eq!(scale.ticks().collect::<Vec<_>>(), ticks, "{least} {most}");
            assert!(scale.y(most) >= HEAD - 0.01 && scale.y(least) <= HEAD + HEIGHT + 0.01);
        }
    }

    #[test]
    fn a_chart_says_its_data_in_text_and_escapes_it() {
        let chart = BarChart {
            title: "各乡镇<自付>".to_owned(),
            description: "示例".to_owned(),
            figure: Figure::Yuan,
            labels: vec!["A&B".to_owned(), "芦岗街道".to_owned()],
            series: vec![("自付".to_owned(), vec![1_234.56, f64::NAN]), ("医保".to_owned(), vec![2.0])],
            stacked: true,
            limit: Some((9_000.0, "警戒线".to_owned())),
        };
        let html = page().bar_chart(&chart).to_string();
        for part in [
            "&lt;自付&gt;",
            "<title>A&amp;B 自付 1,234.56</title>",
            "<td class=\"figure\">0.00</td>",
            "警戒线",
        ] {
            assert!(html.contains(part), "no {part} in {html}");
        }
        assert!(!html.contains("NaN") && !html.contains("style="), "{html}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let bars = BarChart {
            title: String::new(),
            description: String::new(),
            figure: Figure::Count,
            labels: Vec::new(),
            series: Vec::new(),
            stacked: false,
            limit: None,
        };
        let lines = LineChart {
            title: String::new(),
            description: String::new(),
            figure: Figure::Measure(1),
            series: vec![("a".to_owned(), Vec::new())],
            band: None,
            limit: None,
        };
        let share = ShareBar {
            title: String::new(),
            description: String::new(),
            parts: vec![("a".to_owned(), Fen(0))],
        };
        let page = page();
        for html in [
            page.bar_chart(&bars),
            page.line_chart(&lines),
            page.share_bar(&share),
            page.sparkline(&[], None, ""),
            page.sparkline(&[5.0], None, ""),
        ] {
            assert!(!html.as_str().contains("NaN") && !html.as_str().contains("inf"), "{html}");
        }
    }

    #[test]
    fn a_line_marks_what_lies_outside_its_band() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let chart = LineChart {
            title: "收缩压".to_owned(),
            description: String::new(),
            figure: Figure::Measure(0),
            series: vec![("收缩压".to_owned(), vec![(day("2026-01-05"), 168.0), (day("2026-03-05"), 132.0)])],
            band: Some((90.0, 140.0, "目标".to_owned())),
            limit: None,
        };
        let html = page().line_chart(&chart).to_string();
        assert_eq!(html.matches("chart-dot-out").count(), 1);
        assert!(html.contains("<title>2026-01-05 收缩压 168</title>"));
        assert!(html.contains("<th scope=\"row\">2026-03-05</th>"));
    }
}
