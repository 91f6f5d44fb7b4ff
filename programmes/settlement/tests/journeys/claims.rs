//! What an institution waived is claimed by month and reconciled by the county; over HTTP, on both databases.

#![expect(clippy::expect_used, clippy::panic, reason = "a test says what it needs")]

use super::office::{Office, on_both};
use axum::http::StatusCode;
use kangmai_access::Role;
use kangmai_base::{Fen, Uuid};
use kangmai_people::{Label, Person};
use kangmai_places::{InstitutionGrade, InstitutionTier};
use kangmai_programme::FigureValue;

/// Zhongmu of Zhengzhou, where institutions waive fees.
const COUNTY: &str = "410122";
const VILLAGE: &str = "410122001001";

fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before:?} in {text}")) + before.len();
    let rest = &text[start..];
    rest[..rest.find(after).expect("it ends")].to_owned()
}

fn given_a_bill(office: &Office, hospital: &str, person: &Person, number: &str, discharge: &str) -> String {
    let bill = [
        ("number", number),
        ("institution", hospital),
        ("setting", "inpatient"),
        ("admission", discharge),
        ("discharge", discharge),
        ("referral", "referred"),
        ("total", "6000.00"),
        ("compliant", "6000.00"),
    ];
    let trial = office.post(&format!("/desk/{}", person.id), &bill);
    let own = between(&trial.text, "name=\"expected\" value=\"", "\"");
    office.settles(person, &bill, &own)
}

fn desk(office: &mut Office, hospital: Uuid) {
    office.signed_in(Role::CountyDesk, COUNTY, Some(hospital));
}

/// What the page before submitting says is to be claimed for a month; none if there is nothing.
fn offered(office: &Office, hospital: &str, month: &str) -> Option<(String, Fen)> {
    let page = office.finds(&format!("/claims/new?institution={hospital}&month={month}"));
    let form = page.split_once("method=\"post\" action=\"/claims/new\"")?.1;
    let end = between(form, "name=\"month_end\" value=\"", "\"");
    Some((end, between(form, "name=\"expected\" value=\"", "\"").parse().expect("an amount")))
}

fn submits(office: &Office, hospital: &str, (end, amount): &(String, Fen)) -> String {
    let amount = amount.to_string();
    let fields = [("institution", hospital), ("month_end", end), ("expected", &amount)];
    let answer = office.post("/claims/new", &fields);
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location.expect("a claim")
}

#[test]
fn what_was_waived_is_claimed_once_reconciled_and_paid() {
    on_both(|office| {
        let (tier, grade) = (InstitutionTier::County, InstitutionGrade::Second);
        let hospital = office.given_an_institution("H1", "410122001000", tier, grade);
        let other = office.given_an_institution("H2", "410122001000", tier, grade);
        let person = office.given_a_person("示例甲", VILLAGE, &[(Label::Marginal, "2024-01-01", None)]);
        let (id, code) = (hospital, hospital.to_string());
        desk(office, id);
        given_a_bill(office, &code, &person, "ZY1", "2026-01-20");
        let statement = given_a_bill(office, &code, &person, "ZY2", "2026-02-10");
        given_a_bill(office, &code, &person, "ZY3", "2026-03-02");

        // Up to January one bill, up to February two; March is not over.
        let january = offered(office, &code, "2026-01").expect("something to claim");
        let february = offered(office, &code, "2026-02").expect("something to claim");
        assert!(january.1 > Fen::ZERO && february.1 > january.1);
        assert_eq!(offered(office, &code, "2026-03"), None);
        let claim = submits(office, &code, &february);
        assert_eq!(offered(office, &code, "2026-02"), None, "claimed already");
        assert!(submits(office, &code, &february).starts_with("/claims/new"), "pressed twice");
        let page = office.finds(&claim);
        assert!(page.contains("ZY1") && page.contains("ZY2") && !page.contains("ZY3"), "{page}");
        assert!(page.contains("县财政健康帮扶补助资金") && page.contains(&february.1.grouped()), "{page}");

        // A mistake: withdrawn, and claimed anew.
        let withdraw = format!("{claim}/withdraw");
        assert_eq!(office.post(&withdraw, &[("reason", "漏了一笔")]).status, StatusCode::SEE_OTHER);
        assert_eq!(office.get(&withdraw).status, StatusCode::NOT_FOUND);
        let claim = submits(office, &code, &offered(office, &code, "2026-02").expect("again"));
        assert_eq!(office.post(&format!("{claim}/reconcile"), &[]).status, StatusCode::NOT_FOUND, "the desk");
        desk(office, other);
        assert_eq!(office.get(&claim).status, StatusCode::NOT_FOUND, "another hospital's");

        // The county cuts a line, says why, reconciles, pays.
        let due = office.due(Role::HealthBureau, COUNTY);
        assert!(due.iter().any(|line| line.path == "/claims?state=submitted" && line.count == 1));
        office.signed_in(Role::HealthBureau, COUNTY, None);
        let line = format!("{claim}/lines/{}", statement.trim_start_matches("/bills/"));
        let cut = |amount: &str| office.post(&line, &[("amount", amount), ("reason", "不属七免范围")]);
        assert!(cut("9999.00").text.contains("核减须在"));
        assert_eq!(cut("10.00").status, StatusCode::SEE_OTHER);
        assert_eq!(cut("0").status, StatusCode::SEE_OTHER, "taken back");
        assert_eq!(cut("1.50").status, StatusCode::SEE_OTHER);
        let reconcile = format!("{claim}/reconcile");
        assert!(office.post(&reconcile, &[]).text.contains("有核减，请写明意见"));
        assert_eq!(office.post(&reconcile, &[("reason", "见核减")]).status, StatusCode::SEE_OTHER);
        let accepted = february.1 - Fen(150);
        let page = office.finds(&claim);
        assert!(page.contains(&accepted.grouped()) && page.contains("不属七免范围"), "{page}");
        assert_eq!(cut("1.00").status, StatusCode::NOT_FOUND, "reconciled already");
        let pay = format!("{claim}/pay");
        let early = office.post(&pay, &[("paid_on", "2026-03-04"), ("reference", "GK-1")]);
        assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY);
        let paid = office.post(&pay, &[("paid_on", "2026-03-05"), ("reference", "GK-1")]);
        assert_eq!(paid.status, StatusCode::SEE_OTHER);
        assert!(office.finds("/claims?state=paid").contains(&accepted.grouped()));
        assert_eq!(&office.get(&format!("{claim}/export")).bytes[..2], b"PK");
        let figures = office.figures(COUNTY, "2026-03-05");
        let of = |word: &str| figures.iter().find(|(name, _)| *name == word).expect("a figure").1;
        assert_eq!(of("settlement.figure.claimed"), FigureValue::Amount(february.1));
        assert_eq!(of("settlement.figure.claims_paid"), FigureValue::Amount(accepted));

        // A bill that was claimed is cancelled: the next claim takes the difference back.
        desk(office, id);
        assert_eq!(
            office.post(&format!("{statement}/cancel"), &[("reason", "收错")]).status,
            StatusCode::SEE_OTHER
        );
        let back = offered(office, &code, "2026-02").expect("a difference");
        assert!(back.1.is_negative(), "{back:?}");
        let minus = submits(office, &code, &back);
        assert!(office.in_english().finds(&minus).contains("Claim for waivers"));
        office.in_chinese();
        office.nothing_differs_after_rebuilding();
    });
}
