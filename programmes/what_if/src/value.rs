//! What an officer types for a figure, read as the kind of figure that it is. Pure.

use kangmai_base::{Fen, MoneyError, Rate, Refusal};
use kangmai_policy::{ErrorCode, FigureKind, Language, OverlayFigure, PackError};
use kangmai_web::{Choice, Field, Form};

const HOW: &str = "what_if.value.not_a_ratio";
/// What is typed for a cap that is not there.
const NO_CAP: [&str; 8] = ["none", "无", "不设限", "不限", "不设", "没有", "不封顶", "不设封顶线"];

/// The field of a new value that is a ratio.
pub const RATIO: Field = Field::text("value", "what_if.field.ratio").at_most(60);
/// The field of a new value that is an amount.
pub const AMOUNT: Field = Field::text("value", "what_if.field.amount").at_most(60);
/// The field of a new value that is an amount or no limit.
pub const CAP: Field = Field::text("value", "what_if.field.cap").at_most(60);
/// The field of a new value that is a whole number.
pub const WHOLE: Field = Field::text("value", "what_if.field.whole").at_most(60);
/// The field of a new value that is chosen.
pub const CHOICE: Field = Field::select("value", "what_if.field.value");
/// The field of any other new value.
pub const TEXT: Field = Field::text("value", "what_if.field.value").at_most(60);

/// The fields of a form whose first is the new value of a figure of this kind: `$with` puts the others behind it.
macro_rules! fields_for {
    ($kind:expr, $with:path) => {{
        use kangmai_policy::FigureKind;
        use $crate::value::{AMOUNT, CAP, CHOICE, RATIO, TEXT, WHOLE};
        const RATIOS: &[Field] = &$with(RATIO);
        const AMOUNTS: &[Field] = &$with(AMOUNT);
        const CAPS: &[Field] = &$with(CAP);
        const NUMBERS: &[Field] = &$with(WHOLE);
        const CHOICES: &[Field] = &$with(CHOICE);
        const TEXTS: &[Field] = &$with(TEXT);
        match $kind {
            FigureKind::Ratio | FigureKind::LargeRatio => RATIOS,
            FigureKind::Amount => AMOUNTS,
            FigureKind::Cap => CAPS,
            FigureKind::Whole => NUMBERS,
            FigureKind::Choice(_) => CHOICES,
            FigureKind::Text => TEXTS,
        }
    }};
}
pub(crate) use fields_for;

/// What may be chosen.
pub fn offer(form: &mut Form, figure: &OverlayFigure, language: Language) {
    if let FigureKind::Choice(choices) = &figure.kind {
        let choice = |(value, name): &(String, kangmai_policy::Bilingual)| {
            Choice::new(value.clone(), name.get(language))
        };
        form.offer("value", choices.iter().map(choice).collect());
    }
}

/// What stands in the field before anybody has typed.
pub fn to_begin_with(figure: &OverlayFigure, language: Language) -> String {
    match figure.kind {
        FigureKind::Ratio | FigureKind::LargeRatio => figure.shown.get(language).to_owned(),
        FigureKind::Cap if figure.value == "none" => figure.shown.get(language).to_owned(),
        _ => figure.value.clone(),
    }
}

/// The new value as the form has it, in the writing of packs; what is wrong with it stands at the field.
pub fn typed_value(form: &mut Form, kind: &FigureKind) -> Option<String> {
    if matches!(kind, FigureKind::Choice(_)) {
        return form.choice("value");
    }
    let text = form.text("value")?;
    match read_value(kind, &text) {
        Ok(value) => Some(value),
        Err(refusal) => {
            form.refuse(refusal.at("value"));
            None
        }
    }
}

