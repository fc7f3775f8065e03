//! What the tests need around them.
