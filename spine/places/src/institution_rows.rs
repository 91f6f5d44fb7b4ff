//! Institutions as they come in as a file: columns, rows, and what a row would change. Pure.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kangmai_base::{Day, DivisionCode, Refusal};
use kangmai_sheet::{Cells, Column, Fault, Flaw, Format, Matching, Record, Schema, half_width, read};

use crate::division::Division;
use crate::divisions::Divisions;
use crate::institution::{
    Capability, Institution, InstitutionBody, InstitutionGrade, InstitutionKind, InstitutionTier,
};

/// The longest code and name, in characters.
const MAX_CODE_CHARS: usize = 40;

/// A list of institutions: one row an institution.
pub const INSTITUTIONS: Schema = Schema {
    key: "places.institutions",
    title_zh: "医疗机构名录",
    title_en: "Institutions",
    columns: &COLUMNS,
};

const COLUMNS: [Column; 11] = [
    Column::new("code", "机构编码", "Institution code")
        .required()
        .aliases(&["机构代码", "医疗机构代码", "定点医疗机构代码", "医疗机构编码", "医院编码"])
        .format(Format::Code)
        .example("H41172100001")
        .hint("全县唯一；有国家医保定点医疗机构代码的填该代码", "Unique; the national code of insurance where there is one"),
    Column::new("name", "机构名称", "Name")
        .required()
        .aliases(&["医疗机构名称", "医院名称", "单位名称", "名称"])
        .example("示例县人民医院"),
    Column::new("place_code", "所在地区划代码", "Code of its place")
        .aliases(&["区划代码", "行政区划代码"])
        .format(Format::Code)
        .example("411721001000"),
    Column::new("place", "所在地", "Place").aliases(&["地址", "所属区划"]).example("西平县柏城街道"),
    Column::new("tier", "机构层级", "Tier")
        .required()
        .aliases(&["机构级别", "隶属关系", "层级"])
        .choices(&["村级", "乡镇级", "县级", "市级", "省级", "省外"])
        .example("县级"),
    Column::new("grade", "医院等级", "Grade")
        .aliases(&["等级", "医院级别"])
        .choices(&["未定级", "一级", "二级", "三级"])
        .example("二级"),
    Column::new("kind", "机构类别", "Kind")
        .required()
        .aliases(&["机构类型", "类别"])
        .choices(&["综合医院", "专科医院", "中医医院", "妇幼保健院", "乡镇卫生院", "社区卫生服务中心", "村卫生室", "其他"])
        .example("综合医院"),
    Column::new("capabilities", "服务能力", "Capabilities")
        .aliases(&["能力", "定点资格", "资质"])
        .example("住院、先诊疗后付费、医保定点")
        .hint(
            "可填多个，用顿号分开：住院、门诊、门诊慢特病、先诊疗后付费、一站式结算、远程诊疗、医保定点、大病定点、大病救治中心、大病定点:病种",
            "Several with 、 between them",
        ),
    Column::new("phone", "联系电话", "Telephone").aliases(&["电话"]).format(Format::Code).example("0396-2812345"),
    Column::new("opened", "开业日期", "Opened on").aliases(&["启用日期"]).format(Format::Day),
    Column::new("closed", "停业日期", "Closed on").aliases(&["停用日期"]).format(Format::Day),
];

const TIERS: [(&str, InstitutionTier); 18] = [
    ("村级", InstitutionTier::Village),
    ("乡镇级", InstitutionTier::Township),
    ("县级", InstitutionTier::County),
    ("市级", InstitutionTier::City),
    ("省级", InstitutionTier::Province),
    ("省外", InstitutionTier::OutsideProvince),
    ("村", InstitutionTier::Village),
    ("乡镇", InstitutionTier::Township),
    ("乡级", InstitutionTier::Township),
    ("社区级", InstitutionTier::Township),
    ("县区级", InstitutionTier::County),
    ("village", InstitutionTier::Village),
    ("township", InstitutionTier::Township),
    ("county", InstitutionTier::County),
    ("city", InstitutionTier::City),
    ("province", InstitutionTier::Province),
    ("outside_province", InstitutionTier::OutsideProvince),
    ("outside", InstitutionTier::OutsideProvince),
];

