//! One page with every part of the kit, to look at: `cargo run -p kangmai-web --example gallery -- 8099`.
//! Names are invented (示例).
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program to look at, not to rely on")]

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;
use kangmai_base::{Day, Fen, SystemClock, SystemIds};
use kangmai_web::{
    BarChart, Choice, Failure, Field, Figure, Form, FormBody, LineChart, ListQuery, ListSpec, Manners,
    NavigationItem, Notice, Page, Reader, ShareBar, Sparkline, Stat, Words, show, show_refused, with_manners,
    yuan_of,
};

pub(crate) const FIELDS: &[Field] = &[
    Field::text("name", "gallery.field.name").at_most(40),
    Field::id_number("id", "gallery.field.id"),
    Field::amount("total", "gallery.field.total"),
    Field::day("on", "gallery.field.on"),
    Field::select("level", "gallery.field.level"),
    Field::radios("kind", "gallery.field.kind"),
    Field::many("labels", "gallery.field.labels"),
    Field::area("note", "gallery.field.note").optional(),
    Field::file("sheet", "gallery.field.sheet").optional().accept(".xlsx,.csv"),
    Field::tick("sure", "gallery.field.sure"),
];

static LIST: ListSpec = ListSpec {
    filters: &[
        Field::text("q", "gallery.name"),
        Field::select("state", "gallery.deadline"),
        Field::day("from", "gallery.field.on"),
    ],
    sorts: &["due", "name", "own"],
    descending: false,
};

struct Row {
    reason: String,
    name: &'static str,
    village: &'static str,
    own: Fen,
    due: Day,
}

