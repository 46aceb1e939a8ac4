//! Generates Rust source from TL definitions, deterministic byte for byte.
