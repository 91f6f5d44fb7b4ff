//! Walks over every page that a visitor can reach by links, as a curious user would. What holds for every answer (see
//! [`crate::visitor`]) then holds for every page of every role.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::visitor::Visitor;

/// Pages of one shape (`/people/{…}`) that are opened; more would show the same.
const OF_ONE_SHAPE: usize = 3;
/// Pages that one walk opens.
const MOST_PAGES: usize = 400;

/// What a walk met.
#[derive(Debug, Default)]
pub struct Walk {
    /// The paths that were opened, by shape.
    pub pages: BTreeMap<String, Vec<String>>,
    /// The shapes of files to be kept, such as workbooks; they are among the pages too.
    pub files: BTreeSet<String>,
    /// Every link that was seen.
    pub links: BTreeSet<String>,
    /// What was wrong, one sentence each.
    pub complaints: Vec<String>,
}

/// Opens every page that links lead to from `start`. Each must be there, and nothing may be wrong with it.
pub fn crawl(visitor: &mut Visitor, start: &str) -> Walk {
    let mut walk = Walk::default();
    let mut seen = BTreeSet::from([start.to_owned()]);
    let mut waiting = VecDeque::from([(start.to_owned(), "the start".to_owned())]);
    let mut opened = 0;
    while opened < MOST_PAGES {
        let Some((path, from)) = waiting.pop_front() else { break };
        let of_shape = walk.pages.entry(shape(&path)).or_default();
        if of_shape.len() >= OF_ONE_SHAPE {
            continue;
        }
        of_shape.push(path.clone());
        opened += 1;
        let faults = visitor.try_open(&path);
        walk.complaints.extend(faults.iter().map(|fault| format!("{path}: {fault}")));
        if !visitor.status().is_success() {
            walk.complaints.push(format!("{from} links to {path}, which answers {}", visitor.status()));
        }
        if !visitor.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            walk.files.insert(shape(&path));
        }
        for link in links(visitor) {
            if seen.insert(link.clone()) {
                waiting.push_back((link, path.clone()));
            }
        }
    }
    walk.links = seen;
    walk
}

/// The links of the page that stay in the program; without what stands behind `#`.
fn links(visitor: &Visitor) -> Vec<String> {
    let page = visitor.page();
    let links = page.all("a").into_iter().filter_map(|link| page.attribute(link, "href"));
    let own = links.filter(|link| link.starts_with('/') && !link.starts_with("//"));
    own.map(|link| link.split('#').next().unwrap_or_default().to_owned()).collect()
}

/// A path with its identifiers and numbers left out, and of its query only the names.
pub fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path
        .split('/')
        .map(|part| if part.bytes().any(|byte| byte.is_ascii_digit()) { "{…}" } else { part })
        .collect();
    let mut names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { parts.join("/") } else { format!("{}?{}", parts.join("/"), names.join("&")) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::extract::Path;
    use axum::response::{Html, IntoResponse};
    use axum::routing::get;

    use super::*;

    fn page(links: &str) -> impl IntoResponse + use<> {
        let links: String = links.split(' ').map(|link| format!("<a href=\"{link}\">{link}</a>")).collect();
        (
            [("content-security-policy", "default-src 'self'")],
            Html(format!("<html><body>{links}</body></html>")),
        )
    }

    fn visitor(start: &'static str) -> Visitor {
        let entry = |Path(number): Path<u32>| async move { page(&format!("/entries/{}", number + 1)) };
        let app = Router::new()
            .route("/", get(move || async move { page(start) }))
            .route("/entries/{number}", get(entry));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Visitor::new(app, Arc::new(runtime))
    }

    #[test]
    fn every_shape_is_opened_and_endless_ones_end() {
        let walk = crawl(&mut visitor("/entries/1#top https://example.org/gone //example.org /?page=2"), "/");
        assert_eq!(walk.complaints, Vec::<String>::new());
        let shapes: Vec<(&str, usize)> =
            walk.pages.iter().map(|(shape, paths)| (&**shape, paths.len())).collect();
        assert_eq!(shapes, [("/", 1), ("/?page", 1), ("/entries/{…}", OF_ONE_SHAPE)]);
    }

    #[test]
    fn a_dead_link_is_told() {
        let walk = crawl(&mut visitor("/entries/1 /gone"), "/");
        assert_eq!(walk.complaints, ["/ links to /gone, which answers 404 Not Found"]);
    }
}
