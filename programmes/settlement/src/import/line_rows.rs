//! The columns of the lines of bills, and the reading of one line. Import, desk and interface read lines here and nowhere
//! else: whoever has them in another form makes rows of them ([`LineReader::typed`]).

use kangmai_base::{Day, Rate, Refusal};
use kangmai_policy::{CatalogueClass, CostCategory, Decimal4};
use kangmai_sheet::{Cells, Column, Fault, Flaw, Format, Matching, Record, Schema, Slot, half_width, read};

use super::bill_columns::{CORRECTION, FEES, INSTITUTION_CODE, INSTITUTION_NAME, NUMBER};
use crate::facts::ChargedLine;

/// A file of lines: the bill that each belongs to, and what it says.
pub const LINE_FILE_COLUMNS: Schema =
    Schema { key: "settlement.lines", title_zh: "收费明细", title_en: "Lines of bills", columns: &FILE };

/// The lines of one bill.
pub const LINE_COLUMNS: Schema =
    Schema { key: "settlement.bill_lines", title_zh: "收费明细", title_en: "Lines", columns: &LINE };

/// The longest code, in characters.
pub const LONGEST_CODE: usize = 64;
/// The longest name, in characters.
pub const LONGEST_NAME: usize = 100;

const CODE: Column = Column::new("code", "项目编码", "Code")
    .aliases(&[
        "收费项目编码",
        "医保编码",
        "国家医保编码",
        "医院项目编码",
        "目录编码",
        "医疗目录编码",
        "项目代码",
    ])
    .format(Format::Code)
    .example("ZA09BAX0001");
const NAME: Column = Column::new("name", "项目名称", "Name")
    .required()
    .aliases(&["收费项目", "收费项目名称", "明细名称", "医院项目名称", "药品名称", "item"])
    .example("阿莫西林胶囊");
const CATEGORY: Column = Column::new("category", "费用类别", "Category")
    .required()
    .aliases(&["收费类别", "项目类别", "费用类型", "医疗收费项目类别", "收费项目类别"])
    .choices(&["药品", "服务", "材料"])
    .example("药品")
    .hint(
        "也可填收费票据上的类别：西药费、检查费、卫生材料费等",
        "Or the category of the invoice, such as 西药费",
    );
const CLASS: Column = Column::new("class", "目录类别", "Class")
    .required()
    .aliases(&["医保类别", "医保目录类别", "甲乙类", "目录等级", "收费项目等级", "报销类别"])
    .choices(&["甲", "乙", "丙"])
    .example("甲")
    .hint("丙类含目录外、自费项目", "C is also what stands in no catalogue");
const QUANTITY: Column = Column::new("quantity", "数量", "Quantity")
    .required()
    .aliases(&["项目数量", "用量"])
    .example("3")
    .hint("最多四位小数；退费填负数", "At most four decimals; below zero where a charge is taken back");
const UNIT_PRICE: Column = Column::new("unit_price", "单价", "Unit price")
    .required()
    .aliases(&["项目单价", "price"])
    .example("12.5")
    .hint("元，最多四位小数", "Yuan, at most four decimals");
const AMOUNT: Column = Column::new("amount", "金额", "Amount")
    .aliases(&["项目金额", "明细金额", "小计", "费用金额"])
    .format(Format::Amount)
    .example("37.50")
    .hint("可不填；填了就与数量×单价核对", "May be left out; else held against quantity times price");
const OWN_SHARE: Column = Column::new("own_share", "自付比例", "Own share")
    .aliases(&["先行自付比例", "乙类自付比例", "个人先行自付比例", "首先自付比例"])
    .example("10%")
    .hint("乙类先行自付比例：10% 或 0.1", "What is borne first of class B: 10% or 0.1");
const FEE: Column = Column::new("fee", "免除费用项", "Named fee")
    .aliases(&["减免费用项", "减免项目", "可免除费用"])
    .choices(&["挂号费", "注射费", "换药费", "救护车费", "体检费"])
    .hint("属于可减免的费用时填写", "If it is a fee that may be waived");
