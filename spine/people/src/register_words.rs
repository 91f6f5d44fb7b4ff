//! The words that registers use for relations, labels, sex and insurance.

use kangmai_base::{Refusal, Sex};
use kangmai_sheet::{Flaw, most_like};

use crate::label::Label;
use crate::register::{Enrolment, Relation};

pub(crate) const SEXES: [(&str, Sex); 10] = [
    ("男", Sex::Male),
    ("女", Sex::Female),
    ("男性", Sex::Male),
    ("女性", Sex::Female),
    ("1", Sex::Male),
    ("2", Sex::Female),
    ("M", Sex::Male),
    ("F", Sex::Female),
    ("male", Sex::Male),
    ("female", Sex::Female),
];

pub(crate) const ENROLMENTS: [(&str, Enrolment); 19] = [
    ("城乡居民", Enrolment::Resident),
    ("职工", Enrolment::Employee),
    ("未参保", Enrolment::NotEnrolled),
    ("城乡居民医保", Enrolment::Resident),
    ("城乡居民基本医疗保险", Enrolment::Resident),
    ("居民医保", Enrolment::Resident),
    ("居民", Enrolment::Resident),
    ("新农合", Enrolment::Resident),
    ("已参保", Enrolment::Resident),
    ("职工医保", Enrolment::Employee),
    ("城镇职工", Enrolment::Employee),
    ("城镇职工医保", Enrolment::Employee),
    ("职工基本医疗保险", Enrolment::Employee),
    ("没有参保", Enrolment::NotEnrolled),
    ("断保", Enrolment::NotEnrolled),
    ("否", Enrolment::NotEnrolled),
    ("resident", Enrolment::Resident),
    ("employee", Enrolment::Employee),
    ("not_enrolled", Enrolment::NotEnrolled),
];

const RELATIONS: [(&str, Relation); 54] = [
    ("户主", Relation::Head),
    ("本人", Relation::Head),
    ("配偶", Relation::Spouse),
    ("妻", Relation::Spouse),
    ("妻子", Relation::Spouse),
    ("夫", Relation::Spouse),
    ("丈夫", Relation::Spouse),
    ("子女", Relation::Child),
    ("子", Relation::Child),
    ("女", Relation::Child),
    ("儿子", Relation::Child),
    ("女儿", Relation::Child),
    ("长子", Relation::Child),
    ("次子", Relation::Child),
    ("三子", Relation::Child),
    ("四子", Relation::Child),
    ("独生子", Relation::Child),
    ("长女", Relation::Child),
    ("次女", Relation::Child),
    ("二女", Relation::Child),
    ("三女", Relation::Child),
    ("独生女", Relation::Child),
    ("养子", Relation::Child),
    ("养女", Relation::Child),
    ("继子", Relation::Child),
    ("继女", Relation::Child),
    ("儿媳", Relation::ChildInLaw),
    ("媳妇", Relation::ChildInLaw),
    ("女婿", Relation::ChildInLaw),
    ("孙子女", Relation::Grandchild),
    ("孙子", Relation::Grandchild),
    ("孙女", Relation::Grandchild),
    ("外孙", Relation::Grandchild),
    ("外孙子", Relation::Grandchild),
    ("外孙女", Relation::Grandchild),
    ("曾孙子女", Relation::Grandchild),
    ("父母", Relation::Parent),
    ("父亲", Relation::Parent),
    ("母亲", Relation::Parent),
    ("父", Relation::Parent),
    ("母", Relation::Parent),
    ("公婆", Relation::ParentInLaw),
    ("岳父母", Relation::ParentInLaw),
    ("岳父", Relation::ParentInLaw),
    ("岳母", Relation::ParentInLaw),
    ("公公", Relation::ParentInLaw),
    ("婆婆", Relation::ParentInLaw),
    ("祖父母", Relation::Grandparent),
    ("祖父", Relation::Grandparent),
    ("祖母", Relation::Grandparent),
    ("爷爷", Relation::Grandparent),
    ("奶奶", Relation::Grandparent),
    ("兄弟姐妹", Relation::Sibling),
    ("其他", Relation::Other),
];

const SIBLINGS: [&str; 9] = ["兄", "弟", "姐", "妹", "哥", "哥哥", "弟弟", "姐姐", "妹妹"];

/// A relation by its word. Words that are none of these are other relations (侄子, 叔, 非亲属): never a fault.
pub(crate) fn relation(text: &str) -> Relation {
    let narrow = kangmai_sheet::half_width(text);
    let word = narrow.strip_prefix('之').filter(|rest| !rest.is_empty()).unwrap_or(&narrow);
    if SIBLINGS.contains(&word) {
        return Relation::Sibling;
    }
    let by_word = RELATIONS.iter().find(|(known, _)| *known == word).map(|(_, relation)| *relation);
    by_word.or_else(|| Relation::of_key(word)).unwrap_or(Relation::Other)
}