#[derive(Template)]
#[template(path = "gallery.html")]
pub(crate) struct Gallery {
    page: Page,
    stats: Vec<Stat>,
    steps: Vec<String>,
    list: ListQuery,
    rows: Vec<Row>,
    form: Form,
    own: Fen,
    layers: Vec<(String, String, Fen)>,
    shares: ShareBar,
    pressure: LineChart,
    months: BarChart,
    towns: BarChart,
    spark: Sparkline,
    name: &'static str,
    today: Day,
    earlier: Day,
    earliest: Day,
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn stats(page: &Page) -> Vec<Stat> {
    let say = |key: &str| page.word(key).into_owned();
    vec![
        Stat::new("12", say("gallery.stat.red"))
            .unit(say("gallery.stat.households"))
            .opens("/gallery")
            .note("danger", say("gallery.stat.red.note"))
            .defined(say("gallery.stat.red.definition")),
        Stat::new("86.2%", say("gallery.stat.ratio"))
            .opens("/gallery")
            .defined(say("gallery.stat.ratio"))
            .ratio(say("gallery.stat.ratio.numerator"), say("gallery.stat.ratio.denominator")),
        Stat::new("48,213", say("gallery.stat.people")).opens("/gallery"),
        Stat::new("1,204.60", say("gallery.stat.own"))
            .unit(say("web.unit.yuan"))
            .note("good", say("gallery.stat.own.note")),
    ]
}

fn rows(page: &Page, today: Day) -> Vec<Row> {
    let pressure = if page.is_chinese() {
        "高血压 逾期12天 上次168/98"
    } else {
        "Hypertension: 12 days overdue, last 168/98"
    };
    let cost = if page.is_chinese() {
        "近12个月自付 23,410.00 元，超过监测线 8,800.00 元"
    } else {
        "Own cost of 12 months 23,410.00 yuan, above the line of 8,800.00"
    };
    let names = ["王秀英", "阿卜杜热合曼·麦麦提依明", "李国强", "次仁旺堆", "马桂花"];
    let villages = ["芦岗街道办事处大朱庄社区居民委员会", "古路村", "邵店镇十里铺村委会"];
    (0..10)
        .map(|index| Row {
            reason: if index % 3 == 1 { pressure.to_owned() } else { cost.to_owned() },
            name: names[index % names.len()],
            village: villages[index % villages.len()],
            own: Fen(2_341_000 - 187_331 * index as i64),
            due: today.plus_days(index as i32 * 2 - 5),
        })
        .collect()
}

fn charts(page: &Page) -> (LineChart, BarChart, BarChart) {
    let say = |key: &str| page.word(key).into_owned();
    let points = |values: [f64; 6]| {
        values
            .iter()
            .enumerate()
            .map(|(index, value)| (day("2026-01-05").plus_days(index as i32 * 13), *value))
            .collect()
    };
    let pressure = LineChart {
        title: say("gallery.pressure"),
        description: say("gallery.event.text"),
        figure: Figure::Measure(0),
        series: vec![
            (say("gallery.pressure.systolic"), points([172.0, 168.0, 151.0, 144.0, 138.0, 136.0])),
            (say("gallery.pressure.diastolic"), points([101.0, 98.0, 92.0, 90.0, 86.0, 84.0])),
        ],
        band: Some((90.0, 140.0, say("gallery.pressure.target"))),
        limit: None,
    };
    let label = |month: i32| if page.is_chinese() { format!("{month}月") } else { format!("{month}") };
    let months = BarChart {
        title: say("gallery.months"),
        description: say("gallery.months"),
        figure: Figure::Yuan,
        labels: (1..=12).map(label).collect(),
        series: vec![
            (
                say("gallery.layer.basic"),
                (0..12).map(|month| f64::from(3_000 + month * 731 % 4_100)).collect(),
            ),
            (
                say("gallery.layer.assistance"),
                (0..12).map(|month| f64::from(900 + month * 317 % 1_300)).collect(),
            ),
            (
                say("gallery.own_share"),
                (0..12).map(|month| yuan_of(Fen(i64::from(40_000 + month * 9_131 % 70_000)))).collect(),
            ),
        ],
        stacked: true,
        lying: false,
        limit: Some((8_800.0, say("gallery.line"))),
    };
    let towns = BarChart {
        title: say("gallery.towns"),
        description: say("gallery.towns"),
        figure: Figure::Count,
        labels: ["芦岗", "蔡都", "黄埠", "杨集", "洙湖", "党店", "朱里", "华陂"].map(str::to_owned).to_vec(),
        series: vec![(say("gallery.stat.red"), vec![12.0, 7.0, 4.0, 9.0, 1.0, 0.0, 3.0, 6.0])],
        stacked: false,
        lying: true,
        limit: None,
    };
    (pressure, months, towns)
}

pub(crate) fn gallery(words: &Arc<Words>, headers: &HeaderMap, uri: &Uri, mut form: Form) -> Gallery {
    let mut page = Page::of_request(words, headers, uri)
        .titled("gallery.title")
        .under("河南省", "/")
        .under("驻马店市", "/")
        .under("上蔡县", "/");
    let speaker = page.clone();
    let say = |key: &str| speaker.word(key).into_owned();
    let today = day("2026-03-05");
    form.offer(
        "level",
        vec![
            Choice::new("county", say("gallery.choice.county")),
            Choice::new("township", say("gallery.choice.township")),
        ],
    );
    form.offer(
        "kind",
        vec![
            Choice::new("inpatient", say("gallery.choice.inpatient")),
            Choice::new("chronic", say("gallery.choice.chronic")).hint(say("gallery.choice.chronic.hint")),
        ],
    );
    form.offer(
        "labels",
        vec![
            Choice::new("lifted", say("gallery.label.lifted")),
            Choice::new("watched", say("gallery.label.watched")),
        ],
    );
    let mut list = ListQuery::read(&LIST, uri);
    list.offer("state", vec![Choice::new("late", say("gallery.stat.red.note"))]);
    list.found(1_234);
    let layer = |key: &str, amount| (say(key), say(&format!("{key}.formula")), amount);
    let layers = vec![
        layer("gallery.layer.basic", Fen(1_408_000)),
        layer("gallery.layer.major", Fen(0)),
        layer("gallery.layer.assistance", Fen(274_400)),
    ];
    let own = Fen(117_600);
    let mut parts: Vec<(String, Fen)> =
        layers.iter().map(|(name, _, amount)| (name.clone(), *amount)).collect();
    parts.push((say("gallery.own_share"), own));
    let shares = ShareBar { title: say("gallery.statement"), description: say("gallery.statement"), parts };
    let (pressure, months, towns) = charts(&page);
    let steps = ["clue", "home", "village", "township", "county"]
        .map(|step| say(&format!("gallery.step.{step}")))
        .to_vec();
    let (stats, rows) = (stats(&page), rows(&page, today));
    let items = ["gallery.title", "gallery.form", "gallery.statement", "gallery.charts", "gallery.timeline"];
    let navigation = items.iter().enumerate().map(|(index, key)| NavigationItem {
        path: "/gallery".to_owned(),
        word: say(key),
        current: index == 0,
    });
    let (todo, button) = (say("gallery.todo"), say("gallery.todo.button"));
    page.navigation = navigation.collect();
    page.reader = Some(Reader {
        name: "赵敏（示例）".to_owned(),
        role: if page.is_chinese() { "上蔡县卫健委" } else { "County health bureau" }.to_owned(),
    });
    page.unit = "上蔡县卫生健康委员会".to_owned();
    page.as_of = "2026-03-04 24:00".to_owned();
    page.csrf = "example".to_owned();
    if uri.query().is_some_and(|query| query.contains("notice")) {
        page.notice = Some(Notice {
            tone: "good".to_owned(),
            text: say("gallery.event.text"),
            undo: Some("/gallery".to_owned()),
        });
    }
    let page = page.to_do(todo, Some((button, "/gallery".to_owned())));
    Gallery {
        page,
        stats,
        steps,
        list,
        rows,
        form,
        own,
        layers,
        shares,
        pressure,
        months,
        towns,
        spark: Sparkline {
            values: vec![172.0, 168.0, 151.0, 144.0, 138.0, 136.0],
            band: Some((90.0, 140.0)),
            said: "168/98".to_owned(),
        },
        name: "阿卜杜热合曼·麦麦提依明",
        today,
        earlier: day("2026-02-11"),
        earliest: day("2026-01-05"),
    }
}

async fn look(State(words): State<Arc<Words>>, headers: HeaderMap, uri: Uri) -> Result<Response, Failure> {
    show(&gallery(&words, &headers, &uri, Form::blank(FIELDS)))
}

async fn send(
    State(words): State<Arc<Words>>,
    headers: HeaderMap,
    uri: Uri,
    body: FormBody,
) -> Result<Response, Failure> {
    let mut form = body.form(FIELDS);
    form.text("name");
    form.id_number("id");
    form.amount("total");
    form.day("on");
    form.parsed::<String>("level");
    show_refused(&gallery(&words, &headers, &uri, form))
}

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8099".to_owned());
    let words = Arc::new(Words::load(&[kangmai_web::WORDS, include_str!("gallery_words.toml")]).unwrap());
    let router = Router::new()
        .route("/gallery", get(look).post(send))
        .with_state(Arc::clone(&words))
        .merge(kangmai_web::routes());
    let manners = Manners {
        words,
        ids: Arc::new(SystemIds),
        clock: Arc::new(SystemClock),
        secure: false,
        observe: None,
    };
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    println!("http://{}/gallery", listener.local_addr().unwrap());
    axum::serve(listener, with_manners(router, manners)).await.unwrap();
}
