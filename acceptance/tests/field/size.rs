//! What a cheap telephone must load.

/// All script and style, packed.
const MOST_BYTES: usize = 60 * 1_024;

#[test]
fn script_and_style_are_light() {
    let files = kangmai_field::FILES.iter();
    let loaded = files.filter(|file| file.path.ends_with(".js") || file.path.ends_with(".css"));
    let bytes: usize = loaded.map(|file| file.gzip.len()).sum();
    println!("script and style: {bytes} bytes packed");
    assert!((20_000..=MOST_BYTES).contains(&bytes), "{bytes} bytes of script and style");
}
