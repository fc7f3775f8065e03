//! Target `imported_hash`; see `portal_auth_fuzz::imported_hash`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _reached = portal_auth_fuzz::imported_hash(data);
});

// Without `cargo fuzz` there is no engine: `tests/replay.rs` runs the same function.
#[cfg(not(fuzzing))]
const fn main() {}
