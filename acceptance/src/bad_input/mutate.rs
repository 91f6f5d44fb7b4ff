//! Makes bad input out of good: the same out of the same seed.

/// Bytes that sit on an edge of something.
const EDGES: [u8; 12] = [0, 1, 9, 10, 13, b'"', b',', b'<', 0x7f, 0x80, 0xfe, 0xff];
/// The most changes to one input.
const MOST_CHANGES: u64 = 6;
/// The longest input.
const LONGEST: usize = 1 << 20;

/// A source of bad input.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    tokens: &'static [&'static str],
}

impl Mutator {
    /// One that likes to put in these tokens.
    pub fn new(seed: u64, tokens: &'static [&'static str]) -> Mutator {
        Mutator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, tokens }
    }

    fn draw(&mut self, end: usize) -> usize {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let drawn = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap_or(0) % end.max(1)
    }

    /// A changed one of `seeds`.
    pub fn next(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds.get(self.draw(seeds.len())).cloned().unwrap_or_default();
        for _ in 0..=self.draw(MOST_CHANGES as usize) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.draw(bytes.len() + 1);
        let until = (at + 1 + self.draw(32)).min(bytes.len());
        match self.draw(9) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] ^= 1 << self.draw(8),
            2 if at < bytes.len() => bytes[at] = EDGES[self.draw(EDGES.len())],
            3 if at < until => drop(bytes.drain(at..until)),
            4 if at < until => {
                let again: Vec<u8> = bytes[at..until].repeat(1 + self.draw(40));
                bytes.splice(at..at, again);
            }
            5 => {
                let noise: Vec<u8> = (0..=self.draw(8)).map(|_| self.draw(256) as u8).collect();
                bytes.splice(at..at, noise);
            }
            6 => {
                let other = seeds.get(self.draw(seeds.len())).cloned().unwrap_or_default();
                let from = self.draw(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ if !self.tokens.is_empty() => {
                let token = self.tokens[self.draw(self.tokens.len())].bytes();
                // In place of what is there, as often as between.
                let end = if self.draw(2) == 0 { at } else { until.max(at) };
                bytes.splice(at..end, token);
            }
            _ => bytes.insert(at, EDGES[self.draw(EDGES.len())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_input_and_others_make_others() {
        let seeds = vec![b"name,number\nA,1\n".to_vec(), b"x".to_vec()];
        let made = |seed| {
            let mut mutator = Mutator::new(seed, &["\"\"", "999999"]);
            (0..200).map(|_| mutator.next(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
        let all: std::collections::HashSet<Vec<u8>> = made(3).into_iter().collect();
        assert!(all.len() > 150, "{} different ones", all.len());
        assert!(Mutator::new(1, &[]).next(&[]).len() <= LONGEST);
    }
}
