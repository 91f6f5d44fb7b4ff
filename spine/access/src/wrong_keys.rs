//! Wrong keys by the address that they come from.

use std::net::IpAddr;

use kangmai_base::Moment;

use crate::Throttle;

/// Wrong keys of one address in a window that are still answered with "wrong".
pub const MOST_WRONG_KEYS: u32 = 10;
/// How long a window lasts.
const WINDOW_SECONDS: i64 = 60;

/// Counts wrong keys. In memory: a key has 256 bits, and it is work that is saved here, not a door that a restart would
/// open.
///
/// A right key is always let in, whoever else comes from its address: behind one proxy many hospitals look like one.
#[derive(Debug)]
pub struct WrongKeys(Throttle<IpAddr>);

impl Default for WrongKeys {
    fn default() -> WrongKeys {
        WrongKeys(Throttle::new(MOST_WRONG_KEYS, WINDOW_SECONDS))
    }
}

impl WrongKeys {
    /// Counts one more wrong key. Where it is one too many: after how many seconds to come again.
    pub fn note(&self, from: IpAddr, now: Moment) -> Option<i64> {
        self.0.note(from, now)
    }
}
