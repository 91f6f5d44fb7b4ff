//! Who comes with wrong keys, and too often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use kangmai_base::Moment;

/// Wrong keys from one address within [`WINDOW_SECONDS`] that are answered; more are turned away.
pub const MOST_WRONG_KEYS: u32 = 10;
/// So long wrong keys are counted, and so long whoever sent too many waits at most.
const WINDOW_SECONDS: i64 = 60;
/// Addresses that are remembered; with more, the one that began longest ago is forgotten.
const MOST_ADDRESSES: usize = 1_024;

/// Counts wrong keys by address. Kept in memory only: a key has 256 bits and is not found by trying, so this saves work
/// and fills the log less; it does not guard anything that a restart would open.
///
/// A right key is always let in, whoever else comes from its address: behind one proxy many hospitals look like one.
#[derive(Debug, Default)]
pub struct WrongKeys {
    counted: Mutex<HashMap<IpAddr, (Moment, u32)>>,
}

impl WrongKeys {
    /// Counts one more wrong key. Where it is one too many: after how many seconds to come again.
    pub fn note(&self, from: IpAddr, now: Moment) -> Option<i64> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = |began: Moment| began.plus_seconds(WINDOW_SECONDS);
        if counted.len() >= MOST_ADDRESSES && !counted.contains_key(&from) {
            counted.retain(|_, (began, _)| now < ends(*began));
            let oldest = counted.iter().min_by_key(|(_, (began, _))| *began).map(|(address, _)| *address);
            if let Some(oldest) = oldest.filter(|_| counted.len() >= MOST_ADDRESSES) {
                counted.remove(&oldest);
            }
        }
        let (began, count) = counted.entry(from).or_insert((now, 0));
        if now >= ends(*began) {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        let left = ends(*began).0.saturating_sub(now.0).div_euclid(1_000_000) + 1;
        (*count > MOST_WRONG_KEYS).then_some(left.clamp(1, WINDOW_SECONDS))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn the_eleventh_in_a_minute_waits_for_its_end() {
        let wrong = WrongKeys::default();
        let begin = Moment(0);
        for _ in 0..MOST_WRONG_KEYS {
            assert_eq!(wrong.note(address(1), begin), None);
        }
        assert_eq!(wrong.note(address(1), begin), Some(60));
        assert_eq!(wrong.note(address(1), begin.plus_seconds(59)), Some(2));
        assert_eq!(wrong.note(address(2), begin), None, "another address is not meant");
        assert_eq!(wrong.note(address(1), begin.plus_seconds(60)), None, "a new minute begins");
    }

    #[test]
    fn addresses_without_end_are_not_remembered() {
        let wrong = WrongKeys::default();
        for number in 0..3 * 1_024 {
            assert_eq!(wrong.note(address(number), Moment(i64::from(number))), None);
        }
        assert_eq!(wrong.counted.lock().unwrap().len(), MOST_ADDRESSES);
    }
}
