//! One person's record as a FHIR R4 bundle (HL7, 4.0.1): a Patient; a Condition for each diagnosis; and for every fact, these too,
//! a Basic that carries it whole, so that nothing is left out that has no resource of its own. Pure.

use kangmai_base::{IdNumberKind, Moment, Sex};
use kangmai_people::Person;
use kangmai_record::Fact;
use serde_json::{Map, Value, json};

/// The identifier system of resident identity numbers (WS 364).
const RESIDENT_NUMBER: &str = "urn:oid:2.16.156.10011.1.3";
/// The extension that carries the body of a fact, which is JSON.
const BODY: &str = "urn:kangmai:fact-body";
/// The extension that says where a fact comes from.
const SOURCE: &str = "urn:kangmai:fact-source";
/// The kind of fact that tells of a diagnosis; the same `diagnosis` again puts it right.
const DIAGNOSED: &str = "classification.diagnosed";

/// The bundle. Each fact comes with whether it was put right, withdrawn or taken back since.
pub(crate) fn bundle(person: &Person, facts: &[(&Fact, bool)], now: Moment) -> Value {
    let mut resources = vec![patient(person)];
    resources.extend(conditions(person, facts));
    resources.extend(facts.iter().map(|(fact, struck)| basic(person, fact, *struck)));
    let entries: Vec<Value> = resources.into_iter().map(entry).collect();
    json!({
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": instant(now),
        "entry": entries,
    })
}

fn entry(resource: Value) -> Value {
    let id = resource["id"].as_str().unwrap_or_default();
    json!({ "fullUrl": format!("urn:uuid:{id}"), "resource": resource })
}

fn instant(at: Moment) -> String {
    let (hour, minute, second) = at.hms();
    format!("{}T{hour:02}:{minute:02}:{second:02}+08:00", at.day())
}

fn reference(person: &Person) -> Value {
    json!({ "reference": format!("urn:uuid:{}", person.id) })
}

fn patient(person: &Person) -> Value {
    let body = &person.body;
    let mut patient = Map::new();
    patient.insert("resourceType".to_owned(), json!("Patient"));
    patient.insert("id".to_owned(), json!(person.id.to_string()));
    patient.insert("name".to_owned(), json!([{ "text": body.name }]));
    if let Some(number) = &body.id_number {
        let mut identifier = json!({ "value": number.as_str() });
        if number.kind() == IdNumberKind::Valid {
            identifier["system"] = json!(RESIDENT_NUMBER);
        }
        patient.insert("identifier".to_owned(), json!([identifier]));
    }
    if let Some(sex) = body.sex {
        let gender = match sex {
            Sex::Male => "male",
            Sex::Female => "female",
        };
        patient.insert("gender".to_owned(), json!(gender));
    }
    if let Some(birth) = body.birth {
        patient.insert("birthDate".to_owned(), json!(birth.to_string()));
    }
    if let Some(died_on) = body.died_on {
        patient.insert("deceasedDateTime".to_owned(), json!(died_on.to_string()));
    }
    if let Some(phone) = &body.phone {
        patient.insert("telecom".to_owned(), json!([{ "system": "phone", "value": phone.as_str() }]));
    }
    let home = json!([{ "use": "home", "text": crate::pages::full_place(person.home) }]);
    patient.insert("address".to_owned(), home);
    Value::Object(patient)
}

/// The latest state of each diagnosis. Facts come newest first.
fn conditions(person: &Person, facts: &[(&Fact, bool)]) -> Vec<Value> {
    let mut seen: Vec<String> = Vec::new();
    let mut conditions = Vec::new();
    for (fact, struck) in facts.iter().filter(|(fact, _)| fact.new.kind == DIAGNOSED) {
        let Ok(body) = serde_json::from_str::<Value>(&fact.new.body) else { continue };
        let Some(id) = body["diagnosis"].as_str().map(str::to_owned) else { continue };
        if seen.contains(&id) {
            continue;
        }
        conditions.push(condition(person, fact, &body, &id, *struck));
        seen.push(id);
    }
    conditions
}

fn condition(person: &Person, fact: &Fact, body: &Value, id: &str, struck: bool) -> Value {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let status = |system: &str, code: &str| {
        let system = format!("http://terminology.hl7.org/CodeSystem/condition-{system}");
        json!({ "coding": [{ "system": system, "code": code }] })
    };
    let mut condition = json!({
        "resourceType": "Condition",
        "id": id,
        "subject": reference(person),
        // The national edition has no system of its own in FHIR: its name and version stand in words.
        "code": {
            "coding": [{ "version": text("system"), "code": text("code"), "display": text("name") }],
            "text": text("name"),
        },
        "verificationStatus": status("ver-status", if struck { "entered-in-error" } else { "confirmed" }),
        "onsetDateTime": text("from"),
        "recordedDate": instant(fact.new.recorded_at),
    });
    if let Some(to) = body["to"].as_str() {
        condition["abatementDateTime"] = json!(to);
    }
    // What was entered in error has no clinical status (constraint con-5).
    if !struck {
        let code = if body["to"].is_string() { "resolved" } else { "active" };
        condition["clinicalStatus"] = status("clinical", code);
    }
    condition
}

