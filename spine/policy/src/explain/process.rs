//! The process of a settlement as one text of limited length, for the national settlement interface: what does not fit is
//! cut at the end of a sentence, never a sum.

use kangmai_base::Fen;

use super::{Sight, colon};
use crate::trace::{Outcome, Trace};
use crate::words::{Arg, Word};
use crate::{Language, Policy};

/// Most characters (not bytes) of the process of a settlement that the national interface takes.
pub const MOST_PROCESS_CHARACTERS: usize = 4_000;

/// A layer of the text: what is kept whatever happens, and what may be cut.
struct Line {
    kept: String,
    detail: String,
}

impl Policy {
    /// The process in at most `most` characters. The total, what was paid before, what each layer pays and the own share
    /// are kept; of the reasons as many whole sentences as there is room for, first layers first.
    pub fn process_text(&self, trace: &Trace, language: Language, sight: Sight, most: usize) -> String {
        let mut whole = String::new();
        self.write_text_to(trace, (language, sight), &mut whole);
        if characters(&whole) <= most {
            return whole;
        }
        let (head, tail) = self.ends(trace, language);
        let mut lines = self.lines(trace, language, sight);
        let cut = Word::ProcessCut.text(language);
        let fixed = characters(&head) + characters(&tail) + characters(&cut) + 2;
        let kept: usize = lines.iter().map(|line| characters(&line.kept) + 1).sum();
        let mut room = most.saturating_sub(fixed + kept);
        for line in &mut lines {
            line.detail.truncate(fitting(&line.detail, room));
            room -= characters(&line.detail);
        }
        let mut out = head;
        for line in lines.iter().filter(|line| !line.kept.is_empty() || !line.detail.is_empty()) {
            out.push('\n');
            out.push_str(&line.kept);
            out.push_str(&line.detail);
        }
        out.push('\n');
        out.push_str(&cut);
        out.push('\n');
        out.push_str(&tail);
        if characters(&out) > most {
            // Names of layers alone fill the room: the sums of the bill are what must stay.
            out = format!("{}\n{tail}", self.ends(trace, language).0);
        }
        out.chars().take(most).collect()
    }

    fn ends(&self, trace: &Trace, language: Language) -> (String, String) {
        let (mut head, mut tail) = (String::new(), String::new());
        self.write_head(trace, language, &mut head);
        self.write_own(trace, language, &mut tail);
        (head, tail)
    }

    fn lines(&self, trace: &Trace, language: Language, sight: Sight) -> Vec<Line> {
        let told = self.layers.iter().zip(trace.steps()).map(|(layer, step)| {
            let (mut kept, mut sentence) = (String::new(), String::new());
            kept.push_str(layer.benefit.name.get(language));
            kept.push_str(colon(language));
            self.write_layer(layer, step, trace, (language, sight), &mut sentence);
            if step.outcome == Outcome::Paid && step.pays > Fen::ZERO {
                let payer = layer.benefit.payer.name.get(language);
                let mut paid = String::new();
                Word::Paid.write(
                    language,
                    &mut paid,
                    &[("payer", Arg::Text(payer)), ("pays", Arg::Money(step.pays))],
                );
                let detail = sentence.strip_prefix(paid.as_str()).unwrap_or_default().to_owned();
                Line { kept: kept + &paid, detail }
            } else {
                Line { kept: String::new(), detail: kept + &sentence }
            }
        });
        told.collect()
    }
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

/// The length in bytes of the whole sentences of `text` that are at most `most` characters together.
fn fitting(text: &str, most: usize) -> usize {
    let mut end = 0;
    let mut letters = text.char_indices().enumerate().peekable();
    while let Some((number, (at, letter))) = letters.next() {
        if number >= most {
            return end;
        }
        let is_end = letter == '。'
            || letter == '.' && letters.peek().is_none_or(|(_, (_, next))| next.is_whitespace());
        if is_end {
            end = at + letter.len_utf8();
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_the_end_of_a_sentence() {
        for (text, most, kept) in [
            ("一。二。", 4, "一。二。"),
            ("一。二。", 3, "一。"),
            ("一。二。", 1, ""),
            ("Pays 1.50 yuan. Then more.", 20, "Pays 1.50 yuan."),
            ("Pays 1.50 yuan. Then more.", 14, ""),
            ("没有句号", 4, "没有句号"),
            ("没有句号", 3, ""),
            ("", 0, ""),
        ] {
            assert_eq!(&text[..fitting(text, most)], kept, "{text} {most}");
        }
    }
}
