//! How much the server takes at once, and how long anything may take.

use std::time::Duration;

use clap::{Args, value_parser};
use kangmai_web::{Pace, TrustedProxies};

use crate::serving::{ConnectionLimits, RequestsAtOnce, ServingLimits};

/// The longest time that can be set.
const MOST_SECONDS: u64 = 3_600;

/// Limits of serving. Every one has a value that suits a county; `docs/howto/limits.md` says when to change which.
#[derive(Debug, Clone, Args)]
pub struct LimitsConfig {
    /// Connections at once
    #[arg(long, env = "KANGMAI_CONNECTIONS", default_value_t = ConnectionLimits::MOST)]
    pub connections: usize,
    /// Connections at once from one address that is no trusted proxy
    #[arg(long, env = "KANGMAI_ADDRESS_CONNECTIONS", default_value_t = ConnectionLimits::MOST_OF_ADDRESS)]
    pub address_connections: usize,
    /// Requests under way at once; the next is told to come again
    #[arg(long, env = "KANGMAI_REQUESTS_AT_ONCE", default_value_t = RequestsAtOnce::USUAL.most)]
    pub requests_at_once: usize,
    /// Requests under way at once from one address, behind trusted proxies as well
    #[arg(long, env = "KANGMAI_ADDRESS_REQUESTS_AT_ONCE", default_value_t = RequestsAtOnce::USUAL.most_of_sender)]
    pub address_requests_at_once: usize,
    /// Seconds within which the head of a request must have come
    #[arg(long, env = "KANGMAI_HEAD_SECONDS", default_value_t = ConnectionLimits::HEAD_SECONDS, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub head_seconds: u64,
    /// Seconds that a connection waits for its next request
    #[arg(long, env = "KANGMAI_KEEP_SECONDS", default_value_t = ConnectionLimits::IDLE_SECONDS, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub keep_seconds: u64,
    /// Seconds that the body of a request may stand still
    #[arg(long, env = "KANGMAI_BODY_STILL_SECONDS", default_value_t = Pace::USUAL.still.as_secs(), value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub body_still_seconds: u64,
    /// Bytes a second at least of a body
    #[arg(long, env = "KANGMAI_BODY_BYTES_A_SECOND", default_value_t = Pace::USUAL.least_bytes_a_second, value_parser = value_parser!(u32).range(1..))]
    pub body_bytes_a_second: u32,
    /// Seconds after which an answer must have begun
    #[arg(long, env = "KANGMAI_ANSWER_SECONDS", default_value_t = Pace::USUAL.answer.as_secs(), value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub answer_seconds: u64,
    /// Seconds that the other end may take nothing of its answer
    #[arg(long, env = "KANGMAI_WRITE_SECONDS", default_value_t = ConnectionLimits::WRITE_SECONDS, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub write_seconds: u64,
    /// Seconds that requests under way have when the server stops
    #[arg(long, env = "KANGMAI_STOP_SECONDS", default_value_t = ConnectionLimits::STOP_SECONDS, value_parser = value_parser!(u64).range(1..=MOST_SECONDS))]
    pub stop_seconds: u64,
}

impl LimitsConfig {
    /// As the server takes them.
    pub fn limits(&self, proxies: &TrustedProxies) -> ServingLimits {
        let connections = ConnectionLimits {
            most: self.connections.max(1),
            most_of_address: self.address_connections.max(1),
            head: Duration::from_secs(self.head_seconds),
            write: Duration::from_secs(self.write_seconds),
            stop: Duration::from_secs(self.stop_seconds),
            proxies: proxies.clone(),
            ..ConnectionLimits::usual()
        };
        ServingLimits {
            connections: connections.waiting(Duration::from_secs(self.keep_seconds)),
            requests: RequestsAtOnce {
                most: self.requests_at_once.max(1),
                most_of_sender: self.address_requests_at_once.max(1),
            },
            pace: Pace {
                still: Duration::from_secs(self.body_still_seconds),
                least_bytes_a_second: self.body_bytes_a_second,
                answer: Duration::from_secs(self.answer_seconds),
                ..Pace::USUAL
            },
        }
    }
}