fn basic(person: &Person, fact: &Fact, struck: bool) -> Value {
    let new = &fact.new;
    let mut extensions = vec![
        json!({ "url": BODY, "valueString": new.body }),
        json!({ "url": SOURCE, "valueCode": new.source.key() }),
        json!({ "url": "urn:kangmai:occurred", "valueDateTime": instant(new.occurred_at) }),
    ];
    if struck {
        extensions.push(json!({ "url": "urn:kangmai:struck-out", "valueBoolean": true }));
    }
    json!({
        "resourceType": "Basic",
        "id": new.id.to_string(),
        "code": { "text": new.kind },
        "subject": reference(person),
        "created": new.recorded_at.day().to_string(),
        "extension": extensions,
    })
}

#[cfg(test)]
mod tests {
    use kangmai_base::{Day, DivisionCode, Id, Uuid};
    use kangmai_people::PersonBody;
    use kangmai_record::{NewFact, Source, Subject};

    use super::*;

    fn person() -> Person {
        let body: PersonBody = serde_json::from_value(json!({
            "household": Uuid::nil(), "name": "示例王一", "birth": "1950-01-01", "sex": "male",
        }))
        .expect("a person");
        Person { id: Id::from_uuid(Uuid::nil()), home: DivisionCode::COUNTRY, body }
    }

    fn fact(id: u128, kind: &str, body: &Value) -> Fact {
        let at = Moment::start_of(Day::from_ymd(2026, 3, 5).expect("a day")).plus_seconds(3_661);
        let new = NewFact {
            id: Uuid::from_u128(id),
            kind: kind.to_owned(),
            subject: Subject::person(Uuid::nil()),
            occurred_at: at,
            recorded_at: at,
            place: DivisionCode::COUNTRY,
            author: Uuid::nil(),
            source: Source::Typed,
            corrects: None,
            body: body.to_string(),
        };
        Fact { new, received_at: at, clock_fault: false, place_sequence: 1 }
    }

    #[test]
    fn a_diagnosis_is_a_condition_once_and_every_fact_is_there() {
        let diagnosis = Uuid::from_u128(7).to_string();
        let now = json!({ "diagnosis": diagnosis, "code": "I10.x00", "system": "ICD-10", "name": "高血压",
            "from": "2026-01-05", "to": "2026-03-01" });
        let before = json!({ "diagnosis": diagnosis, "code": "I10.x00", "system": "ICD-10", "name": "高血压",
            "from": "2026-01-05" });
        let (one, two) = (fact(1, DIAGNOSED, &now), fact(2, DIAGNOSED, &before));
        let other = fact(3, "settlement.settled", &json!({ "total": "1.00" }));
        let bundle = bundle(&person(), &[(&one, false), (&two, true), (&other, false)], one.received_at);
        assert_eq!(bundle["timestamp"], "2026-03-05T01:01:01+08:00");
        let of = |kind: &str| -> Vec<&Value> {
            let entries = bundle["entry"].as_array().expect("entries");
            entries.iter().map(|entry| &entry["resource"]).filter(|it| it["resourceType"] == kind).collect()
        };
        assert_eq!(of("Patient")[0]["gender"], "male");
        assert_eq!((of("Condition").len(), of("Basic").len()), (1, 3));
        let condition = of("Condition")[0];
        assert_eq!(condition["clinicalStatus"]["coding"][0]["code"], "resolved");
        assert_eq!(condition["verificationStatus"]["coding"][0]["code"], "confirmed");
        assert_eq!(condition["code"]["coding"][0]["code"], "I10.x00");
        assert_eq!(of("Basic")[2]["extension"][0]["valueString"], other.new.body);
    }

    #[test]
    fn what_was_withdrawn_has_no_clinical_status() {
        let body = json!({ "diagnosis": Uuid::from_u128(7), "code": "I10", "system": "ICD-10", "name": "高血压",
            "from": "2026-01-05" });
        let one = fact(1, DIAGNOSED, &body);
        let bundle = bundle(&person(), &[(&one, true)], one.received_at);
        let condition = &bundle["entry"][1]["resource"];
        assert_eq!(condition["verificationStatus"]["coding"][0]["code"], "entered-in-error");
        assert!(condition["clinicalStatus"].is_null());
    }
}
