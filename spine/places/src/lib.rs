//! The division tree of mainland China and the institutions in it.
