//! Charts as SVG drawn by the server: they print, need no script, and say their data again as a table.
//!
//! Across, places are in percent of the width, so that a chart fits a phone and a sheet of paper while its text keeps
//! its size. Every chart has a title, a sentence of what it shows, and every shape its figure as a title.

mod bars;
mod lines;

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
    /// Lying, with every label in full: for names. Standing is for time.
    pub lying: bool,
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

/// A line as high as the text, in a row of a table or list.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparkline {
    /// The values, oldest first.
    pub values: Vec<f64>,
    /// The band that they should lie in.
    pub band: Option<(f64, f64)>,
    /// What it shows, in words.
    pub said: String,
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
            Key::Area(&format!("{number} {name} {said}")).write(&mut key, number);
            left += share;
        }
        svg.push_str("</svg>");
        key.push_str("</ol>");
        let mut out = String::from("<figure class=\"chart chart-wide\"><figcaption>");
        escape(&mut out, &bar.title);
        let _ = write!(out, "</figcaption>{svg}{key}</figure>");
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
    fn close(
        &self,
        svg: String,
        title: &str,
        key: &[Key<'_>],
        heads: &[&str],
        rows: Vec<(String, Vec<String>)>,
    ) -> Html {
        let mut out = String::from("<figure class=\"chart\"><figcaption>");
        escape(&mut out, title);
        out.push_str("</figcaption>");
        out.push_str(&svg);
        if key.len() > 1 {
            out.push_str("<ul class=\"chart-key\">");
            for (index, entry) in key.iter().enumerate() {
                entry.write(&mut out, index + 1);
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

fn text(svg: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, said: &str) {
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.2}%\" y=\"{y:.1}\" text-anchor=\"{anchor}\">");
    escape(svg, said);
    svg.push_str("</text>");
}

fn limit<'a>(svg: &mut String, scale: &Scale, limit: Option<&'a (f64, String)>, key: &mut Vec<Key<'a>>) {
    let Some((value, word)) = limit else { return };
    let y = scale.y(*value);
    let _ =
        write!(svg, "<line class=\"chart-limit\" x1=\"0\" y1=\"{y:.1}\" x2=\"{ACROSS}%\" y2=\"{y:.1}\"/>");
    key.push(Key::Limit(word));
}

/// An entry under a chart: what a shape stands for.
enum Key<'a> {
    Area(&'a str),
    Line(&'a str),
    Band(&'a str),
    Limit(&'a str),
}

impl Key<'_> {
    /// `number`: of the series, from 1.
    fn write(&self, out: &mut String, number: usize) {
        out.push_str("<li><svg viewBox=\"0 0 20 10\" aria-hidden=\"true\">");
        let (said, shape) = match self {
            Key::Area(said) => {
                (said, format!("<rect class=\"series-{number}\" width=\"20\" height=\"10\"/>"))
            }
            Key::Line(said) => (
                said,
                format!(
                    "<line class=\"chart-path series-{number} dash-{number}\" x1=\"1\" y1=\"5\" x2=\"19\" y2=\"5\"/>"
                ),
            ),
            Key::Band(said) => (said, "<rect class=\"chart-band\" width=\"20\" height=\"10\"/>".to_owned()),
            Key::Limit(said) => {
                (said, "<line class=\"chart-limit\" x1=\"0\" y1=\"5\" x2=\"20\" y2=\"5\"/>".to_owned())
            }
        };
        out.push_str(&shape);
        out.push_str("</svg>");
        escape(out, said);
        out.push_str("</li>");
    }
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
            lying: false,
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
        let lying = page().bar_chart(&BarChart { lying: true, ..chart }).to_string();
        assert!(lying.contains(">芦岗街道</text>") && lying.contains(">1,236.56</text>"), "{lying}");
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
            lying: false,
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
            page.sparkline(&Sparkline { values: Vec::new(), band: None, said: String::new() }),
            page.sparkline(&Sparkline { values: vec![5.0], band: Some((4.0, 6.0)), said: String::new() }),
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