const ON: Column = Column::new("on", "收费日期", "Charged on")
    .aliases(&["费用日期", "明细日期", "费用发生日期", "收费时间"])
    .format(Format::Day)
    .example("2026-03-02");

const LINE: [Column; 10] = [CODE, NAME, CATEGORY, CLASS, QUANTITY, UNIT_PRICE, AMOUNT, OWN_SHARE, FEE, ON];
const FILE: [Column; 14] = [
    NUMBER.hint(
        "结算单须已导入；同一张单的明细排在一起",
        "The bill must be there already; its lines stand together",
    ),
    INSTITUTION_CODE,
    INSTITUTION_NAME,
    CODE,
    NAME,
    CATEGORY,
    CLASS,
    QUANTITY,
    UNIT_PRICE,
    AMOUNT,
    OWN_SHARE,
    FEE,
    ON,
    CORRECTION.hint(
        "该单已有明细而本次不同时填“是”：原明细作废",
        "是: these lines replace those that the bill has",
    ),
];

/// The words of a category: ours, those of the national medical invoice (医疗收费票据), and what hospitals write besides. Each
/// is known with and without a 费 behind it.
pub(crate) const CATEGORIES: [(&str, CostCategory); 48] = [
    ("药品", CostCategory::Drug),
    ("服务", CostCategory::Service),
    ("材料", CostCategory::Material),
    ("药费", CostCategory::Drug),
    ("西药", CostCategory::Drug),
    ("中药", CostCategory::Drug),
    ("中成药", CostCategory::Drug),
    ("中草药", CostCategory::Drug),
    ("草药", CostCategory::Drug),
    ("中药饮片", CostCategory::Drug),
    ("诊疗", CostCategory::Service),
    ("诊疗项目", CostCategory::Service),
    ("医疗服务", CostCategory::Service),
    ("医疗服务项目", CostCategory::Service),
    ("一般诊疗", CostCategory::Service),
    ("床位", CostCategory::Service),
    ("诊察", CostCategory::Service),
    ("诊查", CostCategory::Service),
    ("检查", CostCategory::Service),
    ("检验", CostCategory::Service),
    ("化验", CostCategory::Service),
    ("放射", CostCategory::Service),
    ("治疗", CostCategory::Service),
    ("理疗", CostCategory::Service),
    ("手术", CostCategory::Service),
    ("麻醉", CostCategory::Service),
    ("护理", CostCategory::Service),
    ("注射", CostCategory::Service),
    ("换药", CostCategory::Service),
    ("输液", CostCategory::Service),
    ("输氧", CostCategory::Service),
    ("吸氧", CostCategory::Service),
    ("康复", CostCategory::Service),
    ("挂号", CostCategory::Service),
    ("其他", CostCategory::Service),
    ("其它", CostCategory::Service),
    ("耗材", CostCategory::Material),
    ("医用耗材", CostCategory::Material),
    ("高值耗材", CostCategory::Material),
    ("卫生材料", CostCategory::Material),
    ("医用材料", CostCategory::Material),
    ("特殊材料", CostCategory::Material),
    ("一次性材料", CostCategory::Material),
    ("手术材料", CostCategory::Material),
    ("植入材料", CostCategory::Material),
    ("drug", CostCategory::Drug),
    ("service", CostCategory::Service),
    ("material", CostCategory::Material),
];

/// The category that a word means.
///
/// # Errors
/// A word that is none.
pub(crate) fn category(text: &str) -> Result<CostCategory, Flaw> {
    let narrow = half_width(text);
    let bare = narrow.trim().strip_suffix('费').map(|bare| read::choice(bare, &CATEGORIES));
    match bare {
        Some(Ok(category)) => Ok(category),
        _ => one_of(text, &CATEGORIES),
    }
}

