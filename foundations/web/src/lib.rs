//! Page shell, form kit, lists, charts, words, cookies, CSRF, manners of HTTP, and the style sheet.
//!
//! A page is a handler, an askama template that extends `shell.html`, and words; README.md has a whole one.
//!
//! *Invariant:* nothing here knows of health, of a database, of who may do what, or of any page in particular.

mod assets;
mod body;
mod chart;
pub mod cookies;
pub mod csrf;
mod failure;
mod field;
mod flash;
mod form;
mod html;
mod interface;
mod json_body;
mod list;
mod manners;
mod pace;
mod page;
mod parts;
mod preferences;
mod request_id;
mod sender;
mod upload;
mod words;

pub use assets::{Asset, ICON, SCRIPT, STYLE, fingerprint, gzip, takes_gzip};
pub use body::FormBody;
pub use chart::{BarChart, Figure, LineChart, ShareBar, Sparkline, yuan_of};
pub use failure::{Failure, download, go_to, show, show_refused, workbook};
pub use field::{Choice, Field, Kind};
pub use flash::Flash;
pub use form::Form;
pub use html::Html;
pub use interface::{ApiFailure, Problem, REQUEST_ID, say_in_json};
pub use json_body::{JsonFields, Problems, read_json};
pub use list::{ListQuery, ListSpec, Paging, Sort};
pub use manners::{Answered, Manners, Observer, with_manners};
pub use pace::Pace;
pub use page::{AsCount, AsDay, AsFen, Crumb, NavigationItem, Notice, Page, Reader, Todo, local_path};
pub use parts::Stat;
pub use preferences::Preferences;
pub use request_id::RequestId;
pub use sender::{NotANetwork, Sender, TrustedProxies, device_of};
pub use upload::{Upload, UploadRoom, UploadedFile};
pub use words::{Language, Words, WordsError, grouped};

/// This crate's own words, for [`Words::load`].
pub const WORDS: &str = include_str!("../words.toml");

/// The routes of this crate: `/assets/{file}` and `/preferences`.
pub fn routes<S: Clone + Send + Sync + 'static>() -> axum::Router<S> {
    axum::Router::new()
        .route("/assets/{file}", axum::routing::get(assets::serve))
        .route("/preferences", axum::routing::post(preferences::keep))
}
