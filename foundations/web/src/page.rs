//! What every page knows: who reads it, in which language, where they are, and how to write things for them.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use axum::http::{HeaderMap, Uri};
use kangmai_base::{Day, Fen, Refusal};

use crate::flash::Flash;
use crate::preferences::Preferences;
use crate::words::{Language, Words, grouped};

/// A step of the division path at the top: `河南省 / 驻马店市 / 上蔡县`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    /// The name of the division or page.
    pub word: String,
    /// Where it leads; `None` for the place where the reader is.
    pub path: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The person's name.
    pub name: String,
    /// The role in words: `县医保局 结算岗`.
    pub role: String,
}

/// An entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavigationItem {
    /// Where it leads.
    pub path: String,
    /// Its word.
    pub word: String,
    /// Whether the page is under it.
    pub current: bool,
}

/// What needs doing: the third question that a page answers at its top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo {
    /// `12 户预警待核实`.
    pub text: String,
    /// The main button: its word and where it leads.
    pub button: Option<(String, String)>,
}

/// What just happened, once, at the top of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `good`, `warning` or `danger`.
    pub tone: String,
    /// What happened, a whole sentence.
    pub text: String,
    /// Where a POST takes it back, if it can be taken back.
    pub undo: Option<String>,
}

/// The frame of a page. Every template that extends `shell.html` has it as its field `page`.
///
/// The session layer makes one for each request (navigation, reader, token); the handler adds title, lead and todo.
#[derive(Debug, Clone)]
pub struct Page {
    /// All words.
    pub words: Arc<Words>,
    /// The reader's language.
    pub language: Language,
    /// Elder mode: large text, targets of 60 px.
    pub elder: bool,
    /// In elder mode 1 to 4: 18, 22, 26, 30 px.
    pub text_step: u8,
    /// The heading and the window's title.
    pub title: String,
    /// What this page is about, in one line; empty = none.
    pub lead: String,
    /// Where am I.
    pub crumbs: Vec<Crumb>,
    /// What needs doing.
    pub todo: Option<Todo>,
    /// Who reads; `None` before login.
    pub reader: Option<Reader>,
    /// The navigation, by role.
    pub navigation: Arc<[NavigationItem]>,
    /// The session's token, which every form carries.
    pub csrf: String,
    /// Path and query of this page; where the language switch comes back to.
    pub path: String,
    /// The reader's institution, for 填报单位 on print; empty = a blank line.
    pub unit: String,
    /// `2026-11-20 24:00`: until when the figures are complete; empty = not said.
    pub as_of: String,
    /// What just happened.
    pub notice: Option<Notice>,
}

impl Page {
    /// A page without title or reader. `path`: path and query of the request.
    pub fn new(words: Arc<Words>, preferences: Preferences, path: impl Into<String>) -> Page {
        Page {
            words,
            language: preferences.language,
            elder: preferences.text_step > 0,
            text_step: preferences.text_step,
            title: String::new(),
            lead: String::new(),
            crumbs: Vec::new(),
            todo: None,
            reader: None,
            navigation: Arc::from([]),
            csrf: String::new(),
            path: path.into(),
            unit: String::new(),
            as_of: String::new(),
            notice: None,
        }
    }

    /// A page for this request: its language, text size and path, and what the last page left to say.
    pub fn of_request(words: &Arc<Words>, headers: &HeaderMap, uri: &Uri) -> Page {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut page = Page::new(Arc::clone(words), Preferences::read(headers), path);
        page.notice = Flash::read(headers);
        page
    }

    /// With the title `key` and, if there is a word `{key}.lead`, that as the line under it.
    #[must_use]
    pub fn titled(mut self, key: &str) -> Page {
        self.title = self.word(key).into_owned();
        let lead = format!("{key}.lead");
        if self.words.has(&lead) {
            self.lead = self.word(&lead).into_owned();
        }
        self
    }

    /// With a crumb behind the others.
    #[must_use]
    pub fn under(mut self, word: impl Into<String>, path: impl Into<String>) -> Page {
        self.crumbs.push(Crumb { word: word.into(), path: Some(path.into()) });
        self
    }

