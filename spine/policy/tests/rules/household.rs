//! Accumulators that a household has together: lent to the member whose bill is settled, and given back.
#![expect(clippy::panic, reason = "a test says what it needs")]

use kangmai_base::{Day, DivisionCode, Fen};
use kangmai_policy::{
    BillFacts, Language, MutationChoice, MutationReport, Owner, PackError, Release, Setting, Settler, Trace,
    YearAccumulators,
};

const LABELS: &str = "[[label]]\nid = \"marginal\"\nname = { zh = \"边缘易致贫户\", en = \"marginal\" }\n";
const PROVINCE: &str =
    "id = \"p\"\nname = { zh = \"某省\", en = \"p\" }\ndivision = \"41\"\ninherits = \"none\"\n";
const CITY: &str =
    "id = \"q\"\nname = { zh = \"某市\", en = \"q\" }\ndivision = \"4101\"\ninherits = \"none\"\n";

/// A cap of a person, and after it a deductible and a cap that the household has together.
const BASIC: &str = include_str!("household/10-basic.toml");
const AID: &str = include_str!("household/20-aid.toml");
const CASES: &str = include_str!("household/cases.toml");

fn files() -> Vec<(String, String)> {
    [
        ("cn/labels.toml", LABELS),
        ("cn/p/pack.toml", PROVINCE),
        ("cn/p/benefits/10-basic.toml", BASIC),
        ("cn/p/benefits/20-aid.toml", AID),
        ("cn/p/cases/household.toml", CASES),
    ]
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .to_vec()
}

fn load(change: impl Fn(&str) -> String) -> Result<Release, Vec<PackError>> {
    Release::load(files().into_iter().map(|(path, text)| (path, change(&text))).collect::<Vec<_>>())
}

fn release() -> Release {
    match load(str::to_owned) {
        Ok(release) => release,
        Err(errors) => panic!("{}", errors[0].render(Language::En)),
    }
}

#[test]
fn a_household_is_told_from_its_members() {
    let release = release();
    assert!(release.has_shared() && release.is_shared("aid_paid") && !release.is_shared("basic_paid"));
    let policy = release.jurisdictions()[0].to_read();
    assert!(policy.has_shared());
    assert_eq!(policy.layers()[1].benefit.base.owner, Owner::Household);
    let shared: Vec<(&str, bool)> =
        policy.accumulators().iter().map(|one| (one.name.as_str(), one.of_household)).collect();
    assert_eq!(
        shared,
        [("basic_paid", false), ("basic_stays", false), ("aid_paid", true), ("aid_deductible", true)]
    );
    let alone = load(|text| text.replace("owner = \"household\"", "owner = \"person\"")).expect("loads");
    assert!(!alone.has_shared() && !alone.jurisdictions()[0].to_read().has_shared());
}

#[test]
fn members_share_the_household_s_deductible_and_cap_and_nothing_else() {
    let release = release();
    let policy = release.jurisdictions()[0].to_read();
    let facts = BillFacts::inpatient(Fen::yuan(1_000), Day(20_000), DivisionCode::COUNTRY);
    assert_eq!(facts.setting, Setting::Inpatient);
    let mut settler = Settler::new(policy);
    let mut household = YearAccumulators::NONE;
    let mut members = [YearAccumulators::NONE; 2];
    let mut paid = Vec::new();
    for member in [0, 1, 0, 1] {
        let mut trace = Trace::new(&facts);
        let year = &mut members[member];
        policy.lend(&household, year);
        settler.settle_into(&facts, year, &mut trace);
        policy.give_back(year, &mut household);
        paid.push([trace.steps()[0].pays, trace.steps()[1].pays].map(|pays| pays.0 / 100));
    }
    // Basic: half, each person 700. Aid: half of the rest above 300 of the household, the household 500.
    assert_eq!(paid, [[500, 100], [500, 250], [200, 150], [200, 0]]);
    for year in members {
        let used: Vec<i64> = policy.year_entries(&year).map(|(_, value)| value.0).collect();
        assert_eq!(used, [70_000, 2, 0, 0], "nothing of the household's stays with a member");
    }
    let used: Vec<i64> = policy.year_entries(&household).map(|(_, value)| value.0).collect();
    assert_eq!(used, [0, 0, 50_000, 30_000]);
}

#[test]
fn cases_prove_whose_year_it_is() {
    let release = release();
    let report = release.run_cases();
    assert_eq!((report.passed, report.failures.as_slice()), (2, &[][..]));
    let owner = |release: &Release| {
        release.lint().iter().filter(|point| point.code.key() == "policy.lint.owner").count()
    };
    assert_eq!(owner(&release), 0);
    let mutated = release.mutate(&MutationChoice::default());
    let owners = |mutated: &MutationReport| {
        let said: Vec<String> = mutated.alive.iter().map(|mutant| mutant.render(Language::En)).collect();
        let is_owner = |text: &&String| {
            ["person", "household"].iter().any(|owner| text.contains(&format!("with \"{owner}\" here")))
        };
        said.iter().filter(is_owner).count()
    };
    assert_eq!(owners(&mutated), 0, "each change of an owner makes a case fail");

    // Without a second member the change goes unnoticed, and the lint says so at the word.
    let mut without = files();
    without.retain(|(path, _)| !path.ends_with("cases/household.toml"));
    let without = Release::load(without).expect("loads");
    assert_eq!(owner(&without), 2);
    let mutated = without.mutate(&MutationChoice::default());
    assert_eq!(owners(&mutated), 2);
    // The cases that are printed for them, pasted beside their benefits, prove it as well.
    let mut pasted = files();
    pasted.retain(|(path, _)| !path.ends_with("cases/household.toml"));
    for mutant in mutated.alive.into_iter().filter(|mutant| mutant.name.contains("owner")) {
        if let Some(case) = mutant.case {
            assert!(case.contains("other_member = true"), "{case}");
            let (_, text) = pasted.iter_mut().find(|(path, _)| *path == mutant.error.path).expect("its file");
            *text = format!("{text}\n{case}\n");
        }
    }
    let pasted = Release::load(pasted).expect("loads");
    assert_eq!((pasted.run_cases().failures, owner(&pasted)), (Vec::new(), 0));
    assert_eq!(owners(&pasted.mutate(&MutationChoice::default())), 0);
}

#[test]
fn a_name_is_a_person_s_everywhere_or_a_household_s_everywhere() {
    let mut all = files();
    all.push(("cn/p/q/pack.toml".to_owned(), CITY.to_owned()));
    let of_person = AID.replace("owner = \"household\"", "owner = \"person\"");
    all.push(("cn/p/q/benefits/20-aid.toml".to_owned(), of_person.replace("after   = [\"basic\"]\n", "")));
    let errors = Release::load(all.clone()).map(|_| ()).expect_err("mixed");
    let keys: Vec<&str> = errors.iter().map(|error| error.code.key()).collect();
    assert_eq!(keys, ["policy.error.mixed_owner"; 2], "{}", errors[0].render(Language::En));
    for language in [Language::Zh, Language::En] {
        assert!(errors[0].render(language).contains("cn/p/benefits/20-aid.toml"));
    }
    let (_, text) = all.last_mut().expect("the city's");
    *text = text.replace("aid_", "city_aid_");
    assert!(Release::load(all).is_ok(), "another name");

    let errors =
        load(|text| text.replace("owner = \"household\"", "owner = \"village\"")).expect_err("whose?");
    assert_eq!(errors[0].code.key(), "policy.error.not_in_list");
}
