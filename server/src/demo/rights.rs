//! What residents agreed to and asked for: consents that something is handed on, and requests that something be put right or
//! erased, one of which waits.

use kangmai_base::{Day, Moment, Uuid};
use kangmai_database::{DatabaseError, Transaction};
use kangmai_people::{Person, people_at};
use kangmai_programme::App;
use kangmai_record::{NewFact, Source, Subject};
use kangmai_register::rights::{
    ANSWERED, Answered, CONSENT_GIVEN, CONSENT_WITHDRAWN, ConsentGiven, ConsentWithdrawn, Ground, REQUESTED,
    Requested, Speaker, Wish,
};
use serde::Serialize;

use super::county;

/// From this age people speak for themselves here.
const ADULT: i32 = 25;
/// People who are looked through.
const LOOKED_AT: i64 = 500;

/// Writes what was agreed and asked up to `today`.
///
/// # Errors
/// When the database fails.
pub(crate) fn ask_rights(app: &App, today: Day) -> Result<(), DatabaseError> {
    let inside = app.clone();
    app.database.write_blocking(move |tx| {
        let mut people = people_at(tx, county().range(), 0, LOOKED_AT)?
            .into_iter()
            .filter(|person| person.body.birth.is_some_and(|birth| today.age_of(birth) >= ADULT));
        let mut write = Writing { app: &inside, tx };
        for (person, (recipient, used_for, withdrawn)) in people.by_ref().step_by(3).zip([
            ("示例财产保险有限公司", "意外伤害理赔", false),
            ("上蔡县示例残疾人联合会", "申请辅助器具", false),
            ("示例养老服务中心", "入住前体检", true),
        ]) {
            write.consent(&person, (recipient, used_for), withdrawn, today)?;
        }
        let asked = |wish, ground, text: &str| Requested {
            wish,
            ground,
            text: text.to_owned(),
            speaker: Speaker::Person,
            speaker_name: None,
            paper: "本人到场，核对身份证，申请书存村卫生室（示例）".to_owned(),
        };
        let mut next = || people.next();
        if let Some(person) = next() {
            let body = asked(Wish::Correct, None, "手机号已换，请改为现在用的号码（示例）");
            write.fact(&person, REQUESTED, today.plus_days(-4), &body)?;
        }
        if let Some(person) = next() {
            let body = asked(Wish::Correct, None, "出生日期与身份证不一致（示例）");
            let request = write.fact(&person, REQUESTED, today.plus_days(-20), &body)?;
            let text = "核对身份证与户口簿，登记与证件一致，未作更改（示例）".to_owned();
            let answer = Answered { request, granted: false, text };
            write.fact(&person, ANSWERED, today.plus_days(-13), &answer)?;
        }
        if let Some(person) = next() {
            let ground = Some(Ground::PurposeEnded);
            let body = asked(Wish::Erase, ground, "已迁往外省，不再在本地就医（示例）");
            write.fact(&person, REQUESTED, today.plus_days(-2), &body)?;
        }
        Ok(())
    })
}

struct Writing<'a, 't> {
    app: &'a App,
    tx: &'a mut Transaction<'t>,
}

impl Writing<'_, '_> {
    fn consent(
        &mut self,
        person: &Person,
        (recipient, used_for): (&str, &str),
        withdrawn: bool,
        today: Day,
    ) -> Result<(), DatabaseError> {
        let body = ConsentGiven {
            recipient: recipient.to_owned(),
            used_for: format!("{used_for}（示例）"),
            until: today.plus_days(300),
            speaker: Speaker::Person,
            speaker_name: None,
            paper: "本人签字，原件存乡镇卫生院（示例）".to_owned(),
        };
        let consent = self.fact(person, CONSENT_GIVEN, today.plus_days(-60), &body)?;
        if withdrawn {
            let body = ConsentWithdrawn { consent, speaker: Speaker::Person };
            self.fact(person, CONSENT_WITHDRAWN, today.plus_days(-10), &body)?;
        }
        Ok(())
    }

    fn fact<T: Serialize>(
        &mut self,
        person: &Person,
        kind: &str,
        on: Day,
        body: &T,
    ) -> Result<Uuid, DatabaseError> {
        let (id, now) = (self.app.mint(), self.app.clock.now());
        let body = serde_json::to_string(body)
            .map_err(|_| DatabaseError::Refused("a body cannot be written".into()))?;
        let fact = NewFact {
            id,
            kind: kind.to_owned(),
            subject: Subject::person(person.id.uuid()),
            occurred_at: Moment::start_of(on),
            recorded_at: now,
            place: person.home,
            author: Uuid::nil(),
            source: Source::Typed,
            corrects: None,
            body,
        };
        self.app.record.keep(self.tx, now, vec![fact])?;
        Ok(id)
    }
}
