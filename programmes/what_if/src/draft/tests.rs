use super::*;

use kangmai_base::Moment;
use kangmai_policy::Sure;

fn shipped() -> Arc<Release> {
    let packs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    Arc::new(Release::load(Release::read_directory(&packs).expect("packs")).expect("right packs"))
}

fn today(release: &Arc<Release>) -> Today {
    Today { shipped: Arc::clone(release), in_force: Arc::clone(release), newest: 0 }
}

fn county() -> DivisionCode {
    "411722000000".parse().expect("a code")
}

fn draft(files: Vec<DraftFile>) -> Draft {
    Draft {
        id: Uuid::nil(),
        place: county(),
        title: String::new(),
        made_from: 0,
        state: DraftState::Open,
        author_name: String::new(),
        changed_at: Moment(0),
        revision: 1,
        judged: None,
        judging: None,
        run: None,
        publication: None,
        files,
        accepted: Vec::new(),
        steps: Vec::new(),
    }
}

fn notice() -> Citation {
    Citation { doc: "通知".into(), article: None, quote: None, sure: Sure::High }
}

/// The files of a change of Henan's major-disease insurance by a county.
fn changed(release: &Release, change: &str) -> Vec<DraftFile> {
    let files = write_figure(release, (county(), "上蔡县"), ("major", change), &notice()).expect("written");
    let file = |(path, text): (String, String)| DraftFile {
        old: text_of(release, &path).cloned(),
        text: Some(text),
        clash: None,
        path,
    };
    files.into_iter().map(file).collect()
}

