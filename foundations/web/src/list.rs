//! Lists: filters, sorting and paging as one link that can be shared.

use axum::http::Uri;

use crate::field::{Choice, Field};
use crate::form::Form;

/// How a list may be asked.
#[derive(Debug, Clone, Copy)]
pub struct ListSpec {
    /// The filters, in order. All are optional, whatever the field says.
    pub filters: &'static [Field],
    /// Columns that may be sorted by. The first is the order without a choice.
    pub sorts: &'static [&'static str],
    /// Whether the first column runs from greatest to least without a choice.
    pub descending: bool,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The column: one of the spec's, so that it may choose between statements.
    pub column: &'static str,
    /// From greatest to least.
    pub descending: bool,
}

/// Which rows of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// From 1.
    pub page: u32,
    /// Rows on a page.
    pub size: u32,
    /// Rows in all, over all pages.
    pub total: u64,
}

impl Paging {
    /// Rows on a page.
    pub const SIZE: u32 = 50;
    /// The last page that is served: behind 10,000 rows one filters or exports.
    pub const LAST_PAGE: u32 = 200;

    /// How many pages there are; at least 1, at most [`Paging::LAST_PAGE`].
    pub fn pages(self) -> u32 {
        let pages = self.total.div_ceil(u64::from(self.size.max(1))).max(1);
        u32::try_from(pages).unwrap_or(u32::MAX).min(Paging::LAST_PAGE)
    }

    /// For `limit $1 offset $2`.
    pub const fn limit(self) -> i64 {
        self.size as i64
    }

    /// For `limit $1 offset $2`.
    pub const fn offset(self) -> i64 {
        (self.page as i64 - 1) * self.size as i64
    }

    /// Whether more rows match than the pages show.
    pub fn is_cut(self) -> bool {
        self.total > u64::from(Paging::LAST_PAGE) * u64::from(self.size)
    }
}

/// A list as asked: what the filters hold, how it is sorted, which page.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// The filters as typed. Read them with the form's readers: `list.form.day("from")`, `list.form.choice("label")`.
    pub form: Form,
    /// The order.
    pub sort: Sort,
    /// Which rows; `total` is 0 until [`ListQuery::found`].
    pub paging: Paging,
    path: String,
    spec: &'static ListSpec,
}

impl ListQuery {
    /// Reads the query string; what is not in the spec is left out, and a wrong sort or page falls back.
    pub fn read(spec: &'static ListSpec, uri: &Uri) -> ListQuery {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let value = |name: &str| {
            pairs.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
        };
        let first = spec.sorts.first().copied().unwrap_or_default();
        let asked = value("sort").unwrap_or_default();
        let (asked, down) = asked.strip_prefix('-').map_or((asked, false), |column| (column, true));
        let sort = match spec.sorts.iter().find(|column| **column == asked) {
            Some(column) => Sort { column, descending: down },
            None => Sort { column: first, descending: spec.descending },
        };
        let page = value("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, Paging::LAST_PAGE);
        let filters = pairs
            .iter()
            .filter(|(name, value)| {
                spec.filters.iter().any(|field| field.name == name) && !value.trim().is_empty()
            })
            .cloned()
            .collect();
        ListQuery {
            form: Form::typed(spec.filters, filters),
            sort,
            paging: Paging { page, size: Paging::SIZE, total: 0 },
            path: uri.path().to_owned(),
            spec,
        }
    }

    /// Sets the choices of a filter.
    pub fn offer(&mut self, name: &'static str, choices: Vec<Choice>) {
        self.form.offer(name, choices);
    }

    /// The filter as typed, trimmed; `None` if empty.
    pub fn filter(&self, name: &str) -> Option<&str> {
        Some(self.form.raw(name).trim()).filter(|text| !text.is_empty())
    }

    /// A filter with choices: `None` if empty or not one of them.
    pub fn chosen(&self, name: &str) -> Option<&str> {
        self.filter(name).filter(|value| self.form.choices(name).iter().any(|choice| choice.value == *value))
    }

