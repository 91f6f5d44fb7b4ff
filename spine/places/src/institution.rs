//! Institutions: whose they are, of what grade and kind, and what they can do. Keys are those that policy packs use.

use std::collections::BTreeSet;
use std::fmt;

use kangmai_base::{Day, DivisionCode, Id, Phone};
use serde::{Deserialize, Deserializer, Serialize};

/// Identifier of an institution.
pub type InstitutionId = Id<Institution>;
/// The kind of fact that registers an institution or changes what is held of one; its body is [`InstitutionBody`].
pub const INSTITUTION_REGISTERED: &str = "institution.registered";

macro_rules! closed_list {
    ($(#[$about:meta])* $name:ident $prefix:literal { $($(#[$meta:meta])* $variant:ident = $key:literal;)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$meta])* $variant,)+ }

        impl $name {
            /// All, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// Name in packs, files and the database.
            pub const fn key(self) -> &'static str {
                match self { $($name::$variant => $key),+ }
            }

            /// Key of its word in `words.toml`.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => concat!("places.", $prefix, ".", $key)),+ }
            }

            /// The one with this key.
            pub fn of_key(key: &str) -> Option<$name> {
                match key { $($key => Some($name::$variant),)+ _ => None }
            }
        }
    };
}

closed_list! {
    /// 机构层级: whose the institution is, which decides deductible and ratio in basic insurance.
    InstitutionTier "tier" {
        /// 村级
        Village = "village";
        /// 乡镇（社区）级
        Township = "township";
        /// 县级
        County = "county";
        /// 市级
        City = "city";
        /// 省级
        Province = "province";
        /// 省外
        OutsideProvince = "outside_province";
    }
}

closed_list! {
    /// 医院等级
    InstitutionGrade "grade" {
        /// 未定级
        Ungraded = "ungraded";
        /// 一级
        First = "first";
        /// 二级
        Second = "second";
        /// 三级
        Third = "third";
    }
}

closed_list! {
    /// 机构类别
    InstitutionKind "kind" {
        /// 综合（专科）医院
        Hospital = "hospital";
        /// 中医医院
        TcmHospital = "tcm_hospital";
        /// 妇幼保健机构
        MaternalChild = "maternal_child";
        /// 乡镇卫生院
        TownshipCenter = "township_center";
        /// 社区卫生服务中心（站）
        CommunityCenter = "community_center";
        /// 村卫生室
        VillageClinic = "village_clinic";
        /// 其他
        Other = "other";
    }
}

/// Something that an institution can do or is named for: one of [`Capability::KNOWN`], or `major_disease:` and the key of a
/// disease for which it is the designated hospital.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Capability(String);

impl Capability {
    /// The known ones, with their Chinese words; the key of the word is `places.capability.{key}`.
    pub const KNOWN: [(&'static str, &'static str); 10] = [
        ("inpatient", "住院"),
        ("outpatient", "门诊"),
        ("chronic_outpatient", "门诊慢特病"),
        ("treat_first_pay_later", "先诊疗后付费"),
        ("one_stop_settlement", "一站式结算"),
        ("remote_consultation", "远程诊疗"),
        ("designated", "医保定点"),
        ("major_disease_designated", "大病定点"),
        ("rescue_centre", "大病救治中心"),
        ("alleviated_village_clinic", "脱贫村卫生室"),
    ];
    /// What stands before the key of a disease.
    pub const MAJOR_DISEASE: &'static str = "major_disease:";

    /// Reads a key or a Chinese word; `大病定点:肺癌` is `major_disease:肺癌`.
    pub fn read(word: &str) -> Option<Capability> {
        let word = word.trim();
        if let Some((key, _)) = Capability::KNOWN.iter().find(|(key, zh)| *key == word || *zh == word) {
            return Some(Capability((*key).to_owned()));
        }
        let disease =
            word.strip_prefix(Capability::MAJOR_DISEASE).or_else(|| word.strip_prefix("大病定点:"))?.trim();
        let plain =
            !disease.is_empty() && disease.chars().count() <= 40 && !disease.contains(['、', ',', ';']);
        plain.then(|| Capability(format!("{}{disease}", Capability::MAJOR_DISEASE)))
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Capability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Capability, D::Error> {
        let text = String::deserialize(deserializer)?;
        Capability::read(&text).ok_or_else(|| serde::de::Error::custom("not a capability"))
    }
}

/// The body of the fact that registers an institution or changes it: always the whole state. Its place is where the
/// institution stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionBody {
    /// 机构编码: unique in the installation; that of insurance (国家医保定点医疗机构代码) where there is one.
    pub code: String,
    /// 机构名称
    pub name: String,
    /// Whose it is.
    pub tier: InstitutionTier,
    /// Its grade.
    pub grade: InstitutionGrade,
    /// Its kind.
    pub kind: InstitutionKind,
    /// What it can do.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// Telephone of the front desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// First day of service, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Day>,
    /// The day from which it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Day>,
}

/// An institution as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// Identifier.
    pub id: InstitutionId,
    /// Where it stands.
    pub place: DivisionCode,
    /// Everything else.
    pub body: InstitutionBody,
}

impl Institution {
    /// Whether it serves on `day`.
    pub fn is_open_on(&self, day: Day) -> bool {
        self.body.opened.is_none_or(|opened| opened <= day)
            && self.body.closed.is_none_or(|closed| day < closed)
    }

    /// Whether it has the capability with this key.
    pub fn can(&self, capability: &str) -> bool {
        self.body.capabilities.iter().any(|known| known.key() == capability)
    }
}

impl InstitutionBody {
    /// A number that tells whether what is held is what a row says: FNV-1a over the body's JSON and the place.
    pub fn digest(&self, place: DivisionCode) -> i64 {
        let text = serde_json::to_vec(self).unwrap_or_default();
        let bytes = text.iter().copied().chain(place.number().to_le_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        hash.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_by_key_and_by_word() {
        for (word, expected) in [
            ("住院", Some("inpatient")),
            ("rescue_centre", Some("rescue_centre")),
            ("大病定点:肺癌", Some("major_disease:肺癌")),
            ("major_disease:lung_cancer", Some("major_disease:lung_cancer")),
            ("大病定点:", None),
            ("会看病", None),
        ] {
            assert_eq!(Capability::read(word).as_ref().map(Capability::key), expected, "{word}");
        }
    }

    #[test]
    fn every_word_is_there() {
        let words = include_str!("../words.toml");
        let keys = InstitutionTier::ALL
            .iter()
            .map(|tier| tier.word().to_owned())
            .chain(InstitutionGrade::ALL.iter().map(|grade| grade.word().to_owned()))
            .chain(InstitutionKind::ALL.iter().map(|kind| kind.word().to_owned()))
            .chain(Capability::KNOWN.iter().map(|(key, _)| format!("places.capability.{key}")));
        for key in keys {
            assert!(words.contains(&format!("[\"{key}\"]")), "{key}");
        }
    }
}
