//! The closed lists that rules and bills speak: labels and designations (named in the national pack) and the kinds
//! of institutions, settings and referrals (named here, because arithmetic tables are built over them).

use serde::{Deserialize, Serialize};

use crate::Bilingual;

/// The identity labels that hold at a date, as bits of the vocabulary's [`labels`](Vocabulary::labels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LabelSet(pub(crate) u32);

impl LabelSet {
    /// No label.
    pub const NONE: LabelSet = LabelSet(0);

    /// Whether one label at least is in both.
    pub const fn meets(self, other: LabelSet) -> bool {
        self.0 & other.0 != 0
    }

    /// All labels of both.
    #[must_use]
    pub const fn and(self, other: LabelSet) -> LabelSet {
        LabelSet(self.0 | other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each label for itself, in the order of the list.
    pub fn each(self) -> impl Iterator<Item = LabelSet> {
        (0..u32::BITS).map(|bit| LabelSet(1 << bit)).filter(move |label| self.meets(*label))
    }

    /// The first of them.
    #[must_use]
    pub const fn first(self) -> LabelSet {
        LabelSet(self.0 & self.0.wrapping_neg())
    }
}

/// One identity label of the national list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The code name, as everywhere in the product.
    pub id: String,
    /// The official name.
    pub name: Bilingual,
    /// The highest age at which somebody can be given it (a child); none: at any age.
    pub age_at_most: Option<u8>,
}

/// Something that an institution can be named for (定点, 大病救治中心).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Designation {
    /// The code name.
    pub id: String,
    /// The official name.
    pub name: Bilingual,
}

/// The closed lists of the national pack.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    /// At most 32 labels.
    pub labels: Vec<Label>,
    /// At most 32 designations.
    pub designations: Vec<Designation>,
}

impl Vocabulary {
    /// The set with the one label `id`; `None` if there is no such label.
    pub fn label(&self, id: &str) -> Option<LabelSet> {
        self.labels.iter().position(|label| label.id == id).map(|position| LabelSet(1 << position))
    }

    /// The set of all of `ids`, or the first that is unknown.
    pub fn label_set<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Result<LabelSet, &'i str> {
        ids.into_iter().try_fold(LabelSet::NONE, |set, id| self.label(id).map(|bit| set.and(bit)).ok_or(id))
    }

    /// The labels of `set`, in the order of the list.
    pub fn labels_in(&self, set: LabelSet) -> impl Iterator<Item = &Label> {
        self.labels.iter().enumerate().filter(move |(bit, _)| set.0 & (1 << bit) != 0).map(|(_, label)| label)
    }

    /// The labels that nobody of this age can be given any more.
    pub fn outgrown_at(&self, age: u8) -> LabelSet {
        let is_outgrown = |label: &Label| {
            age != crate::UNKNOWN_AGE && label.age_at_most.is_some_and(|at_most| age > at_most)
        };
        let bits = self.labels.iter().enumerate().filter(|(_, label)| is_outgrown(label));
        LabelSet(bits.fold(0, |set, (bit, _)| set | 1 << bit))
    }

    /// The bit of the designation `id`.
    pub fn designation(&self, id: &str) -> Option<u32> {
        self.designations.iter().position(|designation| designation.id == id).map(|position| 1 << position)
    }

    /// The designations of `bits`.
    pub fn designations_in(&self, bits: u32) -> impl Iterator<Item = &Designation> {
        self.designations
            .iter()
            .enumerate()
            .filter(move |(bit, _)| bits & (1 << bit) != 0)
            .map(|(_, one)| one)
    }
}

macro_rules! closed_list {
    ($(#[$about:meta])* $name:ident { $($(#[$meta:meta])* $variant:ident = $text:literal, $zh:literal, $en:literal;)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum $name { $($(#[$meta])* $variant,)+ }

        impl $name {
            /// All, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];
            /// The names in packs and files, in the same order.
            pub const NAMES: &[&str] = &[$($text),+];

            /// The name in packs and files.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// What people call it, Chinese and English.
            pub const fn words(self) -> (&'static str, &'static str) {
                match self { $($name::$variant => ($zh, $en)),+ }
            }

            /// Reads a name of packs and files.
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }

            pub(crate) const fn bit(self) -> u16 {
                1 << (self as u8)
            }
        }
    };
}

closed_list! {
    /// 机构层级: whose the institution is, which decides deductible and ratio in basic insurance.
    InstitutionTier {
        /// 村卫生室
        Village = "village", "村级机构", "village clinic";
        /// 乡镇卫生院、社区卫生服务机构
        Township = "township", "乡镇(社区)级机构", "township or community institution";
        /// 县级
        County = "county", "县级机构", "county institution";
        /// 市级
        City = "city", "市级机构", "city institution";
        /// 省级
        Province = "province", "省级机构", "provincial institution";
        /// 省外
        OutsideProvince = "outside_province", "省外机构", "institution outside the province";
    }
}

closed_list! {
    /// 医院等级.
    InstitutionGrade {
        /// 未定级
        Ungraded = "ungraded", "未定级", "ungraded";
        /// 一级
        First = "first", "一级", "first grade";
        /// 二级
        Second = "second", "二级", "second grade";
        /// 三级
        Third = "third", "三级", "third grade";
    }
}

closed_list! {
    /// 机构类别.
    InstitutionKind {
        /// 医院
        Hospital = "hospital", "综合(专科)医院", "hospital";
        /// 中医医院
        TcmHospital = "tcm_hospital", "中医医院", "hospital of Chinese medicine";
        /// 妇幼保健机构
        MaternalChild = "maternal_child", "妇幼保健机构", "maternal and child institution";
        /// 乡镇卫生院
        TownshipCenter = "township_center", "乡镇卫生院", "township health centre";
        /// 社区卫生服务中心
        CommunityCenter = "community_center", "社区卫生服务中心", "community health centre";
        /// 村卫生室
        VillageClinic = "village_clinic", "村卫生室", "village clinic";
        /// 其他
        Other = "other", "其他机构", "other institution";
    }
}

closed_list! {
    /// 就医类别.
    Setting {
        /// 住院
        Inpatient = "inpatient", "住院", "inpatient";
        /// 门诊慢性病、特殊病、重症慢性病
        ChronicOutpatient = "chronic_outpatient", "门诊慢特病", "chronic outpatient";
        /// 普通门诊
        Outpatient = "outpatient", "普通门诊", "outpatient";
    }
}

closed_list! {
    /// 转诊: how the patient came to a higher institution.
    Referral {
        /// 未经转诊
        NotReferred = "none", "未经转诊", "not referred";
        /// 规范转诊
        Referred = "referred", "规范转诊", "referred by the rules";
        /// 急诊
        Emergency = "emergency", "急诊", "emergency";
    }
}