const GRADES: [(&str, InstitutionGrade); 15] = [
    ("未定级", InstitutionGrade::Ungraded),
    ("一级", InstitutionGrade::First),
    ("二级", InstitutionGrade::Second),
    ("三级", InstitutionGrade::Third),
    ("一级甲等", InstitutionGrade::First),
    ("二级甲等", InstitutionGrade::Second),
    ("二级乙等", InstitutionGrade::Second),
    ("三级甲等", InstitutionGrade::Third),
    ("三级乙等", InstitutionGrade::Third),
    ("二甲", InstitutionGrade::Second),
    ("三甲", InstitutionGrade::Third),
    ("ungraded", InstitutionGrade::Ungraded),
    ("first", InstitutionGrade::First),
    ("second", InstitutionGrade::Second),
    ("third", InstitutionGrade::Third),
];

const KINDS: [(&str, InstitutionKind); 23] = [
    ("综合医院", InstitutionKind::Hospital),
    ("专科医院", InstitutionKind::Hospital),
    ("医院", InstitutionKind::Hospital),
    ("中医医院", InstitutionKind::TcmHospital),
    ("中医院", InstitutionKind::TcmHospital),
    ("中西医结合医院", InstitutionKind::TcmHospital),
    ("妇幼保健院", InstitutionKind::MaternalChild),
    ("妇幼保健机构", InstitutionKind::MaternalChild),
    ("妇幼保健计划生育服务中心", InstitutionKind::MaternalChild),
    ("乡镇卫生院", InstitutionKind::TownshipCenter),
    ("卫生院", InstitutionKind::TownshipCenter),
    ("中心卫生院", InstitutionKind::TownshipCenter),
    ("社区卫生服务中心", InstitutionKind::CommunityCenter),
    ("社区卫生服务站", InstitutionKind::CommunityCenter),
    ("村卫生室", InstitutionKind::VillageClinic),
    ("卫生室", InstitutionKind::VillageClinic),
    ("其他", InstitutionKind::Other),
    ("hospital", InstitutionKind::Hospital),
    ("tcm_hospital", InstitutionKind::TcmHospital),
    ("maternal_child", InstitutionKind::MaternalChild),
    ("township_center", InstitutionKind::TownshipCenter),
    ("community_center", InstitutionKind::CommunityCenter),
    ("village_clinic", InstitutionKind::VillageClinic),
];

/// One institution of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstitutionRow {
    /// Number of the row, from 1 as in Excel.
    pub row: u32,
    /// Where it stands: an existing division.
    pub place: DivisionCode,
    /// Everything else.
    pub body: InstitutionBody,
}

/// What a row of institutions turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedInstitution {
    /// An institution.
    Row(Box<InstitutionRow>),
    /// What a row before says.
    Repeat {
        /// That row.
        of_row: u32,
    },
    /// Not taken; the faults say why.
    Faulty,
}

/// Reads the rows of one file in order, however they are handed in.
#[derive(Debug)]
pub struct InstitutionParser {
    matching: Arc<Matching>,
    divisions: &'static Divisions,
    /// Where names of places are looked for; institutions may stand outside.
    scope: DivisionCode,
    seen: HashMap<String, (u32, i64)>,
}

impl InstitutionParser {
    /// Reads the rows of a file whose head is `matching`, a matching of [`INSTITUTIONS`].
    pub fn new(
        matching: Arc<Matching>,
        divisions: &'static Divisions,
        scope: DivisionCode,
    ) -> InstitutionParser {
        InstitutionParser { matching, divisions, scope, seen: HashMap::new() }
    }

    /// Reads one row.
    pub fn parse(&mut self, record: &Record) -> (ParsedInstitution, Vec<Fault>) {
        let matching = Arc::clone(&self.matching);
        let mut cells = Cells::new(&matching, record);
        let row = self.row(&mut cells).filter(|_| !cells.has_errors());
        let Some(row) = row else { return (ParsedInstitution::Faulty, cells.into_faults()) };
        let digest = row.body.digest(row.place);
        let (first_row, first_digest) = *self.seen.entry(row.body.code.clone()).or_insert((row.row, digest));
        if first_row == row.row {
            return (ParsedInstitution::Row(Box::new(row)), cells.into_faults());
        }
        if first_digest == digest {
            return (ParsedInstitution::Repeat { of_row: first_row }, Vec::new());
        }
        let flaw = Flaw::new("places.flaw.code_of_two_names").with("row", first_row.to_string());
        cells.error("code", flaw.mend(Refusal::new("places.mend.code_of_two_names")));
        (ParsedInstitution::Faulty, cells.into_faults())
    }

