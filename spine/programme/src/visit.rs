//! One request of somebody who is signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use kangmai_access::{Actor, Reach, SignedIn, Stage, reach};
use kangmai_base::Day;
use kangmai_database::OnBehalf;
use kangmai_places::Divisions;
use kangmai_web::{Crumb, Failure, NavigationItem, Page, Reader};

use crate::{App, Looking, Navigation};

/// Put into a request's extensions once access has let it through.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who it is.
    pub signed_in: SignedIn,
    /// How far the sign-in has come.
    pub stage: Stage,
    /// How far the route's purpose reaches.
    pub reach: Reach,
    /// The session's token, for ending it.
    pub token: String,
    /// The request, for the audit trail.
    pub behalf: Arc<OnBehalf>,
}

/// What a handler gets: who asks, how far the route's purpose reaches, and the frame of the page.
pub struct Visit {
    /// The program.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// How far.
    pub reach: Reach,
    /// The frame, with navigation, reader, place and token.
    pub page: Page,
    /// The present day.
    pub today: Day,
    /// The session's token, for ending it.
    pub token: String,
    /// How far the sign-in has come; of a page of any work it is complete.
    pub stage: Stage,
}

impl Visit {
    /// For sections of a person's or household's page.
    pub fn looking(&self) -> Looking {
        Looking {
            app: self.app.clone(),
            actor: self.actor.clone(),
            reach: self.reach.clone(),
            page: self.page.clone(),
            today: self.today,
        }
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Visit, Failure> {
        let admitted = parts.extensions.get::<Admitted>().cloned().ok_or(Failure::NotFound)?;
        let actor = admitted.signed_in.actor.clone();
        let mut page = Page::of_request(&app.words, &parts.headers, &parts.uri);
        page.csrf = admitted.signed_in.csrf;
        let role = format!("access.role.{}", actor.role.key());
        let name = match &actor.stands_in_for {
            Some(absent) => page.say2("access.stands_in", "name", &actor.name, "absent", absent),
            None => actor.name.clone(),
        };
        page.reader = Some(Reader { name, role: page.word(&role).into_owned() });
        if admitted.stage == Stage::Open {
            page.navigation = navigation(app, &actor, &page, parts.uri.path());
        }
        page.crumbs = crumbs(&actor);
        Ok(Visit {
            app: app.current().within(actor.place).on_behalf(&admitted.behalf),
            actor,
            reach: admitted.reach,
            page,
            today: app.today(),
            token: admitted.token,
            stage: admitted.stage,
        })
    }
}

/// The entries that `actor` has the purpose for; the one whose path is the longest beginning of `path` is current.
fn navigation(app: &App, actor: &Actor, page: &Page, path: &str) -> Arc<[NavigationItem]> {
    let mut entries: Vec<&Navigation> = app
        .programmes
        .iter()
        .flat_map(|programme| programme.navigation)
        .filter(|entry| reach(actor, entry.purpose).is_some())
        .collect();
    entries.sort_by_key(|entry| entry.order);
    let is_under = |entry: &str| entry == path || (entry != "/" && path.starts_with(&format!("{entry}/")));
    let current = entries
        .iter()
        .filter(|entry| is_under(entry.path))
        .map(|entry| entry.path)
        .max_by_key(|path| path.len());
    entries
        .iter()
        .map(|entry| NavigationItem {
            path: entry.path.to_owned(),
            word: page.word(entry.word).into_owned(),
            current: Some(entry.path) == current,
        })
        .collect()
}

/// Where the actor is: the path of divisions.
fn crumbs(actor: &Actor) -> Vec<Crumb> {
    let division = Divisions::shipped().get(actor.place);
    let path = division.map(kangmai_places::Division::path).unwrap_or_default();
    path.into_iter().map(|division| Crumb { word: division.short_name(), path: None }).collect()
}
