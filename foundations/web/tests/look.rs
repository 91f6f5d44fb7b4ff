//! What the look promises: contrast, no inline style or script, a first page of at most 60 KB, words in both languages.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

const CSS: &str = include_str!("../assets/kangmai.css");

/// Text token on ground token.
const PAIRS: &[(&str, &str)] = &[
    ("ink", "paper"),
    ("ink", "ground"),
    ("ink", "primary-ground"),
    ("ink", "danger-ground"),
    ("ink", "warning-ground"),
    ("ink", "good-ground"),
    ("ink", "band"),
    ("muted", "paper"),
    ("muted", "ground"),
    ("primary", "paper"),
    ("primary", "ground"),
    ("primary", "primary-ground"),
    ("primary-strong", "paper"),
    ("primary-strong", "ground"),
    ("primary-strong", "primary-ground"),
    ("on-primary", "primary"),
    ("on-primary", "primary-strong"),
    ("danger", "paper"),
    ("danger", "ground"),
    ("danger", "danger-ground"),
    ("on-danger", "danger"),
    ("warning", "paper"),
    ("warning", "ground"),
    ("warning", "warning-ground"),
    ("good", "paper"),
    ("good", "ground"),
    ("good", "good-ground"),
    ("paper", "series-1"),
    ("paper", "series-2"),
    ("paper", "series-3"),
    ("paper", "series-4"),
    ("paper", "series-5"),
    ("paper", "series-6"),
];

/// Shapes that must be told from their ground: 3 to 1.
const SHAPES: &[(&str, &str)] = &[("edge", "paper"), ("edge", "ground"), ("primary", "ground")];

type Tokens = BTreeMap<String, [f64; 3]>;

/// The colours of every block `selector { … }` in `css`, in order.
fn tokens(css: &str, selector: &str) -> Tokens {
    let mut found = Tokens::new();
    let start = css.find(&format!("{selector} {{")).unwrap_or_else(|| panic!("no {selector}"));
    let body = css[start..].split('}').next().unwrap();
    for declaration in body.split([';', '{']) {
        let Some((name, value)) = declaration.trim().split_once(':') else { continue };
        let Some(name) = name.trim().strip_prefix("--") else { continue };
        let Some(hex) = value.trim().strip_prefix('#').filter(|hex| hex.len() == 6) else { continue };
        let channel =
            |index: usize| f64::from(u8::from_str_radix(&hex[index..index + 2], 16).unwrap()) / 255.0;
        found.insert(name.to_owned(), [channel(0), channel(2), channel(4)]);
    }
    found
}

/// Relative luminance, WCAG 2.2.
fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] =
        colour.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_pair_of_tokens_can_be_read() {
    let (light_css, dark_css) = CSS.split_once("@media screen and (prefers-color-scheme: dark)").unwrap();
    let dark_css = dark_css.split("/* Ground */").next().unwrap();
    let light = tokens(light_css, ":root");
    let mut light_elder = light.clone();
    light_elder.extend(tokens(light_css, ".elder"));
    let mut dark = light.clone();
    dark.extend(tokens(dark_css, ":root"));
    let mut dark_elder = dark.clone();
    // The elder tokens of the light scheme come before and count too, unless the dark scheme has its own.
    dark_elder.extend(tokens(light_css, ".elder"));
    dark_elder.extend(tokens(dark_css, ".elder"));
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    let mut low = Vec::new();
    for (scheme, tokens) in
        [("light", light), ("light elder", light_elder), ("dark", dark), ("dark elder", dark_elder)]
    {
        for (pairs, least) in [(PAIRS, 4.5), (SHAPES, 3.0)] {
            for (text, ground) in pairs {
                let found = contrast(tokens[*text], tokens[*ground]);
                if found < least {
                    low.push(format!("{scheme}: {text} on {ground} is {found:.2}, at least {least}"));
                }
            }
        }
    }
    assert!(low.is_empty(), "{low:#?}");
}

fn templates(folder: &Path, out: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            templates(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "html") {
            out.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_template_needs_an_exception_from_the_content_security_policy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    templates(&root.join("templates"), &mut found);
    templates(&root.join("examples/templates"), &mut found);
    assert!(found.len() > 15);
    for (path, text) in found {
        for piece in text.split('<').skip(1) {
            let tag = piece.split('>').next().unwrap_or_default();
            let name = tag.split_whitespace().next().unwrap_or_default();
            assert!(name != "style", "{path}: <{tag}>");
            assert!(name != "script" || tag.contains("src="), "{path}: <{tag}>");
            for attribute in tag.split_whitespace().skip(1) {
                let Some((name, _)) = attribute.split_once('=') else { continue };
                assert!(name != "style" && !name.starts_with("on"), "{path}: <{tag}>");
            }
            assert!(!tag.contains("javascript:"), "{path}: <{tag}>");
        }
        assert!(!text.contains("|safe"), "{path}: what is safe HTML has the type `Html`");
    }
}

#[test]
fn the_kit_is_light() {
    let bytes =
        kangmai_web::STYLE.gzip_bytes() + kangmai_web::SCRIPT.gzip_bytes() + kangmai_web::ICON.gzip_bytes();
    assert!(bytes < 15_000, "{bytes} bytes of style and script: 60 KB is for all of a first page");
}

#[test]
fn every_class_of_the_parts_has_a_style() {
    let mut found = Vec::new();
    templates(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut found);
    // Hooks that other pages style, or that only say what something is.
    let bare = ["reader-name", "question-words", "step-word", "step-ahead", "form", "masthead-line"];
    for (path, text) in found {
        for piece in text.split("class=\"").skip(1) {
            let value = piece.split('"').next().unwrap();
            if value.contains('{') {
                continue;
            }
            for class in value.split_whitespace().filter(|class| !bare.contains(class)) {
                assert!(CSS.contains(&format!(".{class}")), "{path}: no style for {class}");
            }
        }
    }
}
