//! What all targets have in common.

/// Gives the bytes to the door of this name.
///
/// # Panics
/// When there is no such door, or it fails.
pub fn take(name: &str, bytes: &[u8]) {
    match kangmai_acceptance::bad_input::door(name) {
        Some(door) => door.try_with(bytes),
        None => panic!("there is no door {name}"),
    }
}
