//! The whole page of README.md: handler, template, words; in both languages, with what is right and what is wrong.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use kangmai_base::{Clock, Day, Fen, FixedClock};
use kangmai_web::{
    Choice, Failure, Field, Flash, Form, FormBody, ListQuery, ListSpec, Page, Words, csrf, show, show_refused,
};
use tower::ServiceExt;

const FIELDS: &[Field] = &[
    Field::text("patient", "example.bill.patient").at_most(40),
    Field::id_number("id_number", "example.bill.id_number"),
    Field::amount("total", "example.bill.total"),
    Field::day("discharged_on", "example.bill.discharged_on"),
    Field::radios("identity", "example.bill.identity").optional(),
];

static EARLIER: ListSpec = ListSpec {
    filters: &[Field::day("from", "example.bill.discharged_on")],
    sorts: &["discharged", "total"],
    descending: true,
};

struct Row {
    discharged_on: Day,
    due: Day,
    total: Fen,
}

#[derive(Template)]
#[template(path = "bill.html")]
struct BillPage<'a> {
    page: Page,
    form: &'a Form,
    list: ListQuery,
    rows: Vec<Row>,
    today: Day,
    line: Fen,
}

struct Desk {
    words: Arc<Words>,
    clock: FixedClock,
}

fn page_of<'a>(desk: &Desk, headers: &HeaderMap, uri: &Uri, form: &'a mut Form) -> BillPage<'a> {
    form.offer("identity", vec![Choice::new("dibao", "低保"), Choice::new("tekun", "特困")]);
    let mut list = ListQuery::read(&EARLIER, uri);
    let today = desk.clock.today();
    let rows: Vec<Row> = (0..3)
        .map(|index| Row {
            discharged_on: today.plus_days(-9 * index),
            due: today.plus_days(3 - 9 * index),
            total: Fen(1_234_567),
        })
        .filter(|row| list.parsed::<Day>("from").is_none_or(|from| row.discharged_on >= from))
        .collect();
    list.found(rows.len() as u64);
    let page =
        Page::of_request(&desk.words, headers, uri).titled("example.bill").under("上蔡县", "/places/411722");
    BillPage { page, form, list, rows, today, line: Fen::yuan(8_800) }
}

async fn bill(State(desk): State<Arc<Desk>>, headers: HeaderMap, uri: Uri) -> Result<Response, Failure> {
    show(&page_of(&desk, &headers, &uri, &mut Form::blank(FIELDS)))
}

async fn enter(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    form.offer("identity", vec![Choice::new("dibao", "低保"), Choice::new("tekun", "特困")]);
    let (patient, total) = (form.text("patient"), form.amount("total"));
    let (number, day, identity) =
        (form.id_number("id_number"), form.day("discharged_on"), form.choice("identity"));
    let (Some(patient), Some(total), Some(_), Some(_), false) =
        (patient, total, number, day, form.is_refused())
    else {
        return show_refused(&page_of(&desk, &headers, &uri, &mut form));
    };
    assert!(identity.is_none_or(|identity| identity == "dibao"));
    let page = Page::of_request(&desk.words, &headers, &uri);
    let text = page.say2("example.bill.entered", "patient", patient, "total", page.yuan(total));
    Ok(Flash::good(text).then_go_to("/bill"))
}

fn app() -> (Router, Arc<Words>) {
    let words =
        Arc::new(Words::load(&[kangmai_web::WORDS, include_str!("../examples/bill_words.toml")]).unwrap());
    let desk = Desk { words: Arc::clone(&words), clock: FixedClock::on("2026-03-05".parse().unwrap()) };
    let router = Router::new()
        .route("/bill", get(bill).post(enter))
        .layer(Extension(csrf::ExpectedToken("token-of-the-session".to_owned())))
        .with_state(Arc::new(desk));
    (router, words)
}

async fn ask(request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let (router, words) = app();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    assert_eq!(words.missing(), Vec::<String>::new());
    (parts.status, parts.headers, text)
}

fn post(body: &str) -> Request<Body> {
    Request::post("/bill")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn holds(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[tokio::test]
async fn shows_in_both_languages() {
    let request = |cookie: &str| Request::get("/bill").header(COOKIE, cookie).body(Body::empty()).unwrap();
    let (status, _, text) = ask(request("")).await;
    assert_eq!(status, StatusCode::OK);
    holds(
        &text,
        &[
            "<html lang=\"zh-CN\" class=\"\">",
            "<h1>登记住院费用</h1>",
            "先看清每一层再确认",
            "还有3天",
            "逾期6天",
            "12,345.67",
            "今年防贫监测线 8,800.00 元",
            "共 3 条",
            "<a href=\"/places/411722\">上蔡县</a>",
            "inputmode=\"decimal\"",
            "填报单位（盖章）",
        ],
    );
    let (_, _, text) = ask(request("kangmai_language=en; kangmai_elder=2")).await;
    holds(
        &text,
        &["<html lang=\"en\" class=\"elder elder-2\">", "Enter a hospital bill", "3 days left", "3 rows"],
    );
    let (_, _, text) = ask(Request::get("/bill?from=2026-04-01").body(Body::empty()).unwrap()).await;
    holds(&text, &["还没有费用", "在上面登记第一笔", "value=\"2026-04-01\"", "清除筛选"]);
}

#[tokio::test]
async fn keeps_what_was_typed_and_says_what_is_wrong() {
    let body = "csrf=token-of-the-session&patient=%3Cb%3E%E7%8E%8B&id_number=110105194912310021&total=12.345\
                &discharged_on=%E6%98%A8%E5%A4%A9&identity=dibao";
    let (status, _, text) = ask(post(body)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    holds(
        &text,
        &[
            "role=\"alert\"",
            "<a href=\"#field-total\">总费用应是金额，单位元，最多两位小数，例如 1234.56</a>",
            "value=\"12.345\"",
            "value=\"&#60;b&#62;王\"",
            "最后一位应是 X",
            "name=\"id_number.official\"",
            "type=\"text\" value=\"昨天\"",
            "value=\"dibao\" checked",
            "aria-describedby=\"field-id_number-hint field-id_number-error\" aria-invalid=\"true\"",
        ],
    );
}

#[tokio::test]
async fn goes_on_when_all_is_right() {
    let body = "csrf=token-of-the-session&patient=%E7%8E%8B&id_number=11010519491231002X&total=1,234.5&discharged_on=2026-03-01";
    let (status, headers, _) = ask(post(body)).await;
    assert_eq!((status, headers[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/bill"));
    let cookie = headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let (_, _, text) = ask(Request::get("/bill").header(COOKIE, cookie).body(Body::empty()).unwrap()).await;
    holds(&text, &["notice-good", "已登记 王 的费用 1,234.50 元。"]);
}

#[tokio::test]
async fn refuses_forms_from_elsewhere() {
    let right = "csrf=token-of-the-session&patient=x";
    for (body, site, status) in [
        (right, "cross-site", StatusCode::UNPROCESSABLE_ENTITY),
        ("csrf=other&patient=x", "same-origin", StatusCode::UNPROCESSABLE_ENTITY),
        ("patient=x", "same-origin", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let mut request = post(body);
        request.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        let (found, _, text) = ask(request).await;
        assert_eq!((found, text.as_str()), (status, ""), "{body} {site}");
    }
    let mut request = post(right);
    request.headers_mut().insert("content-type", "text/plain".parse().unwrap());
    assert_eq!(ask(request).await.0, StatusCode::BAD_REQUEST);
}