/// What the loader finds wrong with a change, in words: at the day, at the value, or with the whole.
pub fn refuse_errors(form: &mut Form, errors: &[PackError], language: Language) {
    for error in errors {
        let filled = |name: &str| {
            let value = error.values.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let refusal = match error.code {
            ErrorCode::ErrOverlayNotInForce => Refusal::new("what_if.value.not_in_force")
                .with("day", filled("day"))
                .with("list", filled("list"))
                .at("from"),
            ErrorCode::ErrNotADate => Refusal::new("what_if.value.not_a_day").at("from"),
            _ => Refusal::new("what_if.value.wrong")
                .with("problem", error.problem(language))
                .with("mend", error.advice(language))
                .at("value"),
        };
        form.refuse(refusal);
    }
}

/// As a Chinese keyboard types it, or an English one.
fn plain(typed: &str) -> String {
    let sign = |sign: char| match sign {
        '０'..='９' => char::from_u32(sign as u32 - '０' as u32 + '0' as u32).unwrap_or(sign),
        '％' => '%',
        '／' => '/',
        '．' => '.',
        '，' => ',',
        other => other,
    };
    typed.chars().map(sign).filter(|sign| !sign.is_whitespace()).collect()
}

/// The value in the writing of packs.
///
/// # Errors
/// What is wrong with it and how to mend it.
pub fn read_value(kind: &FigureKind, typed: &str) -> Result<String, Refusal> {
    let text = plain(typed);
    match kind {
        FigureKind::Ratio => ratio(&text, false),
        FigureKind::LargeRatio => ratio(&text, true),
        FigureKind::Cap if NO_CAP.contains(&text.to_lowercase().as_str()) => Ok("none".to_owned()),
        FigureKind::Amount | FigureKind::Cap => amount(&text),
        FigureKind::Whole => {
            let number = text.trim_end_matches(['天', '日', '次', '年', '月', '个', '岁']).replace(',', "");
            let number = number.parse::<u32>().map_err(|_| Refusal::new("what_if.value.not_whole"))?;
            Ok(number.to_string())
        }
        FigureKind::Choice(choices) if choices.iter().all(|(value, _)| *value != text) => {
            Err(Refusal::new("what_if.value.not_offered"))
        }
        FigureKind::Choice(_) => Ok(text),
        FigureKind::Text => Ok(typed.trim().to_owned()),
    }
}

/// A per cent, a fraction, or a decimal below one. A bare number from one on may be a per cent or a multiple: it is asked.
fn ratio(text: &str, may_pass_one: bool) -> Result<String, Refusal> {
    let rate: Rate = text.parse().map_err(|_: MoneyError| Refusal::new(HOW))?;
    let is_said = text.ends_with('%') || text.contains('/');
    if !is_said && rate != Rate::ZERO && (rate == Rate::ONE || !rate.is_share() || !text.contains('.')) {
        return Err(Refusal::new("what_if.value.which_ratio").with("percent", format!("{text}%")));
    }
    if !may_pass_one && !rate.is_share() {
        return Err(Refusal::new("what_if.value.over_one").with("value", text.to_owned()));
    }
    let shown = rate.to_string();
    // One with more decimals than a per cent is shown with stays as it is typed.
    Ok(if text.ends_with('%') && !shown.ends_with('%') { text.to_owned() } else { shown })
}

/// Yuan, or ten thousand yuan.
fn amount(text: &str) -> Result<String, Refusal> {
    let wrong = || Refusal::new("what_if.value.not_an_amount");
    let digits = text.trim_start_matches(['¥', '￥']).trim_end_matches(['元', '圆']);
    let (digits, times) = match digits.strip_suffix('万') {
        Some(digits) => (digits, 10_000),
        None => (digits, 1),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let read = if times == 1 {
        digits.parse::<Fen>().map_err(|_| wrong())?
    } else {
        // Up to six decimals of ten thousand yuan are fen.
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_digits(whole) || !is_digits(decimals) || decimals.len() > 6 {
            return Err(wrong());
        }
        let fen: i64 = format!("{whole}{decimals:0<6}").parse().map_err(|_| wrong())?;
        Fen(fen)
    };
    if read.is_negative() || read > Fen::LIMIT { Err(wrong()) } else { Ok(read.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_read_as_officers_write_it() {
        for (typed, value) in [
            ("70%", Ok("70%")),
            ("70 %", Ok("70%")),
            ("７０％", Ok("70%")),
            ("0.7", Ok("70%")),
            ("7/10", Ok("70%")),
            ("2/37", Ok("2/37")),
            ("33.333%", Ok("33.333%")),
            ("100%", Ok("100%")),
            ("0", Ok("0%")),
            ("0.655", Ok("65.5%")),
            ("70", Err("what_if.value.which_ratio")),
            ("1", Err("what_if.value.which_ratio")),
            ("1.0", Err("what_if.value.which_ratio")),
            ("101%", Err("what_if.value.over_one")),
            ("38/37", Err("what_if.value.over_one")),
            ("七成", Err(HOW)),
            ("-5%", Err(HOW)),
            ("1/0", Err(HOW)),
        ] {
            let read = read_value(&FigureKind::Ratio, typed).map_err(|refusal| refusal.key);
            assert_eq!(read, value.map(str::to_owned), "{typed}");
        }
        let asked = read_value(&FigureKind::Ratio, "70").expect_err("asked");
        assert_eq!(asked.values, [("percent", "70%".into())]);
        assert_eq!(read_value(&FigureKind::LargeRatio, "150%").expect("large"), "150%");
    }

    #[test]
    fn amounts_caps_and_numbers_are_read_as_officers_write_them() {
        for (kind, typed, value) in [
            (FigureKind::Amount, "5500", Some("5500.00")),
            (FigureKind::Amount, "5,500.50元", Some("5500.50")),
            (FigureKind::Amount, "1.1万元", Some("11000.00")),
            (FigureKind::Amount, "40万", Some("400000.00")),
            (FigureKind::Amount, "1.1234567万", None),
            (FigureKind::Amount, "9999999999999万", None),
            (FigureKind::Amount, "60%", None),
            (FigureKind::Amount, "-1", None),
            (FigureKind::Amount, "不设限", None),
            (FigureKind::Cap, "不设限", Some("none")),
            (FigureKind::Cap, "None", Some("none")),
            (FigureKind::Cap, "400000", Some("400000.00")),
            (FigureKind::Whole, "10天", Some("10")),
            (FigureKind::Whole, "1.5", None),
            (FigureKind::Text, " C15 ", Some("C15")),
        ] {
            assert_eq!(read_value(&kind, typed).ok().as_deref(), value, "{kind:?} {typed}");
        }
    }
}
