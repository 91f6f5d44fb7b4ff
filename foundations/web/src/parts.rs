//! The parts of a page that hold no markup of the author's, as methods of [`Page`] for templates. Each is compiled
//! once, here, and not in every page.

use askama::Template;

use crate::assets;
use crate::field::{Choice, Field, Kind};
use crate::form::Form;
use crate::html::Html;
use crate::list::ListQuery;
use crate::page::{AsFen, Page};

/// A figure that opens its list and says what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stat {
    /// The figure, grouped: `1,234`, `86.2%`.
    pub figure: String,
    /// What is counted.
    pub label: String,
    /// The unit behind it; empty = none.
    pub unit: String,
    /// The list behind it.
    pub path: Option<String>,
    /// A line under it: a comparison or a deadline; empty = none.
    pub note: String,
    /// How it is defined; empty = not said.
    pub definition: String,
    /// Of a ratio: what is above the line.
    pub numerator: String,
    /// Of a ratio: what is below the line.
    pub denominator: String,
    /// `""`, `good`, `warning` or `danger`. The note says the same in words.
    pub tone: String,
}

impl Stat {
    /// A figure with its label.
    pub fn new(figure: impl Into<String>, label: impl Into<String>) -> Stat {
        Stat { figure: figure.into(), label: label.into(), ..Stat::default() }
    }

    /// Opens `path`.
    #[must_use]
    pub fn opens(mut self, path: impl Into<String>) -> Stat {
        self.path = Some(path.into());
        self
    }

    /// With a unit.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Stat {
        self.unit = unit.into();
        self
    }

    /// With a line under it, in a tone (`""`, `good`, `warning`, `danger`).
    #[must_use]
    pub fn note(mut self, tone: impl Into<String>, note: impl Into<String>) -> Stat {
        self.tone = tone.into();
        self.note = note.into();
        self
    }

    /// With its definition.
    #[must_use]
    pub fn defined(mut self, definition: impl Into<String>) -> Stat {
        self.definition = definition.into();
        self
    }

    /// With numerator and denominator in words.
    #[must_use]
    pub fn ratio(mut self, numerator: impl Into<String>, denominator: impl Into<String>) -> Stat {
        self.numerator = numerator.into();
        self.denominator = denominator.into();
        self
    }
}

#[derive(Template)]
#[template(path = "parts/head.html")]
struct Head<'a> {
    page: &'a Page,
    style: &'a str,
    script: &'a str,
    icon: &'a str,
}

macro_rules! page_part {
    ($name:ident, $path:literal) => {
        #[derive(Template)]
        #[template(path = $path)]
        struct $name<'a> {
            page: &'a Page,
        }
    };
}
page_part!(Top, "parts/top.html");
page_part!(Question, "parts/question.html");
page_part!(Foot, "parts/foot.html");
page_part!(PrintHead, "parts/print_head.html");
page_part!(PrintFoot, "parts/print_foot.html");

#[derive(Template)]
#[template(path = "parts/field.html")]
struct FieldView<'a> {
    id: String,
    name: &'a str,
    kind: &'static str,
    label: String,
    hint: String,
    error: String,
    value: &'a str,
    chosen: Vec<&'a str>,
    choices: &'a [Choice],
    required: bool,
    ticked: bool,
    at_most: usize,
    input_type: &'static str,
    mode: &'static str,
    accept: &'a str,
    autocomplete: &'a str,
    unit: String,
    optional: String,
    choose: String,
    official: String,
    official_ticked: bool,
    wrong_checksum: String,
    described: Html,
}

impl FieldView<'_> {
    fn is_chosen(&self, value: &str) -> bool {
        self.chosen.contains(&value)
    }
}

#[derive(Template)]
#[template(path = "parts/error_summary.html")]
struct ErrorSummary<'a> {
    title: String,
    errors: Vec<(&'a str, String)>,
}

#[derive(Template)]
#[template(path = "parts/filter_line.html")]
struct FilterLine<'a> {
    page: &'a Page,
    list: &'a ListQuery,
    fields: Vec<Html>,
}

