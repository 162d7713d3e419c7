//! Fuzzes the parser of the plan of an image. A build writes it: no text may panic, and every path in a plan must be a name in
//! the store.
#![no_main]

use libfuzzer_sys::fuzz_target;
use splitter::image::{Plan, Store};

fuzz_target!(|json: &[u8]| {
    if let Ok(plan) = Plan::parse(json, &Store::default()) {
        for layer in &plan.layers {
            let names = layer.paths.iter().map(|item| &item.base_name);
            assert!(names.chain(layer.root.iter().map(|root| &root.base_name)).all(|name| !name.contains('/')));
            let _ = layer.identity();
        }
    }
});
