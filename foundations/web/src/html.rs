//! Text that is HTML already.

use std::fmt;

/// Finished HTML: askama writes it as it is. Only made by rendering a template, which escapes what goes in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Renders a part. A part writes to memory only, so it cannot fail but by a mistake in this crate, which
    /// the tests of every part would show; then the part is empty and the log says why.
    pub fn of(template: &impl askama::Template) -> Html {
        match template.render() {
            Ok(text) => Html(text),
            Err(error) => {
                tracing::error!(%error, "a part of a page does not render");
                Html::default()
            }
        }
    }

    /// From a writer that has escaped every value itself; for the charts.
    pub(crate) const fn from_escaped(text: String) -> Html {
        Html(text)
    }

    /// The HTML.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

impl askama::FastWritable for Html {
    fn write_into(&self, to: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        to.write_str(&self.0)?;
        Ok(())
    }
}

/// Writes `text` with `& < > " '` escaped.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}
