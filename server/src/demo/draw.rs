//! Repeatable chance.

use kangmai_base::SeededIds;

/// Draws from a seed.
pub(crate) struct Draw(SeededIds);

impl Draw {
    pub(crate) fn new(seed: u64) -> Draw {
        Draw(SeededIds::new(seed))
    }

    /// A whole number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.0.next() % u64::from(end.max(1))) as u32
    }

    /// A whole number from `first` to `last`.
    pub(crate) fn between(&mut self, first: i32, last: i32) -> i32 {
        first + self.below((last - first + 1).max(1).cast_unsigned()).cast_signed()
    }

    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.0.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Yes, `per_thousand` times in a thousand.
    pub(crate) fn chance(&mut self, per_thousand: u32) -> bool {
        self.below(1_000) < per_thousand
    }

    /// One of them.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u32) as usize]
    }

    /// One of them, the first ones more often: as surnames are spread.
    pub(crate) fn early_one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let share = self.share();
        all[((share * share) * all.len() as f64) as usize % all.len()]
    }

    /// A skewed positive number whose middle is `middle`: log-normal with the spread `sigma`. Costs of care are so.
    pub(crate) fn skewed(&mut self, middle: f64, sigma: f64) -> f64 {
        let (one, other) = (self.share().max(1e-12), self.share());
        let normal = (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos();
        middle * (sigma * normal).exp()
    }

    /// How often something happens that happens `mean` times on average.
    pub(crate) fn times(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let (mut product, mut count) = (self.share(), 0);
        while product > limit && count < 60 {
            product *= self.share();
            count += 1;
        }
        count
    }
}