#[derive(Template)]
#[template(path = "parts/pager.html")]
struct Pager<'a> {
    page: &'a Page,
    list: &'a ListQuery,
}

#[derive(Template)]
#[template(path = "parts/stat.html")]
struct StatView<'a> {
    page: &'a Page,
    stat: &'a Stat,
}

#[derive(Template)]
#[template(path = "parts/steps.html")]
struct Steps<'a> {
    page: &'a Page,
    steps: Vec<(&'a str, &'static str)>,
}

#[derive(Template)]
#[template(ext = "html", source = "<span class=\"tag tag-{{ tone }}\">{{ text }}</span>")]
struct Tag<'a> {
    tone: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<th scope=\"col\" class=\"{{ class }}\"{% if sorted %} aria-sort=\"{{ order }}\"{% endif %}><a href=\"{{ href }}\">{{ label }}{% if sorted %} <span aria-hidden=\"true\">{% if order == \"descending\" %}↓{% else %}↑{% endif %}</span>{% endif %}</a></th>"
)]
struct SortHead<'a> {
    label: &'a str,
    href: String,
    class: &'a str,
    sorted: bool,
    order: &'static str,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "{% if path.is_empty() %}<button class=\"{{ class }}\"{% if !value.is_empty() %} name=\"act\" value=\"{{ value }}\"{% endif %}>{{ word }}</button>{% else %}<a class=\"{{ class }}\" href=\"{{ path }}\">{{ word }}</a>{% endif %}"
)]
struct Button<'a> {
    word: &'a str,
    class: &'static str,
    value: &'a str,
    path: &'a str,
}

#[derive(Template)]
#[template(ext = "html", source = "<input type=\"hidden\" name=\"csrf\" value=\"{{ token }}\">")]
struct CsrfField<'a> {
    token: &'a str,
}

/// Of the shell; templates of pages need none of these.
impl Page {
    /// The inside of `<head>`.
    pub fn shell_head(&self) -> Html {
        Html::of(&Head {
            page: self,
            style: assets::STYLE.path(),
            script: assets::SCRIPT.path(),
            icon: assets::ICON.path(),
        })
    }

    /// The classes of `<html>`.
    pub fn shell_class(&self) -> &'static str {
        self.root_class()
    }

    /// Skip link, brand, reader, switches, navigation.
    pub fn shell_top(&self) -> Html {
        Html::of(&Top { page: self })
    }

    /// The foot of the screen.
    pub fn shell_foot(&self) -> Html {
        Html::of(&Foot { page: self })
    }

    /// Where am I, what is this about, what needs doing.
    pub fn question(&self) -> Html {
        Html::of(&Question { page: self })
    }

    /// On paper, above the title: 填报单位（盖章）.
    pub fn print_head(&self) -> Html {
        Html::of(&PrintHead { page: self })
    }

    /// On paper, at the end: 填报人, 审核人, 日期.
    pub fn print_foot(&self) -> Html {
        Html::of(&PrintFoot { page: self })
    }
}

/// For forms.
impl Page {
    /// The hidden field that every POST form carries.
    pub fn csrf_field(&self) -> Html {
        Html::of(&CsrfField { token: &self.csrf })
    }

    /// What is wrong with the form, with links to the fields; nothing if nothing is.
    pub fn error_summary(&self, form: &Form) -> Html {
        if !form.is_refused() {
            return Html::default();
        }
        let errors = form
            .errors()
            .iter()
            .map(|refusal| {
                let field = refusal.field.and_then(|name| form.field(name));
                let label = field.map_or(String::new(), |field| self.word(field.label).into_owned());
                let text = self.words.refusal(self.language, refusal, &label);
                (field.map_or("", |field| field.name), text)
            })
            .collect();
        Html::of(&ErrorSummary { title: self.word("web.form.errors").into_owned(), errors })
    }