/// `None`: an ordinary household without a label.
const LABELS: [(&str, Option<Label>); 56] = [
    ("脱贫人口", Some(Label::PovertyAlleviated)),
    ("脱贫户", Some(Label::PovertyAlleviated)),
    ("脱贫", Some(Label::PovertyAlleviated)),
    ("已脱贫", Some(Label::PovertyAlleviated)),
    ("稳定脱贫", Some(Label::PovertyAlleviated)),
    ("稳定脱贫户", Some(Label::PovertyAlleviated)),
    ("脱贫不稳定", Some(Label::UnstableAlleviated)),
    ("脱贫不稳定户", Some(Label::UnstableAlleviated)),
    ("不稳定脱贫户", Some(Label::UnstableAlleviated)),
    ("边缘易致贫", Some(Label::Marginal)),
    ("边缘易致贫户", Some(Label::Marginal)),
    ("边缘户", Some(Label::Marginal)),
    ("突发严重困难", Some(Label::SuddenHardship)),
    ("突发严重困难户", Some(Label::SuddenHardship)),
    ("突发困难户", Some(Label::SuddenHardship)),
    ("低保", Some(Label::SubsistenceAllowance)),
    ("低保户", Some(Label::SubsistenceAllowance)),
    ("低保对象", Some(Label::SubsistenceAllowance)),
    ("农村低保", Some(Label::SubsistenceAllowance)),
    ("城市低保", Some(Label::SubsistenceAllowance)),
    ("城镇低保", Some(Label::SubsistenceAllowance)),
    ("最低生活保障", Some(Label::SubsistenceAllowance)),
    ("最低生活保障对象", Some(Label::SubsistenceAllowance)),
    ("低保边缘", Some(Label::SubsistenceMarginal)),
    ("低保边缘户", Some(Label::SubsistenceMarginal)),
    ("低保边缘家庭", Some(Label::SubsistenceMarginal)),
    ("低保边缘家庭成员", Some(Label::SubsistenceMarginal)),
    ("特困", Some(Label::ExtremePoverty)),
    ("特困户", Some(Label::ExtremePoverty)),
    ("特困人员", Some(Label::ExtremePoverty)),
    ("特困供养", Some(Label::ExtremePoverty)),
    ("特困供养人员", Some(Label::ExtremePoverty)),
    ("五保", Some(Label::ExtremePoverty)),
    ("五保户", Some(Label::ExtremePoverty)),
    ("孤儿", Some(Label::Orphan)),
    ("返贫致贫", Some(Label::ReturnedToPoverty)),
    ("返贫致贫人口", Some(Label::ReturnedToPoverty)),
    ("返贫", Some(Label::ReturnedToPoverty)),
    ("返贫户", Some(Label::ReturnedToPoverty)),
    ("因病致贫重病患者", Some(Label::IllnessImpoverished)),
    ("因病致贫", Some(Label::IllnessImpoverished)),
    ("因病致贫重病", Some(Label::IllnessImpoverished)),
    ("因病致贫家庭重病患者", Some(Label::IllnessImpoverished)),
    ("刚性支出困难", Some(Label::ExpenditureHardship)),
    ("刚性支出困难家庭", Some(Label::ExpenditureHardship)),
    ("刚性支出困难家庭成员", Some(Label::ExpenditureHardship)),
    ("支出型困难", Some(Label::ExpenditureHardship)),
    ("建档立卡", Some(Label::RegisteredPoor)),
    ("建档立卡贫困户", Some(Label::RegisteredPoor)),
    ("建档立卡贫困人口", Some(Label::RegisteredPoor)),
    ("建档立卡户", Some(Label::RegisteredPoor)),
    ("一般户", None),
    ("一般农户", None),
    ("普通户", None),
    ("普通农户", None),
    ("非监测对象", None),
];

/// Words that stand for several labels: the row must say which.
const VAGUE: [&str; 6] = ["监测对象", "监测户", "三类户", "三类人群", "贫困户", "困难群众"];

/// A label by its word; `Ok(None)` for an ordinary household.
pub(crate) fn label(word: &str) -> Result<Option<Label>, Flaw> {
    let bare = word.split(['(', '[']).next().unwrap_or(word).trim();
    if let Some((_, label)) = LABELS.iter().find(|(known, _)| *known == bare) {
        return Ok(*label);
    }
    if let Some(label) = Label::of_key(bare) {
        return Ok(Some(label));
    }
    if VAGUE.contains(&bare) {
        return Err(Flaw::new("people.flaw.vague_label")
            .with("word", word.to_owned())
            .mend(Refusal::new("people.mend.vague_label")));
    }
    let flaw = Flaw::new("people.flaw.unknown_label").with("word", word.to_owned());
    Err(flaw.mend(match most_like(bare, LABELS.iter().map(|(known, _)| *known)) {
        Some(known) => Refusal::new("sheet.mend.did_you_mean").with("word", known.to_owned()),
        None => Refusal::new("people.mend.unknown_label"),
    }))
}
