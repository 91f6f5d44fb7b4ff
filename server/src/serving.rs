//! How requests come in: connections are taken, watched and ended, and more than the server bears is refused in words.
//!
//! Everything ends: a head, a body, an answer, an idle connection, the stop itself. `docs/howto/limits.md` has the limits and
//! what each is for.

mod accept;
mod at_once;
mod connection;
mod files;
mod traffic;

use std::time::Duration;

use kangmai_web::{Pace, TrustedProxies};

pub use accept::{Stopped, accept};
pub(crate) use at_once::{AtOnce, keep_limits};
pub use files::raise_file_limit;
pub use traffic::{Refused, Traffic};

/// The limits of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingLimits {
    /// Of connections.
    pub connections: ConnectionLimits,
    /// Of requests under way.
    pub requests: RequestsAtOnce,
    /// Of one request.
    pub pace: Pace,
}

/// Limits of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// In all.
    pub most: usize,
    /// From one address that is no trusted proxy.
    pub most_of_address: usize,
    /// From its first byte, the head of a request must be there within this.
    pub head: Duration,
    /// So long a connection may wait for its next request.
    pub idle: Duration,
    /// The same once more than half of the connections are taken.
    pub idle_when_crowded: Duration,
    /// So long the other end may take nothing of an answer.
    pub write: Duration,
    /// So long what is under way may take to its end when the server stops.
    pub stop: Duration,
    /// Whose connections are not counted by address: a whole county comes through them.
    pub proxies: TrustedProxies,
}

/// Limits of requests that are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestsAtOnce {
    /// In all.
    pub most: usize,
    /// Of one sender.
    pub most_of_sender: usize,
}

impl ServingLimits {
    /// What holds unless somebody sets something else.
    pub fn usual() -> ServingLimits {
        ServingLimits {
            connections: ConnectionLimits::usual(),
            requests: RequestsAtOnce::USUAL,
            pace: Pace::USUAL,
        }
    }
}

impl ConnectionLimits {
    /// Connections in all.
    pub const MOST: usize = 20_000;
    /// Connections of one address: an office of two hundred behind one, each browser with its six.
    pub const MOST_OF_ADDRESS: usize = 1_200;
    /// Seconds for a head.
    pub const HEAD_SECONDS: u64 = 15;
    /// Seconds between requests: more than the 60 for which proxies keep a connection, so that they close it first.
    pub const IDLE_SECONDS: u64 = 75;
    /// Seconds without a byte of the answer taken.
    pub const WRITE_SECONDS: u64 = 30;
    /// Seconds for the stop: less than the 90 after which systemd kills.
    pub const STOP_SECONDS: u64 = 30;
    /// When it is crowded, who waits does so for this long at most.
    const IDLE_WHEN_CROWDED: Duration = Duration::from_secs(5);

    /// What holds unless somebody sets something else.
    pub fn usual() -> ConnectionLimits {
        ConnectionLimits {
            most: ConnectionLimits::MOST,
            most_of_address: ConnectionLimits::MOST_OF_ADDRESS,
            head: Duration::from_secs(ConnectionLimits::HEAD_SECONDS),
            idle: Duration::from_secs(ConnectionLimits::IDLE_SECONDS),
            idle_when_crowded: ConnectionLimits::IDLE_WHEN_CROWDED,
            write: Duration::from_secs(ConnectionLimits::WRITE_SECONDS),
            stop: Duration::from_secs(ConnectionLimits::STOP_SECONDS),
            proxies: TrustedProxies::default(),
        }
    }

    /// The same, with an idle time that is also the one of a crowd if it is the shorter.
    #[must_use]
    pub fn waiting(mut self, idle: Duration) -> ConnectionLimits {
        self.idle = idle;
        self.idle_when_crowded = idle.min(ConnectionLimits::IDLE_WHEN_CROWDED);
        self
    }
}

impl RequestsAtOnce {
    /// What holds unless somebody sets something else. A sender has an eighth of all: whoever sends slowly from one place
    /// holds the others up nowhere.
    pub const USUAL: RequestsAtOnce = RequestsAtOnce { most: 1_024, most_of_sender: 128 };
}
