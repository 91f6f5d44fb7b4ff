//! Counts of answers, for Prometheus. Nothing personal: methods, routes by template, classes of status.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use kangmai_web::Answered;

use crate::serving::Traffic;

/// Upper bounds of the buckets, in microseconds, with their label in seconds.
const BUCKETS: [(i64, &str); 8] = [
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (30_000, "0.03"),
    (100_000, "0.1"),
    (300_000, "0.3"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// What was answered since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    routes: Mutex<BTreeMap<(String, String, u16), Answers>>,
    traffic: Arc<Traffic>,
}

#[derive(Debug, Default, Clone)]
struct Answers {
    count: u64,
    microseconds: i64,
    buckets: [u64; BUCKETS.len()],
}

impl Metrics {
    /// With nothing answered yet.
    pub(crate) fn new(traffic: Arc<Traffic>) -> Metrics {
        Metrics { routes: Mutex::default(), traffic }
    }

    /// Counts an answer.
    pub(crate) fn count(&self, answered: &Answered) {
        let key = (answered.method.to_string(), answered.route.clone(), answered.status.as_u16() / 100 * 100);
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = routes.entry(key).or_default();
        answers.count += 1;
        answers.microseconds += answered.microseconds;
        for ((bound, _), count) in BUCKETS.iter().zip(&mut answers.buckets) {
            if answered.microseconds <= *bound {
                *count += 1;
            }
        }
    }

    /// In the text form of Prometheus.
    pub(crate) fn text(&self) -> String {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut out = String::from(
            "# HELP kangmai_request_seconds Time from a request's head to the answer's head.\n\
             # TYPE kangmai_request_seconds histogram\n",
        );
        for ((method, route, class), answers) in &routes {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{class}\"");
            // Writing to a String cannot fail.
            for ((_, bound), count) in BUCKETS.iter().zip(&answers.buckets) {
                let _ = writeln!(out, "kangmai_request_seconds_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let (count, seconds) = (answers.count, answers.microseconds / 1_000_000);
            let rest = answers.microseconds % 1_000_000;
            let _ = writeln!(out, "kangmai_request_seconds_bucket{{{labels},le=\"+Inf\"}} {count}");
            let _ = writeln!(out, "kangmai_request_seconds_sum{{{labels}}} {seconds}.{rest:06}");
            let _ = writeln!(out, "kangmai_request_seconds_count{{{labels}}} {count}");
        }
        out.push_str(&self.traffic.text());
        out
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};

    use super::*;

    #[test]
    fn counts_by_route_and_class() {
        let metrics = Metrics::default();
        for (status, microseconds) in [(StatusCode::OK, 900), (StatusCode::OK, 40_000)] {
            metrics.count(&Answered {
                method: Method::GET,
                route: "/people/{id}".into(),
                status,
                microseconds,
            });
        }
        let text = metrics.text();
        for line in [
            "kangmai_request_seconds_bucket{method=\"GET\",route=\"/people/{id}\",status=\"200\",le=\"0.001\"} 1",
            "kangmai_request_seconds_bucket{method=\"GET\",route=\"/people/{id}\",status=\"200\",le=\"0.1\"} 2",
            "kangmai_request_seconds_sum{method=\"GET\",route=\"/people/{id}\",status=\"200\"} 0.040900",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
