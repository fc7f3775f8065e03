//! Stand-in until the real module lands.
