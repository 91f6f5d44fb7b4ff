//! Every part of the kit, rendered in both languages and in elder mode, with nothing missing.

use std::sync::Arc;

use askama::Template;
use axum::http::HeaderMap;
use kangmai_base::Refusal;
use kangmai_web::{Form, Words};

#[path = "../examples/gallery.rs"]
#[expect(dead_code, reason = "the page is rendered without its server")]
mod gallery;

#[test]
fn every_part_renders_in_both_languages() {
    let words = [kangmai_web::WORDS, include_str!("../examples/gallery_words.toml")];
    let words = Arc::new(Words::load(&words).unwrap());
    for (cookie, expected) in [
        ("kangmai_language=zh", ["<html lang=\"zh-CN\" class=\"\">", "共 1,234 条", "口径"]),
        ("kangmai_language=en", ["<html lang=\"en\" class=\"\">", "1,234 rows", "Definition"]),
        ("kangmai_language=zh; kangmai_elder=4", ["class=\"elder elder-4\"", "第 1/25 页", "字小些"]),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", cookie.parse().unwrap());
        let mut form = Form::blank(gallery::FIELDS);
        form.refuse(Refusal::new("web.form.missing").at("name"));
        form.refuse(Refusal::new("web.form.choose"));
        let uri = "/gallery?notice=1&q=%3Cscript%3E".parse().unwrap();
        let text = gallery::gallery(&words, &headers, &uri, form).render().unwrap();
        for part in expected {
            assert!(text.contains(part), "{cookie}: no {part}");
        }
        assert!(!text.contains('⟦') && !text.contains("<script>"), "{cookie}");
        assert_eq!(text.matches("<svg").count() - text.matches("</svg>").count(), 0);
        let ids: Vec<&str> = text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let mut once = ids.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ids.len(), "an id is there twice: {ids:?}");
        // A first page is at most 60 KB with style and script; most pages are a fifth of this one.
        assert!(text.len() < 60_000, "{}", text.len());
    }
    assert_eq!(words.missing(), Vec::<String>::new());
}
