//! Every connection is an open file to the system, which allows a process few of them at first.

/// Open files that are not connections: the database, uploads, the log.
const KEPT_FOR_OURSELVES: u64 = 256;

/// Raises the limit of open files as far as the system lets this process, and says how many connections fit below it: at most
/// `wanted`.
pub fn raise_file_limit(wanted: usize) -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limits = getrlimit(Resource::Nofile);
        let needed = (wanted as u64).saturating_add(KEPT_FOR_OURSELVES);
        let possible = limits.maximum.map_or(needed, |maximum| maximum.min(needed));
        let mut current = limits.current.unwrap_or(u64::MAX);
        if current < possible {
            let raised = Rlimit { current: Some(possible), maximum: limits.maximum };
            match setrlimit(Resource::Nofile, raised) {
                Ok(()) => current = possible,
                Err(error) => tracing::warn!(%error, current, "the limit of open files stays as it is"),
            }
        }
        let fitting = usize::try_from(current.saturating_sub(KEPT_FOR_OURSELVES)).unwrap_or(usize::MAX);
        wanted.min(fitting.max(1))
    }
    #[cfg(not(unix))]
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_wanted_and_always_one() {
        assert_eq!(raise_file_limit(1), 1);
        assert!((1..=100).contains(&raise_file_limit(100)));
    }
}
