//! What every route leaves behind in the audit trail. A handler that knows more (whose record, how many rows) writes the line
//! itself; for one that did not, this does, before anybody sees the answer: so a page cannot forget.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use kangmai_access::{Actor, audit};
use kangmai_base::Uuid;
use kangmai_database::{DatabaseError, OnBehalf};

use crate::route::sender_of;
use crate::{App, Route};

/// One request, as far as the audit trail is concerned.
pub(crate) struct Telling {
    pub(crate) app: App,
    behalf: Arc<OnBehalf>,
    /// What the address names, if it names anything.
    subject: Option<Uuid>,
    is_read: bool,
    about_persons: bool,
}

impl Telling {
    pub(crate) fn begin(app: &App, route: &Route, request: &Request) -> Telling {
        let asked = format!("{} {}", route.method, route.path);
        let behalf = OnBehalf::new(sender_of(request).0.to_string(), asked);
        Telling {
            app: app.on_behalf(&behalf),
            behalf,
            subject: request.uri().path().split('/').find_map(|part| part.parse().ok()),
            is_read: route.method == Method::GET,
            about_persons: route.about_persons,
        }
    }

    /// For the database that the handler works with.
    pub(crate) fn behalf(&self) -> Arc<OnBehalf> {
        Arc::clone(&self.behalf)
    }

    /// Writes the line that the handler did not write, and hands the answer on.
    ///
    /// # Errors
    /// When the database fails: then nobody may see the answer.
    pub(crate) async fn finish(&self, actor: &Actor, answer: Response) -> Result<Response, DatabaseError> {
        if let Some((action, outcome)) = self.untold(&answer) {
            self.tell(actor, action, self.subject, outcome).await?;
        }
        Ok(answer)
    }

    /// Action and outcome, if there is something to write.
    fn untold(&self, answer: &Response) -> Option<(&'static str, &'static str)> {
        let status = answer.status();
        if self.behalf.was_told() {
            None
        } else if !self.is_read && status.is_redirection() {
            Some(("change", "done"))
        } else if !self.about_persons {
            None
        } else if status.is_success() {
            Some((self.action_of(answer), "done"))
        } else if status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN {
            Some((if self.is_read { "read" } else { "change" }, "refused"))
        } else {
            None
        }
    }

    /// What a good answer was: a page that is shown, an answer to a machine, or a file that is kept.
    fn action_of(&self, answer: &Response) -> &'static str {
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/html") {
            "read"
        } else if !kind.starts_with("application/json") {
            "export"
        } else if self.is_read {
            "read"
        } else {
            "change"
        }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn tell(
        &self,
        actor: &Actor,
        action: &'static str,
        subject: Option<Uuid>,
        outcome: &'static str,
    ) -> Result<(), DatabaseError> {
        let (id, now, actor) = (self.app.mint(), self.app.clock.now(), actor.clone());
        let place = actor.place;
        self.app
            .database
            .write(move |tx| audit(tx, id, now, &actor, action, subject, place, "", outcome))
            .await
    }
}