    /// A filter that reads itself from text (a day, an amount, a division, an id); `None` if empty or wrong.
    pub fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.filter(name)?.parse().ok()
    }

    /// Whether any filter is set.
    pub fn is_filtered(&self) -> bool {
        self.spec.filters.iter().any(|field| self.filter(field.name).is_some())
    }

    /// Says how many rows match; a page behind the last becomes the last.
    pub fn found(&mut self, total: u64) {
        self.paging.total = total;
        self.paging.page = self.paging.page.min(self.paging.pages());
    }

    /// The path of the list, without its query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same list at page `page`.
    pub fn page_href(&self, page: u32) -> String {
        self.href(&self.path, self.sort, page, None)
    }

    /// The same list sorted by `column`: the other way round if it is already.
    pub fn sort_href(&self, column: &str) -> String {
        let Some(column) = self.spec.sorts.iter().copied().find(|known| *known == column) else {
            return self.page_href(1);
        };
        let descending = self.sort.column == column && !self.sort.descending;
        self.href(&self.path, Sort { column, descending }, 1, None)
    }

    /// The same list with the filter `name` = `value` instead; an empty value takes the filter away.
    pub fn with(&self, name: &str, value: &str) -> String {
        self.href(&self.path, self.sort, 1, Some((name, value)))
    }

    /// All rows of this list, filtered and sorted the same, from `path` (an export).
    pub fn export_href(&self, path: &str) -> String {
        self.href(path, self.sort, 1, None)
    }

    fn href(&self, path: &str, sort: Sort, page: u32, instead: Option<(&str, &str)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for field in self.spec.filters {
            let value = match instead {
                Some((name, value)) if name == field.name => value,
                _ => self.filter(field.name).unwrap_or_default(),
            };
            if !value.is_empty() {
                query.append_pair(field.name, value);
            }
        }
        let first = self.spec.sorts.first().copied().unwrap_or_default();
        if (sort != Sort { column: first, descending: self.spec.descending }) {
            let sign = if sort.descending { "-" } else { "" };
            query.append_pair("sort", &format!("{sign}{}", sort.column));
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SPEC: ListSpec = ListSpec {
        filters: &[Field::text("name", "x.name"), Field::select("state", "x.state")],
        sorts: &["due", "name"],
        descending: true,
    };

    fn list(uri: &str) -> ListQuery {
        let mut list = ListQuery::read(&SPEC, &uri.parse().unwrap());
        list.offer("state", vec![Choice::new("open", "待办")]);
        list
    }

    #[test]
    fn a_list_is_a_link() {
        let mut plain = list("/warnings");
        assert_eq!(plain.sort, Sort { column: "due", descending: true });
        assert_eq!(plain.page_href(1), "/warnings");
        assert_eq!(plain.sort_href("due"), "/warnings?sort=due");
        assert_eq!(plain.sort_href("name"), "/warnings?sort=name");
        plain.found(0);
        assert_eq!((plain.paging.page, plain.paging.pages()), (1, 1));

        let mut asked = list("/warnings?name=%E7%8E%8B+%26&state=open&sort=-name&page=3&utm=x");
        assert_eq!(asked.filter("name"), Some("王 &"));
        assert_eq!(asked.chosen("state"), Some("open"));
        assert_eq!(asked.page_href(4), "/warnings?name=%E7%8E%8B+%26&state=open&sort=-name&page=4");
        assert_eq!(asked.sort_href("name"), "/warnings?name=%E7%8E%8B+%26&state=open&sort=name");
        assert_eq!(asked.with("name", ""), "/warnings?state=open&sort=-name");
        assert_eq!(
            asked.export_href("/warnings.xlsx"),
            "/warnings.xlsx?name=%E7%8E%8B+%26&state=open&sort=-name"
        );
        asked.found(51);
        assert_eq!(asked.paging, Paging { page: 2, size: 50, total: 51 });
        assert_eq!((asked.paging.limit(), asked.paging.offset()), (50, 50));
    }

    #[test]
    fn a_careless_link_falls_back() {
        for uri in ["/w?sort=drop&page=0", "/w?sort=&page=x", "/w?page=-1&state=other&name=+"] {
            let list = list(uri);
            assert_eq!(list.sort, Sort { column: "due", descending: true }, "{uri}");
            assert_eq!(list.paging.page, 1, "{uri}");
            assert_eq!(list.chosen("state"), None, "{uri}");
            assert_eq!(list.filter("name"), None, "{uri}");
        }
        let mut far = list("/w?page=4000000000");
        far.found(1_000_000);
        assert_eq!(far.paging.page, Paging::LAST_PAGE);
        assert!(far.paging.is_cut());
    }
}
