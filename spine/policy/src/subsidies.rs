//! 按例付费与机构补助: what an institution is paid for each case of a screening, or for each year.

use kangmai_base::Fen;

use crate::dated::Period;
use crate::fields::Fields;
use crate::words::Word;
use crate::{Bilingual, InstitutionKind, Source, Sure, Vocabulary};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubsidyPer {
    /// Each case.
    Case,
    /// Each year, whole.
    Year,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subsidy {
    /// Code name.
    pub id: String,
    /// What people call it.
    pub name: Bilingual,
    /// For each case, or for each year.
    pub per: SubsidyPer,
    /// How much.
    pub amount: Fen,
    /// To institutions of these kinds; empty: of any.
    pub kinds: Vec<InstitutionKind>,
    /// Only to those that are named for one of these; 0: no name is asked.
    pub designations: u32,
    /// Where this figure comes from, if not from where the others do.
    pub source: Option<Source>,
    /// How sure this figure is, if not as the others are.
    pub sure: Option<Sure>,
}

/// The payments of one place and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubsidyTable {
    /// When they hold.
    pub period: Period,
    /// How sure.
    pub sure: Sure,
    /// Where from.
    pub source: Source,
    /// The payments.
    pub items: Vec<Subsidy>,
}

impl Subsidy {
    /// Whether an institution of `kind` that is named for `designations` gets it.
    pub fn is_for(&self, kind: InstitutionKind, designations: u32) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.designations == 0 || self.designations & designations != 0)
    }

    /// What is due for `cases` cases; none where it is paid by the year, or comes to more than is handled.
    pub fn for_cases(&self, cases: u32) -> Option<Fen> {
        let sum = self.amount.0.checked_mul(i64::from(cases)).map(Fen);
        sum.filter(|_| self.per == SubsidyPer::Case)
    }
}

impl SubsidyTable {
    /// The payments of a year to an institution of `kind` that is named for `designations`.
    pub fn of_year(&self, kind: InstitutionKind, designations: u32) -> impl Iterator<Item = &Subsidy> {
        self.items.iter().filter(move |item| item.per == SubsidyPer::Year && item.is_for(kind, designations))
    }

    /// What they come to together.
    pub fn due_for_year(&self, kind: InstitutionKind, designations: u32) -> Fen {
        Fen(self.of_year(kind, designations).map(|item| item.amount.0).sum())
    }

    pub(crate) fn read(fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<SubsidyTable> {
        let (period, sure, source) = (Period::read(fields), Sure::read(fields), Source::read(fields));
        let mut items: Vec<Subsidy> = Vec::new();
        for table in fields.some_tables("item") {
            let Some(item) = read_item(&table, vocabulary) else { continue };
            if items.iter().any(|earlier| earlier.id == item.id) {
                let error = table.spot().error(Word::ErrTwice, Word::MendTwice);
                table.push(error.with("value", item.id.clone()));
            }
            items.push(item);
        }
        fields.finish();
        Some(SubsidyTable { period: period?, sure: sure?, source: source?, items })
    }

    /// What a case may ask: what each payment comes to for so many cases, and for a year.
    pub(crate) fn answers(
        &self,
        kind: InstitutionKind,
        designations: u32,
        cases: u32,
    ) -> Vec<(&'static str, String)> {
        let said = |(item, amount): (&Subsidy, Fen)| format!("{} {amount}", item.id);
        let by_case = self.items.iter().filter(|item| item.is_for(kind, designations));
        let by_case = by_case.filter_map(|item| Some((item, item.for_cases(cases)?))).map(said);
        let by_year = self.of_year(kind, designations).map(|item| said((item, item.amount)));
        vec![
            ("in_force", true.to_string()),
            ("by_case", listed(by_case)),
            ("by_year", listed(by_year)),
            ("year_total", self.due_for_year(kind, designations).to_string()),
        ]
    }
}

fn listed(said: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = said.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// What a case may ask.
pub(crate) const ANSWERS: &[&str] = &["in_force", "by_case", "by_year", "year_total"];

fn read_item(table: &Fields<'_>, vocabulary: &Vocabulary) -> Option<Subsidy> {
    let (id, name, amount) = (table.text("id"), table.bilingual("name"), table.money("amount"));
    let per = table.chosen(table.text("per"), &["case", "year"], |name| match name {
        "case" => Some(SubsidyPer::Case),
        "year" => Some(SubsidyPer::Year),
        _ => None,
    });
    let kinds = table.texts_maybe("kinds").unwrap_or_default().into_iter();
    let kinds =
        kinds.filter_map(|kind| table.chosen(Some(kind), InstitutionKind::NAMES, InstitutionKind::from_name));
    let kinds = kinds.collect();
    let designations = read_designations(table, vocabulary);
    let (source, sure) = (Source::read_maybe(table), Sure::read_maybe(table));
    table.finish();
    Some(Subsidy {
        id: id?.value.to_owned(),
        name: name?,
        per: per?,
        amount: amount?.value,
        kinds,
        designations,
        source,
        sure,
    })
}

/// The names that an institution bears, as bits.
pub(crate) fn read_designations(table: &Fields<'_>, vocabulary: &Vocabulary) -> u32 {
    let names: Vec<&str> = vocabulary.designations.iter().map(|one| one.id.as_str()).collect();
    let texts = table.texts_maybe("designations").unwrap_or_default().into_iter();
    let bits = texts.filter_map(|text| table.chosen(Some(text), &names, |name| vocabulary.designation(name)));
    bits.fold(0, |all, bit| all | bit)
}
