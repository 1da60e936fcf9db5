//! What a decision must not cost: an allocation. Its time is measured by `benches/decision.rs`.
#![allow(unsafe_code, reason = "counting allocations takes an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use policy::{Action, Attributes, Context, Document, PolicySet, Request, Resource, Scope};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Ten documents of twenty statements; the last statement of the last grants.
fn fleet() -> PolicySet {
    let document = |number: usize| {
        let json = include_str!("../benches/fleet.json").replace("NUMBER", &number.to_string());
        (format!("fleet-{number}"), Arc::new(Document::parse(&json).expect("well formed")))
    };
    PolicySet::new((0..10).map(document).collect())
}

/// Hands a request that only the very last statement grants to `judge`.
fn with_request<T>(judge: impl FnOnce(&PolicySet, &Request<'_>) -> T) -> T {
    let names = vec!["backend".to_owned()];
    let certificate: Attributes = [("Subject.CommonName".to_owned(), names)].into_iter().collect();
    let context = Context {
        source_ip: Some("203.0.113.9".parse().expect("an address")),
        secure_transport: Some(true),
        epoch_seconds: Some(1_777_593_600),
        client_id: Some("lamp-1"),
        certificate: Some(&certificate),
        topic: Some("devices/backend/reboot"),
        ..Context::default()
    };
    let scope = Scope::new("us-west-2", "123456789012");
    let request = Request {
        action: Action::SendDirectMessage,
        resource: Resource::Client("lamp-9-0042"),
        scope: &scope,
        context: &context,
    };
    judge(&fleet(), &request)
}

#[test]
fn a_decision_allocates_nothing() {
    with_request(|policies, request| {
        let before = ALLOCATIONS.get();
        let allowed = policies.evaluate(request).is_allowed();
        let denied = policies
            .evaluate(&Request { resource: Resource::Client("other"), ..*request })
            .is_allowed();
        let after = ALLOCATIONS.get();
        assert!(allowed && !denied);
        assert_eq!(after - before, 0);
    });
}
