//! The binary `kangmai`.

fn main() {}
