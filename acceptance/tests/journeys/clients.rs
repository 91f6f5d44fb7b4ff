//! An administrator gives the system of a hospital a key, changes it and takes it away: over HTTP, on both databases.

use axum::http::StatusCode;
use kangmai_acceptance::county::{COUNTY, County, OTHER_COUNTY};
use kangmai_acceptance::visitor::Visitor;
use kangmai_access::Role;

/// What the interface answers to a key.
fn answers(county: &County, key: &str) -> StatusCode {
    let mut system = county.visitor();
    system.shows_key(Some(key)).open("/api/v1/settlement/requests/nothing");
    system.status()
}

/// The key that a page shows, if it shows one whole.
fn key_on(page: &Visitor) -> Option<String> {
    let shown = page.shown();
    let begin = shown.find("kmk_")?;
    let key: String =
        shown[begin..].chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect();
    (key.len() == "kmk_".len() + 64).then_some(key)
}

#[test]
fn a_key_is_shown_once_changed_without_a_break_and_taken_away() {
    County::on_both(|county| {
        // A hospital of the county, and one client that is there already.
        county.employ_client("first");
        let mut admin = county.sign_in(Role::Administrator);
        admin.finds("/clients").sees("first").fill("名称", "县医院 HIS");
        admin.press("新建").sees("请选择所属机构");
        assert_eq!((admin.status(), key_on(&admin)), (StatusCode::UNPROCESSABLE_ENTITY, None));
        admin.fill("所属机构", "示例医院 first (C-first)").fill("地区", OTHER_COUNTY);
        admin.press("新建").sees("不在您的管理范围内");
        admin.fill("地区", COUNTY).press("新建").sees("只在这里显示一次");
        let first = key_on(&admin).expect("a key");
        assert_eq!(answers(county, &first), StatusCode::OK);
        assert_eq!(answers(county, &first[..first.len() - 1]), StatusCode::UNAUTHORIZED);

        // It is shown nowhere again.
        admin.finds("/clients").follow("密钥 县医院 HIS").sees(&first[..10]);
        assert_eq!(key_on(&admin), None);
        county.clock.advance(1);
        admin.press("更换密钥").sees("只在这里显示一次");
        let second = key_on(&admin).expect("another key");
        assert_ne!(second, first);
        assert_eq!((answers(county, &first), answers(county, &second)), (StatusCode::OK, StatusCode::OK));
        let page = admin.path().to_owned();
        admin.press("停用").sees("客户端已停用");
        for key in [&first, &second] {
            assert_eq!(answers(county, key), StatusCode::UNAUTHORIZED);
        }
        admin.finds(&page).does_not_see("更换密钥");

        // Another county's administrator and everybody else find none of it.
        county
            .sign_in_as("other_administrator")
            .does_not_find(&page)
            .finds("/clients")
            .does_not_see("县医院 HIS");
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Administrator) {
            county.sign_in(role).does_not_find("/clients");
        }
        county
            .sign_in(Role::Auditor)
            .finds("/audit")
            .sees("新建接口客户端")
            .sees("更换接口密钥")
            .sees("停用接口客户端");
    });
}
