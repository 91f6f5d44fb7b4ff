//! Every sentence that the readers name is in `words.toml`, and none is there for nothing.

use std::collections::BTreeSet;

#[test]
fn every_key_has_its_sentence() {
    let words = include_str!("../words.toml");
    let known: BTreeSet<&str> =
        words.lines().filter_map(|line| line.strip_prefix("[\"")?.strip_suffix("\"]")).collect();
    let sources = [
        include_str!("../src/cells.rs"),
        include_str!("../src/fault.rs"),
        include_str!("../src/header.rs"),
        include_str!("../src/read.rs"),
        include_str!("../src/summary.rs"),
    ];
    let named: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split('"').filter(|text| text.starts_with("sheet.")))
        .filter_map(|text| text.split([' ', '\\']).next())
        .collect();
    assert!(named.len() > 40, "the keys are found in the sources");
    let missing: Vec<_> = named.difference(&known).collect();
    assert!(missing.is_empty(), "no sentence for {missing:?}");
    let idle: Vec<_> = known.difference(&named).collect();
    assert!(idle.is_empty(), "nothing says {idle:?}");
}