    fn row(&self, cells: &mut Cells<'_>) -> Option<InstitutionRow> {
        let code = cells.required("code", |text| read::code(text, MAX_CODE_CHARS));
        let name = cells.required("name", read::text);
        let place = self.place(cells);
        let tier = cells.required("tier", |text| read::choice(text, &TIERS));
        let grade = cells.optional("grade", |text| read::choice(text, &GRADES));
        let kind = cells.required("kind", |text| read::choice(text, &KINDS));
        let capabilities = cells.optional("capabilities", capabilities).unwrap_or_default();
        let phone = cells.optional("phone", read::phone);
        let opened = cells.optional("opened", read::day);
        let closed = cells.optional("closed", read::day);
        if let (Some(opened), Some(closed)) = (opened, closed)
            && closed < opened
        {
            let flaw = Flaw::new("places.flaw.closed_before_opened");
            cells.error("closed", flaw.mend(Refusal::new("places.mend.dates")));
        }
        let grade = grade.unwrap_or(InstitutionGrade::Ungraded);
        let (code, name, place, tier, kind) = (code?, name?, place?, tier?, kind?);
        let body = InstitutionBody { code, name, tier, grade, kind, capabilities, phone, opened, closed };
        Some(InstitutionRow { row: cells.row(), place, body })
    }

    fn place(&self, cells: &mut Cells<'_>) -> Option<DivisionCode> {
        let key = ["place_code", "place"].into_iter().find(|key| cells.filled(*key).is_some());
        let Some(key) = key else {
            cells.error(
                "place_code",
                Flaw::new("places.flaw.no_place").mend(Refusal::new("places.mend.unknown_place")),
            );
            return None;
        };
        cells.optional(key, |text| {
            self.divisions
                .read_place(text, self.scope)
                .or_else(|flaw| self.divisions.read_place(text, DivisionCode::COUNTRY).map_err(|_| flaw))
                .map(Division::code)
        })
    }
}

fn capabilities(text: &str) -> Result<BTreeSet<Capability>, Flaw> {
    let narrow = half_width(text);
    let words = narrow.split(['、', ',', ';', '|', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            Capability::read(word).ok_or_else(|| {
                let known: Vec<&str> = Capability::KNOWN.iter().map(|(_, zh)| *zh).collect();
                let flaw = Flaw::new("places.flaw.unknown_capability").with("word", word.to_owned());
                flaw.mend(Refusal::new("places.mend.unknown_capability").with("words", known.join("、")))
            })
        })
        .collect()
}

/// One thing that a row would change: key of the column, what is held, what the row says.
pub type InstitutionChange = (&'static str, String, String);

/// What `row` would make of the institution that is held, if any: nothing new is an empty list of changes, a new
/// institution has none held.
pub fn changes(held: &Institution, row: &InstitutionRow) -> Vec<InstitutionChange> {
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let list =
        |body: &InstitutionBody| body.capabilities.iter().map(Capability::key).collect::<Vec<_>>().join("、");
    let (before, after) = (&held.body, &row.body);
    let phone = |body: &InstitutionBody| {
        body.phone.as_ref().map(|phone| phone.as_str().to_owned()).unwrap_or_default()
    };
    let all = [
        ("name", before.name.clone(), after.name.clone()),
        ("place_code", held.place.to_string(), row.place.to_string()),
        ("tier", before.tier.key().to_owned(), after.tier.key().to_owned()),
        ("grade", before.grade.key().to_owned(), after.grade.key().to_owned()),
        ("kind", before.kind.key().to_owned(), after.kind.key().to_owned()),
        ("capabilities", list(before), list(after)),
        ("phone", phone(before), phone(after)),
        ("opened", day(before.opened), day(after.opened)),
        ("closed", day(before.closed), day(after.closed)),
    ];
    all.into_iter().filter(|(_, before, after)| before != after).collect()
}
