//! Fuzzes the parser of the plan of an image. A build writes it: no text may panic, and every path in a plan must be a name in
//! the store.

use splitter::image::{Plan, Store};

pub(crate) fn check(json: &str) {
    let Ok(plan) = Plan::parse(json.as_bytes(), &Store::default()) else { return };
    for layer in &plan.layers {
        let names = layer.paths.iter().map(|item| &item.base_name);
        assert!(names.chain(layer.root.iter().map(|root| &root.base_name)).all(|name| !name.contains('/')));
        let _ = layer.identity();
    }
}