    /// The field `name` with label, hint, what was typed and what is wrong with it.
    pub fn field(&self, form: &Form, name: &str) -> Html {
        match form.field(name) {
            Some(field) => self.draw(form, field, true),
            None => Html::of(&Tag { tone: "danger", text: name }),
        }
    }

    /// All fields of the form, in the order of their declaration.
    pub fn fields(&self, form: &Form) -> Html {
        let mut out = String::new();
        for field in form.fields() {
            out.push_str(self.draw(form, field, true).as_str());
            out.push('\n');
        }
        Html::from_escaped(out)
    }

    /// The main button of a form: its word is a verb.
    pub fn button(&self, key: &str) -> Html {
        Html::of(&Button { word: &self.word(key), class: "button", value: "", path: "" })
    }

    /// A main button whose words are said already: 结算 1,234.56 元.
    pub fn button_saying(&self, text: impl AsRef<str>) -> Html {
        Html::of(&Button { word: text.as_ref(), class: "button", value: "", path: "" })
    }

    /// A second button of a form; the body then holds `act` = `value`.
    pub fn second_button(&self, key: &str, value: &str) -> Html {
        Html::of(&Button { word: &self.word(key), class: "button button-second", value, path: "" })
    }

    /// A button that cannot be taken back; the body then holds `act` = `value`.
    pub fn danger_button(&self, key: &str, value: &str) -> Html {
        Html::of(&Button { word: &self.word(key), class: "button button-danger", value, path: "" })
    }

    /// A link that looks like the main button.
    pub fn link_button(&self, key: &str, path: impl AsRef<str>) -> Html {
        Html::of(&Button { word: &self.word(key), class: "button", value: "", path: self.href(&path) })
    }

    /// A link that looks like a second button.
    pub fn second_link(&self, key: &str, path: impl AsRef<str>) -> Html {
        Html::of(&Button {
            word: &self.word(key),
            class: "button button-second",
            value: "",
            path: self.href(&path),
        })
    }

    fn draw(&self, form: &Form, field: &Field, with_hint: bool) -> Html {
        let label = match field.kind {
            Kind::Hidden => String::new(),
            _ => self.word(field.label).into_owned(),
        };
        let error = form
            .error_at(field.name)
            .map_or(String::new(), |refusal| self.words.refusal(self.language, refusal, &label));
        let hint_key = format!("{}.hint", field.label);
        let hint = if with_hint && self.words.has(&hint_key) {
            self.word(&hint_key).into_owned()
        } else {
            String::new()
        };
        let value = if field.kind == Kind::Password { "" } else { form.raw(field.name) };
        let (kind, input_type, mode) = shape(field.kind, value);
        let said = |key: &str| if key.is_empty() { String::new() } else { self.word(key).into_owned() };
        let is_id = field.kind == Kind::IdNumber;
        let id = format!("{}-{}", if with_hint { "field" } else { "filter" }, field.name);
        Html::of(&FieldView {
            described: described(&id, !hint.is_empty(), !error.is_empty()),
            id,
            name: field.name,
            kind,
            hint,
            error,
            value,
            chosen: form.raw_all(field.name),
            choices: form.choices(field.name),
            required: field.required || !with_hint,
            ticked: form.tick(field.name),
            at_most: field.at_most,
            input_type,
            mode,
            accept: field.accept,
            autocomplete: if field.autocomplete.is_empty() { "off" } else { field.autocomplete },
            unit: said(field.unit),
            optional: said("web.form.optional"),
            choose: said(if with_hint { "web.form.choose_one" } else { "web.list.all" }),
            official: if is_id && form.offers_official(field.name) {
                said("web.form.official")
            } else {
                String::new()
            },
            official_ticked: form.chose(&format!("{}.official", field.name), "1"),
            wrong_checksum: if is_id {
                self.word("web.form.id_checksum_client").into_owned()
            } else {
                String::new()
            },
            label,
        })
    }
}

