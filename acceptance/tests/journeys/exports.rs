//! What leaves the program as a file leaves a line: who, what, how many rows.

use kangmai_acceptance::county::County;
use kangmai_access::Role;

#[test]
fn each_export_is_in_the_audit_trail_with_its_number_of_rows() {
    County::on_both(|county| {
        county.populate();
        let mut bureau = county.sign_in(Role::HealthBureau);
        for (list, export) in
            [("/warnings", "/warnings/export"), ("/plans", "/plans/export"), ("/bills", "/bills.xlsx")]
        {
            bureau.open(list);
            let title = bureau.page().text(bureau.page().all("h1")[0]);
            let shown = bureau.shown();
            let total = shown.split("共 ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a total");
            let total: String = total.chars().filter(char::is_ascii_digit).collect();
            bureau.open(export);
            let mut auditor = county.sign_in(Role::Auditor);
            auditor.open("/audit").sees("示例 health_bureau").sees(&format!("{title} {total}"));
        }
    });
}