/// The words of a class.
pub(crate) const CLASSES: [(&str, CatalogueClass); 12] = [
    ("甲", CatalogueClass::A),
    ("乙", CatalogueClass::B),
    ("丙", CatalogueClass::C),
    ("甲类", CatalogueClass::A),
    ("乙类", CatalogueClass::B),
    ("丙类", CatalogueClass::C),
    ("自费", CatalogueClass::C),
    ("全自费", CatalogueClass::C),
    ("目录外", CatalogueClass::C),
    ("a", CatalogueClass::A),
    ("b", CatalogueClass::B),
    ("c", CatalogueClass::C),
];

/// Where the columns of a line stand, looked up once.
#[derive(Debug, Clone, Copy)]
struct Slots {
    code: Option<Slot>,
    name: Option<Slot>,
    category: Option<Slot>,
    class: Option<Slot>,
    quantity: Option<Slot>,
    unit_price: Option<Slot>,
    amount: Option<Slot>,
    own_share: Option<Slot>,
    fee: Option<Slot>,
    on: Option<Slot>,
}

/// Reads lines out of rows whose head is known.
#[derive(Debug, Clone)]
pub struct LineReader {
    matching: Matching,
    slots: Slots,
}

impl LineReader {
    /// For rows under this head.
    pub fn under(matching: &Matching) -> LineReader {
        let slots = Slots {
            code: matching.slot("code"),
            name: matching.slot("name"),
            category: matching.slot("category"),
            class: matching.slot("class"),
            quantity: matching.slot("quantity"),
            unit_price: matching.slot("unit_price"),
            amount: matching.slot("amount"),
            own_share: matching.slot("own_share"),
            fee: matching.slot("fee"),
            on: matching.slot("on"),
        };
        LineReader { matching: matching.clone(), slots }
    }

    /// For rows that were typed: their cells stand in the order of [`LINE_COLUMNS`].
    pub fn typed() -> LineReader {
        let keys = LINE_COLUMNS.columns.iter().map(|column| column.key);
        LineReader::under(&LINE_COLUMNS.match_header(&Record::of(0, keys)))
    }

    /// The head.
    pub const fn matching(&self) -> &Matching {
        &self.matching
    }

    /// Reads one row. `today`: a charge of tomorrow is refused.
    ///
    /// # Errors
    /// All that is wrong with it, each at its column.
    pub fn read(&self, record: &Record, today: Day) -> Result<ChargedLine, Vec<Fault>> {
        let mut cells = Cells::new(&self.matching, record);
        let line = self.read_cells(&mut cells, today);
        line.ok_or_else(|| cells.into_faults())
    }

    /// The same of cells that are open already; the faults stay with them.
    pub fn read_cells(&self, cells: &mut Cells<'_>, today: Day) -> Option<ChargedLine> {
        let slots = &self.slots;
        let code = slots.code.and_then(|slot| cells.optional(slot, |text| read::code(text, LONGEST_CODE)));
        let name = slots.name.and_then(|slot| cells.required(slot, name));
        let category = slots.category.and_then(|slot| cells.required(slot, category));
        let class = slots.class.and_then(|slot| cells.required(slot, |text| one_of(text, &CLASSES)));
        let quantity = slots.quantity.and_then(|slot| cells.required(slot, quantity));
        let unit_price = slots.unit_price.and_then(|slot| cells.required(slot, unit_price));
        let amount = slots.amount.and_then(|slot| cells.optional(slot, read::signed_amount));
        let own_share = slots.own_share.and_then(|slot| cells.optional(slot, own_share));
        let fee = slots.fee.and_then(|slot| cells.optional(slot, |text| read::choice(text, &FEES)));
        let on = slots.on.and_then(|slot| cells.optional(slot, |text| read::past_day(text, today)));
        if let (Some(slot), Some(flaw)) = (slots.own_share, contradiction(class, own_share)) {
            cells.error(slot, flaw);
        }
        if cells.has_errors() {
            return None;
        }
        Some(ChargedLine {
            code: code.unwrap_or_default(),
            name: name?,
            category: category?,
            class: class?,
            quantity: quantity?,
            unit_price: unit_price?,
            amount,
            own_share: own_share.filter(|_| class == Some(CatalogueClass::B)),
            fee,
            on,
        })
    }
}

