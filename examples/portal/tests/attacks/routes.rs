//! Every address of the portal, read from the routes in its sources.

use std::collections::BTreeSet;
use std::path::Path;

/// An address and whether it takes a form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub path: String,
    pub takes_form: bool,
}

/// Every route of the portal's pages.
///
/// # Panics
/// When the sources hold few of them: then they are written in another way.
pub fn routes() -> BTreeSet<Route> {
    let mut routes = BTreeSet::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        for route in source.split(".route(").skip(1) {
            let route = [".layer(", ".merge(", ".fallback("]
                .into_iter()
                .fold(route, |route, end| route.split(end).next().unwrap());
            let path = route.split('"').nth(1).unwrap_or_default().to_owned();
            if path.starts_with('/') {
                let takes_form = route.contains("post(");
                routes.insert(Route { path, takes_form });
            }
        }
    }
    assert!(routes.len() > 40, "the routes were not found: {routes:?}");
    routes
}

/// The text of every source file in a folder and below, without its tests.
fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
    found
}
