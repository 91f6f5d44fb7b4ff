//! What load profiles tell of the times that they met.

/// The time in milliseconds that `share` of the sorted microseconds do not exceed.
pub fn quantile_ms(sorted: &[u64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).map_or(0.0, |took| *took as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_was_met() {
        let sorted: Vec<u64> = (1..=100).map(|number| number * 1_000).collect();
        assert_eq!(
            [0.5, 0.95, 0.99, 1.0].map(|share| quantile_ms(&sorted, share)),
            [50.0, 95.0, 99.0, 100.0]
        );
        assert_eq!(quantile_ms(&[], 0.5), 0.0);
    }
}