fn name(text: &str) -> Result<String, Flaw> {
    let text = read::text(text)?;
    if text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(Flaw::new("sheet.flaw.too_long").with("limit", LONGEST_NAME.to_string()));
    }
    Ok(text)
}

/// `1,234.5`, `￥12.50元`; zeros behind the fourth decimal say nothing and are dropped.
fn decimal(text: &str) -> Result<Decimal4, Flaw> {
    let narrow = half_width(text).replace(',', "");
    let mut digits = narrow.trim_start_matches(['¥', '￥']).trim_end_matches('元').trim();
    if let Some((_, decimals)) = digits.split_once('.') {
        let whole = decimals.trim_end_matches('0').len().max(1);
        digits = &digits[..digits.len() - decimals.len() + whole.min(decimals.len())];
    }
    digits.parse().map_err(|_| {
        Flaw::new("settlement.flaw.line_number").mend(Refusal::new("settlement.mend.line_number"))
    })
}

fn quantity(text: &str) -> Result<Decimal4, Flaw> {
    match decimal(text)? {
        Decimal4(0) => {
            let mend = Refusal::new("settlement.mend.quantity_zero");
            Err(Flaw::new("settlement.flaw.quantity_zero").mend(mend))
        }
        quantity => Ok(quantity),
    }
}

fn unit_price(text: &str) -> Result<Decimal4, Flaw> {
    let price = decimal(text)?;
    if price.0 < 0 {
        return Err(Flaw::new("sheet.flaw.negative").mend(Refusal::new("settlement.mend.price_negative")));
    }
    Ok(price)
}

/// `10%`, `0.1`, `1/10`. A bare 10 may be meant as per cent or not: it is asked for.
fn own_share(text: &str) -> Result<Rate, Flaw> {
    let narrow = half_width(text);
    let rate = narrow.parse::<Rate>().ok().filter(|rate| rate.is_share());
    rate.ok_or_else(|| Flaw::new("settlement.flaw.own_share").mend(Refusal::new("settlement.mend.own_share")))
}

/// One of `choices`. A word that is none is told the three that stand in the template: the list of all would be a page long.
fn one_of<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, Flaw> {
    read::choice(text, choices).map_err(|flaw| {
        let words: Vec<&str> = choices.iter().take(3).map(|(word, _)| *word).collect();
        let words = words.join("、");
        let is_near = flaw.suggestion.as_ref().is_some_and(|mend| mend.key == "sheet.mend.did_you_mean");
        let short = Refusal::new("sheet.mend.one_of").with("words", words.clone());
        let suggestion = if is_near { flaw.suggestion } else { Some(short) };
        Flaw { suggestion, ..Flaw::new("sheet.flaw.unknown_word").with("words", words) }
    })
}

