//! Who may know whom: `foundations <- spine <- doors, programmes <- server <- acceptance`, and inside the spine
//! `places <- people <- access <- record <- cases <- programme`, with `policy` on `base` alone.

use super::{Complaint, Package};

/// The order inside the spine; each may know those before it.
const SPINE: [&str; 6] = ["places", "people", "access", "record", "cases", "programme"];

/// Complaints about dependencies that run against the arrows. Development dependencies are free.
pub fn check_arrows(packages: &[Package]) -> Vec<Complaint> {
    let room = |name: &str| {
        packages.iter().find(|package| package.name == name).and_then(|package| package.folder.as_deref())
    };
    let mut complaints = Vec::new();
    for package in packages {
        let Some(from) = &package.folder else { continue };
        for need in &package.needs {
            let Some(to) = room(need) else { continue };
            if !may_know(from, to) {
                let says = format!(
                    "{from} must not depend on {to}: arrows run foundations <- spine <- doors, programmes <- server <- acceptance"
                );
                complaints.push(Complaint::about(format!("{from}/Cargo.toml"), says));
            }
        }
    }
    complaints
}

/// Complaints about crates whose folder is not the last word of their name, and about folders outside the rooms.
pub fn check_names(packages: &[Package]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for package in packages {
        let Some(folder) = &package.folder else { continue };
        let last = folder.rsplit('/').next().unwrap_or_default();
        let expected = format!("kangmai-{}", last.replace('_', "-"));
        if package.name != expected {
            let says = format!("the crate is named {}; its folder asks for {expected}", package.name);
            complaints.push(Complaint::about(format!("{folder}/Cargo.toml"), says));
        }
        for word in ["utils", "util", "common", "helpers", "types", "misc", "models", "services"] {
            if last == word {
                complaints.push(Complaint::about(folder.clone(), "a crate is named after its noun"));
            }
        }
    }
    complaints
}

fn may_know(from: &str, to: &str) -> bool {
    let (from_room, from_name) = from.split_once('/').unwrap_or((from, ""));
    let (to_room, to_name) = to.split_once('/').unwrap_or((to, ""));
    match (from_room, to_room) {
        ("foundations", "foundations") => from_name != "base",
        ("spine", "foundations") => from_name != "policy" || to_name == "base",
        ("spine", "spine") => may_know_in_spine(from_name, to_name),
        ("doors", "foundations" | "spine") => true,
        ("programmes", "foundations" | "spine" | "doors") => true,
        // Files and how they are served: knows nothing of who is treated, or where.
        ("field", "foundations") => true,
        ("server", room) => !matches!(room, "server" | "acceptance" | "xtask"),
        ("acceptance", room) => room != "xtask",
        _ => false,
    }
}

fn may_know_in_spine(from: &str, to: &str) -> bool {
    let place = |name: &str| SPINE.iter().position(|own| *own == name);
    match (place(from), place(to)) {
        (Some(from), Some(to)) => to < from,
        // Policy knows nobody of the spine; only the last, which ties a programme together, knows policy.
        (Some(_), None) => from == "programme" && to == "policy",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(folder: &str, needs: &[&str]) -> Package {
        let name = |folder: &str| {
            format!("kangmai-{}", folder.rsplit('/').next().unwrap_or_default().replace('_', "-"))
        };
        Package {
            name: name(folder),
            folder: Some(folder.to_owned()),
            needs: needs.iter().map(|need| name(need)).collect(),
            ..Package::default()
        }
    }

    fn complaints_of(from: &str, to: &str) -> usize {
        check_arrows(&[package(from, &[to]), package(to, &[])]).len()
    }

    #[test]
    fn arrows_against_the_table_are_found() {
        for (from, to, expected) in [
            ("spine/people", "spine/places", 0),
            ("spine/places", "spine/people", 1),
            ("spine/people", "foundations/database", 0),
            ("spine/policy", "foundations/base", 0),
            ("spine/policy", "foundations/database", 1),
            ("spine/policy", "spine/places", 1),
            ("spine/programme", "spine/policy", 0),
            ("spine/cases", "spine/policy", 1),
            ("foundations/base", "foundations/web", 1),
            ("foundations/database", "spine/record", 1),
            ("programmes/settlement", "doors/sheets", 0),
            ("programmes/settlement", "programmes/poverty_watch", 1),
            ("doors/sheets", "programmes/settlement", 1),
            ("programmes/settlement", "server", 1),
            ("field", "foundations/web", 0),
            ("field", "spine/record", 1),
            ("server", "field", 0),
            ("server", "programmes/settlement", 0),
            ("server", "acceptance", 1),
            ("acceptance", "server", 0),
            ("acceptance", "xtask", 1),
        ] {
            assert_eq!(complaints_of(from, to), expected, "{from} -> {to}");
        }
    }

    #[test]
    fn a_crate_named_otherwise_than_its_folder_is_found() {
        let mut wrong = package("programmes/poverty_watch", &[]);
        assert_eq!(check_names(std::slice::from_ref(&wrong)), []);
        wrong.name = "kangmai-watch".to_owned();
        assert_eq!(check_names(&[wrong]).len(), 1);
        assert_eq!(check_names(&[package("spine/common", &[])]).len(), 1);
    }
}