    /// With something to do: a sentence and perhaps a button (word, path).
    #[must_use]
    pub fn to_do(mut self, text: impl Into<String>, button: Option<(String, String)>) -> Page {
        self.todo = Some(Todo { text: text.into(), button });
        self
    }

    /// Whether the page is in Chinese.
    pub fn is_chinese(&self) -> bool {
        self.language == Language::Zh
    }

    /// The sentence `key`.
    pub fn word(&self, key: &str) -> Cow<'_, str> {
        self.words.word(self.language, key)
    }

    /// The sentence `key` with one name filled in.
    pub fn say1(&self, key: &str, name: &str, value: impl Display) -> String {
        self.words.say(self.language, key, &[(name, &value)])
    }

    /// The sentence `key` with two names filled in.
    pub fn say2(
        &self,
        key: &str,
        name: &str,
        value: impl Display,
        name2: &str,
        value2: impl Display,
    ) -> String {
        self.words.say(self.language, key, &[(name, &value), (name2, &value2)])
    }

    /// The sentence `key` with any names filled in; for handlers.
    pub fn say(&self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        self.words.say(self.language, key, values)
    }

    /// The sentence `key` with `{count}`: grouped (`1,234`); in English the sentence `{key}.one` for exactly 1, if
    /// there is one.
    pub fn count(&self, key: &str, count: impl AsCount) -> String {
        let count = count.as_count();
        if self.language == Language::En && count == 1 {
            let one = format!("{key}.one");
            if self.words.has(&one) {
                return self.words.say(self.language, &one, &[("count", &count)]);
            }
        }
        self.words.say(self.language, key, &[("count", &grouped(count))])
    }

    /// `1,234`.
    pub fn number(&self, count: impl AsCount) -> String {
        grouped(count.as_count())
    }

    /// `12,345.60`; `—` for no amount. The unit stands in the head of the column.
    pub fn money(&self, amount: impl AsFen) -> String {
        amount.as_fen().map_or_else(|| "—".to_owned(), Fen::grouped)
    }

    /// `12,345.60 元`, `12,345.60 yuan`: for sentences.
    pub fn yuan(&self, amount: impl AsFen) -> String {
        self.say1("web.yuan", "amount", self.money(amount))
    }

    /// `2026年3月5日`, `5 March 2026`; `—` for no day. In tables write `{{ day }}`: `2026-03-05`.
    pub fn day(&self, day: impl AsDay) -> String {
        let Some(day) = day.as_day() else { return "—".to_owned() };
        match self.language {
            Language::Zh => day.in_chinese(),
            Language::En => {
                let (year, month, date) = day.ymd();
                let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
                format!("{date} {name} {year}")
            }
        }
    }

    /// `2026-03-05`; `—` for no day.
    pub fn iso(&self, day: impl AsDay) -> String {
        day.as_day().map_or_else(|| "—".to_owned(), |day| day.to_string())
    }

    /// `还有3天`, `今天到期`, `逾期12天`; empty for no day.
    pub fn days_left(&self, due: impl AsDay, today: impl AsDay) -> String {
        let (Some(due), Some(today)) = (due.as_day(), today.as_day()) else { return String::new() };
        match due.days_since(today) {
            0 => self.word("web.days.today").into_owned(),
            left if left > 0 => self.count("web.days.left", left),
            late => self.count("web.days.late", -late),
        }
    }

    /// The tone of a deadline, for `page.tag`: `danger` once late, `warning` for the last three days, else `plain`.
    pub fn deadline_tone(&self, due: impl AsDay, today: impl AsDay) -> &'static str {
        let (Some(due), Some(today)) = (due.as_day(), today.as_day()) else { return "plain" };
        match due.days_since(today) {
            late if late < 0 => "danger",
            0..=3 => "warning",
            _ => "plain",
        }
    }

    /// What a refusal says.
    pub fn refusal(&self, refusal: &Refusal) -> String {
        self.words.refusal(self.language, refusal, "")
    }

    /// A path of this program, for `href` and `action`; `#` for anything else, so that no link leads elsewhere.
    pub fn href<'a>(&self, path: &'a (impl AsRef<str> + ?Sized)) -> &'a str {
        local_path(path.as_ref()).unwrap_or("#")
    }

    /// The classes of `<html>`.
    pub(crate) fn root_class(&self) -> &'static str {
        match self.text_step {
            0 => "",
            1 => "elder elder-1",
            2 => "elder elder-2",
            3 => "elder elder-3",
            _ => "elder elder-4",
        }
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `path` if it leads within this program: begins with one `/`, and no `\` or control character in it.
pub fn local_path(path: &str) -> Option<&str> {
    let inside = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(char::is_control);
    inside.then_some(path)
}

/// What a template may hand to [`Page::money`]: an amount, perhaps none, perhaps behind references.
pub trait AsFen {
    /// The amount.
    fn as_fen(&self) -> Option<Fen>;
}

impl AsFen for Fen {
    fn as_fen(&self) -> Option<Fen> {
        Some(*self)
    }
}

impl<T: AsFen> AsFen for Option<T> {
    fn as_fen(&self) -> Option<Fen> {
        self.as_ref().and_then(AsFen::as_fen)
    }
}

impl<T: AsFen + ?Sized> AsFen for &T {
    fn as_fen(&self) -> Option<Fen> {
        (**self).as_fen()
    }
}

/// What a template may hand to [`Page::day`].
pub trait AsDay {
    /// The day.
    fn as_day(&self) -> Option<Day>;
}

impl AsDay for Day {
    fn as_day(&self) -> Option<Day> {
        Some(*self)
    }
}

impl<T: AsDay> AsDay for Option<T> {
    fn as_day(&self) -> Option<Day> {
        self.as_ref().and_then(AsDay::as_day)
    }
}

impl<T: AsDay + ?Sized> AsDay for &T {
    fn as_day(&self) -> Option<Day> {
        (**self).as_day()
    }
}

/// What a template may hand to [`Page::count`]: any whole number.
pub trait AsCount {
    /// The number; past the range of i64 the nearest.
    fn as_count(&self) -> i64;
}

macro_rules! as_count {
    ($($number:ty),*) => {
        $(impl AsCount for $number {
            fn as_count(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        })*
    };
}
as_count!(i32, i64, u8, u16, u32, u64, usize);

impl<T: AsCount + ?Sized> AsCount for &T {
    fn as_count(&self) -> i64 {
        (**self).as_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(language: Language) -> Page {
        let words = Arc::new(Words::load(&[crate::WORDS]).unwrap());
        Page::new(words, Preferences { language, text_step: 0 }, "/")
    }

    #[test]
    fn writes_for_the_reader() {
        let (zh, en) = (page(Language::Zh), page(Language::En));
        let today: Day = "2026-03-05".parse().unwrap();
        assert_eq!(zh.day(today), "2026年3月5日");
        assert_eq!(en.day(Some(&today)), "5 March 2026");
        assert_eq!(en.day(None::<Day>), "—");
        for (days, in_chinese, in_english, tone) in [
            (3, "还有3天", "3 days left", "warning"),
            (1, "还有1天", "1 day left", "warning"),
            (0, "今天到期", "due today", "warning"),
            (-1, "逾期1天", "1 day overdue", "danger"),
            (-12, "逾期12天", "12 days overdue", "danger"),
            (1_200, "还有1,200天", "1,200 days left", "plain"),
        ] {
            let due = today.plus_days(days);
            assert_eq!(zh.days_left(due, today), in_chinese);
            assert_eq!(en.days_left(due, today), in_english);
            assert_eq!(en.deadline_tone(due, today), tone, "{days}");
        }
        assert_eq!(zh.money(Fen(1_234_567)), "12,345.67");
        assert_eq!(zh.yuan(Fen(-5)), "-0.05 元");
        assert_eq!(en.yuan(Fen::yuan(8_800)), "8,800.00 yuan");
        assert!(zh.words.missing().is_empty(), "{:?}", zh.words.missing());
    }

    #[test]
    fn links_stay_within_the_program() {
        let page = page(Language::Zh);
        for path in ["/", "/people?name=%E7%8E%8B", "/a/b#c"] {
            assert_eq!(page.href(path), path);
        }
        for path in [
            "",
            "people",
            "//evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\\evil",
            "/a\r\nb",
        ] {
            assert_eq!(page.href(path), "#", "{path}");
        }
    }
}
