//! What a clerk reads of the law: its figures on a day, its versions side by side, and its worked examples.

use kangmai_acceptance::county::County;
use kangmai_access::Role;

#[test]
fn the_figures_of_a_day_stand_in_a_table() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    clerk.open("/policies?pack=cn/henan&on=2019-06-01");
    let rows = clerk.table("城乡居民基本医疗保险");
    let township = rows.iter().find(|row| row["适用于"].starts_with("乡镇卫生院")).expect("a township row");
    assert_eq!(township["起付线"], "200.00 元（每次）");
    assert_eq!(township["支付比例或减免"], "800.00 元以内支付 70% 800.00 元以上支付 90%");
    assert_eq!(township["年度限额"], "150,000.00 元");
    clerk
        .sees("14周岁及以下")
        .sees("起付线乘以 50%")
        .sees("年龄不超过14岁")
        .sees("住院次数")
        .does_not_see("basic_paid");
    // Before the first version there is nothing to read figures of.
    clerk.open("/policies?pack=cn/henan&on=2001-01-01").does_not_see("起付线乘以");
    clerk.in_english().open("/policies?pack=cn/henan&on=2019-06-01");
    clerk.sees("age at most 14").sees("the deductible times 50%");
    assert_eq!(county.app.words.missing(), Vec::<String>::new());
}

#[test]
fn versions_stand_side_by_side_and_what_changed_is_marked() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    clerk.open("/policies/benefit?pack=cn/henan&benefit=basic");
    let benefit =
        county.app.policies.jurisdiction("cn/henan").expect("a pack").to_read().layers()[0].benefit.clone();
    assert_eq!(benefit.id, "basic");
    let rows = clerk.table("历年版本对照");
    // One column for each version, and one for what they are about.
    assert!(rows.iter().all(|row| row.len() == benefit.versions.len() + 1), "{rows:?}");
    assert!(!rows.iter().any(|row| row.values().any(|cell| cell.ends_with("有变"))), "{rows:?}");
    // The share of 大病保险 came to be another.
    clerk.open("/policies/benefit?pack=cn/henan&benefit=major");
    let rows = clerk.table("历年版本对照");
    let is_marked =
        |row: &std::collections::BTreeMap<String, String>| row.values().any(|cell| cell.ends_with("有变"));
    assert!(rows.iter().any(is_marked) && !rows.iter().all(is_marked), "{rows:?}");
    clerk.does_not_find("/policies/benefit?pack=cn/henan&benefit=none");
    clerk.does_not_find("/policies/benefit?pack=cn/nowhere&benefit=basic");
}

#[test]
fn worked_examples_are_worked_out_before_the_reader_s_eyes() {
    let county = County::on_sqlite();
    let mut clerk = county.sign_in(Role::InsuranceClerk);
    let expected = county.app.policies.run_cases();
    assert_eq!(expected.failures, []);
    let (mut shown, mut bills) = (0, 0);
    for one in county.app.policies.jurisdictions() {
        clerk.open(&format!("/policies/cases?pack={}", one.pack.directory));
        clerk.does_not_see(" 1 个不符");
        let rows = clerk.table("验算案例");
        shown += rows.len();
        let points = rows.iter().filter_map(|row| row.get("账单数")?.parse::<usize>().ok());
        bills += points.sum::<usize>();
    }
    assert!(shown > 100 && bills > 3 * shown, "{shown} cases of {bills} bills");
    // The rest are cases of tables, which are not of one pack's benefits.
    assert!(bills < expected.passed, "{bills} of {}", expected.passed);
}
