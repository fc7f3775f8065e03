//! The in-memory store keeps every promise of the ports (DB-6).

use portal_auth::store::in_memory::InMemoryStore;

async fn empty_store() -> InMemoryStore {
    InMemoryStore::new()
}

portal_auth::conformance_suite!(empty_store);
