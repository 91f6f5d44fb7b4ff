//! One row of a register as it comes in: a person, the household, and what the file says of both.

use kangmai_base::{Day, DivisionCode, Fen, IdNumber, Phone, Sex};
use serde::{Deserialize, Serialize};

use crate::label::LabelInterval;

/// What a person is to the head of the household (GB/T 4761, brought to ten groups).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// 户主
    Head,
    /// 配偶
    Spouse,
    /// 子女
    Child,
    /// 儿媳, 女婿
    ChildInLaw,
    /// 孙子女, 外孙子女
    Grandchild,
    /// 父母
    Parent,
    /// 岳父母, 公婆
    ParentInLaw,
    /// 祖父母, 外祖父母
    Grandparent,
    /// 兄弟姐妹
    Sibling,
    /// 其他
    Other,
}

impl Relation {
    /// All of them.
    pub const ALL: [Relation; 10] = [
        Relation::Head,
        Relation::Spouse,
        Relation::Child,
        Relation::ChildInLaw,
        Relation::Grandchild,
        Relation::Parent,
        Relation::ParentInLaw,
        Relation::Grandparent,
        Relation::Sibling,
        Relation::Other,
    ];

    /// Name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Relation::Head => "head",
            Relation::Spouse => "spouse",
            Relation::Child => "child",
            Relation::ChildInLaw => "child_in_law",
            Relation::Grandchild => "grandchild",
            Relation::Parent => "parent",
            Relation::ParentInLaw => "parent_in_law",
            Relation::Grandparent => "grandparent",
            Relation::Sibling => "sibling",
            Relation::Other => "other",
        }
    }

    /// Key of its word in `words.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Relation::Head => "people.relation.head",
            Relation::Spouse => "people.relation.spouse",
            Relation::Child => "people.relation.child",
            Relation::ChildInLaw => "people.relation.child_in_law",
            Relation::Grandchild => "people.relation.grandchild",
            Relation::Parent => "people.relation.parent",
            Relation::ParentInLaw => "people.relation.parent_in_law",
            Relation::Grandparent => "people.relation.grandparent",
            Relation::Sibling => "people.relation.sibling",
            Relation::Other => "people.relation.other",
        }
    }

    /// The relation with this key.
    pub fn of_key(key: &str) -> Option<Relation> {
        Relation::ALL.into_iter().find(|relation| relation.key() == key)
    }
}

/// Which basic insurance a person is in (参保状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// 城乡居民基本医疗保险
    Resident,
    /// 职工基本医疗保险
    Employee,
    /// 未参保
    NotEnrolled,
}

impl Enrolment {
    /// All three.
    pub const ALL: [Enrolment; 3] = [Enrolment::Resident, Enrolment::Employee, Enrolment::NotEnrolled];

    /// Name in the database.
    pub const fn key(self) -> &'static str {
        match self {
            Enrolment::Resident => "resident",
            Enrolment::Employee => "employee",
            Enrolment::NotEnrolled => "not_enrolled",
        }
    }

    /// Key of its word in `words.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Enrolment::Resident => "people.enrolment.resident",
            Enrolment::Employee => "people.enrolment.employee",
            Enrolment::NotEnrolled => "people.enrolment.not_enrolled",
        }
    }

    /// The state with this key.
    pub fn of_key(key: &str) -> Option<Enrolment> {
        Enrolment::ALL.into_iter().find(|enrolment| enrolment.key() == key)
    }
}

/// Something odd about a row that is taken all the same; kept with the person until somebody has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// No identity number.
    NoIdNumber,
    /// The identity number has a wrong check character, birth date or length.
    OddIdNumber,
    /// The birth date in the file is another than in the number; that of the file is kept.
    BirthDiffers,
    /// The sex in the file is another than in the number; that of the file is kept.
    SexDiffers,
}

impl Mark {
    /// Key of its word in `words.toml`.
    pub const fn word(self) -> &'static str {
        match self {
            Mark::NoIdNumber => "people.mark.no_id_number",
            Mark::OddIdNumber => "people.mark.odd_id_number",
            Mark::BirthDiffers => "people.mark.birth_differs",
            Mark::SexDiffers => "people.mark.sex_differs",
        }
    }
}

/// One person of a register. `None` everywhere means "the file does not say": what is known stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterRow {
    /// Number of the row, from 1 as in Excel.
    pub row: u32,
    /// The household the person belongs to.
    pub household: HouseholdRow,
    /// What the person is to its head.
    pub relation: Option<Relation>,
    /// Name; 1 to 50 characters, half-width.
    pub name: String,
    /// Identity number of any kind.
    pub id_number: Option<IdNumber>,
    /// Birth date: of the file, else of the number.
    pub birth: Option<Day>,
    /// Sex: of the file, else of the number.
    pub sex: Option<Sex>,
    /// 民族, such as `汉族`.
    pub ethnicity: Option<String>,
    /// Place of registration (户籍地): an existing division, a village as a rule.
    pub home: DivisionCode,
    /// Place of living (现住地), if it is another.
    pub living: Option<DivisionCode>,
    /// Telephone.
    pub phone: Option<Phone>,
    /// Basic insurance.
    pub enrolment: Option<Enrolment>,
    /// Labels with their dates.
    pub labels: Vec<LabelInterval>,
    /// Day of death.
    pub died: Option<Day>,
    /// What is odd.
    pub marks: Vec<Mark>,
}

/// The household of a row. The same household stands in several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseholdRow {
    /// 户编号 as the office numbers it; unique within `place`'s county. None: the person stands alone.
    pub number: Option<String>,
    /// Place of registration of the household.
    pub place: DivisionCode,
    /// Address below the village: group, street, house.
    pub address: Option<String>,
    /// Net income of the household in a year, yuan (家庭年收入).
    pub annual_income: Option<Fen>,
    /// The year of that income.
    pub income_year: Option<i32>,
}
