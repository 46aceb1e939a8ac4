//! Connections: one task a data centre, and the pool that owns them.
