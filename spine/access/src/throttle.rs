//! How often something may happen: counts by a key, in memory; what is counted in the database is no worse for a
//! forgotten count, and what is locked there stays locked.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use kangmai_base::Moment;

/// Keys of which counts are kept. Past them the oldest is forgotten: memory has an end, and who has so many keys is not
/// stopped by counting them.
pub const MOST_COUNTED: usize = 1_024;

/// Counts what happens by a key in windows of time: the first begins a window, and at its end the count begins anew.
#[derive(Debug)]
pub struct Throttle<K> {
    most: u32,
    window_seconds: i64,
    counted: Mutex<HashMap<K, (Moment, u32)>>,
}

impl<K: Copy + Eq + Hash> Throttle<K> {
    /// `most` of one key within `window_seconds`.
    pub fn new(most: u32, window_seconds: i64) -> Throttle<K> {
        Throttle { most, window_seconds, counted: Mutex::default() }
    }

    /// Counts one more. Where it is one too many: after how many seconds to come again.
    pub fn note(&self, key: K, now: Moment) -> Option<i64> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() >= MOST_COUNTED && !counted.contains_key(&key) {
            counted.retain(|_, (began, _)| self.is_open(*began, now));
            let oldest = counted.iter().min_by_key(|(_, (began, _))| *began).map(|(key, _)| *key);
            if let Some(oldest) = oldest.filter(|_| counted.len() >= MOST_COUNTED) {
                counted.remove(&oldest);
            }
        }
        let (began, count) = counted.entry(key).or_insert((now, 0));
        if !self.is_open(*began, now) {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count > self.most).then(|| self.left(*began, now))
    }

    /// Whether the next would be one too many, without counting: after how many seconds to come again.
    pub fn is_full(&self, key: K, now: Moment) -> Option<i64> {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = counted.get(&key).copied()?;
        (count >= self.most && self.is_open(began, now)).then(|| self.left(began, now))
    }

    /// A clock that was set back opens a new window: nobody waits for a time that passed already.
    const fn is_open(&self, began: Moment, now: Moment) -> bool {
        now.0 >= began.0 && now.0 < began.plus_seconds(self.window_seconds).0
    }

    fn left(&self, began: Moment, now: Moment) -> i64 {
        let left = began.plus_seconds(self.window_seconds).0.saturating_sub(now.0);
        (left.div_euclid(Moment::SECOND) + 1).clamp(1, self.window_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_waits_for_the_end_of_the_window() {
        let throttle = Throttle::new(10, 60);
        let begin = Moment(0);
        for _ in 0..10 {
            assert_eq!(throttle.is_full(1, begin), None);
            assert_eq!(throttle.note(1, begin), None);
        }
        assert_eq!(throttle.is_full(1, begin), Some(60));
        assert_eq!(throttle.note(1, begin), Some(60));
        assert_eq!(throttle.note(1, begin.plus_seconds(59)), Some(2));
        assert_eq!(throttle.note(2, begin), None, "another key is not meant");
        assert_eq!(throttle.is_full(1, begin.plus_seconds(60)), None, "the window is over");
        assert_eq!(throttle.note(1, begin.plus_seconds(60)), None, "a new window begins");
        assert_eq!(throttle.note(1, Moment(-1)), None, "a clock that was set back locks nobody out");
    }

    #[test]
    fn keys_without_end_are_not_remembered() {
        let throttle = Throttle::new(10, 60);
        for key in 0..3 * MOST_COUNTED {
            assert_eq!(throttle.note(key, Moment(i64::try_from(key).unwrap_or_default())), None);
        }
        assert_eq!(throttle.counted.lock().unwrap().len(), MOST_COUNTED);
    }
}