/// For lists and what stands in them.
impl Page {
    /// The filters of a list on one line.
    pub fn filter_line(&self, list: &ListQuery) -> Html {
        let fields = list.form.fields().iter().map(|field| self.draw(&list.form, field, false)).collect();
        Html::of(&FilterLine { page: self, list, fields })
    }

    /// A head of a column that sorts.
    pub fn sort_head(&self, list: &ListQuery, column: &str, key: &str) -> Html {
        self.sort_head_of(list, column, key, "")
    }

    /// A head of a column of figures that sorts: to the right, as the figures are.
    pub fn sort_head_right(&self, list: &ListQuery, column: &str, key: &str) -> Html {
        self.sort_head_of(list, column, key, "figure")
    }

    fn sort_head_of(&self, list: &ListQuery, column: &str, key: &str, class: &str) -> Html {
        Html::of(&SortHead {
            label: &self.word(key),
            href: list.sort_href(column),
            class,
            sorted: list.sort.column == column,
            order: if list.sort.descending { "descending" } else { "ascending" },
        })
    }

    /// 共 1,234 条 第 2/25 页, with links.
    pub fn pager(&self, list: &ListQuery) -> Html {
        Html::of(&Pager { page: self, list })
    }

    /// A state in a frame. tone: `plain`, `good`, `warning`, `danger`.
    pub fn tag(&self, tone: &str, text: impl AsRef<str>) -> Html {
        Html::of(&Tag { tone, text: text.as_ref() })
    }

    /// A figure that opens its list.
    pub fn stat(&self, stat: &Stat) -> Html {
        Html::of(&StatView { page: self, stat })
    }

    /// `<td>` with an amount, to the right, two decimals.
    pub fn money_cell(&self, amount: impl AsFen) -> Html {
        Html::from_escaped(format!("<td class=\"figure\">{}</td>", self.money(amount)))
    }

    /// Steps on the way; `current` from 0: those before it are done.
    pub fn steps<T: AsRef<str>>(&self, words: &[T], current: usize) -> Html {
        let state = |index: usize| match index.cmp(&current) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "current",
            std::cmp::Ordering::Greater => "ahead",
        };
        let steps = words.iter().enumerate().map(|(index, word)| (word.as_ref(), state(index))).collect();
        Html::of(&Steps { page: self, steps })
    }
}

/// The word of a kind in class names and the template, the input's type, and its `inputmode`.
fn shape(kind: Kind, value: &str) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Text => ("text", "text", ""),
        Kind::Area => ("area", "", ""),
        Kind::Amount => ("amount", "text", "decimal"),
        Kind::Whole => ("whole", "text", "numeric"),
        // A browser's date field cannot show what is no date; what was typed must not be lost.
        Kind::Day if value.is_empty() || is_iso_day(value) => ("day", "date", ""),
        Kind::Day => ("day", "text", ""),
        Kind::IdNumber => ("id", "text", ""),
        Kind::Phone => ("phone", "tel", "tel"),
        Kind::Select => ("select", "", ""),
        Kind::Radios => ("radios", "", ""),
        Kind::Many => ("many", "", ""),
        Kind::Tick => ("tick", "", ""),
        Kind::File => ("file", "file", ""),
        Kind::Password => ("password", "password", ""),
        Kind::Hidden => ("hidden", "", ""),
    }
}

fn is_iso_day(text: &str) -> bool {
    text.parse::<kangmai_base::Day>().is_ok_and(|day| day.to_string() == text)
}

/// `aria-describedby` and `aria-invalid` of a field.
fn described(id: &str, hint: bool, error: bool) -> Html {
    #[derive(Template)]
    #[template(
        ext = "html",
        source = "{% if hint || error %} aria-describedby=\"{% if hint %}{{ id }}-hint{% endif %}{% if hint && error %} {% endif %}{% if error %}{{ id }}-error{% endif %}\"{% endif %}{% if error %} aria-invalid=\"true\"{% endif %}"
    )]
    struct Described<'a> {
        id: &'a str,
        hint: bool,
        error: bool,
    }
    Html::of(&Described { id, hint, error })
}
