//! Work that needs no database, on all cores.

use std::num::NonZero;
use std::thread;

/// Below so many items a second thread costs more than it brings.
const WORTH_A_THREAD: usize = 100;

/// What `work` makes of each item, in order; where there are many, on all cores at once. Panics when `work` does.
pub fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    on_all_cores_with(items, || (), |(), item| work(item))
}

/// The same with what each core prepares for itself.
pub fn on_all_cores_with<T: Sync, R: Send, S>(
    items: &[T],
    prepare: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let part_done = |part: &[T]| {
        let mut prepared = prepare();
        part.iter().map(|item| work(&mut prepared, item)).collect::<Vec<R>>()
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(items.len() / WORTH_A_THREAD);
    if threads < 2 {
        return part_done(items);
    }
    let mut parts = items.chunks(items.len().div_ceil(threads));
    let own = parts.next().unwrap_or_default();
    let part_done = &part_done;
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || part_done(part))).collect();
        let mut all = part_done(own);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::{WORTH_A_THREAD, on_all_cores};

    #[test]
    fn order_stays_however_many() {
        for many in [0, 1, WORTH_A_THREAD - 1, 2 * WORTH_A_THREAD, 2 * WORTH_A_THREAD + 1, 9_999] {
            let items: Vec<usize> = (0..many).collect();
            let doubled: Vec<usize> = items.iter().map(|item| 2 * item).collect();
            assert_eq!(on_all_cores(&items, |item| 2 * item), doubled, "{many}");
        }
    }

    #[test]
    #[should_panic(expected = "the last one")]
    fn a_panic_is_not_lost() {
        let items: Vec<usize> = (0..=4 * WORTH_A_THREAD).collect();
        on_all_cores(&items, |item| assert!(*item < 4 * WORTH_A_THREAD, "the last one"));
    }
}
