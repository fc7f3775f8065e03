//! Benches of portal-auth; see `benches/`.