/// Of class A nothing is borne first, of class C everything: files say so, and otherwise the class is wrong.
fn contradiction(class: Option<CatalogueClass>, own_share: Option<Rate>) -> Option<Flaw> {
    let is_wrong = match class? {
        CatalogueClass::A => own_share? != Rate::ZERO,
        CatalogueClass::B => false,
        CatalogueClass::C => own_share? != Rate::ONE && own_share? != Rate::ZERO,
    };
    is_wrong.then(|| {
        Flaw::new("settlement.flaw.own_share_class").mend(Refusal::new("settlement.mend.own_share_class"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: [&str; 10] =
        ["ZA09", "阿莫西林胶囊", "药品", "乙", "3", "12.5", "37.50", "10%", "", "2026-03-02"];

    fn read_line(changes: &[(&str, &str)]) -> Result<ChargedLine, Vec<Fault>> {
        let mut cells = RIGHT;
        for (key, value) in changes {
            let at = LINE.iter().position(|column| column.key == *key).expect("a column");
            cells[at] = value;
        }
        LineReader::typed().read(&Record::of(1, cells), Day::from_ymd(2026, 3, 5).expect("a day"))
    }

    #[test]
    fn a_line_is_read_as_people_write_it() {
        let right = read_line(&[]).expect("a line");
        assert_eq!((right.quantity, right.unit_price), (Decimal4(30_000), Decimal4(125_000)));
        assert_eq!((right.own_share, right.class), (Some(Rate::percent(10)), CatalogueClass::B));
        for changes in [
            [("own_share", "0.1"), ("class", "乙类")],
            [("own_share", "１０％"), ("category", "西药费")],
            [("own_share", "10％"), ("category", "药费")],
            [("unit_price", "￥12.50000元"), ("class", "B")],
            [("quantity", "3.0"), ("category", "drug")],
        ] {
            assert_eq!(read_line(&changes), Ok(right.clone()), "{changes:?}");
        }
        let back = read_line(&[("quantity", "-1"), ("amount", "-12.50")]).expect("a line");
        assert_eq!(back.quantity, Decimal4(-10_000));
        // What a file says of class A and C besides is nothing.
        for (class, share) in [("甲", "0"), ("甲", ""), ("丙", "1"), ("自费", "100%"), ("丙", "")] {
            let line = read_line(&[("class", class), ("own_share", share)]).expect("a line");
            assert_eq!(line.own_share, None, "{class} {share}");
        }
    }

    #[test]
    fn categories_are_taken_as_invoices_and_hospitals_name_them() {
        for (words, expected) in [
            ("药品 药品费 西药费 中成药费 中药饮片费 中草药", CostCategory::Drug),
            (
                "诊疗费 检查费 检查 化验费 治疗费 手术费 床位费 护理费 挂号费 其他费 服务费",
                CostCategory::Service,
            ),
            ("材料费 材料 卫生材料费 耗材费 医用材料费 一次性材料费 高值耗材", CostCategory::Material),
        ] {
            for word in words.split(' ') {
                let line = read_line(&[("category", word)]).expect(word);
                assert_eq!(line.category, expected, "{word}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_column() {
        for (column, value, reason) in [
            ("name", "", "sheet.flaw.empty"),
            ("name", "长", ""),
            ("category", "饭费", "sheet.flaw.unknown_word"),
            ("class", "丁", "sheet.flaw.unknown_word"),
            ("quantity", "0", "settlement.flaw.quantity_zero"),
            ("quantity", "0.0000", "settlement.flaw.quantity_zero"),
            ("quantity", "三", "settlement.flaw.line_number"),
            ("quantity", "1.00001", "settlement.flaw.line_number"),
            ("unit_price", "12.50001", "settlement.flaw.line_number"),
            ("unit_price", "-1", "sheet.flaw.negative"),
            ("amount", "12.345", "sheet.flaw.decimals"),
            ("own_share", "10", "settlement.flaw.own_share"),
            ("own_share", "101%", "settlement.flaw.own_share"),
            ("own_share", "-1%", "settlement.flaw.own_share"),
            ("fee", "床位费", "sheet.flaw.unknown_word"),
            ("on", "2026-03-06", "sheet.flaw.day_in_future"),
        ] {
            let found = read_line(&[(column, value)]);
            let told: Vec<(&str, &str)> = found
                .err()
                .into_iter()
                .flatten()
                .map(|fault| (fault.column.map_or("", |column| column.key), fault.reason.key))
                .collect();
            let expected = if reason.is_empty() { vec![] } else { vec![(column, reason)] };
            assert_eq!(told, expected, "{column} {value}");
        }
        for (class, share) in [("甲", "10%"), ("丙", "50%")] {
            let faults = read_line(&[("class", class), ("own_share", share)]).expect_err("a contradiction");
            assert_eq!(faults[0].reason.key, "settlement.flaw.own_share_class");
        }
        assert_eq!(read_line(&[("code", &"9".repeat(65))]).expect_err("too long").len(), 1);
    }
}
