//! Erasing what is known of somebody, where the law wants it (个人信息保护法第四十七条).

use std::collections::HashSet;

use kangmai_access::forget_relations;
use kangmai_base::{Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};

use crate::{Record, Subject, SubjectKind, store};

/// How a parked fact was looked after whose subject is erased: key of a sentence.
pub(crate) const RESOLUTION: &str = "record.parked.erased";

/// What goes with a subject that is erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Along {
    /// Subjects that are nothing without it, as the cases of a household are: they are erased with it.
    pub subjects: Vec<Subject>,
    /// Facts about others that name it, each with what is left of what it says; none: it is erased as well.
    pub facts: Vec<(Uuid, Option<String>)>,
}

/// What an erasure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Facts that say nothing any more.
    pub facts: u64,
}

/// For a projection of which nothing goes with a subject.
///
/// # Errors
/// None.
pub fn nothing_along(_: &mut Transaction<'_>, _: Subject) -> Result<Along, DatabaseError> {
    Ok(Along::default())
}

/// For a projection whose views hold nothing about a person, a household or a case.
///
/// # Errors
/// None.
pub fn nothing_to_forget(_: &mut Transaction<'_>, _: Subject) -> Result<(), DatabaseError> {
    Ok(())
}

impl Record {
    /// Erases what is known of a person, a household or a case, in the caller's transaction. Of every fact about it stays
    /// that there was one, of which kind, when and where; what it said is gone, and no retry brings it back. Gone as well:
    /// what facts about others say of it, what is parked of it, its rows in all views, and who stood in a relation to it.
    /// Twice is as good as once. A household's members are not erased with it, each is asked for alone.
    ///
    /// The transaction must see every place: on PostgreSQL with walls, one that is not kept within any.
    ///
    /// # Errors
    /// When the database fails, or for an institution or a place, which are nobody.
    pub fn erase(
        &self,
        tx: &mut Transaction<'_>,
        subject: Subject,
        now: Moment,
    ) -> Result<Erased, DatabaseError> {
        if matches!(subject.kind, SubjectKind::Institution | SubjectKind::Place) {
            return Err(DatabaseError::Refused(format!("a {} is not erased", subject.kind.key())));
        }
        let mut erased = Erased::default();
        let (mut subjects, mut known) = (vec![subject], HashSet::from([subject]));
        let mut next = 0;
        while let Some(subject) = subjects.get(next).copied() {
            next += 1;
            for projection in self.projections() {
                let along = (projection.along)(tx, subject)?;
                subjects.extend(along.subjects.into_iter().filter(|other| known.insert(*other)));
                for (fact, left) in along.facts {
                    match left {
                        Some(body) => store::cut_fact(tx, fact, &body, now)?,
                        None => erased.facts += store::erase_fact(tx, fact, now)?,
                    }
                }
            }
        }
        for subject in subjects.iter().copied() {
            for projection in self.projections() {
                (projection.forget)(tx, subject)?;
            }
            if subject.kind == SubjectKind::Person {
                forget_relations(tx, subject.id)?;
            }
        }
        for subject in &subjects {
            erased.facts += store::erase_facts(tx, *subject, now)?;
        }
        store::erase_parked(tx, &subjects, now)?;
        Ok(erased)
    }

    /// Takes a subject out of a copy of another's record, with all facts about it, as if it had never been told here: for who
    /// holds such a copy alone, and is told the subject again or not at all any more. Answers how many facts went.
    ///
    /// # Errors
    /// When the database fails.
    pub fn let_go(&self, tx: &mut Transaction<'_>, subject: Subject) -> Result<u64, DatabaseError> {
        for projection in self.projections() {
            (projection.forget)(tx, subject)?;
        }
        if subject.kind == SubjectKind::Person {
            forget_relations(tx, subject.id)?;
        }
        store::let_go_facts(tx, subject)
    }
}
