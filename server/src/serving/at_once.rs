//! How many requests may be under way: beyond that the next is told to come again, before it costs anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kangmai_web::{Failure, Pace, Sender};

use super::{Refused, RequestsAtOnce, ServingLimits, Traffic};

/// When to come again: by then a request of usual length has made room.
pub(super) const COME_AGAIN_SECONDS: i64 = 3;
/// What whoever watches over the server asks; it answers also when nothing else does.
const WATCHED: [&str; 2] = ["/health", "/metrics"];

/// The requests that are under way.
#[derive(Debug)]
pub(crate) struct AtOnce {
    limits: RequestsAtOnce,
    pace: Pace,
    traffic: Arc<Traffic>,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    all: usize,
    of_sender: HashMap<IpAddr, usize>,
}

/// A request that is under way, until it is dropped.
struct Place<'a> {
    at_once: &'a AtOnce,
    sender: IpAddr,
}

impl AtOnce {
    pub(crate) fn new(limits: &ServingLimits, traffic: Arc<Traffic>) -> AtOnce {
        AtOnce { limits: limits.requests, pace: limits.pace, traffic, under_way: Mutex::default() }
    }

    fn enter(&self, sender: IpAddr) -> Result<Place<'_>, Refused> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if under_way.all >= self.limits.most {
            return Err(Refused::Requests);
        }
        let own = under_way.of_sender.entry(sender).or_default();
        if *own >= self.limits.most_of_sender {
            return Err(Refused::SenderRequests);
        }
        *own += 1;
        under_way.all += 1;
        self.traffic.request_begun();
        Ok(Place { at_once: self, sender })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut under_way = self.at_once.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.all -= 1;
        if let Some(own) = under_way.of_sender.get_mut(&self.sender) {
            *own -= 1;
            if *own == 0 {
                under_way.of_sender.remove(&self.sender);
            }
        }
        self.at_once.traffic.request_answered();
    }
}

/// A layer around all routes, inside the one that says where a request comes from.
pub(crate) async fn keep_limits(
    State(at_once): State<Arc<AtOnce>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if WATCHED.iter().any(|watched| path.strip_prefix(watched).is_some_and(is_end)) {
        return next.run(request).await;
    }
    let sender = request.extensions().get::<Sender>().map_or(IpAddr::from([0, 0, 0, 0]), |s| s.counted_as());
    match at_once.enter(sender) {
        Ok(_place) => at_once.pace.keep(request, next).await,
        Err(refused) => {
            at_once.traffic.note(refused);
            Failure::Busy(COME_AGAIN_SECONDS).into_response()
        }
    }
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_once_its_request_is_answered() {
        let mut limits = ServingLimits::usual();
        limits.requests = RequestsAtOnce { most: 3, most_of_sender: 2 };
        let at_once = AtOnce::new(&limits, Arc::default());
        let sender = |last| IpAddr::from([192, 0, 2, last]);
        let first = at_once.enter(sender(1)).ok().unwrap();
        let _second = at_once.enter(sender(1)).ok().unwrap();
        assert_eq!(at_once.enter(sender(1)).err(), Some(Refused::SenderRequests));
        let _third = at_once.enter(sender(2)).ok().unwrap();
        assert_eq!(at_once.enter(sender(2)).err(), Some(Refused::Requests));
        drop(first);
        assert!(at_once.enter(sender(2)).is_ok());
        assert_eq!(at_once.under_way.lock().unwrap().of_sender.len(), 2);
    }
}