#[test]
fn a_county_changes_a_figure_of_the_province_in_a_pack_of_its_own() {
    let release = shipped();
    assert_eq!(own_directory(&release, county()), "cn/henan/411722");
    assert_eq!(own_directory(&release, "41".parse().expect("a code")), "cn/henan");
    assert_eq!(own_directory(&release, "4101".parse().expect("a code")), "cn/henan/zhengzhou");
    let draft = draft(changed(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01"));
    let today = today(&release);
    let review = draft.review(&today);
    assert_eq!(review.errors.len(), 0);
    let after = review.release.expect("it loads");
    let day = "2026-06-30".parse().expect("a day");
    let directory = |place: &str| {
        let one = after.jurisdiction_for(place.parse().expect("a code"), day);
        one.map(|one| one.pack.directory.clone()).expect("a pack")
    };
    assert_eq!(directory("411722000000"), "cn/henan/411722");
    assert_eq!(directory("411723000000"), "cn/henan", "the neighbour keeps the province's");
    // The cases of the days after come out otherwise; the mutants were not judged.
    assert!(review.cases.iter().all(|case| case.path.starts_with("cn/henan/411722/")));
    assert_eq!(review.blockers, [Blocker::Cases(review.cases.len()), Blocker::NotJudged]);
    assert!(!review.missing.is_empty());
}

#[test]
fn each_thing_that_stands_in_the_way_is_named() {
    let release = shipped();
    let today = today(&release);
    let blockers = |draft: &Draft| draft.review(&today).blockers;
    assert_eq!(blockers(&draft(Vec::new())), [Blocker::Empty, Blocker::NotJudged]);
    let file = |path: &str, text: &str| DraftFile {
        path: path.into(),
        old: text_of(&release, path).cloned(),
        text: Some(text.into()),
        clash: None,
    };
    let province = text_of(&release, "cn/henan/pack.toml").expect("it");
    let foreign = draft(vec![file("cn/henan/pack.toml", &format!("{province}\n# a remark\n"))]);
    assert_eq!(blockers(&foreign), [Blocker::NotYours("cn/henan/pack.toml".into()), Blocker::NotJudged]);
    // A pack that calls itself the county's but stands for the province is not the county's.
    let pack = "id = \"x\"\nname = { zh = \"x\", en = \"x\" }\ndivision = \"41\"\ninherits = \"all\"\n";
    let sly = draft(vec![file("cn/henan/411722/pack.toml", pack)]);
    assert_eq!(blockers(&sly), [Blocker::NotYours("cn/henan/411722/pack.toml".into()), Blocker::NotJudged]);
    let broken = draft(vec![file("cn/henan/411722/pack.toml", "id = ")]);
    assert!(matches!(blockers(&broken)[..], [Blocker::Errors(1..)]));
    let own = pack.replace("\"41\"", "\"411722\"");
    let mut good = draft(vec![file("cn/henan/411722/pack.toml", &own)]);
    assert_eq!(blockers(&good), [Blocker::NotJudged]);
    let review = good.review(&today);
    let after = review.release.expect("it loads");
    good.judged = judge(&after, &good.files, &review.proof, &|_, _| true);
    assert_eq!(blockers(&good), []);
    let alive = Alive {
        name: "a".into(),
        path: String::new(),
        zh: String::new(),
        en: String::new(),
        said: Bilingual::default(),
        case: None,
    };
    good.judged.as_mut().expect("judged").alive.push(alive);
    assert_eq!(blockers(&good), [Blocker::Alive(1)]);
    good.accepted.push(AcceptedMutant { mutant: "a".into(), reason: "r".into(), name: "n".into() });
    assert_eq!(blockers(&good), []);
    good.made_from = 3;
    good.files[0].clash = Some(String::new());
    assert_eq!(blockers(&good), [Blocker::Outdated, Blocker::Clash("cn/henan/411722/pack.toml".into())]);
}

#[test]
fn who_wrote_on_it_is_known() {
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut draft = draft(Vec::new());
    let step = |account: Uuid, act: &str| Step {
        at: Moment(0),
        account,
        name: String::new(),
        act: act.into(),
        reason: String::new(),
    };
    draft.steps = vec![step(one, "figure"), step(other, "rejected")];
    assert!(draft.is_of(one) && !draft.is_of(other));
    // Who hands in what another has written vouches for it.
    draft.steps.push(step(other, "submitted"));
    assert!(draft.is_of(other));
}

#[test]
fn what_was_judged_holds_when_a_case_is_checked_and_not_when_one_says_something_else() {
    let release = shipped();
    let today = today(&release);
    let files = changed(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01");
    let proof = |edit: &dyn Fn(&str) -> String| {
        let mut files = files.clone();
        for file in files.iter_mut().filter(|file| file.path.contains("/cases/")) {
            file.text = file.text.as_deref().map(edit);
        }
        draft(files).proof(&today)
    };
    let as_it_is = proof(&str::to_owned);
    assert_eq!(
        as_it_is,
        proof(&|text| format!("# a remark\n{}", text.replace("name   = \"", "name = \"待核对：")))
    );
    assert_ne!(as_it_is, proof(&|text| text.replacen("pays = \"", "pays = \"1", 1)));
}

#[test]
fn judging_says_how_far_it_is_and_is_given_up_when_it_says_nothing() {
    let release = shipped();
    let after = draft(changed(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01"));
    let after_release = after.review(&today(&release)).release.expect("it loads");
    let told = std::sync::Mutex::new(Vec::new());
    let counted = judge(&after_release, &after.files, "", &|done, all| {
        told.lock().expect("a list").push((done, all));
        true
    });
    assert!(counted.is_some());
    assert_eq!(judge(&after_release, &after.files, "", &|_, _| false), None, "nobody waits for it");
    let told = told.into_inner().expect("a list");
    assert!(told.len() > 100 && told.last().is_some_and(|(done, all)| done == all && *all == told.len()));
    let judging = Judging { at: Moment(0), done: 1, all: 2 };
    assert!(judging.is_under_way(Moment(0).plus_seconds(SILENT_FOR)));
    assert!(!judging.is_under_way(Moment(0).plus_seconds(SILENT_FOR + 1)));
}

#[test]
fn what_others_published_is_taken_in_or_waits_for_a_decision() {
    let release = shipped();
    let first = draft(changed(&release, "major [参保居民] tiers[1].ratio = 65% from 2026-01-01"));
    let published = Release::load(first.laid_over(&today(&release))).expect("it loads");
    let after = Today { shipped: Arc::clone(&release), in_force: Arc::new(published), newest: 1 };
    // Begun before that, with another benefit: packs differ in one line that both wrote.
    let same = draft(first.files.clone());
    let rebased = same.rebased(&after);
    assert!(
        rebased.iter().all(|file| file.clash.is_none() && file.text == file.old),
        "the same change is there already"
    );
    let other = draft(changed(&release, "major [参保居民] tiers[1].ratio = 66% from 2026-01-01"));
    let clash: Vec<String> =
        other.rebased(&after).into_iter().filter(|file| file.clash.is_some()).map(|file| file.path).collect();
    assert_eq!(clash, ["cn/henan/411722/benefits/20-major.toml"]);
    let untouched = draft(first.files).rebased(&today(&release));
    assert!(untouched.iter().all(|file| file.clash.is_none()));
}

#[test]
fn a_state_is_read_as_it_is_written() {
    for state in DraftState::ALL {
        assert_eq!(DraftState::of_key(state.key()), Some(state));
        assert_eq!(state.is_written_on(), matches!(state, DraftState::Open | DraftState::Rejected));
    }
    assert_eq!(DraftState::of_key("nothing"), None);
}
