//! The contract of every store.

use std::sync::Arc;

use store::{Records, conformance_suite};
use store_embedded::Embedded;

/// Opens a folder of its own again and again.
fn place() -> impl Fn() -> Arc<dyn Records> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    move || Arc::new(Embedded::open(folder.path()).expect("a store opens"))
}

conformance_suite!(place());
