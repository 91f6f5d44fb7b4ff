//! What is under way in this moment, and what was refused since the start: numbers only.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Why somebody was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As many connections as the server takes.
    Connections,
    /// As many connections as it takes from one address.
    AddressConnections,
    /// As many requests under way as it takes.
    Requests,
    /// As many requests of one sender.
    SenderRequests,
    /// A head did not come in time.
    SlowHead,
    /// The other end did not take its answer.
    SlowReader,
}

impl Refused {
    const ALL: [Refused; 6] = [
        Refused::Connections,
        Refused::AddressConnections,
        Refused::Requests,
        Refused::SenderRequests,
        Refused::SlowHead,
        Refused::SlowReader,
    ];

    const fn key(self) -> &'static str {
        match self {
            Refused::Connections => "connections",
            Refused::AddressConnections => "address_connections",
            Refused::Requests => "requests",
            Refused::SenderRequests => "sender_requests",
            Refused::SlowHead => "slow_head",
            Refused::SlowReader => "slow_reader",
        }
    }
}

/// The counts of a server.
#[derive(Debug, Default)]
pub struct Traffic {
    connections: AtomicI64,
    requests: AtomicI64,
    refused: [AtomicU64; Refused::ALL.len()],
}

impl Traffic {
    pub(super) fn connection_opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn request_begun(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn request_answered(&self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn note(&self, refused: Refused) {
        if let Some(count) = self.refused.get(refused as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Connections that are open.
    pub fn connections(&self) -> i64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// In the text form of Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut out = String::from(
            "# HELP kangmai_connections Connections that are open.\n# TYPE kangmai_connections gauge\n",
        );
        // Writing to a String cannot fail.
        let _ = writeln!(out, "kangmai_connections {}", self.connections());
        out.push_str(
            "# HELP kangmai_requests_under_way Requests whose answer has not begun.\n# TYPE kangmai_requests_under_way gauge\n",
        );
        let _ = writeln!(out, "kangmai_requests_under_way {}", self.requests.load(Ordering::Relaxed));
        out.push_str(
            "# HELP kangmai_refused_total Connections and requests that a limit ended.\n# TYPE kangmai_refused_total counter\n",
        );
        for (refused, count) in Refused::ALL.iter().zip(&self.refused) {
            let _ = writeln!(
                out,
                "kangmai_refused_total{{limit=\"{}\"}} {}",
                refused.key(),
                count.load(Ordering::Relaxed)
            );
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_line() {
        let traffic = Traffic::default();
        for (place, refused) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(refused as usize, place);
            traffic.note(refused);
        }
        traffic.connection_opened();
        let text = traffic.text();
        assert!(text.contains("kangmai_connections 1\n"), "{text}");
        assert!(text.contains("kangmai_refused_total{limit=\"slow_reader\"} 1\n"), "{text}");
    }
}
