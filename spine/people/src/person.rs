//! Persons and households, as a fact's body tells them and as the tables hold them.

use kangmai_base::{Day, DivisionCode, Fen, Id, IdNumber, Phone, Sex, Uuid};
use serde::{Deserialize, Serialize};

use crate::{Enrolment, Label, LabelInterval, Mark, Relation, labels_on};

/// Identifier of a person.
pub type PersonId = Id<Person>;
/// Identifier of a household.
pub type HouseholdId = Id<Household>;

/// The body of the fact that registers a person or changes what the register holds of one: always the whole state.
/// Its place is the home place (户籍地).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonBody {
    /// The household.
    pub household: Uuid,
    /// What the person is to its head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// 姓名
    pub name: String,
    /// Identity number, of whatever kind; none if there are no papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_number: Option<IdNumber>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<Day>,
    /// 民族
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ethnicity: Option<String>,
    /// Place of living (常住地) if it is not the home place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub living: Option<DivisionCode>,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Basic insurance; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
    /// Date of death.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub died_on: Option<Day>,
    /// What is odd and has not been looked after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Labels, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelInterval>,
}

/// The body of the fact that registers a household or changes it. Its place is where the household is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HouseholdBody {
    /// 户编号, as the register has it; unique in its village.
    pub number: String,
    /// The head, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Uuid>,
    /// Address below the village: group, street, house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Net income of the household in `income_year`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub income: Option<Fen>,
    /// The year of `income`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub income_year: Option<i32>,
}

/// A person as the register holds them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Identifier.
    pub id: PersonId,
    /// Home place (户籍地): where they are counted.
    pub home: DivisionCode,
    /// Everything else.
    pub body: PersonBody,
}

impl Person {
    /// Completed years of life on `day`.
    pub fn age_on(&self, day: Day) -> Option<i32> {
        self.body.birth.map(|birth| day.age_of(birth))
    }

    /// The labels that hold on `day`.
    pub fn labels_on(&self, day: Day) -> Vec<Label> {
        labels_on(&self.body.labels, day)
    }
}

/// A household as the register holds it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// Identifier.
    pub id: HouseholdId,
    /// Where it is registered.
    pub place: DivisionCode,
    /// Everything else.
    pub body: HouseholdBody,
}

/// A number that tells whether what the register holds is what a row says: FNV-1a over the body's JSON and the place.
pub(crate) fn digest(place: DivisionCode, body: &impl Serialize) -> i64 {
    let text = serde_json::to_vec(body).unwrap_or_default();
    let bytes = text.iter().copied().chain(place.number().to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash.cast_signed()
}

impl HouseholdBody {
    /// Whether the register holds exactly this already.
    pub fn digest(&self, place: DivisionCode) -> i64 {
        digest(place, self)
    }
}
