//! A believable county.
