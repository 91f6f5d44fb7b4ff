//! The lines of a bill in words: what each charges, what of it is compliant, and what the patient bears of it before any
//! layer, and why.

use kangmai_base::Fen;
use kangmai_policy::{CatalogueClass, CostCategory, LineRules};
use kangmai_web::Page;

use crate::facts::{BillReceived, ChargedLine};

/// A line as a statement shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineTold {
    /// Its number in the bill, from 1.
    pub(crate) number: usize,
    pub(crate) code: String,
    /// None: what somebody was given tells what they have, and this reader may not know that.
    pub(crate) name: Option<String>,
    pub(crate) class: CatalogueClass,
    pub(crate) quantity: String,
    pub(crate) unit_price: String,
    pub(crate) amount: Fen,
    pub(crate) compliant: Fen,
    /// What the patient bears of it before any layer.
    pub(crate) borne: Fen,
    /// Why.
    pub(crate) why: String,
}

/// The lines of one category and class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineGroup {
    /// Where it stands on the page.
    pub(crate) anchor: String,
    pub(crate) category: String,
    pub(crate) class: String,
    pub(crate) lines: Vec<LineTold>,
    pub(crate) count: usize,
    pub(crate) amount: Fen,
    pub(crate) compliant: Fen,
    pub(crate) borne: Fen,
}

/// Lines of one group that a page shows; the file has all.
const MOST_SHOWN: usize = 500;

impl LineGroup {
    /// What it is called.
    pub(crate) fn title(&self) -> String {
        format!("{} · {}", self.category, self.class)
    }

    /// The lines that the page shows.
    pub(crate) fn shown(&self) -> &[LineTold] {
        self.lines.get(..MOST_SHOWN).unwrap_or(&self.lines)
    }
}

/// All lines of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LinesTold {
    /// By category, then class.
    pub(crate) groups: Vec<LineGroup>,
    pub(crate) count: usize,
    pub(crate) total: Fen,
    pub(crate) compliant: Fen,
    /// 丙类
    pub(crate) class_c: Fen,
    /// 乙类先行自付
    pub(crate) borne_first: Fen,
    /// Which rule added them up.
    pub(crate) rule: String,
    /// What the rule says of itself: its source and how sure it is.
    pub(crate) source: String,
    /// Whether what stands at the lines adds up to the bill: not where a rule rounds once for the bill, nor where the rule at
    /// hand is another than it was settled by.
    pub(crate) is_exact: bool,
}

/// Key of the word of a category.
pub(crate) const fn category_word(category: CostCategory) -> &'static str {
    match category {
        CostCategory::Drug => "settlement.lines.drug",
        CostCategory::Service => "settlement.lines.service",
        CostCategory::Material => "settlement.lines.material",
    }
}

/// Key of the word of a class.
pub(crate) const fn class_word(class: CatalogueClass) -> &'static str {
    match class {
        CatalogueClass::A => "settlement.lines.a",
        CatalogueClass::B => "settlement.lines.b",
        CatalogueClass::C => "settlement.lines.c",
    }
}

/// All classes, in their order.
pub(crate) const CLASSES: [CatalogueClass; 3] = [CatalogueClass::A, CatalogueClass::B, CatalogueClass::C];

/// Tells the lines of a bill; none if it has none. `rules`: the rule of lines that the release at hand has for it.
/// `sees_names`: whether the reader may know what was charged.
pub(crate) fn tell_lines(
    page: &Page,
    bill: &BillReceived,
    rules: Option<&LineRules>,
    sees_names: bool,
) -> Option<LinesTold> {
    let lines = bill.lines.as_ref()?;
    let mut groups = Vec::new();
    for category in CostCategory::ALL {
        for class in CLASSES {
            let fits = |line: &&ChargedLine| (line.category, line.class) == (category, class);
            let told = lines.lines.iter().enumerate().filter(|(_, line)| fits(line));
            let told: Vec<LineTold> =
                told.map(|(index, line)| tell_line(page, index, line, rules, sees_names)).collect();
            if !told.is_empty() {
                groups.push(group(page, category, class, told));
            }
        }
    }
    let language = super::pages::language(page);
    let of_class = |class| {
        let found = groups.iter().filter(|group| group.lines.first().map(|line| line.class) == Some(class));
        found.map(|group: &LineGroup| group.borne).sum()
    };
    let sum = |of: fn(&LineGroup) -> Fen| groups.iter().map(of).sum::<Fen>();
    let sums = (sum(|group| group.amount), sum(|group| group.compliant));
    Some(LinesTold {
        is_exact: sums == (bill.total, bill.compliant),
        class_c: of_class(CatalogueClass::C),
        borne_first: of_class(CatalogueClass::B),
        count: lines.lines.len(),
        total: bill.total,
        compliant: bill.compliant,
        // What it rests on stands behind it; where the release has no such rule any more, the file tells which it was.
        rule: match rules {
            Some(_) => page.say1("settlement.lines.rule", "from", page.day(lines.rule.from)),
            None => page.say2(
                "settlement.lines.rule_of",
                "file",
                &lines.rule.file,
                "from",
                page.day(lines.rule.from),
            ),
        },
        source: rules.map(|rules| source_of(rules, language)).unwrap_or_default(),
        groups,
    })
}

fn source_of(rules: &LineRules, language: kangmai_policy::Language) -> String {
    let source = &rules.source;
    let note = source.note.as_ref().map(|note| note.get(language).to_owned()).unwrap_or_default();
    let article = source.article.as_deref().unwrap_or_default();
    format!("{} {article} {note}", source.doc).trim().to_owned()
}

fn group(page: &Page, category: CostCategory, class: CatalogueClass, lines: Vec<LineTold>) -> LineGroup {
    let letter = match class {
        CatalogueClass::A => "a",
        CatalogueClass::B => "b",
        CatalogueClass::C => "c",
    };
    LineGroup {
        anchor: format!("lines-{}-{letter}", category.name()),
        category: page.word(category_word(category)).into_owned(),
        class: page.word(class_word(class)).into_owned(),
        count: lines.len(),
        amount: lines.iter().map(|line| line.amount).sum(),
        compliant: lines.iter().map(|line| line.compliant).sum(),
        borne: lines.iter().map(|line| line.borne).sum(),
        lines,
    }
}

fn tell_line(
    page: &Page,
    index: usize,
    line: &ChargedLine,
    rules: Option<&LineRules>,
    sees_names: bool,
) -> LineTold {
    let split = rules.and_then(|rules| rules.split(&line.to_rule()).ok());
    let (amount, compliant) = split.unwrap_or((line.amount.unwrap_or(Fen::ZERO), Fen::ZERO));
    let why = match line.class {
        CatalogueClass::A => String::new(),
        CatalogueClass::B => {
            let share = line.own_share.or_else(|| rules.and_then(|rules| rules.class_b_own_share));
            let share = share.map(|share| share.to_string()).unwrap_or_default();
            page.say1("settlement.lines.why_b", "share", share)
        }
        CatalogueClass::C => page.word("settlement.lines.why_c").into_owned(),
    };
    LineTold {
        number: index + 1,
        code: if sees_names { line.code.clone() } else { String::new() },
        name: sees_names.then(|| line.name.clone()),
        class: line.class,
        quantity: line.quantity.to_string(),
        unit_price: line.unit_price.to_string(),
        amount,
        compliant,
        borne: amount - compliant,
        why,
    }
}
