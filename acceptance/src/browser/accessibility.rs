//! Whether everybody can use a page: our own rules, and those of axe-core where `KANGMAI_AXE` names its script.

use serde_json::{Value, json};

use super::Page;

const RULES: &str = include_str!("accessibility.js");

/// What a kind of reader needs.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// Smallest height of a control, px.
    pub target: u32,
    /// Smallest size of text, px.
    pub text: u32,
}

impl Need {
    /// Everybody: targets as WCAG 2.2, 2.5.8.
    pub const ANYBODY: Need = Need { target: 24, text: 12 };
    /// Elder mode: text of 18 px, targets of 60 px (Ministry of Industry and Information Technology, general design
    /// specification for ageing-friendly websites, 2021, and our design of pages).
    pub const ELDER: Need = Need { target: 60, text: 18 };
}

/// What keeps somebody with `need` from using the page; one sentence each.
pub fn check(page: &Page, need: Need) -> Vec<String> {
    let wish = json!({ "target": need.target, "text": need.text });
    let mut complaints = sentences(&page.ask(&format!("const wish = {wish};\n{RULES}")));
    complaints.extend(check_with_axe(page));
    complaints
}

fn check_with_axe(page: &Page) -> Vec<String> {
    let script = std::env::var_os("KANGMAI_AXE").and_then(|file| std::fs::read_to_string(file).ok());
    let Some(script) = script else { return Vec::new() };
    let run = "
        const told = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
        return told.violations.flatMap((broken) => broken.nodes.map((node) => `${broken.id}: ${broken.help}: ${node.html}`));";
    sentences(&page.ask(&format!("{script}\n;{run}")))
}

fn sentences(told: &Value) -> Vec<String> {
    told.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
